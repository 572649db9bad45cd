//! Reading nodes of the tree for proofs: from the edge if it has them, else from stored tiles.
//!
//! Stored tiles are our own and were written with the head that covers them, so they are not authenticated again here; start-up
//! compares them with the head, and a proof made from them is checked by everybody who gets it.

use tlog::Hash;
use tlog::merkle::{GenerateError, HashReader, Index, Size, consistency_proof, inclusion_proof, node_hash, root};

use super::edge::{Edge, TILE_HEIGHT, TILE_WIDTH};
use super::rows::Rows;
use crate::store::StoreError;

/// Reads nodes for a few proofs; keeps the tiles it has read.
pub struct TreeReader<'a> {
    edge: &'a Edge,
    rows: &'a Rows,
    tiles: Vec<(u8, u64, Vec<Hash>)>,
}

impl<'a> TreeReader<'a> {
    /// A reader of the tree that `edge` is the edge of, or of any smaller one.
    pub fn new(edge: &'a Edge, rows: &'a Rows) -> Self {
        Self {
            edge,
            rows,
            tiles: Vec::new(),
        }
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

    fn tile(&mut self, level: u8, index: u64) -> Result<&[Hash], StoreError> {
        let known = self.tiles.iter().position(|(l, i, _)| (*l, *i) == (level, index));
        let at = match known {
            Some(at) => at,
            None => {
                let nodes = self.edge.size() >> (u32::from(level) * TILE_HEIGHT);
                let width = nodes.saturating_sub(index * TILE_WIDTH).min(TILE_WIDTH) as u16;
                self.tiles
                    .push((level, index, self.rows.tile_hashes(level, index, width)?));
                self.tiles.len() - 1
            }
        };
        Ok(&self.tiles[at].2)
    }
}

fn flatten(error: GenerateError<StoreError>) -> StoreError {
    match error {
        GenerateError::Read(error) => error,
        beyond @ GenerateError::Beyond { .. } => StoreError(beyond.to_string()),
    }
}

impl HashReader for TreeReader<'_> {
    type Error = StoreError;

    fn read(&mut self, height: u8, index: u64) -> Result<Hash, StoreError> {
        if let Some(hash) = self.edge.node(height, index) {
            return Ok(hash);
        }
        let (level, inside) = (height / TILE_HEIGHT as u8, u32::from(height) % TILE_HEIGHT);
        let first = ((index << inside) % TILE_WIDTH) as usize;
        let tile = self.tile(level, index >> (TILE_HEIGHT - inside))?;
        let leaves = tile.get(first..first + (1 << inside)).ok_or_else(|| {
            StoreError(format!(
                "node {index} of height {height} is not complete in the stored tree"
            ))
        })?;
        Ok(subtree(leaves))
    }
}

/// Root of a complete subtree: 1, 2, 4 … 128 nodes.
fn subtree(nodes: &[Hash]) -> Hash {
    match nodes {
        [only] => *only,
        _ => {
            let (left, right) = nodes.split_at(nodes.len() / 2);
            node_hash(&subtree(left), &subtree(right))
        }
    }
}
