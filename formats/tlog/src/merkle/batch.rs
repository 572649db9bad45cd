//! One proof for many leaves, which contains each hash once.
//!
//! Prover and verifier walk the tree from the root, left before right, in the recursion of MTH. A subtree without any
//! of the leaves is one hash of the proof; the verifier has the hash of a single leaf; all other subtrees are split as
//! MTH splits them. So the positions of the leaves determine which hashes the proof contains, and in which order:
//!
//! ```text
//! hash(low, high) = no leaf in [low, high) ? next hash of the proof
//!                 : high − low == 1        ? the leaf's hash
//!                 : node(hash(low, low + k), hash(low + k, high))        k = largest power of two < high − low
//! ```
//!
//! For one leaf, these are the hashes of its inclusion path in the order of the tree.

use super::error::ProofError;
use super::generate::{GenerateError, HashReader, subtree_hash};
use super::node_hash;
use super::number::{Index, Size};
use super::subtree::{Subtree, split_point};
use crate::Hash;

/// Returns the hashes that prove the leaves at `indices` (strictly ascending) in the tree of `size`.
///
/// # Errors
/// [`GenerateError::Beyond`] when an index is not below `size`; [`GenerateError::Read`] with the reader's error.
pub fn inclusion_batch<R: HashReader + ?Sized>(
    reader: &mut R,
    indices: &[Index],
    size: Size,
) -> Result<Vec<Hash>, GenerateError<R::Error>> {
    if let Some(index) = indices.iter().find(|index| !size.contains(**index)) {
        let end = index.get() + 1;
        return Err(GenerateError::Beyond { end, size });
    }
    let mut proof = Vec::new();
    collect(reader, indices, Subtree::whole(size), &mut proof).map_err(GenerateError::Read)?;
    Ok(proof)
}

fn collect<R: HashReader + ?Sized>(
    reader: &mut R,
    indices: &[Index],
    Subtree { start, end }: Subtree,
    proof: &mut Vec<Hash>,
) -> Result<(), R::Error> {
    if indices.is_empty() {
        proof.push(subtree_hash(reader, Subtree { start, end })?);
    } else if end - start > 1 {
        let middle = start + split_point(end - start);
        let (left, right) = indices.split_at(indices.partition_point(|index| index.get() < middle));
        collect(reader, left, Subtree { start, end: middle }, proof)?;
        collect(reader, right, Subtree { start: middle, end }, proof)?;
    }
    Ok(())
}

/// Verifies that every leaf (index and hash, strictly ascending by index) is in the tree of `size` leaves with `root`.
///
/// # Errors
/// [`ProofError`] when the proof does not hold for all of them; [`ProofError::Order`] when the leaves do not ascend.
pub fn verify_inclusion_batch(
    leaves: &[(Index, Hash)],
    size: Size,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if leaves.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        return Err(ProofError::Order);
    }
    if leaves.is_empty() || leaves.last().is_some_and(|(index, _)| !size.contains(*index)) {
        return Err(ProofError::Beyond);
    }
    let mut rest = proof.iter();
    let computed = compute(leaves, Subtree::whole(size), &mut rest)?;
    if rest.next().is_some() {
        Err(ProofError::Length)
    } else if computed == *root {
        Ok(())
    } else {
        Err(ProofError::RootMismatch)
    }
}

/// Computes the hash of a subtree. The recursion is at most 63 deep and follows only paths to the leaves.
fn compute(
    leaves: &[(Index, Hash)],
    Subtree { start, end }: Subtree,
    proof: &mut core::slice::Iter<'_, Hash>,
) -> Result<Hash, ProofError> {
    match leaves {
        [] => proof.next().copied().ok_or(ProofError::Length),
        [(_, leaf)] if end - start == 1 => Ok(*leaf),
        _ => {
            let middle = start + split_point(end - start);
            let (left, right) = leaves.split_at(leaves.partition_point(|(index, _)| index.get() < middle));
            let left = compute(left, Subtree { start, end: middle }, proof)?;
            let right = compute(right, Subtree { start: middle, end }, proof)?;
            Ok(node_hash(&left, &right))
        }
    }
}

/// One step of the way from a leaf to the root: the hash beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathStep {
    /// The hash of the other half of the subtree.
    pub sibling: Hash,
    /// Whether that half is the left one.
    pub is_left: bool,
}

impl PathStep {
    /// The hash of the whole subtree, from the hash of this half.
    #[must_use]
    pub fn parent(&self, half: &Hash) -> Hash {
        if self.is_left {
            node_hash(&self.sibling, half)
        } else {
            node_hash(half, &self.sibling)
        }
    }
}

/// The way from one of the leaves of a batch to the root, leaf first. The batch must have been verified.
///
/// # Errors
/// [`ProofError::Length`] when the proof has too few hashes.
pub fn path_in_batch(
    leaves: &[(Index, Hash)],
    size: Size,
    proof: &[Hash],
    index: Index,
) -> Result<Vec<PathStep>, ProofError> {
    let mut path = Vec::new();
    trace(leaves, Subtree::whole(size), &mut proof.iter(), index.get(), &mut path)?;
    Ok(path)
}

/// [`compute`], which notes what is beside the way to `index`.
fn trace(
    leaves: &[(Index, Hash)],
    Subtree { start, end }: Subtree,
    proof: &mut core::slice::Iter<'_, Hash>,
    index: u64,
    path: &mut Vec<PathStep>,
) -> Result<Hash, ProofError> {
    if leaves.is_empty() || end - start == 1 {
        return compute(leaves, Subtree { start, end }, proof);
    }
    let middle = start + split_point(end - start);
    let (left, right) = leaves.split_at(leaves.partition_point(|(index, _)| index.get() < middle));
    let left = trace(left, Subtree { start, end: middle }, proof, index, path)?;
    let right = trace(right, Subtree { start: middle, end }, proof, index, path)?;
    if (start..end).contains(&index) {
        let is_left = index >= middle;
        let sibling = if is_left { left } else { right };
        path.push(PathStep { sibling, is_left });
    }
    Ok(node_hash(&left, &right))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::merkle::{MemoryTree, inclusion_proof, leaf_hash};

    fn tree(size: u32) -> MemoryTree {
        let mut tree = MemoryTree::new();
        (0..size).for_each(|n| {
            tree.append(leaf_hash(&n.to_be_bytes())).unwrap();
        });
        tree
    }

    fn leaves(indices: &[u32]) -> Vec<(Index, Hash)> {
        let leaf = |n: &u32| (Index::from(*n), leaf_hash(&n.to_be_bytes()));
        indices.iter().map(leaf).collect()
    }

    fn prove(tree: &mut MemoryTree, indices: &[u32]) -> Vec<Hash> {
        let size = tree.size();
        let indices: Vec<Index> = indices.iter().map(|n| Index::from(*n)).collect();
        inclusion_batch(tree, &indices, size).unwrap()
    }

    /// The way of each leaf of a batch is the inclusion proof of this leaf, and it ends at the root.
    #[test]
    fn a_path_in_a_batch_is_the_leafs_inclusion_proof() {
        for size in 1..=9 {
            let mut tree = tree(size);
            let (root, whole) = (tree.root(), tree.size());
            for set in 1_u32..1 << size {
                let indices: Vec<u32> = (0..size).filter(|n| set >> n & 1 == 1).collect();
                let proof = prove(&mut tree, &indices);
                let leaves = leaves(&indices);
                for (index, leaf) in &leaves {
                    let path = path_in_batch(&leaves, whole, &proof, *index).unwrap();
                    let siblings: Vec<Hash> = path.iter().map(|step| step.sibling).collect();
                    assert_eq!(siblings, inclusion_proof(&mut tree, *index, whole).unwrap());
                    assert_eq!(path.iter().fold(*leaf, |hash, step| step.parent(&hash)), root);
                }
            }
        }
    }

    /// Every non-empty set of leaves of every tree of up to nine leaves.
    #[test]
    fn every_set_of_leaves_of_a_small_tree_is_proved() {
        for size in 1..=9 {
            let mut tree = tree(size);
            for set in 1_u32..1 << size {
                let indices: Vec<u32> = (0..size).filter(|n| set >> n & 1 == 1).collect();
                let proof = prove(&mut tree, &indices);
                let check = |leaves: &[_], proof: &[Hash]| {
                    verify_inclusion_batch(leaves, Size::from(size), proof, &tree.root())
                };
                assert_eq!(check(&leaves(&indices), &proof), Ok(()), "{size} {indices:?}");
                let longer = [&proof[..], &[Hash([0; 32])]].concat();
                assert_eq!(check(&leaves(&indices), &longer), Err(ProofError::Length));
                if !proof.is_empty() {
                    let shorter = &proof[..proof.len() - 1];
                    assert_eq!(check(&leaves(&indices), shorter), Err(ProofError::Length));
                }
                let mut wrong = leaves(&indices);
                wrong[0].1.0[7] ^= 1;
                assert_eq!(check(&wrong, &proof), Err(ProofError::RootMismatch));
            }
        }
    }

    #[test]
    fn one_leaf_needs_its_path_and_many_leaves_share_hashes() {
        let mut tree = tree(1000);
        let size = tree.size();
        let mut path = inclusion_proof(&mut tree, Index::from(517), size).unwrap();
        let mut batch = prove(&mut tree, &[517]);
        path.sort_unstable();
        batch.sort_unstable();
        assert_eq!(path, batch);
        assert_eq!(prove(&mut tree, &(0..1000).collect::<Vec<_>>()), []);
        assert!(prove(&mut tree, &[516, 517]).len() < batch.len());
    }

    #[test]
    fn unordered_repeated_and_outside_leaves_are_refused() {
        let mut tree = tree(10);
        let proof = prove(&mut tree, &[3, 5]);
        let check = |indices: &[u32]| verify_inclusion_batch(&leaves(indices), Size::from(10), &proof, &tree.root());
        assert_eq!(check(&[3, 5]), Ok(()));
        assert_eq!(check(&[5, 3]), Err(ProofError::Order));
        assert_eq!(check(&[3, 3, 5]), Err(ProofError::Order));
        assert_eq!(check(&[3, 10]), Err(ProofError::Beyond));
        assert_eq!(check(&[]), Err(ProofError::Beyond));
        assert_eq!(check(&[3, 6]), Err(ProofError::RootMismatch));
        let beyond = inclusion_batch(&mut tree, &[Index::from(10)], Size::from(10));
        assert!(matches!(beyond, Err(GenerateError::Beyond { end: 11, .. })));
    }
}
