//! Entries that are newer than the bundle.

#![allow(clippy::unwrap_used)]

use fixtures::sample_log::{SampleLog, idnr};
use record::TestNumbers;

use super::*;

/// A log with a bundle, and one exchange of which the bundle has the first `shown` entries.
struct Case {
    log: SampleLog,
    bundle: Vec<u8>,
    intent: u64,
    outcome: u64,
    number: u32,
}

impl Case {
    fn new(shown: usize) -> Self {
        let mut log = SampleLog::new();
        log.exchange();
        log.inspection(0);
        log.map();
        let mut bundles = vec![log.bundle(&idnr())];
        let (intent, number) = log.intent();
        log.map();
        bundles.push(log.bundle(&idnr()));
        let outcome = log.outcome(intent, number);
        log.map();
        // The portal takes an anchor that reaches the newest entry of the list.
        let mut bundle = bundles.swap_remove(shown);
        bundle.anchor = log.anchor(2);
        Self {
            bundle: bundle.to_bytes().unwrap(),
            log,
            intent,
            outcome,
            number,
        }
    }

    fn opening(&self, index: u64, phase: Phase) -> Opening {
        let mut opening = self.log.opening(index, self.number, phase);
        opening.anchor = None;
        opening
    }

    fn both(&self) -> [Opening; 2] {
        [
            self.opening(self.intent, Phase::Intent),
            self.opening(self.outcome, Phase::Outcome),
        ]
    }

    fn prove(&self, later: &[Opening]) -> Result<ProvedList, Failure> {
        let trust = TrustText {
            policy: self.log.policy(),
            genesis: self.log.genesis().to_string(),
        };
        prove(&self.bundle, later, &trust.parse().unwrap())
    }
}

#[test]
fn entries_that_are_newer_than_the_bundle_are_listed_and_counted() {
    let case = Case::new(0);
    let alone = case.prove(&[]).unwrap();
    assert_eq!((alone.accesses.len(), alone.claim.later), (2, 0));
    let list = case.prove(&case.both()).unwrap();
    assert_eq!((list.accesses.len(), list.claim.later, list.quorum), (3, 1, true));
    assert_eq!(list.accesses[0].indices(), [case.intent, case.outcome]);
    assert_eq!(list.claim.exchanges, 1, "only the bundle counts");
}

#[test]
fn an_outcome_that_is_newer_than_the_bundle_closes_its_intent() {
    let case = Case::new(1);
    let list = case.prove(&[case.opening(case.outcome, Phase::Outcome)]).unwrap();
    assert_eq!(list.accesses[0].indices(), [case.intent, case.outcome]);
    assert_eq!((list.claim.exchanges, list.claim.later), (2, 0));
}

#[test]
fn a_newer_entry_without_the_quorum_is_no_error_and_is_said() {
    let case = Case::new(0);
    let mut later = case.both();
    later[1].receipt = case.log.receipt(case.outcome, 0);
    assert!(!case.prove(&later).unwrap().quorum);
}

#[test]
fn openings_that_do_not_belong_to_the_list_are_refused() {
    let case = Case::new(0);
    let [intent, outcome] = case.both();
    let mut foreign = outcome.clone();
    foreign.label_proof.as_mut().unwrap().idnr = Idnr::parse("02476291358", TestNumbers::Allowed).unwrap();
    let mut unlabelled = outcome.clone();
    unlabelled.label_proof = None;
    let mut changed = outcome.clone();
    changed.sealed_record[0] ^= 1;
    for (what, later, failure) in [
        ("an outcome without its intent", vec![outcome.clone()], Failure::Entry),
        ("an entry twice", vec![intent.clone(), intent.clone()], Failure::Entry),
        ("another person's", vec![intent.clone(), foreign], Failure::Entry),
        ("nobody's", vec![intent.clone(), unlabelled], Failure::Entry),
        ("a changed record", vec![intent.clone(), changed], Failure::Proof),
        ("too many", vec![intent.clone(); MAX_LATER + 1], Failure::Form),
    ] {
        assert_eq!(case.prove(&later).unwrap_err(), failure, "{what}");
    }
    let newer = Case::new(1);
    let again = newer.prove(&[newer.opening(newer.intent, Phase::Intent)]);
    assert_eq!(again.unwrap_err(), Failure::Entry, "an entry of the bundle");
}
