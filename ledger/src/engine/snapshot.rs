//! A durable, signed state of the log, shared by everybody who reads.

use tlog::merkle::{Index, Size};

use super::edge::Edge;
use super::reader::TreeReader;
use super::rows::{Head, Rows};
use crate::store::StoreError;

/// A head that is durable, its signed checkpoint, and the edge that proofs are made from.
#[derive(Debug)]
pub struct Snapshot {
    /// Size and root.
    pub head: Head,
    /// The checkpoint with the signatures of the log's keys.
    pub note: String,
    /// The edge before it was trimmed: it has every node on the path of the newest entries.
    pub edge: Edge,
}

impl Snapshot {
    /// The inclusion path of `index` in the tree of `size` leaves, `size` at most this snapshot's.
    pub fn inclusion(&self, rows: &Rows, index: u64, size: u64) -> Result<Vec<tlog::Hash>, StoreError> {
        let index = Index::new(index).map_err(|error| StoreError(error.to_string()))?;
        TreeReader::new(&self.edge, rows).inclusion(index, to_size(size)?)
    }

    /// The root of the first `size` leaves, `size` at most this snapshot's.
    pub fn root(&self, rows: &Rows, size: u64) -> Result<tlog::Hash, StoreError> {
        TreeReader::new(&self.edge, rows).root(to_size(size)?)
    }

    /// The consistency proof from `old` to `new` leaves, `new` at most this snapshot's.
    pub fn consistency(&self, rows: &Rows, old: u64, new: u64) -> Result<Vec<tlog::Hash>, StoreError> {
        TreeReader::new(&self.edge, rows).consistency(to_size(old)?, to_size(new)?)
    }
}

fn to_size(size: u64) -> Result<Size, StoreError> {
    Size::new(size).map_err(|error| StoreError(error.to_string()))
}
