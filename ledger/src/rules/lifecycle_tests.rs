//! Intents with their outcomes, and periods from their beginning to their destruction.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use record::{Body, LabelledKind, Period, PeriodEvent, ReferenceKind, Sequence, SignedEntry};
use tlog::Hash;
use tlog::map::{Map, Value};
use tlog::merkle::Index;

use super::testing::*;
use crate::http::Shared;
use crate::store::memory::MemoryStore;

async fn started(world: &World) -> (Arc<Shared>, TimedWriter) {
    world.started(Arc::new(MemoryStore::new())).await
}

async fn expect(shared: &Shared, entry: &SignedEntry, label: u8, expected: TestOutcome, case: &str) {
    assert_eq!(submit_one(shared, entry, label).await, expected, "{case}");
}

#[tokio::test]
async fn an_intent_has_one_outcome_in_its_own_period() {
    let world = World::new();
    let (shared, mut identity) = started(&world).await;
    let shared = &shared;
    expect(shared, &identity.write(begin(2, NOW + 60)), 0, Ok(4), "period 2").await;
    let mut broker = TimedWriter::new(BROKER);
    expect(shared, &broker.write(intent(1)), 1, Ok(5), "intent").await;
    let outcome = |period, label, refers| labelled(LabelledKind::Outcome, period, label, Some(refers));
    let refers = || refused("refers");
    expect(shared, &broker.draft(outcome(1, 2, 4)), 2, refers(), "not an intent").await;
    expect(shared, &broker.draft(outcome(1, 2, 6)), 2, refers(), "no such entry").await;
    expect(shared, &broker.draft(outcome(2, 2, 5)), 2, refers(), "another period").await;
    expect(
        shared,
        &broker.draft(outcome(3, 2, 5)),
        2,
        refused("period"),
        "no such period",
    )
    .await;
    expect(
        shared,
        &broker.draft(outcome(1, 2, 5)),
        2,
        refers(),
        "a label of its own",
    )
    .await;
    let of_another = following(LabelledKind::Outcome, 9, 2, 5);
    expect(
        shared,
        &broker.draft(of_another),
        2,
        refers(),
        "the label of another intent",
    )
    .await;
    let preview_label = labelled(LabelledKind::Preview, 1, 4, Some(5));
    expect(
        shared,
        &broker.draft(preview_label),
        4,
        refers(),
        "a preview with a label of its own",
    )
    .await;
    let good = following(LabelledKind::Outcome, 1, 2, 5);
    expect(shared, &broker.write(good), 2, Ok(6), "the outcome").await;
    expect(shared, &broker.draft(outcome(1, 3, 5)), 3, refers(), "a second outcome").await;
    let preview = |period, refers| labelled(LabelledKind::Preview, period, 4, Some(refers));
    expect(
        shared,
        &broker.draft(preview(1, 6)),
        4,
        refers(),
        "a preview of an outcome",
    )
    .await;
    expect(
        shared,
        &broker.draft(preview(2, 5)),
        4,
        refers(),
        "a preview in another period",
    )
    .await;
    expect(
        shared,
        &broker.draft(preview(1, 5)),
        4,
        refers(),
        "a preview with a label of its own",
    )
    .await;
    let preview = following(LabelledKind::Preview, 1, 4, 5);
    expect(shared, &broker.write(preview), 4, Ok(7), "also after the outcome").await;
    let second_intent = broker.write(labelled(LabelledKind::Intent, 2, 5, None));
    expect(shared, &second_intent, 5, Ok(8), "intent in period 2").await;
    let lost = |refers| Body::Reference {
        kind: ReferenceKind::Lost,
        refers: Index::new(refers).unwrap(),
    };
    expect(shared, &broker.draft(lost(5)), 0, refers(), "an intent with an outcome").await;
    expect(shared, &broker.write(lost(8)), 0, Ok(9), "an open intent").await;
    expect(shared, &broker.draft(outcome(2, 6, 8)), 6, refers(), "a lost intent").await;
}

/// The root of a map with these labels and the leaf hashes of these entries.
fn map_root(shared: &Shared, labels: &[(record::Label, u64)]) -> Hash {
    let mut map = Map::new();
    for (label, index) in labels {
        let value = Value {
            index: Index::new(*index).unwrap(),
            leaf: shared.log.rows().leaf_hash(*index).unwrap(),
        };
        map.insert(label.0, value).unwrap();
    }
    map.root()
}

fn period_1(event: PeriodEvent) -> Body {
    Body::Period {
        period: Period(1),
        event,
    }
}

#[tokio::test]
async fn a_period_begins_becomes_final_and_is_destroyed_in_order() {
    let world = World::new();
    let (shared, mut identity) = started(&world).await;
    let shared = &shared;
    let used = Err(("label-used".into(), Some(3)));
    expect(shared, &identity.draft(begin(1, NOW)), 0, used, "begun twice").await;
    expect(shared, &identity.draft(begin(3, NOW)), 0, refused("period"), "a gap").await;
    let in_period_2 = TimedWriter::new(BROKER).draft(labelled(LabelledKind::Intent, 2, 1, None));
    expect(shared, &in_period_2, 1, refused("period"), "not begun").await;
    expect(shared, &identity.write(begin(2, NOW + 500)), 0, Ok(4), "period 2").await;
    expect(shared, &in_period_2, 1, refused("period"), "not started").await;
    expect(shared, &TimedWriter::new(BROKER).write(intent(1)), 1, Ok(5), "intent").await;
    // Period 1 ends; 35 days later it becomes final, with the root of its map.
    let last = |root| period_1(PeriodEvent::Final { root });
    let late = NOW + 500 + super::periods::FINALIZATION_DELAY;
    world.clock.set(late);
    identity.time = late;
    let of_intent = following_label(LabelledKind::Intent, 1);
    let root = map_root(shared, &[(of_intent, 5)]);
    expect(
        shared,
        &identity.draft(last(root)),
        0,
        refused("period"),
        "an intent is open",
    )
    .await;
    let mut broker = TimedWriter::new(BROKER);
    broker.time = late;
    broker.chain.sequence = Sequence(1);
    broker.chain.previous = shared.log.rows().leaf_hash(5).unwrap();
    let outcome = broker.write(following(LabelledKind::Outcome, 1, 2, 5));
    expect(shared, &outcome, 2, Ok(6), "the outcome").await;
    expect(
        shared,
        &identity.draft(last(root)),
        0,
        refused("period"),
        "the map has changed",
    )
    .await;
    let of_outcome = following_label(LabelledKind::Outcome, 1);
    let root = map_root(shared, &[(of_intent, 5), (of_outcome, 6)]);
    expect(shared, &identity.write(last(root)), 0, Ok(7), "the map's root").await;
    let preview = broker.draft(following(LabelledKind::Preview, 1, 3, 5));
    expect(shared, &preview, 3, refused("period"), "the period is final").await;
    let expired = record::RetentionClass::last_expiry(record::Timestamp(late)).end().0;
    for (time, expected) in [(expired - 1, refused("period")), (expired, Ok(8))] {
        world.clock.set(time);
        identity.time = time;
        let destroyed = identity.draft(period_1(PeriodEvent::Destroyed));
        expect(shared, &destroyed, 0, expected, "the last record has expired or not").await;
    }
}
