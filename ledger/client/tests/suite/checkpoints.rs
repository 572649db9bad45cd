//! Tests of the checkpoint watch: no head is relied upon for more than a minute without a quorum.
use std::path::Path;
use std::sync::Arc;

use crate::common::log::{FakeLog, START};
use crate::common::{FakeLedger, broker, intent, trust_of};
use ledger_client::CheckpointWatch;
use ledger_client::checkpoints::{NotReady, SettleError, WatchConfig, WatchError};
use proptest::prelude::*;
use service::clock::ManualClock;
use service::shutdown::Shutdown;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Size;

pub(crate) struct Bench {
    pub(crate) ledger: Arc<FakeLedger>,
    clock: Arc<ManualClock>,
    dir: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let ledger = FakeLedger::new(FakeLog::begun());
        Self {
            ledger,
            clock: ManualClock::new(START),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn watch(&self) -> CheckpointWatch {
        self.watch_in(self.dir.path())
    }

    fn watch_in(&self, dir: &Path) -> CheckpointWatch {
        let config = WatchConfig {
            api: self.ledger.clone(),
            trust: trust_of(&self.ledger),
            state_dir: dir.into(),
            clock: self.clock.clone(),
        };
        CheckpointWatch::start(config, Shutdown::new()).unwrap()
    }

    pub(crate) fn grow(&self, numbers: std::ops::Range<u64>) -> Checkpoint {
        self.ledger.with(|log| {
            for number in numbers {
                log.write(&broker(), intent(number));
            }
            log.checkpoint()
        })
    }
}

/// Runs a test in its own runtime. Dropping the runtime closes the files.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

#[test]
fn a_cosigned_successor_settles_all_smaller_heads() {
    let bench = Bench::new();
    run(async {
        let watch = bench.watch();
        for numbers in [0..3, 3..300, 300..301] {
            watch.rely(&bench.grow(numbers)).await.unwrap();
        }
        assert!(
            matches!(watch.settle().await, Err(SettleError::NotNow(_))),
            "no witness yet"
        );
        bench.grow(301..600);
        bench.ledger.with(FakeLog::witness);
        let later = bench.grow(600..601);
        watch.rely(&later).await.unwrap();
        watch.settle().await.unwrap();
        assert_eq!(watch.unsettled(), 1, "only the larger head is unsettled");
        bench.ledger.with(FakeLog::witness);
        watch.settle().await.unwrap();
        assert_eq!(watch.unsettled(), 0);
        // A settled head is not noted again.
        watch.rely(&later).await.unwrap();
        assert_eq!(watch.unsettled(), 0);
    });
}

#[test]
fn the_watch_is_not_ready_after_a_minute_without_a_quorum() {
    let bench = Bench::new();
    run(async {
        let watch = bench.watch();
        watch.ready().unwrap();
        watch.rely(&bench.grow(0..1)).await.unwrap();
        bench.clock.advance(60);
        watch.ready().unwrap();
        bench.clock.advance(1);
        assert!(matches!(watch.ready(), Err(NotReady::Stale(61))));
        bench.clock.jump(-3600);
        assert!(
            matches!(watch.ready(), Err(NotReady::Stale(61))),
            "a clock that is set back does not make the head new"
        );
        bench.clock.jump(3600);
        // The log's own signature is not enough.
        let unwitnessed = bench.ledger.with(|log| log.head(false));
        bench.ledger.with(|log| log.witnessed = Some(unwitnessed));
        assert!(watch.settle().await.is_err());
        assert!(watch.ready().is_err());
        bench.ledger.with(FakeLog::witness);
        watch.settle().await.unwrap();
        watch.ready().unwrap();
    });
}

#[test]
fn heads_relied_upon_survive_a_restart() {
    let bench = Bench::new();
    let relied = bench.grow(0..5);
    run(async { bench.watch().rely(&relied).await.unwrap() });
    bench.clock.advance(100);
    run(async {
        let watch = bench.watch();
        assert_eq!(watch.unsettled(), 1);
        assert!(matches!(watch.ready(), Err(NotReady::Stale(100))));
        bench.ledger.with(FakeLog::witness);
        watch.settle().await.unwrap();
    });
    run(async { assert_eq!(bench.watch().unsettled(), 0) });
}

/// A fork: the head relied upon does not belong to the cosigned tree.
fn forked(relied: &Checkpoint, bench: &Bench) {
    run(async {
        let watch = bench.watch();
        watch.rely(relied).await.unwrap();
        bench.grow(100..110);
        bench.ledger.with(FakeLog::witness);
        assert!(matches!(watch.settle().await, Err(SettleError::Inconsistent(_))));
        assert!(matches!(watch.ready(), Err(NotReady::Inconsistent(_))));
        assert!(matches!(watch.rely(relied).await, Err(WatchError::Inconsistent(_))));
    });
    // Also after a restart, and even if the ledger behaves correctly again.
    run(async {
        let watch = bench.watch();
        assert!(matches!(watch.ready(), Err(NotReady::Inconsistent(_))));
        assert!(watch.settle().await.is_err());
    });
}

#[test]
fn a_fork_stops_the_watch_permanently() {
    let bench = Bench::new();
    let mut relied = bench.grow(0..7);
    relied.root = Hash([1; 32]);
    forked(&relied, &bench);
}

#[test]
fn a_fork_at_the_cosigned_size_stops_the_watch() {
    let bench = Bench::new();
    let mut relied = bench.grow(0..7);
    relied.root = Hash([1; 32]);
    relied.size = Size::new(relied.size.get() + 10).unwrap();
    forked(&relied, &bench);
}

#[test]
fn two_roots_for_one_size_stop_the_watch() {
    let bench = Bench::new();
    run(async {
        let watch = bench.watch();
        let relied = bench.grow(0..7);
        let other = Checkpoint {
            root: Hash([1; 32]),
            ..relied.clone()
        };
        watch.rely(&relied).await.unwrap();
        assert!(matches!(watch.rely(&other).await, Err(WatchError::Inconsistent(_))));
        assert!(matches!(watch.ready(), Err(NotReady::Inconsistent(_))));
    });
}

#[test]
fn cosigned_checkpoints_must_extend_each_other() {
    let bench = Bench::new();
    run(async {
        let watch = bench.watch();
        watch.rely(&bench.grow(0..7)).await.unwrap();
        bench.ledger.with(FakeLog::witness);
        watch.settle().await.unwrap();
        // Another log under the same keys; the witnesses collude.
        bench.ledger.with(|log| {
            *log = FakeLog::empty();
            for number in 0..50 {
                log.force(vec![number]);
            }
        });
        let relied = bench.ledger.with(FakeLog::witness);
        watch.rely(&relied).await.unwrap();
        assert!(matches!(watch.settle().await, Err(SettleError::Inconsistent(_))));
    });
}

#[test]
fn an_old_checkpoint_and_wrong_tiles_settle_nothing_and_prove_nothing() {
    let bench = Bench::new();
    run(async {
        let watch = bench.watch();
        watch.rely(&bench.grow(0..7)).await.unwrap();
        bench.ledger.with(FakeLog::witness);
        let old = bench.ledger.with(|log| log.witnessed.clone());
        watch.rely(&bench.grow(7..9)).await.unwrap();
        bench.grow(9..20);
        bench.ledger.with(FakeLog::witness);
        // The server serves tiles of another tree.
        let tree = bench.ledger.with(|log| {
            let mut other = FakeLog::begun();
            for number in 0..16 {
                other.write(&broker(), intent(1000 + number));
            }
            std::mem::replace(&mut log.tree, other.tree)
        });
        assert!(matches!(watch.settle().await, Err(SettleError::NotNow(_))));
        bench.ledger.with(|log| log.tree = tree);
        watch.settle().await.unwrap();
        watch.rely(&bench.grow(20..21)).await.unwrap();
        bench.ledger.with(|log| log.witnessed = old);
        assert!(matches!(watch.settle().await, Err(SettleError::NotNow(_))));
        assert_eq!(watch.unsettled(), 1);
        watch.ready().unwrap();
    });
}

#[test]
fn concurrent_calls_share_a_commit() {
    let bench = Bench::new();
    run(async {
        let watch = bench.watch();
        let heads: Vec<_> = (0..200).map(|number| bench.grow(number..number + 1)).collect();
        let calls: Vec<_> = heads
            .into_iter()
            .map(|head| {
                let watch = watch.clone();
                tokio::spawn(async move { watch.rely(&head).await.unwrap() })
            })
            .collect();
        for call in calls {
            call.await.unwrap();
        }
        assert_eq!(watch.unsettled(), 200);
        bench.ledger.with(FakeLog::witness);
        watch.settle().await.unwrap();
        assert_eq!(watch.unsettled(), 0);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// For any sizes relied upon, sound heads settle, and a single forged head is detected.
    #[test]
    fn every_forged_root_is_detected(steps in prop::collection::vec(1..90_u64, 1..6), forge in any::<prop::sample::Index>()) {
        let bench = Bench::new();
        run(async {
            let watch = bench.watch();
            let (mut at, mut heads) = (0, Vec::new());
            for step in steps {
                heads.push(bench.grow(at..at + step));
                at += step;
            }
            bench.grow(at..at + 13);
            bench.ledger.with(FakeLog::witness);
            for head in &heads {
                watch.rely(head).await.unwrap();
            }
            watch.settle().await.unwrap();
            assert_eq!(watch.unsettled(), 0);

            let dir = tempfile::tempdir().unwrap();
            let watch = bench.watch_in(dir.path());
            let forged = forge.index(heads.len());
            heads[forged].root.0[0] ^= 1;
            for head in &heads {
                // The watch also settles on its own, and may detect the forgery before the last head is relied upon.
                let relied = watch.rely(head).await;
                assert!(matches!(relied, Ok(()) | Err(WatchError::Inconsistent(_))), "{relied:?}");
            }
            assert!(matches!(watch.settle().await, Err(SettleError::Inconsistent(_))));
        });
    }
}
