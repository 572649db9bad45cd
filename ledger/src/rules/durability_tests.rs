//! Map entries, restarts and crashes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use record::{Body, Kind, LabelledKind, Period, PeriodEvent, Sequence, SignedEntry};
use tlog::Hash;
use tlog::map::{Map, Value};
use tlog::merkle::{Index, Size};

use super::testing::*;
use crate::http::Shared;
use crate::store::memory::{MemoryStore, WriteFault};
use crate::store::{Batch, Column, Durability, KeyValue, Store, StoreError, Visit};

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

pub(super) fn size(shared: &Shared) -> u64 {
    shared.log.snapshot().head.size
}

pub(super) fn entry(shared: &Shared, index: u64) -> SignedEntry {
    SignedEntry::parse(shared.log.rows().entry(index).unwrap().unwrap()).unwrap()
}

/// The roots that a map entry at index `size` must have.
pub(super) fn expected_roots(shared: &Shared, size: u64) -> Vec<(Period, Hash)> {
    let mut maps = std::collections::BTreeMap::from([(Period::MAP0, Map::new())]);
    for index in 0..size {
        let entry = entry(shared, index);
        if let Some((period, label)) = entry.entry().body.map_key() {
            let value = Value {
                index: Index::new(index).unwrap(),
                leaf: entry.leaf_hash(),
            };
            maps.entry(period).or_default().insert(label.0, value).unwrap();
        }
        if let Body::Period {
            period,
            event: PeriodEvent::Begin { .. },
        } = entry.entry().body
        {
            maps.entry(period).or_default();
        }
    }
    maps.into_iter().map(|(period, mut map)| (period, map.root())).collect()
}

pub(super) async fn wait_for_size(shared: &Shared, size: u64) {
    let mut snapshots = shared.log.snapshots();
    tokio::time::timeout(
        Duration::from_secs(5),
        snapshots.wait_for(|snapshot| snapshot.head.size >= size),
    )
    .await
    .unwrap()
    .unwrap();
}

#[tokio::test]
async fn a_map_entry_follows_other_entries_within_a_second_and_no_map_entry_follows_it() {
    let world = World {
        map_after: Duration::from_millis(300),
        ..World::new()
    };
    let (shared, _) = world.started(store()).await;
    let started = Instant::now();
    wait_for_size(&shared, 5).await;
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(
        entry(&shared, 4).entry().body,
        Body::Map {
            roots: expected_roots(&shared, 4),
            newest: first_sets(),
        }
    );
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(size(&shared), 5, "nothing was recorded since");
    let mut broker = TimedWriter::new(BROKER);
    let two = vec![raw(&broker.write(intent(1)), 1), raw(&broker.write(intent(2)), 2)];
    assert_eq!(submit(&shared, two).await, [Ok(5), Ok(6)]);
    wait_for_size(&shared, 8).await;
    let map = entry(&shared, 7);
    assert_eq!(
        map.entry().body,
        Body::Map {
            roots: expected_roots(&shared, 7),
            newest: first_sets(),
        }
    );
    assert_eq!(
        (map.entry().sequence, map.entry().previous),
        (Sequence(1), entry(&shared, 4).leaf_hash())
    );
}

#[tokio::test]
async fn a_restart_restores_the_whole_state() {
    let world = World {
        map_after: Duration::from_secs(1),
        ..World::new()
    };
    let store = store();
    let (shared, mut identity) = world.started(store.clone()).await;
    let mut broker = TimedWriter::new(BROKER);
    for label in 1..4 {
        submit_one(&shared, &broker.write(intent(label)), label).await.unwrap();
    }
    let open = size(&shared) - 1;
    shared.log.end();
    let note = shared.log.snapshot().note.clone();
    drop(shared);
    store.crash();
    let shared = world.start(store);
    assert_eq!(
        shared.log.snapshot().note,
        note,
        "the same head, signed again, is the same checkpoint"
    );
    wait_for_size(&shared, open + 2).await;
    let last = entry(&shared, open + 1);
    assert_eq!(
        last.entry().body,
        Body::Map {
            roots: expected_roots(&shared, open + 1),
            newest: first_sets(),
        },
        "the map entry that was due"
    );
    assert_eq!(
        submit_one(&shared, &broker.draft(intent(2)), 2).await.unwrap_err().0,
        "label-used"
    );
    let outcome = broker.write(following(LabelledKind::Outcome, 3, 9, open));
    assert_eq!(submit_one(&shared, &outcome, 9).await, Ok(open + 2));
    assert!(submit_one(&shared, &identity.write(begin(2, NOW + 9)), 0).await.is_ok());
    assert_eq!(entry(&shared, 0).entry().body.kind(), Kind::Genesis);
}

#[tokio::test]
async fn a_failing_store_stops_the_log_and_loses_nothing() {
    let world = World::new();
    let store = store();
    let (shared, _) = world.started(store.clone()).await;
    let mut broker = TimedWriter::new(BROKER);
    let first = broker.write(intent(1));
    store.set_fault(Some(WriteFault {
        after: 0,
        applied: false,
        unknown: false,
    }));
    let failed = try_submit(&shared, vec![raw(&first, 1)]).await;
    assert!(matches!(failed, Err(crate::engine::SubmitError::Stopped(_))));
    assert_eq!(size(&shared), 4, "entries that are not durable are not shown");
    store.set_fault(None);
    let still = try_submit(&shared, vec![raw(&first, 1)]).await;
    let reason = still.err().unwrap().to_string();
    assert!(
        reason.contains("injected write failure"),
        "the error names the cause: {reason}"
    );
    drop(shared);
    store.crash();
    let shared = world.start(store);
    assert_eq!(submit_one(&shared, &first, 1).await, Ok(4));
}

/// After a crash, every checkpoint that was shown is a head of the tree, and every receipt is still valid.
#[tokio::test]
async fn a_crash_at_any_write_forks_nothing_and_loses_no_acknowledged_entry() {
    for after in 0..14 {
        for applied in [false, true] {
            for unknown in [false, true] {
                let fault = WriteFault {
                    after,
                    applied,
                    unknown,
                };
                let memory = store();
                let lost = crash_once(&memory, memory.clone(), fault).await;
                assert_eq!(lost, [] as [String; 0], "{fault:?}");
            }
        }
    }
}

/// Proves that the test above can fail: it detects a store that never syncs.
#[tokio::test]
async fn a_store_that_never_syncs_is_detected() {
    let fault = WriteFault {
        after: 9,
        applied: false,
        unknown: false,
    };
    let memory = store();
    let lost = crash_once(&memory, Arc::new(UnsyncedStore(memory.clone())), fault).await;
    assert!(!lost.is_empty());
}

/// A store that writes every batch lazily.
struct UnsyncedStore(Arc<MemoryStore>);

impl Store for UnsyncedStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(column, key)
    }

    fn write(&self, batch: &Batch, _: Durability) -> Result<(), StoreError> {
        self.0.write(batch, Durability::Lazy)
    }

    fn scan(&self, column: Column, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.0.scan(column, from, to, visit)
    }

    fn last(&self, column: Column, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, StoreError> {
        self.0.last(column, from, to)
    }
}

/// Founds a log in `memory`, writes to it through `writing` until `fault`, simulates a power cut, and returns what was
/// lost.
async fn crash_once(memory: &Arc<MemoryStore>, writing: Arc<dyn Store>, fault: WriteFault) -> Vec<String> {
    let (shared, _) = World::new().started(memory.clone()).await;
    shared.log.end();
    drop(shared);
    // From now on, every commit has a map entry.
    let world = World {
        map_after: Duration::ZERO,
        ..World::new()
    };
    let shared = world.start(writing);
    memory.set_fault(Some(fault));
    let mut broker = TimedWriter::new(BROKER);
    let mut heads = vec![shared.log.snapshot().head];
    let mut acknowledged = Vec::new();
    let mut unanswered = Vec::new();
    for label in 0..6 {
        let raw = raw(&broker.write(intent(label)), label);
        match try_submit(&shared, vec![raw.clone()]).await {
            Ok(answers) => acknowledged.push((raw, answers[0].clone().unwrap())),
            Err(_) => unanswered.push(raw),
        }
        heads.push(shared.log.snapshot().head);
    }
    drop(shared);
    memory.crash();
    memory.set_fault(None);
    let shared = world.start(memory.clone());
    let snapshot = shared.log.snapshot();
    let mut lost = Vec::new();
    for head in heads {
        let mut reader = crate::engine::reader::TreeReader::new(&snapshot.edge, snapshot.tiles());
        if head.size > snapshot.head.size {
            lost.push(format!("the head of size {}", head.size));
        } else if reader.root(Size::new(head.size).unwrap()).unwrap() != head.root {
            lost.push(format!("the root of size {}", head.size));
        }
    }
    for (raw, index) in acknowledged {
        let answers = submit(&shared, vec![raw]).await;
        if answers != [Ok(index)] {
            lost.push(format!("the entry {index}: {answers:?}"));
        }
    }
    // Every unanswered entry is in the log, or is accepted now.
    let again = submit(&shared, unanswered).await;
    lost.extend(
        again
            .into_iter()
            .filter_map(|answer| answer.err().map(|(slug, _)| slug)),
    );
    lost
}
