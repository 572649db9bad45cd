//! Tests of the follower: it finds every entry, and breaks on violations of the log's rules.
use std::sync::Arc;
use std::time::Duration;

use crate::common::log::{FakeLog, identity, map_writer, operator};
use crate::common::{FakeLedger, begin, broker, denial, intent, labelled, trust_of};
use ledger_client::Follower;
use ledger_client::follower::{FollowerError, POLL_INTERVAL, Wanted};
use proptest::prelude::*;
use record::{
    Body, DocumentKind, Label, LabelledKind, Period, PeriodEvent, Phase, Sequence, SigningKey, Timestamp, Unsigned,
};
use service::shutdown::Shutdown;
use tlog::Hash;
use tlog::merkle::{Index, leaf_hash, verify_inclusion};
use tokio::time::sleep;
use trust::{Operation, SetPage, TrustKind, Value};

fn start(ledger: &Arc<FakeLedger>) -> Follower {
    let genesis = ledger.with(|log| log.genesis.clone());
    Follower::start(ledger.clone(), trust_of(ledger), &genesis, Shutdown::new()).unwrap()
}

/// Refreshes until the follower is up to date or broken.
async fn followed(follower: &Follower) -> Result<u64, String> {
    for _ in 0..20 {
        match follower.refresh().await {
            Ok(size) => return Ok(size.get()),
            Err(FollowerError::Broken(reason)) => return Err(reason.to_string()),
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("neither followed nor broken")
}

fn label(body: &Body) -> Label {
    body.label().unwrap()
}

#[tokio::test(start_paused = true)]
async fn labels_are_found_and_proved() {
    let ledger = FakeLedger::new(FakeLog::begun());
    let follower = start(&ledger);
    assert_eq!(followed(&follower).await, Ok(4));
    assert_eq!(follower.locate(&label(&intent(1))).unwrap(), None);

    let at = ledger.with(|log| {
        let at = log.write(&broker(), intent(1));
        log.write_map();
        log.write(&broker(), denial(1));
        at
    });
    assert_eq!(followed(&follower).await, Ok(7));
    let found = follower.locate(&label(&intent(1))).unwrap().unwrap();
    assert_eq!(
        (found.index.get(), found.period, found.writer),
        (at, Period(1), broker().id())
    );
    let head = follower.head().unwrap();
    let (size, root) = (head.checkpoint().size, head.checkpoint().root);
    let leaf = follower.leaf(found.index).await.unwrap();
    assert_eq!(leaf_hash(&leaf), found.leaf_hash);
    let proof = follower.inclusion(found.index, size).unwrap();
    verify_inclusion(&found.leaf_hash, found.index, size, &proof, &root).unwrap();

    let last = follower.last_of(&broker().id()).unwrap().unwrap();
    assert_eq!((last.sequence, last.index.get()), (Sequence(1), 6));
    let begun = follower.locate(&record::period_label(Period(1), 0)).unwrap().unwrap();
    assert_eq!((begun.index.get(), begun.period), (3, Period::MAP0));
    assert!(matches!(
        follower.leaf(Index::from(7)).await,
        Err(FollowerError::OutOfTree)
    ));
    let beyond = tlog::merkle::Size::from(8);
    assert!(matches!(
        follower.inclusion(Index::from(0), beyond),
        Err(FollowerError::OutOfTree)
    ));
}

#[tokio::test(start_paused = true)]
async fn the_follower_polls_and_reads_across_bundles() {
    let ledger = FakeLedger::new(FakeLog::begun());
    let follower = start(&ledger);
    let mut sizes = follower.subscribe();
    for number in 0..700 {
        ledger.with(|log| log.write(&broker(), intent(number)));
        if number % 90 == 0 {
            ledger.with(FakeLog::write_map);
            sleep(POLL_INTERVAL).await;
        }
    }
    let end = ledger.with(|log| log.size());
    sizes.wait_for(|size| *size == end).await.unwrap();
    for number in [0, 255, 256, 699] {
        let found = follower.locate(&label(&intent(number))).unwrap().unwrap();
        let leaf = follower.leaf(found.index).await.unwrap();
        assert_eq!(leaf_hash(&leaf), found.leaf_hash);
    }
    // A new follower reads the same log from its beginning.
    assert_eq!(followed(&start(&ledger)).await, Ok(end.get()));
}

#[tokio::test(start_paused = true)]
async fn refresh_includes_all_earlier_entries_for_concurrent_callers() {
    let ledger = FakeLedger::new(FakeLog::begun());
    let follower = start(&ledger);
    for number in 0..50 {
        ledger.with(|log| log.write(&broker(), intent(number)));
        let refreshes = (0..10).map(|_| {
            let follower = follower.clone();
            tokio::spawn(async move { followed(&follower).await.unwrap() })
        });
        for refresh in refreshes.collect::<Vec<_>>() {
            assert!(refresh.await.unwrap() >= 5 + number);
        }
        assert!(follower.locate(&label(&intent(number))).unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn the_follower_waits_for_an_unreachable_ledger() {
    let ledger = FakeLedger::new(FakeLog::begun());
    ledger.set_down(true);
    let follower = start(&ledger);
    assert!(matches!(follower.refresh().await, Err(FollowerError::Behind(_))));
    assert!(matches!(follower.head(), Err(FollowerError::Behind(_))));
    ledger.set_down(false);
    assert_eq!(followed(&follower).await, Ok(4));
}

/// Changes the log after it has been followed once, and returns why the follower is broken.
async fn broken_by(act: impl FnOnce(&mut FakeLog)) -> String {
    let ledger = FakeLedger::new(FakeLog::begun());
    let follower = start(&ledger);
    followed(&follower).await.unwrap();
    ledger.with(act);
    let reason = followed(&follower).await.unwrap_err();
    // The follower stays broken.
    assert!(matches!(
        follower.locate(&Label([0; 32])),
        Err(FollowerError::Broken(_))
    ));
    assert!(matches!(follower.refresh().await, Err(FollowerError::Broken(_))));
    assert!(matches!(
        follower.leaf(Index::ZERO).await,
        Err(FollowerError::Broken(_))
    ));
    reason
}

/// An entry that continues its writer's chain. The test's ledger would refuse it.
fn chained_leaf(log: &FakeLog, key: &SigningKey, body: Body) -> Vec<u8> {
    let (sequence, previous) = log.next(&key.id());
    key.sign(Unsigned {
        sequence,
        previous,
        time: Timestamp(0),
        body,
    })
    .unwrap()
    .into_bytes()
}

/// An outcome with this label that refers to the entry `refers`.
fn closing(refers: u64, label: Label) -> Body {
    Body::Labelled {
        kind: LabelledKind::Outcome,
        period: Period(1),
        label,
        commitment: record::Commitment(Hash([7; 32])),
        refers: Some(Index::new(refers).unwrap()),
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_no_rule_allows_breaks_the_follower() {
    type Forgery = (&'static str, fn(&mut FakeLog));
    let forced: [Forgery; 15] = [
        ("chain", |log| {
            let signed = broker().sign(Unsigned {
                sequence: Sequence(3),
                previous: Hash([1; 32]),
                time: Timestamp(0),
                body: intent(1),
            });
            log.force(signed.unwrap().into_bytes());
        }),
        ("may not write", |log| {
            log.force(chained_leaf(log, &broker(), labelled(LabelledKind::Inspection, 1)))
        }),
        ("not in the directory", |log| {
            log.force(chained_leaf(log, &SigningKey::from_seed([99; 32]), intent(1)));
        }),
        ("signature", |log| {
            let mut leaf = chained_leaf(log, &broker(), intent(1));
            *leaf.last_mut().unwrap() ^= 1;
            log.force(leaf);
        }),
        ("", |log| log.force(b"no entry".to_vec())),
        ("label of entry", |log| {
            log.write(&broker(), intent(1));
            log.force(chained_leaf(log, &broker(), labelled(LabelledKind::Void, 1)));
        }),
        ("under a foreign label", |log| {
            let refers = log.write(&broker(), intent(1));
            let outcome = closing(refers, Label([7; 32]));
            log.force(chained_leaf(log, &broker(), outcome));
        }),
        ("not an open intent", |log| {
            let intent = intent(1);
            let label = record::label::of_phase(&intent.label().unwrap(), Phase::Outcome);
            log.write(&broker(), intent);
            let outcome = closing(0, label);
            log.force(chained_leaf(log, &broker(), outcome));
        }),
        ("not open", |log| {
            let Body::Labelled {
                kind,
                label,
                commitment,
                refers,
                ..
            } = intent(1)
            else {
                panic!()
            };
            let body = Body::Labelled {
                kind,
                period: Period(2),
                label,
                commitment,
                refers,
            };
            log.force(chained_leaf(log, &broker(), body));
        }),
        ("another root of map", |log| {
            log.write(&broker(), intent(1));
            let mut roots = log.roots();
            roots[1].1 = Hash([7; 32]);
            let newest = log.newest();
            log.force(chained_leaf(log, &map_writer(), Body::Map { roots, newest }));
            log.witness();
        }),
        ("newest change sets", |log| {
            let roots = log.roots();
            let mut newest = log.newest();
            newest.registerlandkarte = newest.directory;
            log.force(chained_leaf(log, &map_writer(), Body::Map { roots, newest }));
        }),
        ("no change set", |log| {
            let body = Body::Document {
                kind: DocumentKind::Directory,
                digest: log.genesis.digest(),
            };
            log.force(chained_leaf(log, &operator(), body));
        }),
        ("next version is 2", |log| {
            let first = 1;
            let body = log.entry(first).entry().body.clone();
            log.force(chained_leaf(log, &operator(), body));
        }),
        ("not in the directory", |log| {
            log.change(
                TrustKind::Directory,
                vec![Operation::end("writer/broker".parse().unwrap())],
            );
            log.force(chained_leaf(log, &broker(), intent(1)));
        }),
        ("exactly map 0", |log| {
            let roots = log.roots()[..1].to_vec();
            let newest = log.newest();
            log.force(chained_leaf(log, &map_writer(), Body::Map { roots, newest }));
        }),
    ];
    for (expected, act) in forced {
        let reason = broken_by(act).await;
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
}

/// A log with many change sets is read in pages, and documents alone where a page is not there or has other bytes.
#[tokio::test(start_paused = true)]
async fn change_sets_are_read_ahead_in_pages() {
    type Lie = fn(&mut SetPage);
    // What the ledger sends, and how many pages and documents are then read.
    let lies: [(Lie, (usize, usize)); 3] = [
        (|_| {}, (4, 0)),
        (|page| page.sets.clear(), (102, 204)),
        (
            |page| page.sets.iter_mut().for_each(|set| set.header[40] ^= 1),
            (4, 204),
        ),
    ];
    for (change, expected) in lies {
        let mut log = FakeLog::begun();
        for _ in 0..100 {
            log.change(TrustKind::Registerlandkarte, Vec::new());
        }
        log.false_page = change;
        log.page_sets = 30;
        let ledger = FakeLedger::new(log);
        let follower = start(&ledger);
        assert_eq!(followed(&follower).await, Ok(104));
        let (pages, documents) = (*ledger.pages.lock().unwrap(), *ledger.documents.lock().unwrap());
        assert_eq!((pages, documents), expected);
    }
}

/// A key is judged by the version in force at the index of the entry that it signs.
#[tokio::test(start_paused = true)]
async fn a_rotated_key_signs_before_and_its_successor_after() {
    let ledger = FakeLedger::new(FakeLog::begun());
    let follower = start(&ledger);
    let next = SigningKey::from_seed([77; 32]);
    ledger.with(|log| {
        log.write(&broker(), intent(1));
        let kinds = [record::Kind::Intent];
        let grant = Value::Writer(fixtures::grant("broker", &next, &kinds));
        log.change(TrustKind::Directory, vec![Operation::put(&grant).unwrap()]);
        log.write(&next, intent(2));
        log.write_map();
    });
    assert_eq!(followed(&follower).await, Ok(8));
    let reason = broken_by(|log| {
        let grant = Value::Writer(fixtures::grant("broker", &SigningKey::from_seed([77; 32]), &[]));
        log.change(TrustKind::Directory, vec![Operation::put(&grant).unwrap()]);
        log.force(chained_leaf(log, &broker(), intent(1)));
    })
    .await;
    assert!(reason.contains("not in the directory"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_final_period_has_the_root_of_its_map() {
    let fin = |root| Body::Period {
        period: Period(1),
        event: PeriodEvent::Final { root },
    };
    let reason = broken_by(|log| {
        log.force(chained_leaf(log, &identity(), fin(Hash([7; 32]))));
        let roots = log.roots()[..1].to_vec();
        let newest = log.newest();
        log.force(chained_leaf(log, &map_writer(), Body::Map { roots, newest }));
        log.witness();
    })
    .await;
    assert!(reason.contains("another root of map 1"), "{reason}");

    let ledger = FakeLedger::new(FakeLog::begun());
    let follower = start(&ledger);
    ledger.with(|log| {
        log.write(&broker(), intent(1));
        log.write(&identity(), begin(2));
        let root = log.roots()[1].1;
        let leaf = chained_leaf(log, &identity(), fin(root));
        log.force(leaf);
    });
    assert_eq!(followed(&follower).await, Ok(7));
}

/// Proofs are as of the last published `map` entry, also when the log has later entries.
#[tokio::test(start_paused = true)]
async fn absence_is_proved_as_of_the_published_map() {
    let ledger = FakeLedger::new(FakeLog::begun());
    let follower = start(&ledger);
    assert_eq!(followed(&follower).await, Ok(4));
    assert!(follower.proved().unwrap().is_none());
    let labels: Vec<Label> = (1..=4).map(|number| label(&intent(number))).collect();
    let (map, roots) = ledger.with(|log| {
        log.write(&broker(), intent(1));
        log.write(&broker(), intent(2));
        let roots = log.roots();
        log.write_map();
        log.write(&broker(), intent(3));
        log.witness();
        log.write(&broker(), denial(1));
        (6, roots)
    });
    assert_eq!(followed(&follower).await, Ok(9));
    let proved = follower.proved().unwrap().unwrap();
    assert_eq!((proved.map.get(), proved.published.checkpoint().size.get()), (map, 8));
    assert!(
        follower.locate(&labels[2]).unwrap().is_some(),
        "found, but not in the map yet"
    );
    let wanted = Wanted {
        lookups: vec![
            (Period(1), labels.clone()),
            (Period::MAP0, vec![record::period_label(Period(1), 0)]),
        ],
        entries: vec![Index::from(4), proved.map],
    };
    let proofs = follower.prove(proved.map, &wanted).unwrap().unwrap();
    let keys: Vec<_> = labels.iter().map(|label| label.0).collect();
    let found = tlog::map::verify_lookups(&roots[1].1, &keys, &proofs.maps[0]).unwrap();
    assert_eq!(
        found.iter().map(Option::is_some).collect::<Vec<_>>(),
        [true, true, false, false]
    );
    let begun = tlog::map::verify_lookups(&roots[0].1, &[record::period_label(Period(1), 0).0], &proofs.maps[1]);
    assert_eq!(begun.unwrap()[0].unwrap().index.get(), 3);
    let leaves = [4, 6].map(|index| {
        let leaf = ledger.with(|log| leaf_hash(&log.leaves[index]));
        (Index::new(index as u64).unwrap(), leaf)
    });
    let tlog::checkpoint::Checkpoint { size, root, .. } = proofs.published.checkpoint();
    tlog::merkle::verify_inclusion_batch(&leaves, *size, &proofs.tree, root).unwrap();

    // A checkpoint without a newer map entry changes nothing. After one with a newer map entry, the old state is
    // gone.
    ledger.with(FakeLog::witness);
    assert_eq!(followed(&follower).await, Ok(9));
    assert_eq!(follower.proved().unwrap().unwrap().map, proved.map);
    ledger.with(|log| {
        log.write_map();
        log.witness();
    });
    assert_eq!(followed(&follower).await, Ok(10));
    assert_eq!(follower.proved().unwrap().unwrap().map.get(), 9);
    assert!(follower.prove(proved.map, &wanted).unwrap().is_none());
    let beyond = Wanted {
        lookups: Vec::new(),
        entries: vec![Index::from(10)],
    };
    assert!(follower.prove(Index::from(9), &beyond).unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_fork_breaks_the_follower() {
    // Another root for the same size.
    let reason = broken_by(|log| {
        let (trust, clock) = (log.trust.clone(), log.clock.clone());
        *log = FakeLog::empty();
        (log.trust, log.clock) = (trust, clock);
        for number in 0..4 {
            log.force(vec![number]);
        }
    })
    .await;
    assert!(reason.contains("fork"), "{reason}");
    // A larger tree that does not extend the earlier one.
    let reason = broken_by(|log| {
        let trust = log.trust.clone();
        *log = FakeLog::empty();
        log.trust = trust;
        for number in 0..9 {
            log.force(vec![number]);
        }
    })
    .await;
    assert!(reason.contains("fork"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_log_with_another_genesis_is_refused() {
    let ledger = FakeLedger::new(FakeLog::begun());
    let (genesis, mut trust) = ledger.with(|log| (log.genesis.clone(), (*log.trust).clone()));
    trust.genesis = Hash([1; 32]);
    let follower = Follower::start(ledger.clone(), Arc::new(trust), &genesis, Shutdown::new()).unwrap();
    assert!(followed(&follower).await.unwrap_err().contains("genesis"));
}

#[tokio::test(start_paused = true)]
async fn an_old_head_is_neither_progress_nor_a_fork() {
    let ledger = FakeLedger::new(FakeLog::begun());
    let follower = start(&ledger);
    let saved = ledger.with(|log| (log.tree.clone(), log.leaves.clone()));
    ledger.with(|log| log.write(&broker(), intent(1)));
    assert_eq!(followed(&follower).await, Ok(5));
    ledger.with(|log| (log.tree, log.leaves) = saved);
    assert!(matches!(follower.refresh().await, Err(FollowerError::Behind(_))));
    assert!(follower.locate(&label(&intent(1))).unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn entries_that_do_not_match_the_signed_tree_are_not_returned() {
    let ledger = FakeLedger::new(FakeLog::begun());
    let follower = start(&ledger);
    followed(&follower).await.unwrap();
    let other = ledger.with(|log| {
        let other = chained_leaf(log, &broker(), intent(2));
        log.write(&broker(), intent(1));
        std::mem::replace(&mut log.leaves[4], other)
    });
    // Bytes that the log has not signed prove nothing against it, however often they come.
    for _ in 0..20 {
        assert!(matches!(follower.refresh().await, Err(FollowerError::Behind(_))));
        assert_eq!(follower.locate(&label(&intent(2))).unwrap(), None);
    }
    ledger.with(|log| log.leaves[4] = other);
    assert_eq!(followed(&follower).await, Ok(5));
    assert!(follower.locate(&label(&intent(1))).unwrap().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// For any growth of the log and any times of refreshing, every entry is found at its index.
    #[test]
    fn every_entry_is_found(steps in prop::collection::vec((1..120_u64, any::<bool>(), any::<bool>()), 1..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let ledger = FakeLedger::new(FakeLog::begun());
            let follower = start(&ledger);
            let mut number = 0;
            let mut expected = Vec::new();
            for (count, map, refresh) in steps {
                for _ in 0..count {
                    expected.push((number, ledger.with(|log| log.write(&broker(), intent(number)))));
                    number += 1;
                }
                if map {
                    ledger.with(FakeLog::write_map);
                }
                if refresh {
                    followed(&follower).await.unwrap();
                }
            }
            followed(&follower).await.unwrap();
            let (size, root) = {
                let head = follower.head().unwrap();
                (head.checkpoint().size, head.checkpoint().root)
            };
            for (number, index) in expected {
                let found = follower.locate(&label(&intent(number))).unwrap().unwrap();
                assert_eq!(found.index.get(), index);
                let proof = follower.inclusion(found.index, size).unwrap();
                verify_inclusion(&found.leaf_hash, found.index, size, &proof, &root).unwrap();
            }
        });
    }
}
