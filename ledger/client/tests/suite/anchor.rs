//! Tests of the beginning of a log, its anchor, and the check of receipts.
use std::sync::Arc;

use crate::common::log::FakeLog;
use crate::common::{FakeLedger, InjectedFault, broker, intent, trust_of};
use ledger_client::anchor::AnchorError;
use ledger_client::bootstrap::BootstrapError;
use ledger_client::recorded::{Denial, Intent, ReceiptError, check_written_by};
use ledger_client::{Anchored, ApiError, Trust, check};
use record::{SigningKey, WriterId};
use service::shutdown::Shutdown;
use tlog::Hash;
use trust::TrustKind;

#[tokio::test(start_paused = true)]
async fn appending_the_first_entries_again_changes_nothing() {
    let ledger = FakeLedger::new(FakeLog::empty());
    let (bootstrap, trust) = ledger.with(|log| (log.bootstrap.clone(), log.trust.clone()));
    ledger.set_down(true);
    assert!(matches!(
        bootstrap.append(ledger.as_ref(), &trust).await,
        Err(BootstrapError::NotYet(_))
    ));
    ledger.set_down(false);
    ledger.script([InjectedFault::None, InjectedFault::LoseAnswer]);
    let lost = bootstrap.append(ledger.as_ref(), &trust).await;
    assert!(matches!(lost, Err(BootstrapError::NotYet(ApiError::NoAnswer(_)))));
    for _ in 0..2 {
        bootstrap.append(ledger.as_ref(), &trust).await.unwrap();
        assert_eq!(ledger.with(|log| log.leaves.len()), 3);
    }
    assert_eq!(ledger.with(|log| log.entry(0).leaf_hash()), bootstrap.genesis_hash());
}

#[tokio::test(start_paused = true)]
async fn a_log_with_other_first_entries_is_refused() {
    let ledger = FakeLedger::new(FakeLog::empty());
    ledger.with(|log| log.force(log.bootstrap.submissions()[1].leaf.clone()));
    let (bootstrap, trust) = ledger.with(|log| (log.bootstrap.clone(), log.trust.clone()));
    assert!(matches!(
        bootstrap.append(ledger.as_ref(), &trust).await,
        Err(BootstrapError::Wrong(_))
    ));
}

/// A log with a `map` entry that names the first sets.
fn mapped() -> FakeLog {
    let mut log = FakeLog::begun();
    log.write_map();
    log
}

async fn anchor(ledger: &Arc<FakeLedger>) -> Result<Anchored, AnchorError> {
    Anchored::fetch(ledger.as_ref(), &trust_of(ledger)).await
}

#[tokio::test(start_paused = true)]
async fn the_anchor_is_checked_from_the_genesis_hash() {
    let ledger = FakeLedger::new(mapped());
    let anchored = anchor(&ledger).await.unwrap();
    let expected = ledger.with(|log| log.history.clone());
    for kind in TrustKind::ALL {
        assert_eq!(anchored.history.newest(kind), expected.newest(kind));
    }
    assert_eq!(anchored.genesis, ledger.with(|log| log.genesis.clone()));
}

#[tokio::test(start_paused = true)]
async fn wait_returns_once_the_anchor_is_available() {
    let ledger = FakeLedger::new(FakeLog::empty());
    assert!(matches!(anchor(&ledger).await, Err(AnchorError::NotYet(_))));
    let api: Arc<dyn ledger_client::LedgerApi> = ledger.clone();
    let trust = trust_of(&ledger);
    let shutdown = Shutdown::new();
    let waiting = tokio::spawn({
        let (api, trust, shutdown) = (api.clone(), trust.clone(), shutdown.clone());
        async move { Anchored::wait(&api, &trust, &shutdown).await }
    });
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert!(!waiting.is_finished());
    let bootstrap = ledger.with(|log| log.bootstrap.clone());
    bootstrap.append(ledger.as_ref(), &trust).await.unwrap();
    ledger.with(FakeLog::write_map);
    assert!(waiting.await.unwrap().is_ok());

    ledger.set_down(true);
    shutdown.trigger();
    assert!(matches!(
        Anchored::wait(&api, &trust, &shutdown).await,
        Err(AnchorError::Ended)
    ));
}

#[tokio::test(start_paused = true)]
async fn wrong_first_entries_are_refused() {
    // Another genesis hash.
    let ledger = FakeLedger::new(mapped());
    let trust = Trust {
        genesis: Hash([1; 32]),
        ..(*trust_of(&ledger)).clone()
    };
    assert!(matches!(
        Anchored::fetch(ledger.as_ref(), &trust).await,
        Err(AnchorError::Wrong(_))
    ));
    // No document, or a wrong one, under any of the digests: genesis, two headers, two lists of operations.
    let digests: Vec<Hash> = ledger.with(|log| log.documents.keys().copied().collect());
    assert_eq!(digests.len(), 5);
    for digest in digests {
        let right = ledger
            .with(|log| log.documents.insert(digest, b"another".to_vec()))
            .unwrap();
        assert!(anchor(&ledger).await.is_err());
        ledger.with(|log| log.documents.remove(&digest));
        assert!(matches!(anchor(&ledger).await, Err(AnchorError::NotYet(_))));
        ledger.with(|log| log.documents.insert(digest, right));
    }
    anchor(&ledger).await.unwrap();
    // A policy with another log key.
    let other = tlog::note::SignerKey::for_notes("log.example".parse().unwrap(), &[77; 32]);
    let policy = format!("log {}\nquorum none\n", other.verifier_key().unwrap());
    let trust = Trust {
        policy: policy.parse().unwrap(),
        genesis: trust_of(&ledger).genesis,
    };
    assert!(matches!(
        Anchored::fetch(ledger.as_ref(), &trust).await,
        Err(AnchorError::Wrong(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn unwitnessed_first_entries_are_not_accepted_yet() {
    let ledger = FakeLedger::new(mapped());
    ledger.with(|log| log.witness_signs = false);
    assert!(matches!(anchor(&ledger).await, Err(AnchorError::NotYet(_))));
}

#[test]
fn a_receipt_proves_kind_writer_and_index() {
    let mut log = FakeLog::begun();
    let at = usize::try_from(log.write(&broker(), intent(1))).unwrap();
    let receipt = log.receipt(at, false);
    let (trust, history) = (log.trust.clone(), log.history.clone());

    let recorded = check::<Intent>(&receipt, &trust, &history).unwrap();
    assert_eq!(
        (recorded.index().get(), recorded.receipt_bytes()),
        (4, receipt.as_slice())
    );
    assert!(!recorded.quorum());
    assert!(
        check::<Intent>(&log.receipt(at, true), &trust, &history)
            .unwrap()
            .quorum()
    );
    assert!(check_written_by::<Intent>(&receipt, &trust, &history, &broker().id()).is_ok());
    let stranger = WriterId(Hash([1; 32]));
    let other = check_written_by::<Intent>(&receipt, &trust, &history, &stranger);
    assert!(matches!(other, Err(ReceiptError::OtherWriter)));
    assert!(matches!(
        check::<Denial>(&receipt, &trust, &history),
        Err(ReceiptError::Kind { .. })
    ));
}

#[test]
fn a_receipt_for_a_writer_without_the_right_is_refused() {
    let mut log = FakeLog::begun();
    let key = SigningKey::from_seed([99; 32]);
    let (sequence, previous) = log.next(&key.id());
    let time = record::Timestamp(0);
    let signed = key
        .sign(record::Unsigned {
            sequence,
            previous,
            time,
            body: intent(1),
        })
        .unwrap();
    log.force(signed.into_bytes());
    let (receipt, trust, history) = (log.receipt(4, false), log.trust.clone(), log.history.clone());
    assert!(matches!(
        check::<Intent>(&receipt, &trust, &history),
        Err(ReceiptError::Writer(_))
    ));
}

#[test]
fn no_byte_of_a_receipt_can_be_changed() {
    let mut log = FakeLog::begun();
    for number in 0..6 {
        log.write(&broker(), intent(number));
    }
    let receipt = log.receipt(5, true);
    let (trust, history) = (log.trust.clone(), log.history.clone());
    let sound = check::<Intent>(&receipt, &trust, &history).unwrap();
    for at in 0..receipt.len() {
        let mut changed = receipt.clone();
        changed[at] ^= 1;
        // The names and key ids of signature lines are hints: a line of an unknown witness is ignored.
        if let Ok(recorded) = check::<Intent>(&changed, &trust, &history) {
            assert_eq!(recorded.signed_entry(), sound.signed_entry());
            assert_eq!(recorded.checkpoint(), sound.checkpoint());
            assert!(!recorded.quorum(), "byte {at}");
        }
    }
}
