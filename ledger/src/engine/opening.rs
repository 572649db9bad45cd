//! Opens a log: reads the head and refuses an inconsistent store.
//!
//! Opening compares the head with the tiles, by recomputing its root from the edge, and with the last entry. It
//! compares the newest signed and the published checkpoint with the keys, the head and the tiles. It also refuses a
//! store that is *behind* its published checkpoint: such a store is an old backup, and new entries on it would fork the
//! log.

use std::sync::Arc;

use tlog::checkpoint::SignedCheckpoint;
use tlog::merkle::{EMPTY_ROOT, leaf_hash};

use super::edge::Edge;
use super::mark::Mark;
use super::reader::TreeReader;
use super::rows::{Rows, TreeHead};
use super::signer::{Signer, SignerError};
use super::snapshot::Snapshot;
use super::tiles::TileCache;
use crate::store::{Batch, Durability, StoreError};

/// Why a log cannot be opened. Trying again does not help.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log was moved to another store.
    #[error(
        "this log was moved to {0}: a ledger here would fork it. Start the ledger with that store, or move the log back with `ledger migrate`"
    )]
    Moved(String),
    /// The store is a copy that is not complete.
    #[error("this store has an incomplete copy of a log: repeat `ledger migrate` until it succeeds")]
    Incomplete,
    /// The root of the tiles differs from the root of the head.
    #[error(
        "the stored tree does not have the root of the stored head ({0} entries): the store is damaged; restore a backup that is at least as new as the witnesses' last checkpoint"
    )]
    Tree(u64),
    /// The last entry is missing or differs from the last leaf.
    #[error(
        "the stored entries do not reach the stored head ({0} entries): the store is damaged; restore a backup that is at least as new as the witnesses' last checkpoint"
    )]
    Entries(u64),
    /// A checkpoint belongs to another log or another key.
    #[error(
        "the {0} checkpoint in the store does not belong to this log and key ({1}): check origin, data directory and `log_keys`; a retired key must stay in `log_keys` until a checkpoint of the new key is published"
    )]
    Foreign(&'static str, String),
    /// The tree does not contain a checkpoint.
    #[error(
        "the store holds {size} entries, but its {which} checkpoint is about {claimed} or has another root: this is an old or mixed backup, and new entries would fork the log. Restore the newest backup"
    )]
    Behind {
        /// Which checkpoint.
        which: &'static str,
        /// Entries in the store.
        size: u64,
        /// Entries that the checkpoint claims.
        claimed: u64,
    },
    /// A key cannot sign.
    #[error(transparent)]
    Sign(#[from] SignerError),
}

/// Opens the log in `rows`; creates an empty log if there is none.
pub fn open(rows: &Rows, signer: &Signer) -> Result<Arc<Snapshot>, OpenError> {
    match Mark::of(rows)? {
        Some(Mark::Moved(_, place)) => return Err(OpenError::Moved(place)),
        Some(Mark::Arriving(_)) => return Err(OpenError::Incomplete),
        Some(Mark::Arrived(_)) | None => {}
    }
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
    rows.store_checkpoint(&note)?;
    Ok(Arc::new(Snapshot::new(note, edge, tiles)))
}

fn create(rows: &Rows) -> Result<TreeHead, StoreError> {
    let head = TreeHead {
        size: 0,
        root: EMPTY_ROOT,
    };
    let mut batch = Batch::default();
    Rows::swap_head(&mut batch, None, &head);
    rows.write(&batch, Durability::Synced)?;
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
    // An expired key still verifies the checkpoints that it signed while it was valid.
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
