//! Sets that are refused, with the reason.

use record::Timestamp;
use tlog::Hash;
use trust::{
    Authorities, ChangeSet, OperationProblem, Operations, QuorumError, SetParseError, SetProblem, SetSignature,
    SignatureProblem, SignedChangeSet, SignedHeader, TrustKind, TrustState, Value, Version,
};

use crate::fixture::{
    DIRECTORY, REGISTERLANDKARTE, authority, body, component, end, first_directory, first_set, first_state, genesis,
    norm, propose, put, rule, rules, seed, sign, threshold, writer,
};

fn problem(state: &TrustState, kind: TrustKind, set: &SignedChangeSet) -> SetProblem {
    let error = state.apply(kind, set).unwrap_err();
    assert_eq!((error.kind, error.version), (set.header().kind, set.header().version));
    error.problem
}

/// A second directory, signed by the authorities 1 and 2.
fn second(state: &TrustState, change: impl FnOnce(&mut ChangeSet)) -> SignedChangeSet {
    let mut set = propose(state, DIRECTORY, 200, vec![put(&body("dorf"))]);
    change(&mut set);
    sign(set, &[1, 2])
}

/// Signatures that were verified ahead are judged as those that were not.
#[test]
fn signatures_verified_ahead_give_no_right() {
    let state = first_state();
    let good = second(&state, |_| ());
    let ahead = |mut set: SignedChangeSet, authorities: &Authorities| {
        set.verify_ahead(authorities);
        set
    };
    state
        .apply(DIRECTORY, &ahead(good.clone(), state.authorities()))
        .unwrap();
    // One of two signatures is false: over another header.
    let other = second(&state, |set| set.header.valid_from = Timestamp(300));
    let [first, second_one] = good.signed().signatures() else {
        panic!("two have signed")
    };
    let false_one = SetSignature {
        signature: other.signed().signatures()[1].signature,
        ..*second_one
    };
    let draft = || propose(&state, DIRECTORY, 200, vec![put(&body("dorf"))]);
    let forged = draft().with(vec![*first, false_one]).unwrap();
    let wrong = SetProblem::Signatures(SignatureProblem::Signature(second_one.authority));
    assert_eq!(problem(&state, DIRECTORY, &ahead(forged, state.authorities())), wrong);
    // Valid signatures of keys that are no authorities when it is the set's turn.
    let strangers = [8, 9].map(|number| seed(number).public());
    let strangers = Authorities::genesis(&strangers, threshold(2)).unwrap();
    let set = ahead(sign(draft(), &[8, 9]), &strangers);
    assert!(matches!(
        problem(&state, DIRECTORY, &set),
        SetProblem::Signatures(SignatureProblem::UnknownAuthority(_))
    ));
}

#[test]
fn any_changed_byte_is_refused() {
    let state = first_state();
    let file = second(&state, |_| ()).to_bytes();
    let set = SignedChangeSet::parse(&file).unwrap();
    assert_eq!(set.to_bytes(), file);
    state.apply(DIRECTORY, &set).unwrap();
    for at in 0..file.len() {
        for mask in [1, 0x80] {
            let mut changed = file.clone();
            changed[at] ^= mask;
            let applied = SignedChangeSet::parse(&changed).map(|set| state.apply(DIRECTORY, &set).is_ok());
            assert_ne!(applied, Ok(true), "byte {at}");
        }
        assert!(SignedChangeSet::parse(&file[..at]).is_err(), "{at} bytes");
    }
    assert!(SignedChangeSet::parse(&[&file[..], &[0]].concat()).is_err());
}

#[test]
fn an_old_set_and_a_set_after_a_gap_are_refused() {
    let state = first_state();
    let next = Version(2);
    assert_eq!(problem(&state, DIRECTORY, &first_set()), SetProblem::OtherVersion(next));
    let third = second(&state, |set| set.header.version = Version(3));
    assert_eq!(problem(&state, DIRECTORY, &third), SetProblem::OtherVersion(next));
    let none = second(&state, |set| set.header.version = Version::EMPTY).to_bytes();
    assert_eq!(SignedChangeSet::parse(&none), Err(SetParseError::EmptyVersion));
}

#[test]
fn a_set_for_another_log_or_kind_is_refused() {
    let state = first_state();
    let foreign = second(&state, |set| set.header.origin = "other.example".parse().unwrap());
    assert_eq!(
        problem(&state, DIRECTORY, &foreign),
        SetProblem::OtherLog(state.origin().clone())
    );
    // An entry for the Registerlandkarte carries a set for the directory.
    assert_eq!(
        problem(&state, REGISTERLANDKARTE, &second(&state, |_| ())),
        SetProblem::OtherKind(REGISTERLANDKARTE)
    );
    // The same operations, signed as the first set of the Registerlandkarte.
    let other = second(&state, |set| {
        set.header.kind = REGISTERLANDKARTE;
        set.header.version = Version(1);
    });
    let found = problem(&state, REGISTERLANDKARTE, &other);
    assert!(
        matches!(
            found,
            SetProblem::Operation {
                problem: OperationProblem::OtherKind(DIRECTORY),
                ..
            }
        ),
        "{found}"
    );
}

#[test]
fn a_root_that_does_not_follow_is_refused_and_an_alarm() {
    let state = first_state();
    let computed = second(&state, |_| ()).header().root;
    let set = second(&state, |set| set.header.root = Hash([7; 32]));
    let error = state.apply(DIRECTORY, &set).unwrap_err();
    assert!(error.has_valid_signatures());
    assert_eq!(
        error.problem,
        SetProblem::Root {
            named: Hash([7; 32]),
            computed
        }
    );
}

#[test]
fn a_set_that_takes_effect_before_the_version_before_is_refused() {
    let state = first_state();
    let set = second(&state, |set| set.header.valid_from = Timestamp(99));
    assert_eq!(problem(&state, DIRECTORY, &set), SetProblem::Backdated(Timestamp(100)));
}

#[test]
fn operations_other_than_the_signed_ones_are_refused() {
    let state = first_state();
    let signed = second(&state, |_| ());
    let others = Operations::new(vec![put(&body("weiler"))]).unwrap();
    let swapped = [signed.signed().bytes(), others.bytes()].concat();
    assert_eq!(SignedChangeSet::parse(&swapped), Err(SetParseError::OtherOperations));
    let duplicate = vec![put(&body("weiler")), put(&body("weiler"))];
    assert!(matches!(
        Operations::new(duplicate),
        Err(SetParseError::OperationOrder(_))
    ));
    let many = (0..=trust::limits::MAX_OPERATIONS).map(|number| end(&format!("body/{number}")));
    assert_eq!(Operations::new(many.collect()), Err(SetParseError::TooManyOperations));
}

#[test]
fn too_few_foreign_and_repeated_signatures_are_refused() {
    let state = first_state();
    let set = || propose(&state, DIRECTORY, 200, vec![put(&body("dorf"))]);
    let signatures = |found| SetProblem::Signatures(found);
    let one = sign(set(), &[1]);
    let needed = SignatureProblem::TooFew { needed: 2, found: 1 };
    assert_eq!(problem(&state, DIRECTORY, &one), signatures(needed));
    let unknown = SignatureProblem::UnknownAuthority(seed(9).id());
    for seeds in [&[1, 9][..], &[9, 8], &[1, 2, 9]] {
        let found = problem(&state, DIRECTORY, &sign(set(), seeds));
        if seeds.contains(&8) {
            assert!(matches!(
                found,
                SetProblem::Signatures(SignatureProblem::UnknownAuthority(_))
            ));
        } else {
            assert_eq!(found, signatures(unknown));
        }
    }
    // Two signatures by one authority do not become a set.
    let first = SetSignature::sign(&set().header, &seed(1));
    assert_eq!(set().with(vec![first, first]), Err(SetParseError::Signatures));
    let twice = record::cbor::to_vec(&(
        record::bytes::Form(set().header.to_bytes()),
        [0, 1].map(|_| (first.authority, record::bytes::Form(first.signature))),
    ));
    assert_eq!(SignedHeader::parse(&twice), Err(SetParseError::Signatures));
    assert_eq!(set().with(vec![]), Err(SetParseError::Signatures));
    // A signature by another key under an authority's id.
    let forged = SetSignature {
        authority: seed(2).id(),
        ..SetSignature::sign(&set().header, &seed(9))
    };
    let wrong = SignatureProblem::Signature(seed(2).id());
    let set = set().with(vec![first, forged]).unwrap();
    assert_eq!(problem(&state, DIRECTORY, &set), signatures(wrong));
}

/// Each authority proposes the same set for itself, compares, and adds its signature.
#[test]
fn authorities_sign_one_after_the_other() {
    let state = first_state();
    let proposed = || propose(&state, DIRECTORY, 200, vec![put(&body("dorf"))]);
    let first = sign(proposed(), &[2]);
    assert_eq!(first.header(), &proposed().header);
    let second = SetSignature::sign(first.header(), &seed(1));
    let both = first.with_signature(second).unwrap();
    assert_eq!(both.clone().with_signature(second), Err(SetParseError::Signatures));
    assert_eq!(both, sign(proposed(), &[1, 2]));
    state.apply(DIRECTORY, &both).unwrap();
}

/// A signature of the same bytes for another purpose does not count.
#[test]
fn a_signature_in_another_context_is_refused() {
    let state = first_state();
    let set = propose(&state, DIRECTORY, 200, vec![put(&body("dorf"))]);
    for context in ["einsicht/s1/v1", "einsicht/document/v1", "einsicht/change-set/v2", ""] {
        let other = SetSignature {
            authority: seed(1).id(),
            signature: seed(1).sign_context(context, &set.header.to_bytes()),
        };
        let second = SetSignature::sign(&set.header, &seed(2));
        let set = set.clone().with(vec![other, second]).unwrap();
        let wrong = SignatureProblem::Signature(seed(1).id());
        assert_eq!(problem(&state, DIRECTORY, &set), SetProblem::Signatures(wrong));
    }
}

#[test]
fn authorities_change_by_sets_that_the_old_ones_sign() {
    let state = first_state();
    let old = format!("authority/{}", seed(1).id());
    let rotation = propose(
        &state,
        DIRECTORY,
        200,
        vec![end(&old), put(&authority(4, &TrustKind::ALL))],
    );
    // The new key cannot sign its own arrival.
    let unknown = SetProblem::Signatures(SignatureProblem::UnknownAuthority(seed(4).id()));
    assert_eq!(problem(&state, DIRECTORY, &sign(rotation.clone(), &[2, 4])), unknown);
    let state = state.apply(DIRECTORY, &sign(rotation, &[1, 2])).unwrap();
    // Afterwards the new key signs both kinds, and the old one neither.
    for (kind, value) in [(DIRECTORY, body("dorf")), (REGISTERLANDKARTE, norm())] {
        let set = propose(&state, kind, 300, vec![put(&value)]);
        let unknown = SetProblem::Signatures(SignatureProblem::UnknownAuthority(seed(1).id()));
        assert_eq!(problem(&state, kind, &sign(set.clone(), &[1, 2])), unknown);
        state.apply(kind, &sign(set, &[2, 4])).unwrap();
    }
}

#[test]
fn an_authority_signs_only_the_kinds_that_it_may() {
    let state = first_state();
    let operations = vec![
        put(&authority(4, &[REGISTERLANDKARTE])),
        put(&authority(5, &[DIRECTORY])),
    ];
    let state = state
        .apply(DIRECTORY, &sign(propose(&state, DIRECTORY, 200, operations), &[1, 2]))
        .unwrap();
    for (kind, value, may, may_not) in [(DIRECTORY, body("dorf"), 5, 4), (REGISTERLANDKARTE, norm(), 4, 5)] {
        let set = propose(&state, kind, 300, vec![put(&value)]);
        state.apply(kind, &sign(set.clone(), &[1, may])).unwrap();
        let unknown = SignatureProblem::UnknownAuthority(seed(may_not).id());
        assert_eq!(
            problem(&state, kind, &sign(set, &[1, may_not])),
            SetProblem::Signatures(unknown)
        );
    }
}

/// What [`trust::TrustState::propose`] says of operations on the first directory.
fn refused(state: &TrustState, operations: Vec<trust::Operation>) -> SetProblem {
    let reason = "Anlass".parse().unwrap();
    let error = state
        .propose(DIRECTORY, Timestamp(200), reason, operations)
        .unwrap_err();
    assert_eq!(error.version, state.directory().version().next().unwrap());
    error.problem
}

#[test]
fn a_directory_that_could_not_change_again_is_refused() {
    let state = first_state();
    let authorities = [1, 2].map(|number| end(&format!("authority/{}", seed(number).id())));
    let quorum = |kind, needed, found| SetProblem::Quorum(QuorumError { kind, needed, found });
    assert_eq!(refused(&state, authorities.to_vec()), quorum(DIRECTORY, 2, 1));
    let too_high = vec![put(&Value::Threshold(threshold(4)))];
    assert_eq!(refused(&state, too_high), quorum(DIRECTORY, 4, 3));
    let narrow = [1, 2].map(|number| put(&authority(number, &[DIRECTORY])));
    assert_eq!(refused(&state, narrow.to_vec()), quorum(REGISTERLANDKARTE, 2, 1));
    for key in ["threshold", "identity", "supervision"] {
        assert_eq!(
            refused(&state, vec![end(key)]),
            SetProblem::Missing(key.parse().unwrap())
        );
    }
    let all: Vec<_> = first_directory();
    for key in ["threshold", "identity", "supervision"] {
        let without = all.iter().filter(|operation| operation.key().as_str() != key).cloned();
        let missing = SetProblem::Missing(key.parse().unwrap());
        assert_eq!(refused(&genesis(), without.collect()), missing);
    }
    let keys = [seed(1).public(), seed(1).public()];
    assert!(Authorities::genesis(&keys, threshold(2)).is_err());
}

#[test]
fn keys_belong_to_one_writer_and_one_component() {
    let state = first_state();
    let in_use = |key: &str, by: &str| SetProblem::Operation {
        key: key.parse().unwrap(),
        problem: OperationProblem::KeyInUse(by.parse().unwrap()),
    };
    assert_eq!(
        refused(&state, vec![put(&writer("ledger", 10))]),
        in_use("writer/ledger", "writer/broker")
    );
    assert_eq!(
        refused(&state, vec![put(&component("dorf", 21))]),
        in_use("component/dorf", "component/kba.zfzr")
    );
    let Value::Component(mut sealing) = component("dorf", 30) else {
        panic!()
    };
    sealing.sealing_key = [21; 32];
    assert_eq!(
        refused(&state, vec![put(&Value::Component(sealing))]),
        in_use("component/dorf", "component/kba.zfzr")
    );
    // Two components of one set, and two that exchange their keys.
    let pair = vec![put(&component("a", 40)), put(&component("b", 40))];
    assert_eq!(refused(&state, pair), in_use("component/b", "component/a"));
    let exchange = vec![put(&component("stadt.parken", 21)), put(&component("kba.zfzr", 20))];
    let set = sign(propose(&state, DIRECTORY, 200, exchange), &[1, 2]);
    let state = state.apply(DIRECTORY, &set).unwrap();
    assert_eq!(
        refused(&state, vec![put(&component("neu", 21))]),
        in_use("component/neu", "component/stadt.parken")
    );
    // The keys before a rotation are the component's until they end.
    let Value::Component(mut rotated) = component("stadt.parken", 21) else {
        panic!()
    };
    rotated.rotate(seed(60).public(), [60; 32]);
    let sets = |value: Value| vec![put(&value)];
    let overlapping = sign(
        propose(&state, DIRECTORY, 200, sets(Value::Component(rotated.clone()))),
        &[1, 2],
    );
    let after = state.apply(DIRECTORY, &overlapping).unwrap();
    for key in [60, 21] {
        assert_eq!(
            refused(&after, sets(component("neu", key))),
            in_use("component/neu", "component/stadt.parken")
        );
    }
    let verified_by = |key: u8| rotated.verified(|public| if *public == seed(key).public() { Ok(()) } else { Err(()) });
    assert_eq!([60, 21, 20].map(|key| verified_by(key).is_ok()), [true, true, false]);
    rotated.rotate(seed(60).public(), [61; 32]);
    assert_eq!(
        refused(&after, sets(Value::Component(rotated))),
        in_use("component/stadt.parken", "component/stadt.parken")
    );
    // A key that was given up is free.
    let freed = vec![end("component/kba.zfzr"), put(&component("dorf", 20))];
    propose(&state, DIRECTORY, 300, freed);
}

#[test]
fn rules_that_permit_the_same_are_refused() {
    let state = first_state();
    let set = propose(&state, REGISTERLANDKARTE, 200, rules(&[rule("a", 1, "parken")]));
    let state = state.apply(REGISTERLANDKARTE, &sign(set, &[1, 2])).unwrap();
    let again = vec![put(&rule("b", 1, "parken"))];
    let reason = "Anlass".parse().unwrap();
    let error = state
        .propose(REGISTERLANDKARTE, Timestamp(300), reason, again)
        .unwrap_err();
    let SetProblem::Operation { key, problem } = error.problem else {
        panic!()
    };
    assert_eq!(key.as_str(), "permission/b@1");
    assert_eq!(problem, OperationProblem::Ambiguous("a@1".into()));
    let instead = vec![
        end("permission/a@1"),
        put(&rule("b", 1, "parken")),
        put(&rule("c", 1, "halten")),
    ];
    propose(&state, REGISTERLANDKARTE, 300, instead);
}

#[test]
fn nothing_can_be_ended_twice() {
    let refused = refused(&first_state(), vec![end("body/dorf")]);
    let SetProblem::Operation { key, problem } = refused else {
        panic!()
    };
    assert_eq!((key.as_str(), problem), ("body/dorf", OperationProblem::NotThere));
}

/// Signed operations that cannot be carried out are an alarm, and the state is as before.
#[test]
fn a_signed_set_with_a_bad_operation_changes_nothing() {
    let state = first_state();
    let root = state.directory().root();
    let operations = Operations::new(vec![put(&body("dorf")), put(&component("dorf", 20))]).unwrap();
    let set = second(&state, |set| {
        set.header.operations = operations.digest();
        set.operations = operations;
    });
    let error = state.apply(DIRECTORY, &set).unwrap_err();
    assert!(error.has_valid_signatures());
    assert_eq!(
        error.to_string(),
        "directory, version 2: component/dorf: component/stadt.parken has the same public key"
    );
    assert_eq!(
        (state.directory().root(), state.directory().version()),
        (root, Version(1))
    );
    assert!(!state.apply(DIRECTORY, &first_set()).unwrap_err().has_valid_signatures());
}

/// A version without operations is equal to the one before.
#[test]
fn a_set_may_be_empty() {
    let state = first_state();
    let set = sign(propose(&state, REGISTERLANDKARTE, 200, vec![]), &[1, 3]);
    let next = state.apply(REGISTERLANDKARTE, &set).unwrap();
    assert_eq!(next.registerlandkarte().version(), Version(1));
    assert_eq!(next.registerlandkarte().root(), tlog::map::EMPTY_ROOT);
}
