//! Openings: the checks that the citizen's browser, the portal and `verifier verify` share.

use fixtures::sample_log::{self, SampleLog};
use proof::opening::{Opening, VerifyError};
use record::{Idnr, Kind, Outcome, Phase, RetentionClass, Series, SharedPart, TestNumbers, Timestamp};
use tlog::Hash;
use tlog::policy::Policy;

struct Case {
    log: SampleLog,
    policy: Policy,
    intent: u64,
    outcome: u64,
    number: u32,
}

fn case() -> Case {
    let mut log = SampleLog::new();
    log.exchange();
    let (intent, number) = log.intent();
    let outcome = log.outcome(intent, number);
    log.map();
    let policy = Policy::parse(log.policy().as_bytes()).unwrap();
    Case {
        log,
        policy,
        intent,
        outcome,
        number,
    }
}

impl Case {
    fn opening(&self) -> Opening {
        self.log.opening(self.outcome, self.number, Phase::Outcome)
    }

    fn error(&self, change: impl FnOnce(&mut Opening)) -> VerifyError {
        let mut opening = self.opening();
        change(&mut opening);
        opening.verify(&self.policy, Some(&self.log.genesis())).unwrap_err()
    }
}

#[test]
fn an_opening_proves_entry_record_person_and_writer() {
    let case = case();
    let bytes = case.opening().to_bytes();
    let proved = Opening::parse(&bytes)
        .unwrap()
        .verify(&case.policy, Some(&case.log.genesis()))
        .unwrap();
    assert_eq!(
        (proved.index.get(), proved.kind, proved.quorum),
        (case.outcome, Kind::Outcome, true)
    );
    assert_eq!(proved.anchored.as_deref(), Some("broker"));
    assert_eq!(proved.cosignatures.len(), 2);
    let person = proved.person.unwrap();
    assert_eq!(
        (person.period.0, person.series, person.number),
        (1, Series::Exchanges, case.number)
    );
    let Some(SharedPart::Exchange(exchange)) = &proved.shared else {
        panic!("not an exchange")
    };
    assert_eq!(exchange.result.as_ref().unwrap().outcome, Outcome::Delivered);
    assert_eq!(proved.citizen.unwrap().internal_reason.as_deref(), Some("no reason"));

    let intent = case.log.opening(case.intent, case.number, Phase::Intent);
    assert_eq!(intent.verify(&case.policy, None).unwrap().kind, Kind::Intent);
}

#[test]
fn an_omitted_proof_is_not_claimed() {
    let case = case();
    let mut opening = case.opening();
    (opening.anchor, opening.label_proof, opening.citizen_key) = (None, None, None);
    let proved = opening.verify(&case.policy, Some(&case.log.genesis())).unwrap();
    assert!(proved.anchored.is_none() && proved.person.is_none() && proved.citizen.is_none() && proved.quorum);

    // An anchor that was verified once serves many openings.
    let anchor = case
        .log
        .anchor(2)
        .verify(&case.policy, Some(&case.log.genesis()))
        .unwrap();
    assert_eq!(
        opening
            .verify_under(&case.policy, Some(&anchor))
            .unwrap()
            .anchored
            .as_deref(),
        Some("broker")
    );

    // Without a quorum on one receipt, the opening has no quorum.
    opening.receipt = case.log.receipt(case.outcome, 1);
    assert!(!opening.verify(&case.policy, None).unwrap().quorum);
    let mut opening = case.opening();
    opening.anchor = Some(case.log.anchor(1));
    assert!(!opening.verify(&case.policy, None).unwrap().quorum);
    let mut opening = case.opening();
    opening.label_proof.as_mut().unwrap().period_begin_receipt = case.log.receipt(3, 0);
    assert!(!opening.verify(&case.policy, None).unwrap().quorum);
}

/// An expired record has no keys any more. Until it expires, an opening must contain them.
#[test]
fn only_an_expired_record_is_proved_without_keys() {
    let mut case = case();
    let without_keys = |case: &Case| {
        let mut opening = case.opening();
        (opening.shared_key, opening.citizen_key) = (None, None);
        opening
    };
    let expiry = RetentionClass::IdnrG2y.expiry(Timestamp(case.log.now));
    let error = without_keys(&case).verify(&case.policy, None).unwrap_err();
    assert!(matches!(error, VerifyError::Withheld(day) if day == expiry), "{error}");
    case.log.now = expiry.end().0;
    let proved = without_keys(&case)
        .verify(&case.policy, Some(&case.log.genesis()))
        .unwrap();
    assert!(proved.shared.is_none() && proved.citizen.is_none() && proved.quorum);
    assert_eq!((proved.expiry, proved.person.unwrap().number), (expiry, case.number));
    let mut opening = without_keys(&case);
    opening.sealed_record[100] ^= 1;
    assert!(matches!(
        opening.verify(&case.policy, None),
        Err(VerifyError::Commitment)
    ));
}

/// The log alone, one witness or a minority states no time, however late its cosignature claims to be. Of a quorum the
/// time counts that the whole quorum has reached.
#[test]
fn only_the_time_of_a_quorum_makes_a_record_expired() {
    let case = case();
    let expiry = RetentionClass::IdnrG2y.expiry(Timestamp(case.log.now));
    let (now, late) = (case.log.now, (u64::from(expiry.0) + 1) * 86_400);
    let proved = |times: &[u64]| {
        let mut opening = case.opening();
        (opening.shared_key, opening.citizen_key) = (None, None);
        opening.receipt = case
            .log
            .receipt_under(case.outcome, case.log.checkpoint_cosigned_at(times));
        opening.verify(&case.policy, Some(&case.log.genesis()))
    };
    for times in [&[][..], &[late], &[now, late], &[late, now, now]] {
        let error = proved(times).unwrap_err();
        assert!(
            matches!(error, VerifyError::Withheld(day) if day == expiry),
            "{times:?}: {error}"
        );
    }
    for times in [&[late, late][..], &[now, late, late]] {
        assert!(proved(times).unwrap().shared.is_none(), "{times:?}");
    }
}

#[test]
fn every_wrong_part_is_refused_for_its_own_reason() {
    let case = case();
    let proof = |opening: &mut Opening, change: &dyn Fn(&mut proof::opening::LabelProof)| {
        change(opening.label_proof.as_mut().unwrap());
    };
    let other = Idnr::parse("02476291358", TestNumbers::Allowed).unwrap();
    assert!(matches!(
        case.error(|o| o.sealed_record[100] ^= 1),
        VerifyError::Commitment
    ));
    assert!(matches!(
        case.error(|o| o.sealed_record = case.log.records[&case.intent].clone()),
        VerifyError::Commitment
    ));
    assert!(matches!(
        case.error(|o| o.shared_key.as_mut().unwrap().0[0] ^= 1),
        VerifyError::Sealed(_)
    ));
    assert!(matches!(
        case.error(|o| o.citizen_key = o.shared_key.clone()),
        VerifyError::Sealed(_)
    ));
    assert!(matches!(
        case.error(|o| o.receipt = case.log.receipt(case.intent, 2)),
        VerifyError::Commitment
    ));
    assert!(matches!(
        case.error(|o| o.receipt = case.log.receipt(3, 2)),
        VerifyError::NoRecord
    ));
    assert!(matches!(case.error(|o| o.receipt[60] ^= 1), VerifyError::Receipt(_)));
    assert!(matches!(
        case.error(|o| proof(o, &|p| p.idnr = other.clone())),
        VerifyError::Label
    ));
    assert!(matches!(
        case.error(|o| proof(o, &|p| p.idnr = Idnr::nobody())),
        VerifyError::Label
    ));
    assert!(matches!(
        case.error(|o| proof(o, &|p| p.number += 1)),
        VerifyError::Label
    ));
    assert!(matches!(
        case.error(|o| proof(o, &|p| p.number = 4096)),
        VerifyError::Label
    ));
    assert!(matches!(
        case.error(|o| proof(o, &|p| p.phase = Phase::Intent)),
        VerifyError::Label
    ));
    assert!(matches!(
        case.error(|o| proof(o, &|p| p.series = Series::Inspections)),
        VerifyError::Label
    ));
    assert!(matches!(
        case.error(|o| proof(o, &|p| p.vrf_proof[5] ^= 1)),
        VerifyError::Label
    ));
    assert!(matches!(
        case.error(|o| proof(o, &|p| p.period.0 = 2)),
        VerifyError::Period
    ));
    let begin = case.log.receipt(4, 2);
    assert!(matches!(
        case.error(|o| proof(o, &|p| p.period_begin_receipt = begin.clone())),
        VerifyError::Period
    ));
    assert!(matches!(
        case.error(|o| o.anchor.as_mut().unwrap().genesis_receipt = case.log.receipt(1, 2)),
        VerifyError::Genesis
    ));
    assert!(matches!(
        case.error(|o| o.anchor.as_mut().unwrap().genesis_document[9] ^= 1),
        VerifyError::Genesis
    ));
    assert!(matches!(
        case.error(|o| o.anchor.as_mut().unwrap().versions[0].header[99] ^= 1),
        VerifyError::Directory(_)
    ));
    assert!(matches!(
        case.error(|o| o.anchor.as_mut().unwrap().versions[0].receipt = case.log.receipt(2, 2)),
        VerifyError::Directory(_)
    ));
    assert!(matches!(
        case.opening().verify(&case.policy, Some(&Hash([1; 32]))).unwrap_err(),
        VerifyError::Genesis
    ));
}

/// An opening is refused when the directory does not give the writer's key the right to the kind.
#[test]
fn an_entry_by_the_wrong_writer_is_refused_under_an_anchor() {
    let mut log = SampleLog::new();
    std::mem::swap(&mut log.broker, &mut log.operator);
    let (intent, number) = log.intent();
    let policy = Policy::parse(log.policy().as_bytes()).unwrap();
    let mut opening = log.opening(intent, number, Phase::Intent);
    assert!(matches!(
        opening.verify(&policy, None).unwrap_err(),
        VerifyError::Writer(_)
    ));
    opening.anchor = None;
    assert!(opening.verify(&policy, None).unwrap().anchored.is_none());
}

/// `Debug` shows neither keys nor persons.
#[test]
fn debug_shows_no_secret() {
    let case = case();
    let opening = case.opening();
    let shown = format!(
        "{opening:?} {:?} {:?}",
        opening.label_proof,
        opening.verify(&case.policy, None).unwrap()
    );
    assert!(
        !shown.contains(sample_log::IDNR) && !shown.contains("Musterhausen"),
        "{shown}"
    );
}

#[test]
fn opening_files_that_are_not_canonical_are_refused() {
    let case = case();
    let bytes = case.opening().to_bytes();
    assert!(Opening::parse(&bytes[..bytes.len() - 1]).is_err());
    assert!(Opening::parse(&[bytes.as_slice(), &[0]].concat()).is_err());
    let other = String::from_utf8_lossy(&bytes[..40]).find("opening").unwrap();
    let mut renamed = bytes.clone();
    renamed[2 + other % 8] ^= 1;
    assert!(Opening::parse(&renamed).is_err());
}
