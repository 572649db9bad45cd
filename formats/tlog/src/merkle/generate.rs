//! Computes roots and proofs from stored nodes.

use super::number::{Index, Size};
use super::subtree::{Subtree, split_point};
use super::{EMPTY_ROOT, node_hash};
use crate::Hash;

/// Reads complete nodes of a tree. Level 0 contains the leaf hashes; node `index` of `level` covers the leaves
/// `[index·2^level, (index+1)·2^level)`.
pub trait HashReader {
    /// Why a node could not be read.
    type Error;

    /// Returns the node's hash.
    ///
    /// # Errors
    /// When the node is not complete or not stored, or when the storage fails.
    fn read(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

impl<R: HashReader + ?Sized> HashReader for &mut R {
    type Error = R::Error;

    fn read(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        (**self).read(level, index)
    }
}

/// Why a root or a proof cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError<E> {
    /// The requested range ends outside the tree. This is an error of the caller.
    #[error("{end} leaves are asked for, but the tree has only {size}")]
    Beyond {
        /// First leaf after the requested range.
        end: u64,
        /// Size of the tree.
        size: Size,
    },
    /// A node could not be read.
    #[error("a tree node cannot be read: {0}")]
    Read(E),
}

/// Computes the root of the first `size` leaves.
///
/// # Errors
/// The reader's error.
pub fn root<R: HashReader + ?Sized>(reader: &mut R, size: Size) -> Result<Hash, R::Error> {
    subtree_hash(reader, Subtree::whole(size))
}

/// Computes the hash of a subtree, which is MTH over its leaves.
///
/// # Errors
/// The reader's error.
pub fn subtree_hash<R: HashReader + ?Sized>(reader: &mut R, subtree: Subtree) -> Result<Hash, R::Error> {
    // The subtree is a sequence of complete nodes of decreasing size, folded from the right.
    let mut nodes = Vec::new();
    let mut at = subtree.start;
    while at < subtree.end {
        let level = (subtree.end - at).ilog2();
        nodes.push(reader.read(level.to_le_bytes()[0], at >> level)?);
        at += 1 << level;
    }
    let folded = nodes.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
    Ok(folded.unwrap_or(EMPTY_ROOT))
}

/// PATH(index, D\[0:size\]): the sibling hashes from the leaf up.
///
/// # Errors
/// [`GenerateError::Beyond`] when `index ≥ size`; [`GenerateError::Read`] with the reader's error.
pub fn inclusion_proof<R: HashReader + ?Sized>(
    reader: &mut R,
    index: Index,
    size: Size,
) -> Result<Vec<Hash>, GenerateError<R::Error>> {
    let leaf = Subtree {
        start: index.get(),
        end: index.get() + 1,
    };
    subtree_proof(reader, leaf, size)
}

/// PROOF(old, D\[0:new\]): empty for `old = 0` and for `old = new`.
///
/// # Errors
/// [`GenerateError::Beyond`] when `old > new`; [`GenerateError::Read`] with the reader's error.
pub fn consistency_proof<R: HashReader + ?Sized>(
    reader: &mut R,
    old: Size,
    new: Size,
) -> Result<Vec<Hash>, GenerateError<R::Error>> {
    subtree_proof(reader, Subtree::whole(old), new)
}

/// SUBTREE_PROOF(start, end, D\[0:size\]), empty for an empty subtree.
///
/// # Errors
/// [`GenerateError::Beyond`] when the subtree ends after `size`; [`GenerateError::Read`] with the reader's error.
pub fn subtree_proof<R: HashReader + ?Sized>(
    reader: &mut R,
    subtree: Subtree,
    size: Size,
) -> Result<Vec<Hash>, GenerateError<R::Error>> {
    if subtree.end > size.get() {
        return Err(GenerateError::Beyond { end: subtree.end, size });
    }
    let mut proof = Vec::new();
    if subtree.is_empty() {
        return Ok(proof);
    }
    // This walks the draft's recursion from the root down, so it finds the siblings in reverse order.
    let Subtree { mut start, end } = subtree;
    let (mut low, mut high) = (0, size.get());
    let mut known_to_verifier = true;
    let mut add = |start, end| -> Result<(), GenerateError<R::Error>> {
        let hash = subtree_hash(reader, Subtree { start, end }).map_err(GenerateError::Read)?;
        proof.push(hash);
        Ok(())
    };
    while (start, end) != (low, high) {
        let middle = low + split_point(high - low);
        if end <= middle {
            add(middle, high)?;
            high = middle;
        } else {
            add(low, middle)?;
            if start < middle {
                // The subtree spans the split, and the verifier does not have the node of its right part.
                start = middle;
                known_to_verifier = false;
            }
            low = middle;
        }
    }
    if !known_to_verifier {
        add(low, high)?;
    }
    proof.reverse();
    Ok(proof)
}
