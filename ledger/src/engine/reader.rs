//! Reads tree nodes for proofs: from the edge if it has them, otherwise from full tiles.
//!
//! The tiles are not authenticated again here. The sequencer wrote them together with the head that covers them,
//! start-up compares the edge with the head, and every recipient verifies a proof that is made from them.

use tlog::Hash;
use tlog::merkle::{GenerateError, HashReader, Index, Size, consistency_proof, inclusion_batch, inclusion_proof, root};

use super::edge::Edge;
use super::tiles::TileCache;
use crate::store::StoreError;

/// Reads nodes of the tree with the edge `edge`, or of an earlier, smaller state of that tree.
pub struct TreeReader<'a> {
    edge: &'a Edge,
    tiles: &'a TileCache,
}

impl<'a> TreeReader<'a> {
    /// A reader of the tree with this edge and these tiles.
    pub fn new(edge: &'a Edge, tiles: &'a TileCache) -> Self {
        Self { edge, tiles }
    }

    /// PATH(index) in the tree of `size` leaves.
    pub fn inclusion(&mut self, index: Index, size: Size) -> Result<Vec<Hash>, StoreError> {
        inclusion_proof(self, index, size).map_err(flatten)
    }

    /// The proof of several entries in the tree of `size` leaves ([`inclusion_batch`]).
    pub fn inclusion_batch(&mut self, indices: &[Index], size: Size) -> Result<Vec<Hash>, StoreError> {
        inclusion_batch(self, indices, size).map_err(flatten)
    }

    /// PROOF(old) in the tree of `new` leaves.
    pub fn consistency(&mut self, old: Size, new: Size) -> Result<Vec<Hash>, StoreError> {
        consistency_proof(self, old, new).map_err(flatten)
    }

    /// The root of the first `size` leaves.
    pub fn root(&mut self, size: Size) -> Result<Hash, StoreError> {
        root(self, size)
    }
}

fn flatten(error: GenerateError<StoreError>) -> StoreError {
    match error {
        GenerateError::Read(error) => error,
        beyond @ GenerateError::Beyond { .. } => StoreError::failed("a proof cannot be made", beyond),
    }
}

impl HashReader for TreeReader<'_> {
    type Error = StoreError;

    fn read(&mut self, height: u8, index: u64) -> Result<Hash, StoreError> {
        match self.edge.node(height, index) {
            Some(hash) => Ok(hash),
            None => self.tiles.node(height, index),
        }
    }
}
