//! Growing trees: the [`Frontier`] keeps only the right edge, the [`MemoryTree`] keeps every node.

use super::generate::HashReader;
use super::number::{Index, RangeError, Size};
use super::{EMPTY_ROOT, node_hash};
use crate::Hash;

/// The right edge of a tree (a *compact range* from 0): the hashes of the complete subtrees of which the tree consists,
/// largest first, one for each set bit of the size. These are at most 63 hashes, enough to append leaves and to compute
/// the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: Size,
    hashes: Vec<Hash>,
}

/// The number of hashes does not fit a tree of this size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tree of {size} leaves has {expected} hashes on its right edge, not {found}")]
pub struct FrontierError {
    /// The given size.
    pub size: Size,
    /// Number of hashes on the right edge of a tree of this size.
    pub expected: u32,
    /// Number of given hashes.
    pub found: usize,
}

impl Frontier {
    /// Makes an empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Restores a frontier from the hashes that [`Frontier::hashes`] returned. This does not check that they are the
    /// right hashes: compare the root.
    ///
    /// # Errors
    /// [`FrontierError`] when the number of hashes is not the number of set bits of `size`.
    pub fn from_hashes(size: Size, hashes: Vec<Hash>) -> Result<Self, FrontierError> {
        let expected = size.get().count_ones();
        if usize::try_from(expected) == Ok(hashes.len()) {
            Ok(Self { size, hashes })
        } else {
            Err(FrontierError {
                size,
                expected,
                found: hashes.len(),
            })
        }
    }

    /// Reads the right edge of a stored tree.
    ///
    /// # Errors
    /// The reader's error.
    pub fn from_reader<R: HashReader + ?Sized>(reader: &mut R, size: Size) -> Result<Self, R::Error> {
        let mut hashes = Vec::new();
        let mut at = 0;
        while at < size.get() {
            let level = (size.get() - at).ilog2();
            hashes.push(reader.read(level.to_le_bytes()[0], at >> level)?);
            at += 1 << level;
        }
        Ok(Self { size, hashes })
    }

    /// Adds a leaf by its hash and calls `completed(level, index, hash)` for every node that the leaf completes, from
    /// the leaf itself (level 0) up. A store of exactly these nodes can serve as a [`HashReader`].
    ///
    /// # Errors
    /// [`RangeError`] when the tree has 2^63 − 1 leaves already.
    pub fn append(&mut self, leaf: Hash, mut completed: impl FnMut(u8, u64, Hash)) -> Result<Index, RangeError> {
        let at = self.size.get();
        let index = Index::new(at)?;
        let grown = Size::new(at + 1)?;
        completed(0, at, leaf);
        let mut hash = leaf;
        // Each trailing one bit of the old size stands for a complete subtree, which now gets its right sibling.
        for level in 1..=at.trailing_ones() {
            let Some(left) = self.hashes.pop() else { break };
            hash = node_hash(&left, &hash);
            completed(level.to_le_bytes()[0], at >> level, hash);
        }
        self.hashes.push(hash);
        self.size = grown;
        Ok(index)
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// The hashes of the complete subtrees, largest subtree first.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let folded = self
            .hashes
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right));
        folded.unwrap_or(EMPTY_ROOT)
    }
}

/// A whole tree in memory, 64 bytes per leaf, for small trees, tools and tests. A log stores its tree.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    frontier: Frontier,
    levels: Vec<Vec<Hash>>,
}

/// The requested node is not complete in this tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tree has no complete node {index} at level {level}")]
pub struct MissingNode {
    /// Level of the node.
    pub level: u8,
    /// Index within the level.
    pub index: u64,
}

impl MemoryTree {
    /// Makes an empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a leaf by its hash.
    ///
    /// # Errors
    /// [`RangeError`] when the tree has 2^63 − 1 leaves already.
    pub fn append(&mut self, leaf: Hash) -> Result<Index, RangeError> {
        let levels = &mut self.levels;
        self.frontier.append(leaf, |level, _, hash| {
            let level = usize::from(level);
            if levels.len() <= level {
                levels.resize_with(level + 1, Vec::new);
            }
            levels[level].push(hash);
        })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.frontier.size()
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }
}

impl HashReader for MemoryTree {
    type Error = MissingNode;

    fn read(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        usize::try_from(index)
            .ok()
            .and_then(|at| self.levels.get(usize::from(level))?.get(at))
            .copied()
            .ok_or(MissingNode { level, index })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::merkle::{leaf_hash, root};

    #[test]
    fn frontier_and_stored_nodes_agree() {
        let mut tree = MemoryTree::new();
        let mut frontier = Frontier::new();
        for n in 0_u32..200 {
            let size = Size::from(n);
            assert_eq!(root(&mut tree, size).unwrap(), frontier.root(), "{n}");
            assert_eq!(Frontier::from_reader(&mut tree, size).unwrap(), frontier);
            assert_eq!(
                Frontier::from_hashes(size, frontier.hashes().to_vec()).unwrap(),
                frontier
            );
            let leaf = leaf_hash(&n.to_be_bytes());
            let mut nodes = Vec::new();
            let index = frontier
                .append(leaf, |level, index, hash| nodes.push((level, index, hash)))
                .unwrap();
            assert_eq!(index, tree.append(leaf).unwrap());
            for (level, index, hash) in nodes {
                assert_eq!(tree.read(level, index), Ok(hash));
            }
        }
        assert_eq!(tree.read(3, 25), Err(MissingNode { level: 3, index: 25 }));
    }

    #[test]
    fn a_frontier_has_one_hash_for_each_set_bit() {
        let error = Frontier::from_hashes(Size::from(5), vec![Hash([0; 32])]).unwrap_err();
        assert_eq!((error.expected, error.found), (2, 1));
    }

    #[test]
    fn a_full_tree_refuses_another_leaf() {
        let size = Size::new((1 << 63) - 1).unwrap();
        let mut frontier = Frontier::from_hashes(size, vec![Hash([0; 32]); 63]).unwrap();
        assert!(frontier.append(Hash([0; 32]), |_, _, _| ()).is_err());
        assert_eq!(frontier.size(), size);
    }
}
