//! The intervals of the writers' rights.

use fixtures::grant;
use fixtures::sample_log::{SampleLog, idnr};
use proof::opening::WriterProblem;
use record::{Kind, Phase, RightError, SigningKey};
use trust::{Operation, Value};

use super::*;

/// An ended grant is in force up to the entry that ends it, and not after.
#[test]
fn a_grant_that_was_ended_is_refused_after_and_accepted_before() {
    let mut log = SampleLog::new();
    change(&mut log, vec![other_change(21)]);
    let (before, number) = log.intent();
    let end = change(&mut log, vec![end_broker()]);
    let after = log.outcome(before, number);
    change(&mut log, vec![other_change(22)]);
    let (later, _) = log.intent();
    log.map();
    let anchor = log.anchor(2);
    assert_eq!(numbers(&anchor), [1, 2, 3, 4]);
    let proved = verify(&log, &anchor).unwrap();
    assert_eq!(writer_at(&log, &proved, before), Ok("broker".into()));
    for index in [after, later] {
        assert!(unknown(&writer_at(&log, &proved, index)), "{index}");
    }
    assert!(end < after);
    // The other writers' rights go through.
    assert_eq!(writer_at(&log, &proved, 3), Ok("identity".into()));
    assert_eq!(writer_at(&log, &proved, end), Ok("operator".into()));
}

/// The entry that carries a set is judged by the version before the set: a writer may write the set that ends or
/// grants its right only in the first case.
#[test]
fn a_set_is_judged_by_the_version_before_it() {
    let publisher = SigningKey::from_seed([31; 32]);
    let put = Operation::put(&Value::Writer(grant("publisher", &publisher, &[Kind::Directory]))).unwrap();
    let write = |log: &mut SampleLog, operations| {
        let operator = std::mem::replace(&mut log.operator, new_broker(31));
        let index = change(log, operations);
        log.operator = operator;
        index
    };
    let mut log = SampleLog::new();
    change(&mut log, vec![put.clone()]);
    let end = write(&mut log, vec![Operation::end(writer("publisher"))]);
    log.map();
    let proved = verify(&log, &log.anchor(2)).unwrap();
    assert_eq!(writer_at(&log, &proved, end), Ok("publisher".into()));

    let mut log = SampleLog::new();
    write(&mut log, vec![put]);
    log.map();
    let refused = verify(&log, &log.anchor(2));
    let unknown = WriterProblem::Right(RightError::UnknownWriter(publisher.id()));
    assert!(matches!(refused, Err(VerifyError::Writer(problem)) if problem == unknown));
}

/// The `map` entry itself must be by a writer with the right to it.
#[test]
fn a_map_entry_by_another_writer_is_refused() {
    let mut log = SampleLog::new();
    std::mem::swap(&mut log.ledger, &mut log.broker);
    log.map();
    let refused = verify(&log, &log.anchor(2));
    assert!(matches!(
        refused,
        Err(VerifyError::Writer(WriterProblem::Right(RightError::Kind {
            kind: Kind::Map,
            ..
        })))
    ));
}

/// After a rotation of the broker's key, the entries of both keys verify, in one bundle and as openings.
#[test]
fn entries_of_a_rotated_key_and_of_its_successor_verify_in_one_bundle() {
    let mut log = SampleLog::new();
    log.exchange();
    let (intent, number) = log.intent();
    let new = new_broker(32);
    change(&mut log, vec![broker_key(&new.key)]);
    let old = std::mem::replace(&mut log.broker, new);
    let outcome = log.outcome(intent, number);
    log.exchange();
    log.map();
    let bundle = log.bundle(&idnr());
    let complete = bundle.verify(&policy(&log), Some(&log.genesis())).unwrap();
    assert_eq!((complete.exchanges, complete.entries.len()), (3, 6));
    assert!(complete.entries.iter().all(|entry| entry.writer == "broker"));
    for (index, phase) in [(intent, Phase::Intent), (outcome, Phase::Outcome)] {
        let opening = log.opening(index, number, phase);
        let proved = opening.verify(&policy(&log), Some(&log.genesis())).unwrap();
        assert_eq!(proved.anchored.as_deref(), Some("broker"));
    }
    // The old key has no right after the rotation.
    log.broker = old;
    let (late, _) = log.intent();
    log.map();
    let proved = verify(&log, &log.anchor(2)).unwrap();
    assert!(unknown(&writer_at(&log, &proved, late)));
}

/// A key has no right before the version that grants it, although a later version proves it.
#[test]
fn a_key_has_no_right_before_its_grant() {
    let mut log = SampleLog::new();
    let new = new_broker(33);
    let old = std::mem::replace(&mut log.broker, new.clone());
    let (early, _) = log.intent();
    change(&mut log, vec![other_change(23)]);
    change(&mut log, vec![broker_key(&new.key)]);
    let (granted, _) = log.intent();
    log.broker = old;
    log.map();
    let proved = verify(&log, &log.anchor(2)).unwrap();
    assert!(unknown(&writer_at(&log, &proved, early)));
    assert_eq!(writer_at(&log, &proved, granted), Ok("broker".into()));
}

/// The time between two grants of one key is not bridged, not even when both grants are proved.
#[test]
fn a_gap_between_two_grants_of_a_key_is_seen() {
    let mut log = SampleLog::new();
    let (before, _) = log.intent();
    change(&mut log, vec![end_broker()]);
    let (between, _) = log.intent();
    let key = log.broker.key.clone();
    change(&mut log, vec![broker_key(&key)]);
    let (after, _) = log.intent();
    log.map();
    let anchor = log.anchor(2);
    let proved = verify(&log, &anchor).unwrap();
    assert_eq!(writer_at(&log, &proved, before), Ok("broker".into()));
    assert!(unknown(&writer_at(&log, &proved, between)));
    assert_eq!(writer_at(&log, &proved, after), Ok("broker".into()));
    // Nor when the version that ended the grant is left out.
    let mut shortened = anchor;
    shortened.versions.remove(1);
    let proved = verify(&log, &shortened).unwrap();
    assert!(unknown(&writer_at(&log, &proved, between)));
    assert!(unknown(&writer_at(&log, &proved, before)), "its end is not proved");
    assert_eq!(writer_at(&log, &proved, after), Ok("broker".into()));
}

/// A server that leaves a version out proves less, and never more.
#[test]
fn an_omitted_version_proves_less() {
    let mut log = SampleLog::new();
    change(&mut log, vec![other_change(24)]);
    let (of_old, _) = log.intent();
    change(&mut log, vec![other_change(25)]);
    let new = new_broker(34);
    change(&mut log, vec![broker_key(&new.key)]);
    let old = std::mem::replace(&mut log.broker, new);
    let (of_new, _) = log.intent();
    log.broker = old;
    let (late, _) = log.intent();
    change(&mut log, vec![other_change(26)]);
    log.map();
    let anchor = log.anchor(2);
    assert_eq!(
        numbers(&anchor),
        [1, 3, 4, 5],
        "version 2 changes no writer and bounds no right"
    );
    let without = |position: usize| {
        let mut anchor = anchor.clone();
        anchor.versions.remove(position);
        verify(&log, &anchor)
    };
    let first = without(0);
    assert!(matches!(first, Err(VerifyError::Directory(AnchorProblem::First))));
    for (position, old, new) in [(1, false, true), (2, false, false)] {
        let proved = without(position).unwrap();
        assert_eq!(writer_at(&log, &proved, of_old).is_ok(), old, "{position}");
        assert_eq!(writer_at(&log, &proved, of_new).is_ok(), new, "{position}");
        assert!(unknown(&writer_at(&log, &proved, late)), "{position}");
    }
    let newest = without(3);
    assert!(matches!(newest, Err(VerifyError::Directory(AnchorProblem::NotNewest))));
    let proved = verify(&log, &anchor).unwrap();
    assert!(writer_at(&log, &proved, of_old).is_ok() && writer_at(&log, &proved, of_new).is_ok());
}

/// An old `map` entry proves what was the newest version then. It says nothing about later entries, so it cannot hide
/// that a grant was ended.
#[test]
fn an_anchor_does_not_reach_entries_after_its_map_entry() {
    let mut log = SampleLog::new();
    log.exchange();
    let map = log.snapshots.last().unwrap().0;
    let old = log.anchor(2);
    change(&mut log, vec![end_broker()]);
    let (after, number) = log.intent();
    log.map();
    let proved = verify(&log, &old).unwrap();
    let reach = Index::new(map).unwrap();
    assert_eq!(
        (proved.reach(), writer_at(&log, &proved, map)),
        (reach, Ok("ledger".into()))
    );
    assert_eq!(writer_at(&log, &proved, after), Err(WriterProblem::Beyond { reach }));
    let mut opening = log.opening(after, number, Phase::Intent);
    opening.anchor = Some(old.clone());
    let refused = opening.verify(&policy(&log), None);
    let beyond = |error: &VerifyError| matches!(error, VerifyError::Writer(WriterProblem::Beyond { .. }));
    assert!(refused.is_err_and(|error| beyond(&error)));
    let mut bundle = log.bundle(&idnr());
    bundle.anchor = old.clone();
    let refused = bundle.verify(&policy(&log), None).unwrap_err();
    assert!(refused.to_string().contains("came after entry"), "{refused}");
    // The new `map` entry names a version that the old anchor does not have.
    let mut mixed = old;
    mixed.map_receipt = log.anchor(2).map_receipt;
    assert_eq!(super::refused(&log, &mixed), AnchorProblem::NotNewest);
}
