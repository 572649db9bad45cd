//! Bundles: what an honest one proves, and that every lie is refused, with its place and reason.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use fixtures::sample_log::{self, SampleLog, idnr, vrf_key};
use proof::bundle::{Bundle, BundleError, BundleFault, Complete, FORMAT, Place, ProvedRecord, Record};
use record::{Idnr, Kind, Period, Phase, RetentionClass, Series, TestNumbers, Timestamp};
use tlog::map::MapError;
use tlog::merkle::ProofError;
use tlog::policy::Policy;
use tlog::vrf;

fn policy(log: &SampleLog) -> Policy {
    Policy::parse(log.policy().as_bytes()).unwrap()
}

fn check(log: &SampleLog, bundle: &Bundle) -> Result<Complete, BundleError> {
    bundle.verify(&policy(log), Some(&log.genesis()))
}

/// The place and the fault of a bundle that must be refused.
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
fn an_honest_bundle_proves_that_these_are_all() {
    let log = log();
    let bundle = Bundle::parse(&log.bundle(&idnr()).to_bytes()).unwrap();
    let complete = check(&log, &bundle).unwrap();
    assert!(complete.quorum);
    assert_eq!((complete.exchanges, complete.inspections), (3, 2));
    assert_eq!(complete.periods, (Period(1), Period(1)));
    assert_eq!(
        complete.as_of,
        Timestamp(log.now + 1),
        "the map entry is the last: the witnesses' time"
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
        "shows no content"
    );
}

#[test]
fn nobody_has_recorded_anything_about_most_people() {
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
    // n − 1 in place of n, and none at all.
    for from in [2, 0] {
        let bundle = showing(&|_, series, number, _| series != Series::Exchanges || number < from);
        assert_refused(&log, &bundle, exchange(from, Phase::Intent), |fault| {
            matches!(fault, BundleFault::Hidden(_))
        });
    }
    let bundle = showing(&|_, series, _, _| series != Series::Inspections);
    let place = Place::Number(Period(1), Series::Inspections, 0, Phase::Intent);
    assert_refused(&log, &bundle, place, |fault| matches!(fault, BundleFault::Hidden(_)));
    // A phase that is there.
    let bundle = showing(&|_, _, number, phase| (number, phase) != (1, Phase::Outcome));
    assert_refused(&log, &bundle, exchange(1, Phase::Outcome), |fault| {
        matches!(fault, BundleFault::Hidden(_))
    });
}

/// A log in which number 1 was skipped: nobody can show 2, and nobody can deny it.
#[test]
fn skipped_numbers_are_found() {
    for beyond in [2, 3, 9, 1024, 4095] {
        let mut log = SampleLog::new();
        log.exchange();
        log.intent_numbered(beyond);
        // A provider serves number 3 only when 2 stands in the log, 9 only when 8 does …
        record::label::chain(beyond)
            .into_iter()
            .filter(|number| *number > 0)
            .for_each(|number| {
                log.intent_numbered(number);
            });
        log.map();
        let (place, fault) = refused(&log, &log.bundle(&idnr()));
        let Place::Number(_, Series::Exchanges, number, Phase::Intent) = place else {
            panic!("{place}")
        };
        assert!(
            number > 1 && matches!(fault, BundleFault::Hidden(_)),
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
    // An absent number's proof is another's, or left out.
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods[0].exchanges.absent.swap(0, 1);
    assert_refused(&log, &bundle, exchange(3, Phase::Intent), vrf);
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods[0].exchanges.absent.pop();
    let place = Place::Series(Period(1), Series::Exchanges);
    assert_refused(&log, &bundle, place, |fault| matches!(fault, BundleFault::Absences(11)));
}

#[test]
fn entries_stand_where_they_belong() {
    let log = log();
    // An intent as outcome; an absent phase claimed while another entry is shown.
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
        matches!(fault, BundleFault::Kind)
    });
}

#[test]
fn another_persons_proof_is_refused() {
    let log = log();
    let mut bundle = log.bundle(&Idnr::parse("02476291358", TestNumbers::Allowed).unwrap());
    bundle.idnr = idnr();
    assert_refused(&log, &bundle, exchange(0, Phase::Intent), |fault| {
        matches!(fault, BundleFault::Vrf(_))
    });
}

#[test]
fn the_map_is_the_newest_one() {
    let mut log = log();
    let old = log.snapshots.len() - 1;
    log.exchange();
    let as_of_old = |log: &SampleLog| log.bundle_showing(&idnr(), old, &|_, _, _, _| true);
    // Up to 60 s it may be older than the witnesses' time, and says so.
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
    // The last of the tree is good for as long as nothing follows.
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

#[test]
fn proofs_are_under_the_root_of_the_map_entry() {
    let log = log();
    let mismatch = |fault: &BundleFault| matches!(fault, BundleFault::Map(MapError::RootMismatch));
    // The old map's proof under the new root.
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
    // A byte of a map's proof.
    for at in [0, 40, 200] {
        let mut bundle = log.bundle(&idnr());
        let map = &mut bundle.proof.periods[0].map;
        let at = map.len() - 1 - at;
        map[at] ^= 1;
        assert_refused(&log, &bundle, Place::Map(Period(1)), mismatch);
    }
    // What is no map entry.
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

/// Two periods, the first of them final.
fn two_periods() -> SampleLog {
    let mut log = log();
    log.begin(Period(2), &vrf_key(Period(2)));
    log.exchange();
    log.finish(Period(1));
    log.map();
    log
}

#[test]
fn periods_follow_one_another() {
    let log = two_periods();
    let complete = check(&log, &log.bundle(&idnr())).unwrap();
    assert_eq!((complete.exchanges, complete.inspections), (4, 2));
    assert_eq!(complete.periods, (Period(1), Period(2)));
    // From the second on: less is claimed, and it is said.
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods.remove(0);
    bundle.proof.first = Period(2);
    log.prove_tree(&mut bundle);
    assert!(check(&log, &bundle).is_err(), "the map's proof is one of all its keys");
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

/// Once the first period is destroyed, nothing can be told of it any more; what is left is complete since the second one's start.
#[test]
fn after_a_destroyed_period_these_are_all_since() {
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
    // It must be said of each that is left out, and no bundle is about more than a thousand.
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

/// A closed month is judged by its final root, not by one of its middle.
#[test]
fn a_final_period_has_its_final_root() {
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
    // A final entry for a period that is open.
    let mut bundle = log.bundle(&idnr());
    bundle.proof.periods[1].end = bundle.proof.periods[0].end.take();
    assert_refused(&log, &bundle, Place::Final(Period(1)), |fault| {
        matches!(fault, BundleFault::Hidden(_))
    });
}

/// A second begin with another key would give the person other labels.
#[test]
fn a_period_has_one_key() {
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
fn the_tree_and_its_signatures() {
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

/// What has expired is shown sealed, and still counts; what has not may not be withheld as if it had.
#[test]
fn an_expired_record_counts_and_a_living_one_is_not_withheld() {
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
    log.now = (u64::from(expiry.0) + 1) * 86_400;
    log.map();
    let bundle = Bundle::parse(&sealed(&log).to_bytes()).unwrap();
    let complete = check(&log, &bundle).unwrap();
    assert_eq!((complete.exchanges, complete.inspections), (3, 2));
    assert!(matches!(complete.entries[0].record, ProvedRecord::Expired(day) if day == expiry));
    assert!(matches!(complete.entries[1].record, ProvedRecord::Open { .. }));
    // Another sealed record, or none.
    let mut bundle = sealed(&log);
    let numbers = &mut bundle.proof.periods[0].exchanges.numbers;
    numbers[0].intent.content.record = Record::Expired(log.records[&numbers[1].intent.index].clone());
    assert_refused(&log, &bundle, first, |fault| matches!(fault, BundleFault::Record));
    let mut bundle = sealed(&log);
    bundle.proof.periods[0].exchanges.numbers[0].intent.content.record = Record::Expired(Vec::new());
    assert_refused(&log, &bundle, first, |fault| matches!(fault, BundleFault::Sealed(_)));
}

/// Nothing in a file can be changed, cut off or added without being noticed.
#[test]
fn every_byte_of_a_bundle_counts() {
    let mut log = SampleLog::new();
    log.exchange();
    let bundle = log.bundle(&idnr());
    let file = bundle.to_bytes();
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
        // A cosignature under another name is nobody's.
        let sound = bundle
            .verify(&policy, Some(&log.genesis()))
            .is_ok_and(|complete| complete.quorum);
        assert!(!sound, "byte {at} of {}", content.len());
    }
}
