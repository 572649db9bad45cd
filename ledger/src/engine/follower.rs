//! Follows a log that another process writes to the same store.
//!
//! The store may show rows that are committed and not yet on a second machine. A follower therefore takes no head row,
//! but the newest checkpoint that the log has signed: the sequencer signs when the commit was acknowledged. It computes
//! the root of that checkpoint from the tiles, and checks that the tree continues the one that it has shown. It signs
//! nothing.

use std::sync::Arc;

use tlog::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use tlog::note::VerifierKey;
use tokio::sync::watch;

use super::edge::Edge;
use super::mark::Mark;
use super::publication::Publication;
use super::rows::Rows;
use super::snapshot::Snapshot;
use super::tiles::TileCache;
use crate::store::StoreError;

/// Why a log cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The store failed, or does not have the checkpoint's tree yet.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The checkpoint belongs to another log or another key.
    #[error(
        "the newest checkpoint in the store does not belong to this log and its keys ({0}): check origin, store and `log_keys`"
    )]
    Foreign(String),
    /// The tiles do not have the root of the checkpoint.
    #[error("the stored tree does not have the root of the newest checkpoint ({0} entries)")]
    Tree(u64),
    /// The log does not continue what this process has shown.
    #[error(
        "the log in the store ({new} entries) does not continue the {shown} entries that this ledger has shown: an old copy of the store was restored or promoted. Restore the newest copy"
    )]
    Contradiction {
        /// Entries that were shown.
        shown: u64,
        /// Entries of the log in the store.
        new: u64,
    },
    /// The log was moved to another store, or is being moved.
    #[error("this store does not have the log, or no longer: it was moved with `ledger migrate`")]
    Moved,
}

/// Follows a log.
pub(crate) struct LogFollower {
    rows: Rows,
    origin: Origin,
    keys: Vec<VerifierKey>,
    tiles: Arc<TileCache>,
    snapshots: watch::Sender<Arc<Snapshot>>,
}

impl LogFollower {
    /// Starts at the newest checkpoint; `None` if the log has none yet.
    ///
    /// # Errors
    /// [`FollowError`]
    pub(crate) fn open(rows: Rows, origin: Origin, keys: Vec<VerifierKey>) -> Result<Option<Self>, FollowError> {
        check_mark(&rows)?;
        let tiles = Arc::new(TileCache::new(rows.clone()));
        let Some(note) = rows.checkpoint()? else {
            return Ok(None);
        };
        let first = read(&rows, &tiles, &origin, &keys, note)?;
        Ok(Some(Self {
            rows,
            origin,
            keys,
            tiles,
            snapshots: watch::Sender::new(Arc::new(first)),
        }))
    }

    /// The followed rows.
    pub(crate) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Subscribes to the newest state.
    pub(crate) fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.subscribe()
    }

    /// The newest state.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }

    /// Reads what the other process has signed and published since. A checkpoint of fewer entries is ignored: the
    /// newest one is stored without a sync, so it may be lost with a machine.
    ///
    /// # Errors
    /// [`FollowError`]. What was shown before stays.
    pub(crate) fn advance(&self, publication: &Publication) -> Result<(), FollowError> {
        check_mark(&self.rows)?;
        // In this order, so that the snapshot is not older than the published checkpoint.
        let published = self.rows.published()?;
        if let Some(note) = self.rows.checkpoint()? {
            self.take(note)?;
        }
        if let Some(note) = published {
            publication.follow_published(note);
        }
        Ok(())
    }

    fn take(&self, note: String) -> Result<(), FollowError> {
        let shown = self.snapshot();
        if note == shown.note {
            return Ok(());
        }
        let checkpoint = verified(&note, &self.origin, &self.keys)?;
        let new = checkpoint.size.get();
        if new < shown.head.size {
            return Ok(());
        }
        let next = read(&self.rows, &self.tiles, &self.origin, &self.keys, note)?;
        if next.root(shown.head.size)? != shown.head.root {
            let shown = shown.head.size;
            return Err(FollowError::Contradiction { shown, new });
        }
        metrics::gauge!("ledger_tree_size").set(new as f64);
        self.snapshots.send_replace(Arc::new(next));
        Ok(())
    }
}

fn check_mark(rows: &Rows) -> Result<(), FollowError> {
    match Mark::of(rows)? {
        Some(Mark::Moved(..) | Mark::Arriving(_)) => Err(FollowError::Moved),
        Some(Mark::Arrived(_)) | None => Ok(()),
    }
}

fn verified(note: &str, origin: &Origin, keys: &[VerifierKey]) -> Result<Checkpoint, FollowError> {
    let signed = SignedCheckpoint::open(note.as_bytes(), origin, keys);
    let signed = signed.map_err(|error| FollowError::Foreign(error.to_string()))?;
    Ok(signed.checkpoint().clone())
}

/// The state of a signed checkpoint.
fn read(
    rows: &Rows,
    tiles: &Arc<TileCache>,
    origin: &Origin,
    keys: &[VerifierKey],
    note: String,
) -> Result<Snapshot, FollowError> {
    let checkpoint = verified(&note, origin, keys)?;
    let size = checkpoint.size.get();
    let edge = Edge::load(size, |level, index, width| rows.tile_hashes(level, index, width))?;
    if edge.root() != checkpoint.root {
        return Err(FollowError::Tree(size));
    }
    Ok(Snapshot::new(note, edge, tiles.clone()))
}

#[cfg(test)]
#[path = "follower_tests.rs"]
mod tests;
