//! Tests of the change sets that a client follows without reading the whole log.
use std::sync::Arc;
use std::time::Duration;

use crate::common::log::{FakeLog, START, authority, map_writer, operator};
use crate::common::{FakeLedger, TokioClock, broker, intent, trust_of};
use fixtures::grant;
use ledger_client::live::MAX_UNCONFIRMED;
use ledger_client::{Anchored, LiveTrust, TrustNotReady};
use record::{Body, Kind, NewestSets, SigningKey, Timestamp, Unsigned};
use service::clock::Clock;
use service::shutdown::Shutdown;
use tlog::Hash;
use tlog::merkle::Index;
use tokio::time::{sleep, timeout};
use trust::{Authority, Operation, SetPage, TrustKind, Value, Version};

const DIRECTORY: TrustKind = TrustKind::Directory;

fn rotated(seed: u8) -> Vec<Operation> {
    let key = SigningKey::from_seed([seed; 32]);
    let value = Value::Writer(grant("broker", &key, &[Kind::Intent, Kind::Outcome]));
    vec![Operation::put(&value).unwrap()]
}

async fn followed() -> (Arc<FakeLedger>, LiveTrust, Shutdown) {
    let clock = TokioClock::starting_at(START);
    followed_by(clock.clone(), clock).await
}

/// Follows a log whose witness has one clock, with another clock.
async fn followed_by(witness: Arc<dyn Clock>, clock: Arc<dyn Clock>) -> (Arc<FakeLedger>, LiveTrust, Shutdown) {
    let mut log = FakeLog::begun();
    log.write_map();
    log.clock = witness;
    let ledger = FakeLedger::new(log);
    let trust = trust_of(&ledger);
    let anchored = Anchored::fetch(ledger.as_ref(), &trust).await.unwrap();
    let shutdown = Shutdown::new();
    let live = LiveTrust::start(ledger.clone(), trust, &anchored, clock, shutdown.clone());
    (ledger, live, shutdown)
}

fn version(live: &LiveTrust) -> Version {
    live.history().state().directory().version()
}

/// Time for hundreds of rounds; it passes at once where nothing is computed.
const ROUNDS: Duration = Duration::from_secs(600);

/// Waits until the log counts as broken; returns the reason.
async fn until_broken(live: &LiveTrust) -> String {
    let broken = async {
        loop {
            match live.confirmed() {
                Err(TrustNotReady::Broken(reason)) => return reason.to_string(),
                _ => sleep(Duration::from_millis(50)).await,
            }
        }
    };
    timeout(ROUNDS, broken).await.expect("the log is broken")
}

#[tokio::test(start_paused = true)]
async fn a_set_takes_effect_once_a_map_entry_names_it() {
    let (ledger, live, _shutdown) = followed().await;
    let first = live.confirmed().unwrap();
    let at = ledger.with(|log| log.change(DIRECTORY, rotated(77)));
    live.refresh().await;
    assert_eq!(version(&live), Version(1), "no map entry names the set yet");
    ledger.with(|log| {
        log.change(TrustKind::Registerlandkarte, Vec::new());
        log.change(DIRECTORY, rotated(78));
        log.write_map();
    });
    live.refresh().await;
    let now = live.confirmed().unwrap();
    assert_eq!(now.state().directory().version(), Version(3));
    assert_eq!(now.state().registerlandkarte().version(), Version(2));
    assert_eq!(
        first.state().directory().version(),
        Version(1),
        "a history never changes"
    );
    let is_writer = |index| {
        let index = Index::new(index).unwrap();
        now.writer_at(&broker().id(), index).unwrap().is_some()
    };
    assert!(is_writer(at) && !is_writer(at + 1));
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_not_confirmed_is_not_relied_upon() {
    let (ledger, live, _shutdown) = followed().await;
    ledger.set_down(true);
    sleep(MAX_UNCONFIRMED + Duration::from_secs(2)).await;
    assert!(matches!(live.confirmed(), Err(TrustNotReady::Unconfirmed(_))));
    assert_eq!(version(&live), Version(1), "receipts are still judged");
}

#[tokio::test(start_paused = true)]
async fn a_ledger_without_a_quorum_or_with_an_old_map_entry_changes_nothing() {
    let (ledger, live, _shutdown) = followed().await;
    ledger.with(|log| {
        log.witness_signs = false;
        log.change(DIRECTORY, rotated(77));
        log.write_map();
    });
    live.refresh().await;
    assert_eq!(version(&live), Version(1));
    ledger.with(|log| log.witness_signs = true);
    live.refresh().await;
    assert_eq!(version(&live), Version(2));
    // The ledger shows the map entry from before.
    ledger.with(|log| {
        let first = (0..log.leaves.len()).find(|at| log.entry(*at as u64).entry().body.kind() == Kind::Map);
        log.leaves.truncate(first.unwrap() + 1);
        let mut tree = tlog::merkle::MemoryTree::new();
        for leaf in &log.leaves {
            tree.append(tlog::merkle::leaf_hash(leaf)).unwrap();
        }
        log.tree = tree;
    });
    live.refresh().await;
    assert_eq!(version(&live), Version(2));
    assert!(live.confirmed().is_ok(), "an old answer is no contradiction");
}

#[tokio::test(start_paused = true)]
async fn a_log_whose_sets_break_the_rules_is_refused_permanently() {
    // A set that no authority has signed.
    let (ledger, live, _shutdown) = followed().await;
    ledger.with(|log| {
        let state = log.history.state().clone();
        let draft = state.propose(
            DIRECTORY,
            Timestamp(0).max(state.directory().valid_from()),
            "x".parse().unwrap(),
            rotated(77),
        );
        log.write_set(&draft.unwrap().sign(&[&operator()]).unwrap());
        let newest = NewestSets {
            directory: Index::new(log.leaves.len() as u64 - 1).unwrap(),
            ..log.newest()
        };
        let roots = log.roots();
        log.write(&map_writer(), Body::Map { roots, newest });
    });
    assert!(until_broken(&live).await.contains("authority"));

    // A map entry that names another entry.
    let (ledger, live, _shutdown) = followed().await;
    ledger.with(|log| {
        log.write(&broker(), intent(1));
        let newest = NewestSets {
            registerlandkarte: Index::from(1_u32),
            ..log.newest()
        };
        let roots = log.roots();
        log.write(&map_writer(), Body::Map { roots, newest });
    });
    assert!(until_broken(&live).await.contains("Registerlandkarte"));

    // A set whose root does not follow.
    let (ledger, live, _shutdown) = followed().await;
    ledger.with(|log| {
        let state = log.history.state();
        let mut draft = state
            .propose(DIRECTORY, Timestamp(log.clock.now()), "x".parse().unwrap(), rotated(77))
            .unwrap();
        draft.header.root = Hash([1; 32]);
        log.write_set(&draft.sign(&[&authority()]).unwrap());
        let newest = NewestSets {
            directory: Index::new(log.leaves.len() as u64 - 1).unwrap(),
            ..log.newest()
        };
        let roots = log.roots();
        log.write(&map_writer(), Body::Map { roots, newest });
    });
    assert!(until_broken(&live).await.contains("root"));
}

/// An entry of any content that continues its writer's chain.
fn entry(log: &FakeLog, key: &SigningKey, body: Body) -> Vec<u8> {
    let (sequence, previous) = log.next(&key.id());
    let time = Timestamp(log.clock.now());
    let unsigned = Unsigned {
        sequence,
        previous,
        time,
        body,
    };
    key.sign(unsigned).unwrap().into_bytes()
}

/// What the writers of sets and of `map` entries may do is checked, too.
#[tokio::test(start_paused = true)]
async fn an_entry_that_its_writer_has_not_signed_or_may_not_write_is_refused_permanently() {
    for (name, writer, flipped) in [("may not write", broker(), 0), ("signature", operator(), 1)] {
        let (ledger, live, _shutdown) = followed().await;
        ledger.with(|log| {
            let (state, now) = (log.history.state(), Timestamp(log.clock.now()));
            let draft = state.propose(DIRECTORY, now, "x".parse().unwrap(), rotated(77));
            let set = draft.unwrap().sign(&[&authority()]).unwrap();
            let body = Body::Document {
                kind: record::DocumentKind::Directory,
                digest: set.signed().digest(),
            };
            let mut leaf = entry(log, &writer, body);
            *leaf.last_mut().unwrap() ^= flipped;
            let index = Index::new(log.leaves.len() as u64).unwrap();
            log.force(leaf);
            for part in [set.signed().bytes(), set.operations().bytes()] {
                log.documents.insert(Hash::of(part), part.to_vec());
            }
            log.sets.insert(index, set);
            let newest = NewestSets {
                directory: index,
                ..log.newest()
            };
            let roots = log.roots();
            log.write(&map_writer(), Body::Map { roots, newest });
        });
        let reason = until_broken(&live).await;
        assert!(reason.contains(name), "{name}: {reason}");
    }
    let (ledger, live, _shutdown) = followed().await;
    ledger.with(|log| {
        let (roots, newest) = (log.roots(), log.newest());
        let leaf = entry(log, &broker(), Body::Map { roots, newest });
        log.force(leaf);
    });
    assert!(until_broken(&live).await.contains("may not write"));
}

/// Waits until the follower has fetched pages, and has not become broken by them.
async fn after_pages(ledger: &FakeLedger, live: &LiveTrust) {
    let before = *ledger.pages.lock().unwrap();
    let fetched = async {
        while *ledger.pages.lock().unwrap() < before + 3 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(ROUNDS, fetched).await.expect("pages are fetched again");
    assert!(!matches!(live.confirmed(), Err(TrustNotReady::Broken(_))));
}

fn new_authority() -> SigningKey {
    SigningKey::from_seed([99; 32])
}

/// Ends the right of the authority, and gives it to a new one.
fn authority_replaced() -> Vec<Operation> {
    let value = Value::Authority(Authority {
        name: "Registerbehörde".parse().unwrap(),
        key: new_authority().public(),
        signs: TrustKind::ALL.into(),
    });
    let old = Operation::end(trust::Key::authority(&authority().id()));
    vec![Operation::put(&value).unwrap(), old]
}

/// Writes a set that the new authority has signed.
fn change_by_new_authority(log: &mut FakeLog, kind: TrustKind) {
    let (state, now) = (log.history.state(), Timestamp(log.clock.now()));
    let set = state.propose(kind, now, "x".parse().unwrap(), Vec::new()).unwrap();
    log.write_set(&set.sign(&[&new_authority()]).unwrap());
}

/// A set is verified with the keys that are in force before its page, or, if its signer comes later, when it is
/// applied.
#[tokio::test(start_paused = true)]
async fn many_sets_are_read_in_pages() {
    let (ledger, live, _shutdown) = followed().await;
    let first = *ledger.pages.lock().unwrap();
    ledger.with(|log| {
        log.page_sets = 40;
        for number in 0..50 {
            log.change(DIRECTORY, rotated(100 + number));
            log.change(TrustKind::Registerlandkarte, Vec::new());
        }
        log.change(DIRECTORY, authority_replaced());
        for _ in 0..10 {
            change_by_new_authority(log, TrustKind::Registerlandkarte);
            change_by_new_authority(log, DIRECTORY);
        }
        log.write_map();
        log.change(TrustKind::Registerlandkarte, Vec::new());
    });
    live.refresh().await;
    let history = live.confirmed().unwrap();
    let versions = TrustKind::ALL.map(|kind| history.state().map(kind).version().0);
    // The last set is not named by a map entry.
    assert_eq!(versions, [62, 61]);
    assert_eq!(*ledger.pages.lock().unwrap() - first, 4, "121 sets in pages of 40");
}

/// Changes a page before it is sent.
type Lie = fn(&mut SetPage);

/// A ledger that leaves sets out or changes bytes has not shown that the log is broken.
#[tokio::test(start_paused = true)]
async fn a_false_page_is_asked_for_again() {
    let without_directory: Lie = |page| {
        page.sets
            .retain(|set| trust::SignedHeader::parse(&set.header).unwrap().header().kind != DIRECTORY)
    };
    let cases: [(&str, Lie); 9] = [
        ("the first set is left out", |page| drop(page.sets.remove(0))),
        ("a set is left out", |page| drop(page.sets.remove(1))),
        ("the last set is left out", |page| drop(page.sets.pop())),
        ("the directory is left out", without_directory),
        ("nothing is sent", |page| page.sets.clear()),
        ("a checkpoint without the witness", |page| {
            let lines = page.checkpoint.trim_end().rsplit_once('\n').unwrap();
            page.checkpoint = format!("{}\n", lines.0);
        }),
        ("another leaf", |page| page.sets[0].leaf[40] ^= 1),
        ("another header", |page| page.sets[1].header[40] ^= 1),
        ("other operations", |page| page.sets[1].operations.push(0)),
    ];
    for (name, change) in cases {
        let (ledger, live, _shutdown) = followed().await;
        ledger.with(|log| {
            log.false_page = change;
            log.change(DIRECTORY, authority_replaced());
            change_by_new_authority(log, TrustKind::Registerlandkarte);
            change_by_new_authority(log, DIRECTORY);
            log.write_map();
        });
        after_pages(&ledger, &live).await;
        assert_eq!(version(&live), Version(1), "{name}");
        ledger.with(|log| log.false_page = |_| {});
        live.refresh().await;
        assert_eq!(version(&live), Version(3), "{name}");
    }
}

/// Sets that the process has already are no answer to the question for later ones.
#[tokio::test(start_paused = true)]
async fn a_page_of_earlier_sets_is_asked_for_again() {
    let (ledger, live, _shutdown) = followed().await;
    ledger.with(|log| {
        log.page_from = Some(Index::from(1_u32));
        log.change(DIRECTORY, rotated(77));
        log.write_map();
    });
    after_pages(&ledger, &live).await;
    assert_eq!(version(&live), Version(1));
    ledger.with(|log| log.page_from = None);
    live.refresh().await;
    assert_eq!(version(&live), Version(2));
}

/// A set of the Registerlandkarte that a removed authority has signed is the log's fault, also if the directory changes
/// later.
#[tokio::test(start_paused = true)]
async fn a_removed_authority_is_noticed_whatever_comes_later() {
    for changes_later in [false, true] {
        let (ledger, live, _shutdown) = followed().await;
        ledger.with(|log| {
            log.change(DIRECTORY, authority_replaced());
            let (state, now) = (log.history.state(), Timestamp(log.clock.now()));
            let set = state.propose(TrustKind::Registerlandkarte, now, "x".parse().unwrap(), Vec::new());
            log.write_set(&set.unwrap().sign(&[&authority()]).unwrap());
            let newest = NewestSets {
                registerlandkarte: Index::new(log.leaves.len() as u64 - 1).unwrap(),
                ..log.newest()
            };
            let roots = log.roots();
            if changes_later {
                change_by_new_authority(log, DIRECTORY);
            }
            let newest = NewestSets {
                directory: log.newest().directory,
                ..newest
            };
            log.write(&map_writer(), Body::Map { roots, newest });
        });
        assert!(until_broken(&live).await.contains("authority"), "{changes_later}");
    }
}

/// What the witnesses have said long ago is old, also for a process that hears it for the first time.
#[tokio::test(start_paused = true)]
async fn an_old_confirmation_is_old_from_the_start() {
    let behind = TokioClock::starting_at(START);
    let ahead = TokioClock::starting_at(START + MAX_UNCONFIRMED.as_secs() + 1);
    let (_ledger, live, _shutdown) = followed_by(behind, ahead).await;
    assert!(matches!(live.confirmed(), Err(TrustNotReady::Unconfirmed(61))));
}

/// A `map` entry that only the ledger has signed confirms nothing.
#[tokio::test(start_paused = true)]
async fn a_map_entry_without_a_quorum_does_not_confirm() {
    let (ledger, live, _shutdown) = followed().await;
    ledger.with(|log| log.witness_signs = false);
    for _ in 0..7 {
        sleep(MAX_UNCONFIRMED / 6).await;
        ledger.with(FakeLog::write_map);
    }
    assert!(matches!(live.confirmed(), Err(TrustNotReady::Unconfirmed(_))));
    ledger.with(|log| log.witness_signs = true);
    live.refresh().await;
    assert!(live.confirmed().is_ok());
}

/// A clock whose wall time stands still.
#[derive(Debug)]
struct StoppedClock(Arc<TokioClock>);

impl Clock for StoppedClock {
    fn now(&self) -> u64 {
        START
    }

    fn steady(&self) -> Duration {
        self.0.steady()
    }
}

/// An answer that was heard before confirms nothing, even if the wall clock stands still.
#[tokio::test(start_paused = true)]
async fn a_repeated_answer_does_not_confirm_again() {
    let clock = TokioClock::starting_at(START);
    let (ledger, live, _shutdown) = followed_by(clock.clone(), Arc::new(StoppedClock(clock))).await;
    ledger.with(|log| log.witness_time = Some(START));
    let half = MAX_UNCONFIRMED / 2;
    sleep(half).await;
    assert!(live.confirmed().is_ok());
    sleep(half + Duration::from_secs(1)).await;
    assert!(
        matches!(live.confirmed(), Err(TrustNotReady::Unconfirmed(61))),
        "{:?}",
        live.confirmed()
    );
    // Nor does an older answer in between.
    ledger.with(|log| log.witness_time = Some(START - 1));
    live.refresh().await;
    ledger.with(|log| log.witness_time = Some(START));
    live.refresh().await;
    assert!(matches!(live.confirmed(), Err(TrustNotReady::Unconfirmed(_))));
    ledger.with(|log| log.witness_time = None);
    live.refresh().await;
    assert!(live.confirmed().is_ok());
}
