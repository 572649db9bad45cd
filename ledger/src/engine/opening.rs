//! Start-up: reads the head and refuses a store that contradicts itself.
//!
//! Checked: the head against the tiles (its root is recomputed from the edge) and the last entry; the kept and the published
//! checkpoint against the key, the head and the tiles. A store that is *behind* what was published is refused too: it is an old
//! backup, and going on from it would fork the log.

use std::sync::Arc;

use tlog::checkpoint::SignedCheckpoint;
use tlog::merkle::{EMPTY_ROOT, leaf_hash};

use super::edge::Edge;
use super::reader::TreeReader;
use super::rows::{Rows, TreeHead};
use super::signer::{Signer, SignerError};
use super::snapshot::Snapshot;
use super::tiles::TileCache;
use crate::store::{Batch, Durability, StoreError};

/// Why a log cannot be opened. None goes away by trying again.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tiles do not make the head.
    #[error(
        "the stored tree has not the root of the stored head ({0} entries): the store is damaged; restore a backup that is at least as new as the witnesses' last checkpoint"
    )]
    Tree(u64),
    /// The last entry is missing or not the last leaf.
    #[error(
        "the stored entries do not reach the stored head ({0} entries): the store is damaged; restore a backup that is at least as new as the witnesses' last checkpoint"
    )]
    Entries(u64),
    /// A checkpoint of another log, or by another key.
    #[error(
        "the {0} checkpoint in the store is not of this log and key ({1}): check origin, data directory and `log_keys`, where a retired key stays until a checkpoint of the new one is published"
    )]
    Foreign(&'static str, String),
    /// A checkpoint that the tree does not have.
    #[error(
        "the store holds {size} entries, but its {which} checkpoint is about {claimed} or has another root: this is an old or mixed backup; going on would fork the log. Restore the newest one"
    )]
    Behind {
        /// Which checkpoint.
        which: &'static str,
        /// Entries in the store.
        size: u64,
        /// Entries that the checkpoint claims.
        claimed: u64,
    },
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] SignerError),
}

/// Opens the log in `rows`, making an empty one if there is none.
pub fn open(rows: &Rows, signer: &Signer) -> Result<Arc<Snapshot>, OpenError> {
    let head = match rows.head()? {
        Some(head) => head,
        None => create(rows)?,
    };
    let edge = Edge::load(head.size, |level, index, width| rows.tile_hashes(level, index, width))?;
    if edge.root() != head.root {
        return Err(OpenError::Tree(head.size));
    }
    check_last_entry(rows, &edge)?;
    let tiles = Arc::new(TileCache::new(rows.clone()));
    let mut reader = TreeReader::new(&edge, &tiles);
    check_checkpoint("newest signed", rows.checkpoint()?, &mut reader, &edge, signer)?;
    check_checkpoint("published", rows.published()?, &mut reader, &edge, signer)?;
    let note = signer.sign(&head)?;
    rows.keep_checkpoint(&note)?;
    Ok(Arc::new(Snapshot::new(note, edge, tiles)))
}

fn create(rows: &Rows) -> Result<TreeHead, StoreError> {
    let head = TreeHead {
        size: 0,
        root: EMPTY_ROOT,
    };
    let mut batch = Batch::default();
    Rows::put_head(&mut batch, &head);
    rows.store().write(&batch, Durability::Synced)?;
    Ok(head)
}

fn check_last_entry(rows: &Rows, edge: &Edge) -> Result<(), OpenError> {
    let Some(last) = edge.size().checked_sub(1) else {
        return Ok(());
    };
    let entry = rows.entry(last)?;
    if entry.map(|entry| leaf_hash(&entry)) == Some(rows.leaf_hash(last)?) && rows.entry(last + 1)?.is_none() {
        Ok(())
    } else {
        Err(OpenError::Entries(edge.size()))
    }
}

fn check_checkpoint(
    which: &'static str,
    note: Option<String>,
    reader: &mut TreeReader<'_>,
    edge: &Edge,
    signer: &Signer,
) -> Result<(), OpenError> {
    let Some(note) = note else { return Ok(()) };
    // Whether a key is still valid does not matter for what it has signed.
    let signed = SignedCheckpoint::open(note.as_bytes(), signer.origin(), signer.verifiers())
        .map_err(|error| OpenError::Foreign(which, error.to_string()))?;
    let checkpoint = signed.checkpoint();
    let fits = checkpoint.size.get() <= edge.size() && reader.root(checkpoint.size)? == checkpoint.root;
    let behind = OpenError::Behind {
        which,
        size: edge.size(),
        claimed: checkpoint.size.get(),
    };
    if fits { Ok(()) } else { Err(behind) }
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
