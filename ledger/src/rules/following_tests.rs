//! Rules that follow a log are those that are loaded from it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use record::{Label, LabelledKind, Period};
use service::clock::{CheckedClock, Confirmation, WitnessTime};
use tlog::Hash;

use super::following::FollowedRules;
use super::testing::*;
use super::{Rules, RulesClock, WriterKeys};
use crate::engine::rows::Rows;
use crate::store::Batch;
use crate::store::memory::MemoryStore;

fn clock(world: &World) -> RulesClock {
    RulesClock {
        clock: CheckedClock::new(world.clock.clone(), Confirmation::After(Duration::MAX)),
        witness_time: Box::new(|| WitnessTime::NotRequired),
    }
}

fn followed(world: &World, store: &Arc<MemoryStore>) -> FollowedRules {
    let settings = world.setup(store.clone()).rules;
    FollowedRules::load(&Rows::new(store.clone()), settings, Arc::default(), clock(world)).unwrap()
}

/// What decides about later entries.
fn state(rules: &mut Rules) -> impl PartialEq + std::fmt::Debug + use<> {
    while !rules.labels.finish_rebuilds().unwrap() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut intents: Vec<_> = rules.open_intents.clone().into_iter().collect();
    intents.sort_unstable_by_key(|(index, _)| *index);
    let seeds = [OPERATOR, BROKER, IDENTITY, LEDGER];
    let chains: Vec<_> = seeds
        .iter()
        .map(|seed| rules.chains.next(&TimedWriter::new(*seed).chain.key.id()))
        .collect();
    let open: Vec<Period> = rules.periods.open().collect();
    (rules.labels.roots(), intents, chains, open, rules.founding.newest())
}

#[tokio::test]
async fn followed_rules_are_those_that_are_loaded() {
    let store = Arc::new(MemoryStore::new());
    let mut world = World::new();
    world.map_after = Duration::ZERO;
    // Loaded from an empty log, and in its midst.
    let shared = world.start(store.clone());
    let mut from_start = followed(&world, &store);
    assert!(submit(&shared, world.founding()).await.iter().all(Result::is_ok));
    let mut identity = TimedWriter::new(IDENTITY);
    let period = identity.write(begin(1, NOW - 86_400));
    assert!(submit_one(&shared, &period, 0).await.is_ok());
    let mut broker = TimedWriter::new(BROKER);
    let mut intents = Vec::new();
    for label in 1..6 {
        let entry = broker.write(intent(label));
        intents.push((label, submit_one(&shared, &entry, label).await.unwrap()));
    }
    let mut from_midst = followed(&world, &store);
    let (of, index) = intents[1];
    let outcome = broker.write(following(LabelledKind::Outcome, of, 40, index));
    assert!(submit_one(&shared, &outcome, 40).await.is_ok());
    let second = identity.write(begin(2, NOW + 9));
    assert!(submit_one(&shared, &second, 0).await.is_ok());
    // A map entry follows.
    tokio::time::sleep(Duration::from_millis(50)).await;
    shared.log.end();
    let (rows, newest) = (Rows::new(store.clone()), shared.log.snapshot());
    let settings = world.setup(store.clone()).rules;
    let mut loaded = Rules::load(&rows, settings, Arc::new(WriterKeys::default()), clock(&world)).unwrap();
    let expected = state(&mut loaded);
    from_start.advance(&rows, &newest).unwrap();
    from_midst.advance(&rows, &newest).unwrap();
    assert_eq!(state(&mut from_start.take_over(&rows, &newest).unwrap()), expected);
    assert_eq!(state(&mut from_midst.take_over(&rows, &newest).unwrap()), expected);
}

#[tokio::test]
async fn a_map_entry_shows_that_followed_maps_are_wrong() {
    let store = Arc::new(MemoryStore::new());
    let mut world = World::new();
    let (shared, _) = world.started(store.clone()).await;
    shared.log.end();
    let mut followed = followed(&world, &store);
    // A label that the log does not have.
    let mut wrong = Batch::default();
    let key = (Period(1), Label([5; 32]));
    followed.rules.labels.add(key, 3, Hash([0; 32]), &mut wrong).unwrap();
    world.map_after = Duration::ZERO;
    let shared = world.start(store.clone());
    let mut broker = TimedWriter::new(BROKER);
    let entry = broker.write(intent(1));
    assert!(submit_one(&shared, &entry, 1).await.is_ok());
    tokio::time::sleep(Duration::from_millis(50)).await;
    shared.log.end();
    while !followed.rules.labels.finish_rebuilds().unwrap() {}
    let refused = followed.advance(&Rows::new(store.clone()), &shared.log.snapshot());
    assert!(refused.unwrap_err().to_string().contains("maps"));
}
