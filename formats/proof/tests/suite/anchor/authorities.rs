//! Who must have signed which version.

use fixtures::sample_log::{SampleLog, authority};
use trust::{Authority, SignatureProblem, Threshold};

use super::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn put(key: &SigningKey) -> Operation {
    let authority = Authority {
        name: "Zweite Behörde".parse().unwrap(),
        key: key.public(),
        signs: TrustKind::ALL.into(),
    };
    Operation::put(&Value::Authority(authority)).unwrap()
}

fn end(key: &SigningKey) -> Operation {
    Operation::end(Key::authority(&key.id()))
}

fn threshold(number: u8) -> Operation {
    Operation::put(&Value::Threshold(Threshold::new(number).unwrap())).unwrap()
}

#[track_caller]
fn signatures(log: &SampleLog, anchor: &Anchor) -> SignatureProblem {
    match refused(log, anchor) {
        AnchorProblem::Signatures(problem) => problem,
        other => panic!("{other}"),
    }
}

/// A set changes the authorities; the later sets are signed by the new ones, and the old one's signature counts no
/// more.
#[test]
fn authorities_that_a_set_has_changed_sign_the_later_sets() {
    let mut log = SampleLog::new();
    log.exchange();
    let (second, third) = (key(51), key(52));
    change(
        &mut log,
        vec![end(&authority()), put(&second), put(&third), threshold(2)],
    );
    let later = set(&log, vec![end_broker()], &[&second, &third]);
    log.append_set(&later);
    let newest = set(&log, vec![other_change(53)], &[&second, &third]);
    log.append_set(&newest);
    let (after, _) = log.intent();
    log.map();
    let anchor = log.anchor(2);
    assert_eq!(numbers(&anchor), [1, 2, 3, 4]);
    let proved = verify(&log, &anchor).unwrap();
    assert!(proved.quorum() && unknown(&writer_at(&log, &proved, after)));

    // The authorities that the genesis document names have not signed version 3.
    let mut without = anchor.clone();
    without.versions.remove(1);
    assert_eq!(
        signatures(&log, &without),
        SignatureProblem::UnknownAuthority(later.signed().signatures()[0].authority)
    );
    let mut without = anchor.clone();
    without.versions[1].values.clear();
    assert!(matches!(
        signatures(&log, &without),
        SignatureProblem::UnknownAuthority(_)
    ));

    // The removed authority, one of the new ones alone, or both together sign a set.
    for (keys, expected) in [
        (vec![&authority()], SignatureProblem::UnknownAuthority(authority().id())),
        (vec![&second], SignatureProblem::TooFew { needed: 2, found: 1 }),
        (
            vec![&authority(), &second, &third],
            SignatureProblem::UnknownAuthority(authority().id()),
        ),
    ] {
        let mut log = log_again();
        let forged = set(&log, vec![other_change(54)], &keys);
        let anchor = anchor_with_forged(&mut log, &forged, Vec::new());
        assert_eq!(signatures(&log, &anchor), expected);
    }
}

/// The log of the first test up to the change of the authorities.
fn log_again() -> SampleLog {
    let mut log = SampleLog::new();
    change(
        &mut log,
        vec![end(&authority()), put(&key(51)), put(&key(52)), threshold(2)],
    );
    log.map();
    log
}

#[test]
fn a_set_that_no_authority_has_signed_is_refused() {
    let mut log = SampleLog::new();
    let forged = set(&log, vec![broker_key(&key(55))], &[&key(56)]);
    let anchor = anchor_with_forged(&mut log, &forged, Vec::new());
    assert_eq!(
        signatures(&log, &anchor),
        SignatureProblem::UnknownAuthority(key(56).id())
    );
    // The signature of an authority over another header.
    let mut log = SampleLog::new();
    let genuine = set(&log, vec![other_change(57)], &[&authority()]);
    let draft = set(&log, vec![broker_key(&key(55))], &[&authority()]);
    let signed = trust::SignedHeader::new(draft.header().clone(), genuine.signed().signatures().to_vec()).unwrap();
    let forged = SignedChangeSet::new(signed, draft.operations().clone()).unwrap();
    let anchor = anchor_with_forged(&mut log, &forged, Vec::new());
    assert_eq!(signatures(&log, &anchor), SignatureProblem::Signature(authority().id()));
}

/// A server that proves some of the authorities cannot lower what they must sign.
#[test]
fn authorities_are_proved_together_with_their_threshold() {
    let log = log_again();
    let anchor = log.anchor(2);
    let mut alone = anchor.clone();
    alone.versions[1]
        .values
        .retain(|proof| *proof.key() != Key::threshold());
    assert_eq!(refused(&log, &alone), AnchorProblem::NoThreshold);
    let mut few = anchor;
    few.versions[1]
        .values
        .retain(|proof| *proof.key() != Key::authority(&key(51).id()));
    assert!(matches!(refused(&log, &few), AnchorProblem::Quorum(error) if (error.needed, error.found) == (2, 1)));
}
