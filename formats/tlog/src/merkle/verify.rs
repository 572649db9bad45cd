//! Verifies proofs. The functions compute over the proof alone and need no tree.

use super::error::ProofError;
use super::number::{Index, Size};
use super::subtree::{Subtree, split_point};
use super::{EMPTY_ROOT, node_hash};
use crate::Hash;

/// Verifies that the leaf with hash `leaf` is at `index` in the tree of `size` leaves with `root`.
///
/// # Errors
/// [`ProofError`] when the proof does not hold.
pub fn verify_inclusion(leaf: &Hash, index: Index, size: Size, proof: &[Hash], root: &Hash) -> Result<(), ProofError> {
    verify_subtree_inclusion(leaf, index, Subtree::whole(size), proof, root)
}

/// Verifies that the leaf with hash `leaf` is at `index` (counted in the whole tree) in `subtree`, whose hash is
/// `hash`.
///
/// # Errors
/// [`ProofError`] when the proof does not hold.
pub fn verify_subtree_inclusion(
    leaf: &Hash,
    index: Index,
    subtree: Subtree,
    proof: &[Hash],
    hash: &Hash,
) -> Result<(), ProofError> {
    if index.get() < subtree.start || index.get() >= subtree.end {
        return Err(ProofError::Beyond);
    }
    let mut node = index.get() - subtree.start;
    let mut last = subtree.end - subtree.start - 1;
    let mut result = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            result = node_hash(sibling, &result);
            // A node on the right edge that has no sibling moves up unchanged.
            let lift = node.trailing_zeros();
            node >>= lift;
            last >>= lift;
        } else {
            result = node_hash(&result, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if result == *hash {
        Ok(())
    } else {
        Err(ProofError::RootMismatch)
    }
}

/// Verifies that the tree of `old` leaves with `old_root` is a prefix of the tree of `new` leaves with `new_root`.
///
/// # Errors
/// [`ProofError`] when the proof does not hold. If the log has signed both roots, either it has forked or the proof is
/// damaged.
pub fn verify_consistency(
    old: Size,
    old_root: &Hash,
    new: Size,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    verify_subtree_consistency(Subtree::whole(old), old_root, new, new_root, proof)?;
    // With an empty new tree, the check above compares no root. The empty tree has one root only.
    if new == Size::ZERO && *new_root != EMPTY_ROOT {
        return Err(ProofError::RootMismatch);
    }
    Ok(())
}

/// Verifies that `subtree` has the hash `hash` in the tree of `size` leaves with `root`.
///
/// # Errors
/// [`ProofError`] when the proof does not hold.
pub fn verify_subtree_consistency(
    subtree: Subtree,
    hash: &Hash,
    size: Size,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if subtree.end > size.get() {
        return Err(ProofError::Beyond);
    }
    if subtree.is_empty() {
        // SPEC (MT-3): the proof from the empty tree MUST be empty.
        return match (proof.is_empty(), *hash == EMPTY_ROOT) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::OldRootMismatch),
            (true, true) => Ok(()),
        };
    }
    let mut path = Path::from_leaves(subtree, size);
    let (start, rest) = if path.first == path.last {
        (*hash, proof)
    } else {
        let (start, rest) = proof.split_first().ok_or(ProofError::Length)?;
        (*start, rest)
    };
    let (mut old, mut new) = (start, start);
    for sibling in rest {
        if path.tree_last == 0 {
            return Err(ProofError::Length);
        }
        if path.last & 1 == 1 || path.last == path.tree_last {
            if path.first < path.last {
                old = node_hash(sibling, &old);
            }
            new = node_hash(sibling, &new);
            while path.last & 1 == 0 {
                path.up();
            }
        } else {
            new = node_hash(&new, sibling);
        }
        path.up();
    }
    if path.tree_last != 0 {
        return Err(ProofError::Length);
    }
    if old != *hash {
        return Err(ProofError::OldRootMismatch);
    }
    if new == *root {
        Ok(())
    } else {
        Err(ProofError::RootMismatch)
    }
}

/// The state of a walk up the tree: the nodes of one level above the subtree's first and last leaf and the tree's last
/// leaf.
struct Path {
    first: u64,
    last: u64,
    tree_last: u64,
}

impl Path {
    /// Starts at the largest complete node that ends a non-empty subtree, where the proof starts too.
    fn from_leaves(subtree: Subtree, size: Size) -> Self {
        let mut path = Self {
            first: subtree.start,
            last: subtree.end - 1,
            tree_last: size.get() - 1,
        };
        let at_right_edge = path.last == path.tree_last;
        while path.first != path.last && (at_right_edge || path.last & 1 == 1) {
            path.up();
        }
        path
    }

    fn up(&mut self) {
        self.first >>= 1;
        self.last >>= 1;
        self.tree_last >>= 1;
    }
}

/// Number of hashes in the inclusion proof of `index` in `size`; `None` when the tree has no such leaf.
#[must_use]
pub fn inclusion_proof_length(index: Index, size: Size) -> Option<usize> {
    if !size.contains(index) {
        return None;
    }
    let (mut at, mut width, mut length) = (index.get(), size.get(), 0);
    while width > 1 {
        let left = split_point(width);
        if at < left {
            width = left;
        } else {
            at -= left;
            width -= left;
        }
        length += 1;
    }
    Some(length)
}
