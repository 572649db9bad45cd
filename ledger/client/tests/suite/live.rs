//! Tests of the change sets that a client follows without reading the whole log.
use std::sync::Arc;
use std::time::Duration;

use crate::common::log::{FakeLog, authority, operator};
use crate::common::{FakeLedger, TokioClock, broker, intent, trust_of};
use fixtures::grant;
use ledger_client::live::MAX_UNCONFIRMED;
use ledger_client::{Anchored, LiveTrust, TrustNotReady};
use record::{Kind, NewestSets, SigningKey, Timestamp};
use service::shutdown::Shutdown;
use tlog::Hash;
use tlog::merkle::Index;
use tokio::time::sleep;
use trust::{Operation, TrustKind, Value, Version};

const DIRECTORY: TrustKind = TrustKind::Directory;

fn rotated(seed: u8) -> Vec<Operation> {
    let key = SigningKey::from_seed([seed; 32]);
    let value = Value::Writer(grant("broker", &key, &[Kind::Intent, Kind::Outcome]));
    vec![Operation::put(&value).unwrap()]
}

async fn followed() -> (Arc<FakeLedger>, LiveTrust, Shutdown) {
    let mut log = FakeLog::begun();
    log.write_map();
    let clock = TokioClock::starting_at(log.clock.now());
    log.clock = clock.clone();
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

/// Waits until a round has read what the log has now.
async fn until_broken(live: &LiveTrust) -> String {
    loop {
        match live.confirmed() {
            Err(TrustNotReady::Broken(reason)) => return reason.to_string(),
            _ => sleep(Duration::from_millis(50)).await,
        }
    }
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
async fn a_log_whose_sets_break_the_rules_is_refused_for_good() {
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
        log.write(&crate::common::log::map_writer(), record::Body::Map { roots, newest });
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
        log.write(&crate::common::log::map_writer(), record::Body::Map { roots, newest });
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
        log.write(&crate::common::log::map_writer(), record::Body::Map { roots, newest });
    });
    assert!(until_broken(&live).await.contains("root"));
}
