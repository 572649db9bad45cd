//! Beginning a log, finding its anchor, and checking receipts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::log::Log;
use common::{FakeLedger, Fault, broker, intent, trust_of};
use ledger_client::anchor::AnchorError;
use ledger_client::bootstrap::BootstrapError;
use ledger_client::recorded::{Denial, Intent, ReceiptError, check_written_by};
use ledger_client::{Anchored, ApiError, Trust, check};
use record::{SigningKey, WriterId};
use service::shutdown::Shutdown;
use tlog::Hash;

#[tokio::test(start_paused = true)]
async fn a_log_is_begun_once_however_often_it_is_tried() {
    let ledger = FakeLedger::new(Log::empty());
    let (bootstrap, trust) = ledger.with(|log| (log.bootstrap.clone(), log.trust.clone()));
    ledger.set_down(true);
    assert!(matches!(
        bootstrap.append(ledger.as_ref(), &trust).await,
        Err(BootstrapError::NotYet(_))
    ));
    ledger.set_down(false);
    ledger.script([Fault::None, Fault::LoseAnswer]);
    let lost = bootstrap.append(ledger.as_ref(), &trust).await;
    assert!(matches!(lost, Err(BootstrapError::NotYet(ApiError::NoAnswer(_)))));
    for _ in 0..2 {
        bootstrap.append(ledger.as_ref(), &trust).await.unwrap();
        assert_eq!(ledger.with(|log| log.leaves.len()), 3);
    }
    assert_eq!(ledger.with(|log| log.entry(0).leaf_hash()), bootstrap.genesis_hash());
}

#[tokio::test(start_paused = true)]
async fn another_log_s_beginning_is_refused() {
    let ledger = FakeLedger::new(Log::empty());
    ledger.with(|log| log.force(log.bootstrap.submissions()[1].leaf.clone()));
    let (bootstrap, trust) = ledger.with(|log| (log.bootstrap.clone(), log.trust.clone()));
    assert!(matches!(
        bootstrap.append(ledger.as_ref(), &trust).await,
        Err(BootstrapError::Wrong(_))
    ));
}

async fn anchor(ledger: &Arc<FakeLedger>) -> Result<Anchored, AnchorError> {
    Anchored::fetch(ledger.as_ref(), &trust_of(ledger)).await
}

#[tokio::test(start_paused = true)]
async fn the_anchor_is_checked_from_the_genesis_hash() {
    let ledger = FakeLedger::new(Log::begun());
    let anchored = anchor(&ledger).await.unwrap();
    assert_eq!(anchored.directory, ledger.with(|log| (*log.directory).clone()));
    assert_eq!(Hash::of(&anchored.registry), anchored.registry_digest);
    assert_eq!(anchored.genesis.directory, anchored.directory_digest);
}

#[tokio::test(start_paused = true)]
async fn the_anchor_is_waited_for() {
    let ledger = FakeLedger::new(Log::empty());
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
    assert!(waiting.await.unwrap().is_ok());

    ledger.set_down(true);
    shutdown.trigger();
    assert!(matches!(
        Anchored::wait(&api, &trust, &shutdown).await,
        Err(AnchorError::Ended)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_beginning_is_no_anchor() {
    // Another genesis hash.
    let ledger = FakeLedger::new(Log::begun());
    let trust = Trust {
        genesis: Hash([1; 32]),
        ..(*trust_of(&ledger)).clone()
    };
    assert!(matches!(
        Anchored::fetch(ledger.as_ref(), &trust).await,
        Err(AnchorError::Wrong(_))
    ));
    // No document, or another one, under any of the three digests.
    let digests: Vec<Hash> = ledger.with(|log| log.documents.keys().copied().collect());
    assert_eq!(digests.len(), 3);
    for digest in digests {
        let right = ledger
            .with(|log| log.documents.insert(digest, b"another".to_vec()))
            .unwrap();
        assert!(matches!(anchor(&ledger).await, Err(AnchorError::Wrong(_))));
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
async fn an_unwitnessed_beginning_is_not_yet_an_anchor() {
    let ledger = FakeLedger::new(Log::begun());
    ledger.with(|log| log.witness_signs = false);
    assert!(matches!(anchor(&ledger).await, Err(AnchorError::NotYet(_))));
}

#[test]
fn a_receipt_proves_kind_writer_and_place() {
    let mut log = Log::begun();
    let at = usize::try_from(log.write(&broker(), intent(1))).unwrap();
    let receipt = log.receipt(at, false);
    let (trust, directory) = (log.trust.clone(), log.directory.clone());

    let recorded = check::<Intent>(&receipt, &trust, &directory).unwrap();
    assert_eq!(
        (recorded.index().get(), recorded.receipt_bytes()),
        (4, receipt.as_slice())
    );
    assert!(!recorded.quorum());
    assert!(
        check::<Intent>(&log.receipt(at, true), &trust, &directory)
            .unwrap()
            .quorum()
    );
    assert!(check_written_by::<Intent>(&receipt, &trust, &directory, &broker().id()).is_ok());
    let stranger = WriterId(Hash([1; 32]));
    let other = check_written_by::<Intent>(&receipt, &trust, &directory, &stranger);
    assert!(matches!(other, Err(ReceiptError::OtherWriter)));
    assert!(matches!(
        check::<Denial>(&receipt, &trust, &directory),
        Err(ReceiptError::Kind { .. })
    ));
}

#[test]
fn a_receipt_without_the_writer_s_right_proves_nothing() {
    let mut log = Log::begun();
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
    let (receipt, trust, directory) = (log.receipt(4, false), log.trust.clone(), log.directory.clone());
    assert!(matches!(
        check::<Intent>(&receipt, &trust, &directory),
        Err(ReceiptError::Writer(_))
    ));
}

#[test]
fn no_byte_of_a_receipt_can_be_changed() {
    let mut log = Log::begun();
    for number in 0..6 {
        log.write(&broker(), intent(number));
    }
    let receipt = log.receipt(5, true);
    let (trust, directory) = (log.trust.clone(), log.directory.clone());
    let sound = check::<Intent>(&receipt, &trust, &directory).unwrap();
    for at in 0..receipt.len() {
        let mut changed = receipt.clone();
        changed[at] ^= 1;
        // The names and key ids of signature lines are hints: an unknown witness's line is left out of account.
        if let Ok(recorded) = check::<Intent>(&changed, &trust, &directory) {
            assert_eq!(recorded.signed_entry(), sound.signed_entry());
            assert_eq!(recorded.checkpoint(), sound.checkpoint());
            assert!(!recorded.quorum(), "byte {at}");
        }
    }
}
