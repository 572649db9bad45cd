//! A ledger whose clock jumps, stands still or is behind its log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use record::{Kind, Period, PeriodEvent, SignedEntry};

use super::testing::*;
use crate::http::Shared;
use crate::store::memory::MemoryStore;

const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 24 * HOUR;

async fn expect(shared: &Shared, entry: &SignedEntry, label: u8, expected: TestOutcome, case: &str) {
    assert_eq!(submit_one(shared, entry, label).await, expected, "{case}");
}

fn entry(shared: &Shared, index: u64) -> SignedEntry {
    SignedEntry::parse(shared.log.rows().entry(index).unwrap().unwrap()).unwrap()
}

/// Writers whose clocks jump along do not help: nothing with the wrong time is recorded, not even a `map` entry.
#[tokio::test]
async fn a_jump_refuses_entries_and_delays_the_map_entry_until_the_clock_is_right() {
    for jump in [40, HOUR, 3 * YEAR, -40, -HOUR, -3 * YEAR] {
        let mut world = World::new();
        world.map_after = Duration::from_millis(400);
        let (shared, _) = world.started(Arc::new(MemoryStore::new())).await;
        let mut broker = TimedWriter::new(BROKER);
        expect(&shared, &broker.write(intent(1)), 1, Ok(4), "before").await;
        world.clock.jump(jump);
        broker.time = NOW.saturating_add_signed(jump);
        expect(&shared, &broker.draft(intent(2)), 2, refused("clock"), "during").await;
        // The `map` entry is due by now.
        tokio::time::sleep(world.map_after).await;
        expect(&shared, &broker.draft(intent(2)), 2, refused("clock"), "during").await;
        assert_eq!(shared.log.snapshot().head.size, 5, "{jump}");
        world.clock.jump(-jump);
        broker.time = NOW;
        assert!(submit_one(&shared, &broker.write(intent(2)), 2).await.is_ok());
        let mut snapshots = shared.log.snapshots();
        let size = snapshots
            .wait_for(|snapshot| snapshot.head.size == 7)
            .await
            .unwrap()
            .head
            .size;
        let kinds: Vec<_> = (4..size)
            .map(|index| entry(&shared, index).entry().body.kind())
            .collect();
        assert!(kinds.contains(&Kind::Map), "{jump}");
        assert!(
            (0..size).all(|index| entry(&shared, index).entry().time.0.abs_diff(NOW) <= 300),
            "{jump}"
        );
    }
}

#[tokio::test]
async fn a_frozen_clock_refuses_entries() {
    let world = World::new();
    let (shared, _) = world.started(Arc::new(MemoryStore::new())).await;
    world.clock.freeze(31);
    let broker = TimedWriter::new(BROKER);
    expect(&shared, &broker.draft(intent(1)), 1, refused("clock"), "frozen").await;
    world.clock.jump(31);
    expect(&shared, &broker.draft(intent(1)), 1, Ok(4), "set right").await;
}

/// A restart trusts the clock again, but not one that is behind the log.
#[tokio::test]
async fn a_restarted_ledger_waits_until_its_clock_has_reached_the_log() {
    let store = Arc::new(MemoryStore::new());
    let world = World::new();
    let (shared, _) = world.started(store.clone()).await;
    shared.log.end();
    drop(shared);
    world.clock.jump(-301);
    let shared = world.start(store);
    let mut broker = TimedWriter::new(BROKER);
    broker.time = NOW - 301;
    expect(&shared, &broker.draft(intent(1)), 1, refused("clock"), "behind").await;
    world.clock.advance(1);
    expect(&shared, &broker.draft(intent(1)), 1, Ok(4), "within the skew").await;
}

/// 64 periods, one after another, must not stop the log.
#[tokio::test]
async fn no_number_of_periods_stops_the_log() {
    let (mut world, store) = (World::new(), Arc::new(MemoryStore::new()));
    let (shared, mut identity) = world.started(store.clone()).await;
    expect(&shared, &identity.write(begin(2, NOW)), 0, Ok(4), "period 2").await;
    for second in 1..64 {
        let entry = identity.draft(begin(3, NOW + second));
        expect(&shared, &entry, 0, refused("period"), "a second later").await;
    }
    // As fast as the rules allow: one a day.
    let mut refused_at = None;
    for period in 3..70_u32 {
        let start = NOW + u64::from(period - 2) * 86_400;
        world.clock.set(start);
        identity.time = start;
        let entry = identity.draft(begin(period, start));
        if submit_one(&shared, &entry, 0).await.is_err() {
            refused_at = Some(period);
            break;
        }
        identity.write(begin(period, start));
    }
    assert_eq!(refused_at, Some(64), "63 periods are open");
    let mut broker = TimedWriter::new(BROKER);
    broker.time = identity.time;
    let intent = broker.write(labelled(record::LabelledKind::Intent, 63, 1, None));
    let index = submit_one(&shared, &intent, 1).await.unwrap();
    shared.log.end();
    drop(shared);
    world.map_after = Duration::ZERO;
    let shared = world.start(store);
    let mut snapshots = shared.log.snapshots();
    let covered = snapshots
        .wait_for(|snapshot| snapshot.head.size > index + 1)
        .await
        .unwrap()
        .head
        .size;
    let record::Body::Map { roots, .. } = entry(&shared, covered - 1).entry().body.clone() else {
        panic!("not a map entry");
    };
    assert_eq!(roots.len(), record::entry::MAX_ROOTS);
}

/// With a policy that demands witnesses, what ends a period waits for their time.
#[tokio::test]
async fn a_period_is_not_ended_without_the_witnesses_time() {
    let mut world = World::new();
    let witness = tlog::note::SignerKey::for_cosignatures("w".parse().unwrap(), &[7; 32]);
    let (log, witness) = (log_key().verifier_key().unwrap(), witness.verifier_key().unwrap());
    world.policy = Some(
        format!("log {log}\nwitness w {witness} http://127.0.0.1:1\nquorum w\n")
            .parse()
            .unwrap(),
    );
    let (shared, identity) = world.started(Arc::new(MemoryStore::new())).await;
    for event in [
        PeriodEvent::Destroyed,
        PeriodEvent::Final {
            root: tlog::Hash([0; 32]),
        },
    ] {
        let period = Period(1);
        let entry = identity.draft(record::Body::Period { period, event });
        expect(&shared, &entry, 0, refused("clock"), "no witness has stated a time").await;
    }
}
