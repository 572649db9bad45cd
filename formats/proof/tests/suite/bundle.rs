//! Bundles: an honest one proves completeness, and every forged one is refused with the place and the reason.

use std::sync::Mutex;

use fixtures::sample_log::{self, SampleLog, idnr, vrf_key};
use proof::bundle::{Bundle, BundleError, BundleFault, Complete, FORMAT, MAX_CONTENT, Place, ProvedRecord, Record};
use proof::opening::PreparedKeys;
use record::{Idnr, Kind, Period, Phase, RetentionClass, Series, TestNumbers, Timestamp};
use tlog::map::MapError;
use tlog::merkle::ProofError;
use tlog::policy::Policy;
use tlog::vrf;

fn policy(log: &SampleLog) -> Policy {
    Policy::parse(log.policy().as_bytes()).unwrap()
}

/// The tables of the writers' keys, which are the same in all logs here.
static TABLES: Mutex<PreparedKeys> = Mutex::new(PreparedKeys::new());

/// Verifies a bundle as a browser does, and with prepared keys as a server does. Both verdicts must be the same.
fn check(log: &SampleLog, bundle: &Bundle) -> Result<Complete, BundleError> {
    let (policy, genesis) = (policy(log), log.genesis());
    let verdict = bundle.verify(&policy, Some(&genesis));
    if let Ok(mut anchor) = bundle.anchor.verify(&policy, Some(&genesis)) {
        let mut tables = TABLES.lock().unwrap();
        *tables = anchor.prepare(&tables).clone();
        drop(tables);
        let prepared = bundle.verify_under(&policy, &anchor);
        assert_eq!(format!("{prepared:?}"), format!("{verdict:?}"));
    }
    verdict
}

/// Verifies a bundle that must be refused and returns the place and the fault.
#[track_caller]
fn refused(log: &SampleLog, bundle: &Bundle) -> (Place, BundleFault) {
    match check(log, bundle) {
        Err(BundleError::At { place, fault }) => (place, fault),
        Err(other) => panic!("refused elsewhere: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[track_caller]
fn assert_refused(log: &SampleLog, bundle: &Bundle, place: Place, expected: impl Fn(&BundleFault) -> bool) {
    let (found, fault) = refused(log, bundle);
    assert!(found == place && expected(&fault), "{found}: {fault}");
}

/// Three exchanges, the last without outcome, and two inspections.
fn log() -> SampleLog {
    let mut log = SampleLog::new();
    log.exchange();
    log.exchange();
    log.intent();
    log.inspection(0);
    log.inspection(1);
    log.map();
    log
}

fn exchange(number: u32, phase: Phase) -> Place {
    Place::Number(Period(1), Series::Exchanges, number, phase)
}

#[test]
fn an_honest_bundle_proves_completeness() {
    let log = log();
    let bundle = Bundle::parse(&log.bundle(&idnr()).to_bytes().unwrap()).unwrap();
    let complete = check(&log, &bundle).unwrap();
    assert!(complete.quorum);
    assert_eq!((complete.exchanges, complete.inspections), (3, 2));
    assert_eq!(complete.periods, (Period(1), Period(1)));
    assert_eq!(
        complete.as_of,
        Timestamp(log.now + 1),
        "the map entry is the last of the tree, so the witnesses' time counts"
    );
    let kinds: Vec<Kind> = complete.entries.iter().map(|entry| entry.kind).collect();
    let (intent, outcome, inspection) = (Kind::Intent, Kind::Outcome, Kind::Inspection);
    assert_eq!(
        kinds,
        [intent, outcome, intent, outcome, intent, inspection, inspection]
    );
    assert_eq!(complete.entries[1].refers, Some(complete.entries[0].index));
    assert_eq!(complete.entries[1].writer, "broker");
    assert!(
        format!("{complete:?} {bundle:?} {:?}", bundle.proof).len() < 200,
        "Debug shows content"
    );
}

#[test]
fn a_bundle_without_entries_proves_that_there_are_none() {
    let log = log();
    let other = Idnr::parse("02476291358", TestNumbers::Allowed).unwrap();
    let complete = check(&log, &log.bundle(&other)).unwrap();
    assert_eq!(
        (complete.exchanges, complete.inspections, complete.entries.len()),
        (0, 0, 0)
    );
    let mut bundle = log.bundle(&other);
    bundle.idnr = Idnr::nobody();
    assert!(matches!(check(&log, &bundle), Err(BundleError::Nobody)));
}

#[test]
fn a_hidden_entry_is_found() {
    let log = log();
    let showing = |show: sample_log::bundle::Show<'_>| log.bundle_showing(&idnr(), log.snapshots.len() - 1, show);
    // n − 1 numbers instead of n, and none at all.
    for from in [2, 0] {
        let bundle = showing(&|_, series, number, _| series != Series::Exchanges || number < from);
        assert_refused(&log, &bundle, exchange(from, Phase::Intent), |fault| {
            matches!(fault, BundleFault::Hidden(_))
        });
    }
    let bundle = showing(&|_, series, _, _| series != Series::Inspections);
    let place = Place::Number(Period(1), Series::Inspections, 0, Phase::Intent);
    assert_refused(&log, &bundle, place, |fault| matches!(fault, BundleFault::Hidden(_)));
    // A phase that is in the log.
    let bundle = showing(&|_, _, number, phase| (number, phase) != (1, Phase::Outcome));
    assert_refused(&log, &bundle, exchange(1, Phase::Outcome), |fault| {
        matches!(fault, BundleFault::Hidden(_))
    });
}

/// In a log where number 2 was skipped, a bundle can neither show the later numbers nor prove their absence.
#[test]
fn skipped_numbers_are_found() {
    for beyond in [4, 5, 9, 1024, 4095] {
        let mut log = SampleLog::new();
        log.exchange();
        log.exchange();
        log.intent_numbered(beyond);
        // A provider serves number 5 only when 4 is in the log, 9 only when 8 is …
        record::label::chain(beyond)
            .into_iter()
            .filter(|number| *number > 1)
            .for_each(|number| {
                log.intent_numbered(number);
            });
        log.map();
        let (place, fault) = refused(&log, &log.bundle(&idnr()));
        let Place::Number(_, Series::Exchanges, number, Phase::Intent) = place else {
            panic!("{place}")
        };
        assert!(
            number > 2 && matches!(fault, BundleFault::Hidden(_)),
            "{beyond}: {place}: {fault}"
        );
    }
}

#[test]
fn the_position_is_the_number() {
    let log = log();
    let vrf = |fault: &BundleFault| matches!(fault, BundleFault::Vrf(_));
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods[0].exchanges.numbers.swap(0, 1);
    assert_refused(&log, &bundle, exchange(0, Phase::Intent), vrf);
    // The proof of one number under another.
    let mut bundle = log.bundle(&idnr());
    let numbers = &mut bundle.proof.periods[0].exchanges.numbers;
    numbers[1].vrf_proof = numbers[0].vrf_proof;
    assert_refused(&log, &bundle, exchange(1, Phase::Intent), vrf);
    // Entries of one number under the proof of another.
    let mut bundle = log.bundle(&idnr());
    let numbers = &mut bundle.proof.periods[0].exchanges.numbers;
    let (first, second) = numbers.split_at_mut(1);
    std::mem::swap(&mut first[0].intent, &mut second[0].intent);
    assert_refused(&log, &bundle, exchange(0, Phase::Intent), |fault| {
        matches!(fault, BundleFault::Label)
    });
    // One entry twice.
    let mut bundle = log.bundle(&idnr());
    let numbers = &mut bundle.proof.periods[0].exchanges.numbers;
    numbers.push(numbers[0].clone());
    assert_refused(&log, &bundle, exchange(3, Phase::Intent), |fault| {
        matches!(fault, BundleFault::Twice(_))
    });
    // The VRF proof of an absent number is that of another number, or is missing.
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods[0].exchanges.absent.swap(0, 1);
    assert_refused(&log, &bundle, exchange(3, Phase::Intent), vrf);
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods[0].exchanges.absent.pop();
    let place = Place::Series(Period(1), Series::Exchanges);
    assert_refused(&log, &bundle, place, |fault| matches!(fault, BundleFault::Absences(2)));
}

#[test]
fn an_entry_in_a_wrong_place_is_refused() {
    let log = log();
    // An outcome of another number, and an intent as preview; then an outcome moved to another number.
    let mut bundle = log.bundle(&idnr());
    let numbers = &mut bundle.proof.periods[0].exchanges.numbers;
    numbers[0].outcome = numbers[2].outcome.clone();
    numbers[0].preview = numbers.remove(2).intent.into();
    log.prove_tree(&mut bundle);
    assert!(check(&log, &bundle).is_err());
    let mut bundle = log.bundle(&idnr());
    let numbers = &mut bundle.proof.periods[0].exchanges.numbers;
    (numbers[2].outcome, numbers[1].outcome) = (numbers[1].outcome.take(), None);
    assert_refused(&log, &bundle, exchange(2, Phase::Outcome), |fault| {
        matches!(fault, BundleFault::Label)
    });
    // The outcome of another intent.
    let mut log = SampleLog::new();
    log.exchange();
    let (_, number) = log.intent();
    log.outcome(5, number);
    log.map();
    assert_refused(&log, &log.bundle(&idnr()), exchange(1, Phase::Outcome), |fault| {
        matches!(fault, BundleFault::Refers(_))
    });
}

#[test]
fn the_proof_of_another_person_is_refused() {
    let log = log();
    let mut bundle = log.bundle(&Idnr::parse("02476291358", TestNumbers::Allowed).unwrap());
    bundle.idnr = idnr();
    assert_refused(&log, &bundle, exchange(0, Phase::Intent), |fault| {
        matches!(fault, BundleFault::Vrf(_))
    });
}

#[test]
fn a_map_entry_that_is_not_the_last_may_be_60_s_old() {
    let mut log = log();
    let old = log.snapshots.len() - 1;
    log.exchange();
    let as_of_old = |log: &SampleLog| log.bundle_showing(&idnr(), old, &|_, _, _, _| true);
    // It may be up to 60 s older than the witnesses' time; then the bundle is complete as of the map entry's time.
    let (map, _) = log.snapshots[old];
    let time = log.now - 1;
    log.now = time + 59;
    let complete = check(&log, &as_of_old(&log)).unwrap();
    assert_eq!((complete.as_of, complete.exchanges), (Timestamp(time), 3));
    assert_eq!(complete.map.get(), map);
    log.now = time + 60;
    assert_refused(&log, &as_of_old(&log), Place::MapEntry, |fault| {
        matches!(fault, BundleFault::Stale(61))
    });
    // A map entry that is the last of the tree is not too old at any time.
    assert_eq!(check(&log, &log.bundle(&idnr())).unwrap().as_of, Timestamp(log.now + 1));
    // An entry after the map.
    let mut bundle = as_of_old(&log);
    bundle.proof.periods[0].exchanges = log.bundle(&idnr()).proof.periods[0].exchanges.clone();
    log.now = time;
    bundle.proof.checkpoint = log.checkpoint(2).into_bytes();
    log.prove_tree(&mut bundle);
    assert_refused(&log, &bundle, exchange(3, Phase::Intent), |fault| {
        matches!(fault, BundleFault::Later)
    });
}

/// The ledger dates its `map` entries. One from the future would count as fresh for longer than a minute.
#[test]
fn a_map_entry_may_be_10_s_ahead_of_the_witnesses() {
    let mut log = log();
    let old = log.snapshots.len() - 1;
    log.exchange();
    let bundle = |log: &SampleLog| log.bundle_showing(&idnr(), old, &|_, _, _, _| true);
    let dated = check(&log, &bundle(&log)).unwrap().as_of.0;
    // The witnesses sign a second after `now`.
    log.now = dated - 11;
    assert_eq!(check(&log, &bundle(&log)).unwrap().as_of, Timestamp(dated - 10));
    for ahead in [11, 60, 600, 3 * 365 * 86_400] {
        log.now = dated - ahead - 1;
        assert_refused(
            &log,
            &bundle(&log),
            Place::MapEntry,
            |fault| matches!(fault, BundleFault::Ahead(lead) if *lead == ahead),
        );
    }
    // The last entry of the tree is as new as the witnesses' time, whatever its own date says.
    assert!(check(&log, &log.bundle(&idnr())).is_ok());
}

/// A reader refuses a longer file, so the writer does not make one.
#[test]
fn a_bundle_that_no_reader_accepts_is_not_written() {
    let log = log();
    let mut bundle = log.bundle(&idnr());
    let length = record::cbor::to_vec(&bundle).len();
    // Bytes that are appended here have the length that the encoding gives them, which is known from 64 KiB on.
    let fill = |bundle: &mut Bundle, length: usize| bundle.proof.map0 = vec![0; length];
    fill(&mut bundle, 1 << 20);
    let rest = record::cbor::to_vec(&bundle).len() - (1 << 20);
    assert!(rest < length + 8);
    fill(&mut bundle, MAX_CONTENT - rest);
    let file = bundle.to_bytes().unwrap();
    assert!(Bundle::parse(&file).is_ok(), "exactly the limit");
    fill(&mut bundle, MAX_CONTENT - rest + 1);
    let refused = bundle.to_bytes().unwrap_err();
    assert!(
        matches!(refused, BundleError::TooLong(length) if length == MAX_CONTENT + 1),
        "{refused}"
    );
}

#[test]
fn a_proof_under_another_root_than_the_map_entrys_is_refused() {
    let log = log();
    let mismatch = |fault: &BundleFault| matches!(fault, BundleFault::Map(MapError::RootMismatch));
    // The proof of the old map under the new root.
    let old = log.bundle_showing(&idnr(), log.snapshots.len() - 2, &|_, _, number, _| number < 2);
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods[0].map = old.proof.periods[0].map.clone();
    assert!(check(&log, &bundle).is_err());
    // Another map entry than the one of the proofs.
    let mut bundle = log.bundle(&idnr());
    bundle.proof.map = log.placed(log.snapshots[0].0);
    bundle.proof.checkpoint = log.checkpoint(2).into_bytes();
    log.prove_tree(&mut bundle);
    let (place, fault) = refused(&log, &bundle);
    assert!(matches!(place, Place::Map(_) | Place::Number(..)), "{place}: {fault}");
    // A changed byte in the proof of a map.
    for at in [0, 40, 200] {
        let mut bundle = log.bundle(&idnr());
        let map = &mut bundle.proof.periods[0].map;
        let at = map.len() - 1 - at;
        map[at] ^= 1;
        assert_refused(&log, &bundle, Place::Map(Period(1)), mismatch);
    }
    // An entry that is not a map entry.
    let mut log = SampleLog::new();
    let denial = log.denial();
    log.map();
    let mut bundle = log.bundle(&idnr());
    bundle.proof.map = log.placed(denial);
    log.prove_tree(&mut bundle);
    assert_refused(&log, &bundle, Place::MapEntry, |fault| {
        matches!(fault, BundleFault::Kind)
    });
}

/// A log with two periods, the first of them final.
fn two_periods() -> SampleLog {
    let mut log = log();
    log.begin(Period(2), &vrf_key(Period(2)));
    log.exchange();
    log.finish(Period(1));
    log.map();
    log
}

#[test]
fn a_bundle_cannot_omit_a_period() {
    let log = two_periods();
    let complete = check(&log, &log.bundle(&idnr())).unwrap();
    assert_eq!((complete.exchanges, complete.inspections), (4, 2));
    assert_eq!(complete.periods, (Period(1), Period(2)));
    // A bundle that starts with the second period, though the first one is not destroyed.
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods.remove(0);
    bundle.proof.first = Period(2);
    log.prove_tree(&mut bundle);
    assert!(check(&log, &bundle).is_err(), "the proof of map 0 covers all periods");
    // A hidden period.
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods.pop();
    log.prove_tree(&mut bundle);
    assert!(check(&log, &bundle).is_err());
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods.clear();
    assert_refused(&log, &bundle, Place::Tree, |fault| {
        matches!(fault, BundleFault::Tree(_))
    });
    log.prove_tree(&mut bundle);
    assert_refused(&log, &bundle, Place::Periods, |fault| {
        matches!(fault, BundleFault::Count)
    });
}

/// After the first period is destroyed, a bundle is complete since the start of the second one.
#[test]
fn after_a_destroyed_period_the_bundle_is_complete_since_the_next() {
    let mut log = two_periods();
    assert_eq!(check(&log, &log.bundle(&idnr())).unwrap().since, None);
    let start = log.now;
    let left_out = |log: &SampleLog| log.bundle_since(&idnr(), Period(2));
    assert_refused(&log, &left_out(&log), Place::Destroyed(Period(1)), |fault| {
        matches!(fault, BundleFault::NotDestroyed)
    });
    log.destroy(Period(1));
    log.map();
    let complete = check(&log, &left_out(&log)).unwrap();
    assert_eq!(complete.periods, (Period(2), Period(2)));
    assert!(
        complete.since.is_some_and(|since| since.0 < start),
        "{:?}",
        complete.since
    );
    assert_eq!((complete.exchanges, complete.inspections), (1, 0));
    // Every omitted period must be destroyed, and no bundle covers more than a thousand periods.
    log.begin(Period(3), &vrf_key(Period(3)));
    log.map();
    let skipped = log.bundle_since(&idnr(), Period(3));
    assert_refused(&log, &skipped, Place::Destroyed(Period(2)), |fault| {
        matches!(fault, BundleFault::NotDestroyed)
    });
    let mut bundle = left_out(&log);
    bundle.proof.first = Period(1001);
    assert_refused(&log, &bundle, Place::Periods, |fault| {
        matches!(fault, BundleFault::Count)
    });
}

/// A final period must be proved under its final root, not under an earlier one.
#[test]
fn a_final_period_is_proved_under_its_final_root() {
    let log = two_periods();
    let mid_month = log.bundle_showing(&idnr(), 2, &|_, _, _, _| true);
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods[0] = mid_month.proof.periods[0].clone();
    log.prove_tree(&mut bundle);
    assert_refused(&log, &bundle, Place::Final(Period(1)), |fault| {
        matches!(fault, BundleFault::Hidden(_))
    });
    bundle.proof.periods[0].end = log.bundle(&idnr()).proof.periods[0].end.clone();
    log.prove_tree(&mut bundle);
    let (place, fault) = refused(&log, &bundle);
    assert!(
        matches!(place, Place::Map(Period(1)) | Place::Number(..)),
        "{place}: {fault}"
    );
    // A final entry for an open period.
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods[1].end = bundle.proof.periods[0].end.take();
    assert_refused(&log, &bundle, Place::Final(Period(1)), |fault| {
        matches!(fault, BundleFault::Hidden(_))
    });
}

/// A second `begin` entry with another key would give the person other labels.
#[test]
fn a_second_begin_entry_of_a_period_is_refused() {
    let mut log = log();
    let second = log.begin(Period(1), &vrf::SecretKey::from_seed(&[99; 32]).unwrap());
    log.map();
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods[0].begin = log.placed(second);
    log.prove_tree(&mut bundle);
    assert_refused(&log, &bundle, Place::Begin(Period(1)), |fault| {
        matches!(fault, BundleFault::OtherEntry(3))
    });
}

#[test]
fn wrong_inclusion_proofs_signatures_and_writers_are_refused() {
    let log = log();
    let mut bundle = log.bundle(&idnr());
    bundle.proof.tree[3].0[0] ^= 1;
    assert_refused(&log, &bundle, Place::Tree, |fault| {
        matches!(fault, BundleFault::Tree(ProofError::RootMismatch))
    });
    let mut bundle = log.bundle(&idnr());
    bundle.proof.tree.pop();
    assert_refused(&log, &bundle, Place::Tree, |fault| {
        matches!(fault, BundleFault::Tree(ProofError::Length))
    });
    let mut bundle = log.bundle(&idnr());
    bundle.proof.checkpoint = log.checkpoint(1).into_bytes();
    assert!(!check(&log, &bundle).unwrap().quorum);
    let mut bundle = log.bundle(&idnr());
    bundle.proof.checkpoint[3] ^= 1;
    assert!(matches!(check(&log, &bundle), Err(BundleError::Checkpoint(_))));
    let mut bundle = log.bundle(&idnr());
    bundle.anchor.genesis_document[9] ^= 1;
    assert!(matches!(check(&log, &bundle), Err(BundleError::Beginning(_))));
    let genesis = tlog::Hash([1; 32]);
    let refused = log.bundle(&idnr()).verify(&policy(&log), Some(&genesis));
    assert!(matches!(refused, Err(BundleError::Beginning(_))));
    // A writer without the right.
    let mut log = SampleLog::new();
    std::mem::swap(&mut log.broker, &mut log.operator);
    log.intent();
    log.map();
    assert_refused(&log, &log.bundle(&idnr()), exchange(0, Phase::Intent), |fault| {
        matches!(fault, BundleFault::Writer(_))
    });
}

#[test]
fn a_changed_record_is_refused() {
    let log = log();
    let record = |fault: &BundleFault| matches!(fault, BundleFault::Record);
    let mut bundle = log.bundle(&idnr());
    let numbers = &mut bundle.proof.periods[0].exchanges.numbers;
    numbers[0].intent.content.record = numbers[1].intent.content.record.clone();
    assert_refused(&log, &bundle, exchange(0, Phase::Intent), record);
    let mut bundle = log.bundle(&idnr());
    let number = &mut bundle.proof.periods[0].exchanges.numbers[1];
    let Record::Open(unsealed) = &mut number.intent.content.record else {
        panic!("not open")
    };
    unsealed.citizen.content.internal_reason = None;
    assert_refused(&log, &bundle, exchange(1, Phase::Intent), record);
}

/// An expired record is shown sealed, and its entry still counts. A record that has not expired must be opened.
#[test]
fn only_an_expired_record_may_be_shown_sealed() {
    let mut log = log();
    let sealed = |log: &SampleLog| {
        let mut bundle = log.bundle(&idnr());
        let intent = &mut bundle.proof.periods[0].exchanges.numbers[0].intent;
        intent.content.record = Record::Expired(log.records[&intent.index].clone());
        bundle
    };
    let expiry = RetentionClass::IdnrG2y.expiry(Timestamp(log.now));
    let first = exchange(0, Phase::Intent);
    assert_refused(
        &log,
        &sealed(&log),
        first,
        |fault| matches!(fault, BundleFault::Withheld(day) if *day == expiry),
    );
    log.now = expiry.end().0;
    log.map();
    let bundle = Bundle::parse(&sealed(&log).to_bytes().unwrap()).unwrap();
    let complete = check(&log, &bundle).unwrap();
    assert_eq!((complete.exchanges, complete.inspections), (3, 2));
    assert!(matches!(complete.entries[0].record, ProvedRecord::Expired));
    assert_eq!(complete.entries[0].expiry, expiry);
    assert!(matches!(complete.entries[1].record, ProvedRecord::Open { .. }));
    // Another sealed record, and empty bytes.
    let mut bundle = sealed(&log);
    let numbers = &mut bundle.proof.periods[0].exchanges.numbers;
    numbers[0].intent.content.record = Record::Expired(log.records[&numbers[1].intent.index].clone());
    assert_refused(&log, &bundle, first, |fault| matches!(fault, BundleFault::Record));
    let mut bundle = sealed(&log);
    bundle.proof.periods[0].exchanges.numbers[0].intent.content.record = Record::Expired(Vec::new());
    assert_refused(&log, &bundle, first, |fault| matches!(fault, BundleFault::Sealed(_)));
}

/// A file that is changed, cut off or extended is refused or loses its quorum.
#[test]
fn a_bundle_with_any_byte_changed_is_refused_or_loses_its_quorum() {
    let mut log = SampleLog::new();
    log.exchange();
    let bundle = log.bundle(&idnr());
    let file = bundle.to_bytes().unwrap();
    assert_eq!(&file[..FORMAT.len()], FORMAT);
    for end in (0..file.len()).step_by(11) {
        assert!(matches!(Bundle::parse(&file[..end]), Err(BundleError::Format(_))));
    }
    assert!(Bundle::parse(&[&file[..], &[0]].concat()).is_err());
    let policy = policy(&log);
    let content = record::cbor::to_vec(&bundle);
    for at in (0..content.len()).step_by(13) {
        let mut changed = content.clone();
        changed[at] ^= 1;
        let Ok(bundle) = record::cbor::from_slice::<Bundle>(&changed) else {
            continue;
        };
        // A cosignature under another name names an unknown key, so the bundle may verify without its quorum.
        let sound = bundle
            .verify(&policy, Some(&log.genesis()))
            .is_ok_and(|complete| complete.quorum);
        assert!(!sound, "byte {at} of {}", content.len());
    }
}
