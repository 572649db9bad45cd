#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::rules::testing::{BROKER, TimedWriter, World, intent, log_key, raw, submit};
use crate::store::Column;
use crate::store::memory::MemoryStore;
use tlog::note::SignerKey;

/// A log of six entries, stopped.
async fn log() -> Rows {
    let store = Arc::new(MemoryStore::new());
    let (shared, _) = World::new().started(store.clone()).await;
    let mut broker = TimedWriter::new(BROKER);
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
        TreeHead {
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
async fn a_log_of_another_key_or_origin_is_refused() {
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
        .sign(&TreeHead {
            size: 7,
            root: EMPTY_ROOT,
        })
        .unwrap();
    rows.store_published(7, &later).unwrap();
    assert!(matches!(
        open(&rows, &signer()),
        Err(OpenError::Behind {
            size: 6,
            claimed: 7,
            ..
        })
    ));
    let fork = signer()
        .sign(&TreeHead {
            size: 5,
            root: EMPTY_ROOT,
        })
        .unwrap();
    rows.store_published(5, &fork).unwrap();
    assert!(matches!(
        open(&rows, &signer()),
        Err(OpenError::Behind {
            size: 6,
            claimed: 5,
            ..
        })
    ));
}
