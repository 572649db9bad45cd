//! Values: what fits a key, and what a directory may contain together.

use record::{Sorted, Timestamp, WriterGrant, cbor};
use registerlandkarte::{Interval, ProblemKind, Subjects};
use trust::{Ars, BodyId, Key, Operation, OperationProblem, ServedRegister, SetProblem, Value, ValueError};

use crate::fixture::{
    DIRECTORY, REGISTERLANDKARTE, authority, between, body, catalogue, certificates, component, delegation, end,
    first_state, identity, propose, put, register_component, rule, seed, sign, supervision, threshold, writer,
};

fn samples() -> Vec<Value> {
    vec![
        authority(1, &[DIRECTORY]),
        body("stadt"),
        certificates(1, &[2, 3]),
        component("stadt.parken", 20),
        delegation("d1", ["rz", "stadt", "stadt.parken"], between(1, 2)),
        identity(),
        rule("parken", 3, "parken"),
        supervision(),
        Value::Threshold(threshold(3)),
        writer("broker", 10),
    ]
}

#[test]
fn values_are_read_back_under_their_own_key_only() {
    for value in samples() {
        let (key, bytes) = (value.key().unwrap(), value.to_bytes());
        assert_eq!(Value::parse(&key, &bytes).as_ref(), Ok(&value));
        for other in samples() {
            let other = other.key().unwrap();
            assert!(
                other == key || Value::parse(&other, &bytes).is_err(),
                "{key} under {other}"
            );
        }
        assert!(Value::parse(&key, &bytes[1..]).is_err());
        assert!(Value::parse(&key, &[&bytes[..], &[0]].concat()).is_err());
    }
    let named = Key::body(&"dorf".parse::<BodyId>().unwrap());
    let other = ValueError::OtherKey("body/stadt".parse().unwrap());
    assert_eq!(Value::parse(&named, &body("stadt").to_bytes()), Err(other));
}

#[test]
fn values_that_contradict_themselves_are_refused() {
    let parse = |value: &Value| Value::parse(&value.key().unwrap(), &value.to_bytes());
    assert_eq!(parse(&authority(1, &[])), Err(ValueError::NoRole));
    let Value::Body(mut idle) = body("stadt") else { panic!() };
    idle.roles.clear();
    assert_eq!(parse(&Value::Body(idle)), Err(ValueError::NoRole));
    let own = delegation("d", ["rz", "rz", "stadt.parken"], between(1, 2));
    assert_eq!(parse(&own), Err(ValueError::SelfDelegation));
    for until in [0, 1] {
        let empty = delegation("d", ["rz", "stadt", "stadt.parken"], between(1, until));
        assert_eq!(parse(&empty), Err(ValueError::EmptyInterval));
    }
    for accepted in [&[1][..], &[3, 2], &[2, 2], &[2, 3, 4]] {
        assert_eq!(parse(&certificates(1, accepted)), Err(ValueError::Certificates));
    }
    for (length, expected) in [(0, false), (2048, true), (2049, false)] {
        let Value::CertificateAuthorities(mut long) = certificates(1, &[2]) else {
            panic!()
        };
        long.issuing = vec![1; length];
        assert_eq!(
            parse(&Value::CertificateAuthorities(long)).is_ok(),
            expected,
            "{length}"
        );
    }
    let Value::Permission(legal) = rule("a", 1, "parken") else {
        panic!()
    };
    let mut legal = legal.as_ref().clone();
    legal.subjects = Subjects::Both;
    let defect = ValueError::Defect {
        field: "idnr",
        kind: ProblemKind::IdnrOfLegalPersons,
    };
    assert_eq!(parse(&Value::Permission(legal.into())), Err(defect));
    let Value::Component(mut nowhere) = register_component("kba.zfzr", 20) else {
        panic!()
    };
    nowhere.serves = Sorted::from([ServedRegister {
        areas: Sorted::default(),
        ..nowhere.serves[0].clone()
    }]);
    assert_eq!(parse(&Value::Component(nowhere)), Err(ValueError::Serves));
    // A bidirectional control character hides what follows it.
    let hidden = component("stadt.parken", 20).to_bytes();
    let at = hidden.windows(3).position(|bytes| bytes == b"k-1").unwrap();
    let hidden = [&hidden[..at], "\u{202e}".as_bytes(), &hidden[at + 3..]].concat();
    let key = component("stadt.parken", 20).key().unwrap();
    assert!(matches!(Value::parse(&key, &hidden), Err(ValueError::Cbor(_))));
    let named = Value::Writer(WriterGrant {
        name: "Der Schreiber".into(),
        key: seed(1).public(),
        kinds: vec![],
    });
    assert!(named.key().is_err());
    let key = "writer/broker".parse().unwrap();
    assert!(matches!(
        Value::parse(&key, &named.to_bytes()),
        Err(ValueError::Name(_))
    ));
    let long = cbor::to_vec(&vec![0_u8; trust::limits::MAX_VALUE]);
    assert_eq!(Value::parse(&key, &long), Err(ValueError::TooLong));
    for number in [0, 17] {
        let bytes = cbor::to_vec(&number);
        assert!(Value::parse(&Key::threshold(), &bytes).is_err());
    }
}

#[test]
fn regional_keys_have_the_length_of_a_level() {
    for good in ["", "05", "053", "05315", "053150000", "053150000000"] {
        assert_eq!(good.parse::<Ars>().unwrap().as_str(), good);
    }
    for bad in ["5", "0531", "05315000", "05315000000x", "0531500000000"] {
        assert!(bad.parse::<Ars>().is_err(), "{bad}");
    }
}

fn refused(operations: Vec<Operation>) -> (String, OperationProblem) {
    let state = first_state();
    let reason = "Anlass".parse().unwrap();
    let error = state
        .propose(DIRECTORY, Timestamp(200), reason, operations)
        .unwrap_err();
    match error.problem {
        SetProblem::Operation { key, problem } => (key.to_string(), problem),
        other => panic!("{other}"),
    }
}

#[test]
fn expired_and_dangling_delegations_are_refused() {
    let new = |parts, valid| vec![put(&delegation("d2", parts, valid))];
    let parts = ["rz", "stadt", "kba.zfzr"];
    let expired = refused(new(parts, between(100, 200)));
    assert_eq!(expired, ("delegation/d2".into(), OperationProblem::Expired));
    for (missing, parts) in [
        ("body/dorf", ["dorf", "stadt", "kba.zfzr"]),
        ("body/dorf", ["rz", "dorf", "kba.zfzr"]),
        ("component/dorf", ["rz", "stadt", "dorf"]),
    ] {
        let dangling = OperationProblem::Dangling(missing.parse().unwrap());
        assert_eq!(
            refused(new(parts, Interval::since(Timestamp(0)))),
            ("delegation/d2".into(), dangling)
        );
    }
    // What a delegation names cannot end before it.
    for (key, by) in [
        ("body/rz", "component/kba.zfzr"),
        ("body/stadt", "component/kba.zfzr"),
        ("component/stadt.parken", "delegation/d1"),
    ] {
        let named = OperationProblem::Named(by.parse().unwrap());
        assert_eq!(refused(vec![end(key)]), (key.into(), named));
    }
    propose(
        &first_state(),
        DIRECTORY,
        200,
        vec![end("component/stadt.parken"), end("delegation/d1")],
    );
}

#[test]
fn values_that_cannot_be_read_are_refused_with_their_key() {
    let key: Key = "body/dorf".parse().unwrap();
    let (named, problem) = refused(vec![Operation::put_bytes(key, vec![0xa0])]);
    assert_eq!(named, "body/dorf");
    assert!(
        matches!(problem, OperationProblem::Value(ValueError::Cbor(_))),
        "{problem}"
    );
    let rule = put(&rule("a", 1, "parken"));
    assert_eq!(
        refused(vec![rule]),
        ("permission/a@1".into(), OperationProblem::OtherKind(REGISTERLANDKARTE))
    );
}

/// A rule with long texts still makes a small set.
#[test]
fn the_set_of_one_rule_is_small() {
    let Value::Permission(long) = rule("parken", 1, "parken") else {
        panic!()
    };
    let mut long = long.as_ref().clone();
    long.occasion = "x".repeat(1000).parse().unwrap();
    let operations = vec![put(&Value::Permission(long.into()))];
    let set = sign(propose(&first_state(), REGISTERLANDKARTE, 200, catalogue()), &[1, 2]);
    let state = first_state().apply(REGISTERLANDKARTE, &set).unwrap();
    let set = propose(&state, REGISTERLANDKARTE, 300, operations);
    let bytes = sign(set, &[1, 2]).to_bytes().len();
    assert!(bytes <= 4096, "{bytes}");
}

#[test]
fn the_state_answers_questions() {
    let state = first_state();
    let directory = state.directory();
    assert_eq!(directory.writer(&seed(10).id()).unwrap().name, "broker");
    assert!(directory.writer(&seed(20).id()).is_none());
    let id = "stadt.parken".parse().unwrap();
    assert_eq!(directory.component(&id), directory.consumer(&id));
    assert!(directory.provider(&id).is_none());
    let (stadt, rz) = ("stadt".parse().unwrap(), "rz".parse().unwrap());
    assert_eq!(directory.body(&stadt).unwrap().id, stadt);
    for (time, holds) in [(99, false), (100, true), (899, true), (900, false)] {
        let found = directory.delegation(&stadt, &id, Timestamp(time));
        assert_eq!(found.is_some(), holds, "{time}");
        // The operator has no delegation to act for itself.
        assert!(directory.delegation(&rz, &id, Timestamp(time)).is_none());
    }
}
