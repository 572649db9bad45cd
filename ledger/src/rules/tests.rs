#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use record::sealed::MAX_RECORD;
use record::{Body, DocumentKind, LabelledKind, Period, Sequence, Timestamp};
use tlog::Hash;
use trust::{Operation, TrustKind};

use super::testing::*;
use crate::http::Shared;
use crate::store::Store;
use crate::store::memory::MemoryStore;

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

fn size(shared: &Shared) -> u64 {
    shared.log.snapshot().head.size
}

#[tokio::test]
async fn an_empty_log_accepts_only_its_own_genesis_entry() {
    let world = World::new();
    let shared = world.start(store());
    assert_eq!(
        submit_one(&shared, &TimedWriter::new(BROKER).draft(intent(1)), 1).await,
        refused("unknown-writer")
    );
    let mut operator = TimedWriter::new(OPERATOR);
    operator.time += 1;
    let other = World::document(&mut operator, DocumentKind::Genesis, &world.genesis.to_bytes());
    assert_eq!(submit(&shared, vec![other]).await, [refused("unknown-writer")]);
    let mut founding = world.founding();
    assert_eq!(
        submit(&shared, vec![founding[0].clone(), founding[2].clone()]).await,
        [Ok(0), refused("right")]
    );
    assert_eq!(submit(&shared, vec![founding[2].clone()]).await, [refused("right")]);
    assert_eq!(submit(&shared, founding.split_off(1)).await, [Ok(1), Ok(2)]);
    assert_eq!(submit(&shared, founding).await, [Ok(0)], "again");
    assert_eq!(size(&shared), 3);
}

#[tokio::test]
async fn change_sets_take_effect_in_order_and_need_the_authority() {
    const DIRECTORY: TrustKind = TrustKind::Directory;
    let world = World::new();
    let store = store();
    let shared = world.start(store.clone());
    submit(&shared, world.founding()).await;
    let mut operator = world.operator();
    let key = record::SigningKey::from_seed;
    let broker_ends = || vec![Operation::end("writer/broker".parse().unwrap())];
    let draft = || World::draft(&world.state, DIRECTORY, broker_ends());
    let good = draft().sign(&[&key([AUTHORITY; 32])]).unwrap();
    let by_another = draft().sign(&[&key([OPERATOR; 32])]).unwrap();
    let mut wrong_root = draft();
    wrong_root.header.root = Hash([7; 32]);
    let wrong_root = wrong_root.sign(&[&key([AUTHORITY; 32])]).unwrap();
    let mut early = draft();
    early.header.valid_from = Timestamp(NOW + 1);
    let early = early.sign(&[&key([AUTHORITY; 32])]).unwrap();
    let no_maps = World::draft(
        &world.state,
        DIRECTORY,
        vec![Operation::end("writer/ledger".parse().unwrap())],
    );
    let no_maps = no_maps.sign(&[&key([AUTHORITY; 32])]).unwrap();
    let after = world.state.apply(DIRECTORY, &good).unwrap();
    let next = World::draft(&after, DIRECTORY, Vec::new());
    let next = next.sign(&[&key([AUTHORITY; 32])]).unwrap();
    for (name, set) in [
        ("by another", &by_another),
        ("another root", &wrong_root),
        ("before its time", &early),
        ("a gap", &next),
        ("no map entries after it", &no_maps),
    ] {
        let raw = World::set(&mut operator.clone(), set);
        assert_eq!(submit(&shared, vec![raw]).await, [refused("document")], "{name}");
    }
    // A set of one kind in an entry of the other.
    let entry = operator.clone().write(Body::Document {
        kind: DocumentKind::Registry,
        digest: good.signed().digest(),
    });
    let mut raw = World::set(&mut operator.clone(), &good);
    raw.leaf = entry.into_bytes().into();
    assert_eq!(submit(&shared, vec![raw]).await, [refused("document")]);

    assert_eq!(submit(&shared, vec![World::set(&mut operator, &good)]).await, [Ok(3)]);
    let again = World::set(&mut operator.clone(), &good);
    assert_eq!(
        submit(&shared, vec![again]).await,
        [refused("document")],
        "an old version"
    );
    let broker = || TimedWriter::new(BROKER).draft(intent(1));
    assert_eq!(submit_one(&shared, &broker(), 1).await, refused("unknown-writer"));
    let row = |index| crate::rules::founding::stored_set(shared.log.rows(), index).unwrap();
    assert_eq!(row(3).1, good);

    // The same after a restart.
    shared.log.end();
    drop(shared);
    store.crash();
    let shared = world.start(store);
    assert_eq!(submit_one(&shared, &broker(), 1).await, refused("unknown-writer"));
    assert_eq!(submit(&shared, vec![World::set(&mut operator, &next)]).await, [Ok(4)]);
}

#[tokio::test]
async fn the_same_bytes_get_the_same_index_however_old_they_are() {
    let world = World::new();
    let (shared, _) = world.started(store()).await;
    let mut broker = TimedWriter::new(BROKER);
    let entries: Vec<_> = (0..3).map(|label| broker.write(intent(label))).collect();
    let raws: Vec<_> = (0u8..).zip(&entries).map(|(label, entry)| raw(entry, label)).collect();
    let twice = [raws.clone(), raws.clone()].concat();
    assert_eq!(submit(&shared, twice).await, [Ok(4), Ok(5), Ok(6), Ok(4), Ok(5), Ok(6)]);
    world.clock.advance(1_000_000);
    assert_eq!(submit(&shared, raws).await, [Ok(4), Ok(5), Ok(6)]);
    assert_eq!(size(&shared), 7);
}

#[tokio::test]
async fn used_sequences_and_labels_name_the_stored_entry() {
    let world = World::new();
    let (shared, _) = world.started(store()).await;
    let mut broker = TimedWriter::new(BROKER);
    let start = broker.clone();
    assert_eq!(submit_one(&shared, &broker.write(intent(1)), 1).await, Ok(4));
    assert_eq!(submit_one(&shared, &broker.write(intent(2)), 2).await, Ok(5));
    assert_eq!(
        submit_one(&shared, &start.draft(intent(3)), 3).await,
        Err(("sequence-used".into(), Some(4)))
    );
    assert_eq!(
        submit_one(&shared, &broker.draft(intent(2)), 2).await,
        Err(("label-used".into(), Some(5)))
    );
    let mut late = broker.clone();
    late.time += 1;
    assert_eq!(
        submit_one(&shared, &late.draft(intent(1)), 1).await,
        Err(("label-used".into(), Some(4)))
    );
    assert_eq!(size(&shared), 6);
}

#[tokio::test]
async fn an_entry_that_does_not_continue_its_chain_is_refused() {
    let world = World::new();
    let (shared, _) = world.started(store()).await;
    let mut broker = TimedWriter::new(BROKER);
    assert_eq!(submit_one(&shared, &broker.write(intent(1)), 1).await, Ok(4));
    let mut gap = broker.clone();
    gap.chain.sequence = Sequence(2);
    assert_eq!(submit_one(&shared, &gap.draft(intent(2)), 2).await, refused("chain"));
    let mut fork = broker.clone();
    fork.chain.previous = Hash([1; 32]);
    assert_eq!(submit_one(&shared, &fork.draft(intent(2)), 2).await, refused("chain"));
    assert_eq!(
        submit_one(&shared, &broker.write(intent(2)), 2).await,
        Ok(5),
        "the chain continues"
    );
}

#[tokio::test]
async fn each_entry_of_a_batch_gets_its_own_outcome() {
    let world = World::new();
    let (shared, identity) = world.started(store()).await;
    let mut broker = TimedWriter::new(BROKER);
    let (first, faulty, after) = (
        broker.write(intent(1)),
        broker.write(intent(1)),
        broker.write(intent(3)),
    );
    let also_faulty = broker.write(labelled(LabelledKind::Outcome, 1, 4, Some(0)));
    let void = identity.draft(labelled(LabelledKind::Void, 1, 5, None));
    let answers = submit(
        &shared,
        vec![
            raw(&first, 1),
            raw(&faulty, 1),
            raw(&after, 3),
            raw(&void, 5),
            raw(&also_faulty, 4),
        ],
    )
    .await;
    assert_eq!(
        answers,
        [
            Ok(4),
            Err(("label-used".into(), Some(4))),
            refused("chain"),
            Ok(5),
            refused("refers"),
        ]
    );
    assert_eq!(size(&shared), 6);
}

#[tokio::test]
async fn a_malformed_submission_is_refused_and_not_stored() {
    let world = World::new();
    let (shared, _) = world.started(store()).await;
    let broker = TimedWriter::new(BROKER);
    let good = raw(&broker.draft(intent(1)), 1);
    let changed = |change: fn(&mut super::RawSubmission)| {
        let mut raw = good.clone();
        change(&mut raw);
        raw
    };
    let flipped_signature = |raw: &mut super::RawSubmission| {
        let mut leaf = raw.leaf.to_vec();
        *leaf.last_mut().unwrap() ^= 1;
        raw.leaf = leaf.into();
    };
    let cases = [
        (changed(|raw| raw.leaf = raw.leaf.slice(1..)), "malformed"),
        (changed(|raw| raw.leaf = vec![0; 5000].into()), "too-large"),
        (changed(|raw| raw.record = None), "record"),
        (changed(|raw| raw.record = Some(vec![1; 3].into())), "record"),
        (changed(|raw| raw.record = Some(vec![1; MAX_RECORD].into())), "record"),
        (
            changed(|raw| raw.record = Some(vec![1; MAX_RECORD + 1].into())),
            "too-large",
        ),
        (changed(|raw| raw.document = Some(vec![1; 3].into())), "document"),
        (changed(flipped_signature), "signature"),
        (raw(&TimedWriter::new(STRANGER).draft(intent(1)), 1), "unknown-writer"),
        (
            raw(&TimedWriter::new(IDENTITY).draft(begin(2, NOW)), 1),
            "sequence-used",
        ),
    ];
    for (raw, slug) in cases {
        let answer = submit(&shared, vec![raw]).await.remove(0);
        assert_eq!(answer.unwrap_err().0, slug);
    }
    assert_eq!(size(&shared), 4);
    assert_eq!(submit(&shared, vec![good]).await, [Ok(4)], "the chain continues");
}

#[tokio::test]
async fn a_writer_writes_only_its_kinds() {
    let world = World::new();
    let (shared, identity) = world.started(store()).await;
    let broker = TimedWriter::new(BROKER);
    assert_eq!(
        submit_one(&shared, &broker.draft(labelled(LabelledKind::Void, 1, 1, None)), 1).await,
        refused("right")
    );
    assert_eq!(
        submit_one(&shared, &identity.draft(intent(1)), 1).await,
        refused("right")
    );
    assert_eq!(
        submit_one(&shared, &world.operator().draft(intent(1)), 1).await,
        refused("right")
    );
    let map = TimedWriter::new(LEDGER).draft(Body::Map {
        roots: vec![(Period::MAP0, Hash([1; 32]))],
        newest: first_sets(),
    });
    assert_eq!(
        submit_one(&shared, &map, 0).await,
        refused("right"),
        "even with the ledger's own key"
    );
    assert_eq!(
        submit(
            &shared,
            vec![World::document(
                &mut world.operator(),
                DocumentKind::Genesis,
                &world.genesis.to_bytes()
            )]
        )
        .await,
        [refused("right")]
    );
}

#[tokio::test]
async fn an_entry_far_from_the_ledgers_clock_is_refused() {
    let world = World::new();
    let (shared, _) = world.started(store()).await;
    for (time, slug) in [
        (NOW - 301, Some("clock-skew")),
        (NOW + 301, Some("clock-skew")),
        (NOW + 300, None),
    ] {
        let answer = submit_one(
            &shared,
            &TimedWriter {
                time,
                ..TimedWriter::new(BROKER)
            }
            .draft(intent(1)),
            1,
        )
        .await;
        assert_eq!(answer.err().map(|refusal| refusal.0).as_deref(), slug, "{time}");
    }
}

#[tokio::test]
async fn a_full_queue_refuses_requests() {
    let world = World {
        limits: crate::engine::Limits { queue: 8, batch: 4096 },
        ..World::new()
    };
    let (shared, _) = world.started(store()).await;
    let held = shared.log.sequenced().unwrap().occupy_queue(6);
    assert!(matches!(
        shared.log.submit(Vec::new(), 3).await,
        Err(crate::engine::SubmitError::Busy)
    ));
    assert!(shared.log.submit(Vec::new(), 2).await.is_ok());
    drop(held);
    assert!(
        shared.log.submit(Vec::new(), 99).await.is_ok(),
        "a request larger than the queue is accepted when the queue is empty"
    );
}

#[tokio::test]
async fn records_and_documents_are_stored_with_their_entries() {
    use crate::store::Column;
    let world = World::new();
    let (shared, _) = world.started(store()).await;
    assert_eq!(
        submit_one(&shared, &TimedWriter::new(BROKER).draft(intent(7)), 7).await,
        Ok(4)
    );
    let rows: &dyn Store = shared.log.rows().store().as_ref();
    assert_eq!(
        rows.get(Column::Records, &4u64.to_be_bytes()).unwrap().unwrap(),
        record(7)
    );
    let digest = world.genesis.digest();
    assert_eq!(
        rows.get(Column::Documents, &digest.0).unwrap().unwrap(),
        world.genesis.to_bytes()
    );
}
