//! A log that accepts entries while its maps are being rebuilt.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use record::{Body, Kind, Period, PeriodEvent};
use tlog::Hash;

use super::durability_tests::{entry, expected_roots, size, wait_for_size};
use super::testing::*;
use crate::http::Shared;
use crate::store::memory::MemoryStore;
use crate::store::{Batch, Column, Durability, KeyValue, Store, StoreError, Visit};

/// A store in which a scan of the labels of period 1 blocks until it is released.
struct BlockingStore {
    store: Arc<MemoryStore>,
    open: Mutex<bool>,
    opened: Condvar,
}

impl BlockingStore {
    fn release(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

impl Store for BlockingStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(column, key)
    }

    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError> {
        self.store.write(batch, durability)
    }

    fn scan(&self, column: Column, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if column == Column::Labels && from == 1u32.to_be_bytes() {
            drop(
                self.opened
                    .wait_while(self.open.lock().unwrap(), |open| !*open)
                    .unwrap(),
            );
        }
        self.store.scan(column, from, to, visit)
    }

    fn last(&self, column: Column, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, StoreError> {
        self.store.last(column, from, to)
    }
}

/// Restarts a log of six entries whose map stays incomplete until it is released; also returns the writers of broker
/// and identity.
async fn restarted(map_after: Duration) -> (Arc<Shared>, Arc<BlockingStore>, TimedWriter, TimedWriter) {
    let store = Arc::new(MemoryStore::new());
    let mut world = World::new();
    let (shared, identity) = world.started(store.clone()).await;
    let mut broker = TimedWriter::new(BROKER);
    for label in 1..3 {
        submit(&shared, vec![raw(&broker.write(intent(label)), label)]).await;
    }
    shared.log.end();
    drop(shared);
    world.map_after = map_after;
    let held = Arc::new(BlockingStore {
        store,
        open: Mutex::new(false),
        opened: Condvar::new(),
    });
    (world.start(held.clone()), held, broker, identity)
}

#[tokio::test]
async fn labels_stay_unique_and_roots_wait_while_a_map_is_rebuilt() {
    let (shared, held, mut broker, identity) = restarted(Duration::from_millis(1)).await;
    let used = |index| Err(("label-used".to_owned(), Some(index)));
    let old = broker.draft(intent(1));
    assert_eq!(
        submit(&shared, vec![raw(&old, 1)]).await,
        [used(4)],
        "found in the rows"
    );
    let new = broker.write(intent(3));
    assert_eq!(submit(&shared, vec![raw(&new, 3)]).await, [Ok(6)]);
    let again = broker.draft(intent(3));
    assert_eq!(
        submit(&shared, vec![raw(&again, 3)]).await,
        [used(6)],
        "added since the start"
    );
    let last = identity.draft(Body::Period {
        period: Period(1),
        event: PeriodEvent::Final { root: Hash([0; 32]) },
    });
    assert_eq!(submit(&shared, vec![raw(&last, 0)]).await, [refused("rebuilding")]);
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(size(&shared), 7, "there is no map entry while a root is missing");

    held.release();
    wait_for_size(&shared, 8).await;
    let map = entry(&shared, 7);
    assert_eq!(map.entry().body.kind(), Kind::Map);
    let Body::Map { roots, .. } = &map.entry().body else {
        panic!()
    };
    assert_eq!(*roots, expected_roots(&shared, 7));
    let old = broker.draft(intent(2));
    assert_eq!(submit(&shared, vec![raw(&old, 2)]).await, [used(5)], "found in the map");
}

#[tokio::test]
async fn a_damaged_label_row_stops_the_log() {
    let (shared, held, mut broker, _) = restarted(Duration::from_secs(3600)).await;
    let mut batch = Batch::default();
    batch.put(Column::Labels, &[&1u32.to_be_bytes()[..], &[7; 32]].concat(), b"short");
    held.store.write(&batch, Durability::Synced).unwrap();
    held.release();
    let entry = broker.write(intent(3));
    for _ in 0..100 {
        if try_submit(&shared, vec![raw(&entry, 3)]).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the log accepts entries although it cannot read a map");
}
