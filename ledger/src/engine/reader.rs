//! Reading nodes of the tree for proofs: from the edge if it has them, else from full tiles.
//!
//! Stored tiles are our own and were written with the head that covers them, so they are not authenticated again here; start-up
//! compares them with the head, and a proof made from them is checked by everybody who gets it.

use tlog::Hash;
use tlog::merkle::{GenerateError, HashReader, Index, Size, consistency_proof, inclusion_proof, root};

use super::edge::Edge;
use super::tiles::TileCache;
use crate::store::StoreError;

/// Reads nodes of the tree that `edge` is the edge of, or of any smaller one.
pub struct TreeReader<'a> {
    edge: &'a Edge,
    tiles: &'a TileCache,
}

impl<'a> TreeReader<'a> {
    /// A reader.
    pub fn new(edge: &'a Edge, tiles: &'a TileCache) -> Self {
        Self { edge, tiles }
    }

    /// PATH(index) in the tree of `size` leaves.
    pub fn inclusion(&mut self, index: Index, size: Size) -> Result<Vec<Hash>, StoreError> {
        inclusion_proof(self, index, size).map_err(flatten)
    }

    /// PROOF(old) in the tree of `new` leaves.
    pub fn consistency(&mut self, old: Size, new: Size) -> Result<Vec<Hash>, StoreError> {
        consistency_proof(self, old, new).map_err(flatten)
    }

    /// Root of the first `size` leaves.
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
