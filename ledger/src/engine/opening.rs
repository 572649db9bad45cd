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
use super::rows::{Head, Rows};
use super::signer::{Signer, SignerError};
use super::snapshot::Snapshot;
use super::tiles::Tiles;
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
    let tiles = Arc::new(Tiles::new(rows.clone()));
    let mut reader = TreeReader::new(&edge, &tiles);
    check_checkpoint("newest signed", rows.checkpoint()?, &mut reader, &edge, signer)?;
    check_checkpoint("published", rows.published()?, &mut reader, &edge, signer)?;
    let note = signer.sign(&head)?;
    rows.keep_checkpoint(&note)?;
    Ok(Arc::new(Snapshot::new(note, edge, tiles)))
}

fn create(rows: &Rows) -> Result<Head, StoreError> {
    let head = Head {
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
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::rules::testing::{BROKER, Pen, World, intent, log_key, raw, submit};
    use crate::store::Column;
    use crate::store::memory::MemoryStore;
    use tlog::note::SignerKey;

    /// A log of six entries, stopped.
    async fn log() -> Rows {
        let store = Arc::new(MemoryStore::new());
        let (shared, _) = World::new().started(store.clone()).await;
        let mut broker = Pen::new(BROKER);
        for label in 1..3 {
            submit(&shared, vec![raw(&broker.write(intent(label)), label)]).await;
        }
        shared.log.end();
        Rows::new(store)
    }

    fn signer() -> Signer {
        Signer::new(log_key()).unwrap()
    }

    fn put(rows: &Rows, column: Column, key: &[u8], value: &[u8]) {
        let mut batch = Batch::default();
        batch.put(column, key, value);
        rows.store().write(&batch, Durability::Synced).unwrap();
    }

    #[test]
    fn an_empty_log_has_a_signed_checkpoint_of_size_0() {
        let rows = Rows::new(Arc::new(MemoryStore::new()));
        let opened = open(&rows, &signer()).unwrap();
        assert_eq!(
            opened.head,
            Head {
                size: 0,
                root: EMPTY_ROOT
            }
        );
        assert!(
            opened
                .note
                .contains("\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
        );
    }

    #[tokio::test]
    async fn a_lost_lazy_checkpoint_is_signed_again() {
        let rows = log().await;
        let note = rows.checkpoint().unwrap();
        let mut batch = Batch::default();
        batch.delete(Column::Meta, b"checkpoint");
        rows.store().write(&batch, Durability::Synced).unwrap();
        assert_eq!(Some(open(&rows, &signer()).unwrap().note.clone()), note);
        assert_eq!(rows.checkpoint().unwrap(), note);
    }

    #[tokio::test]
    async fn a_damaged_tile_is_refused() {
        let rows = log().await;
        let key = [0; 9];
        let mut tile = rows.store().get(Column::Tiles, &key).unwrap().unwrap();
        tile[40] ^= 1;
        put(&rows, Column::Tiles, &key, &tile);
        assert!(matches!(open(&rows, &signer()), Err(OpenError::Tree(6))));
    }

    #[tokio::test]
    async fn missing_or_changed_last_entries_are_refused() {
        let rows = log().await;
        put(&rows, Column::Entries, &5u64.to_be_bytes(), &[0, 1, 7]);
        assert!(matches!(open(&rows, &signer()), Err(OpenError::Entries(6))));
        let mut batch = Batch::default();
        batch.delete(Column::Entries, &5u64.to_be_bytes());
        rows.store().write(&batch, Durability::Synced).unwrap();
        assert!(matches!(open(&rows, &signer()), Err(OpenError::Entries(6))));
    }

    #[tokio::test]
    async fn another_key_is_refused() {
        let rows = log().await;
        let other = SignerKey::for_notes("log.example/test".parse().unwrap(), &[43; 32]);
        assert!(matches!(
            open(&rows, &Signer::new(other).unwrap()),
            Err(OpenError::Foreign(..))
        ));
        let other = SignerKey::for_notes("log.example/other".parse().unwrap(), &[42; 32]);
        assert!(matches!(
            open(&rows, &Signer::new(other).unwrap()),
            Err(OpenError::Foreign(..))
        ));
    }

    #[tokio::test]
    async fn a_store_behind_its_published_checkpoint_is_refused() {
        let rows = log().await;
        let later = signer()
            .sign(&Head {
                size: 7,
                root: EMPTY_ROOT,
            })
            .unwrap();
        rows.keep_published(7, &later).unwrap();
        assert!(matches!(
            open(&rows, &signer()),
            Err(OpenError::Behind {
                size: 6,
                claimed: 7,
                ..
            })
        ));
        let fork = signer()
            .sign(&Head {
                size: 5,
                root: EMPTY_ROOT,
            })
            .unwrap();
        rows.keep_published(5, &fork).unwrap();
        assert!(matches!(
            open(&rows, &signer()),
            Err(OpenError::Behind {
                size: 6,
                claimed: 5,
                ..
            })
        ));
    }
}
