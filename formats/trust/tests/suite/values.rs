//! Values: what fits a key, and what a directory may contain together.

use record::{Timestamp, WriterGrant, cbor};
use registerlandkarte::{Denied, Interval, Query};
use trust::{Ars, BodyId, Key, Operation, OperationProblem, SetProblem, Value, ValueError};

use crate::fixture::{
    DIRECTORY, REGISTERLANDKARTE, authority, between, body, component, delegation, end, first_state, identity, propose,
    put, rule, seed, sign, supervision, threshold, writer,
};

fn samples() -> Vec<Value> {
    vec![
        authority(1, &[DIRECTORY]),
        body("stadt"),
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
    let Value::Rule(legal) = rule("a", 1, "parken") else {
        panic!()
    };
    let mut legal = legal.as_ref().clone();
    legal.legal_persons = true;
    assert!(matches!(parse(&Value::Rule(legal.into())), Err(ValueError::Rule(_))));
    let Value::Component(mut hidden) = component("stadt.parken", 20) else {
        panic!()
    };
    hidden.party.name = "Stadt\u{202e}".into();
    assert!(matches!(parse(&Value::Component(hidden)), Err(ValueError::Text(_))));
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
    let named = OperationProblem::Named("delegation/d1".parse().unwrap());
    for key in ["body/rz", "body/stadt", "component/stadt.parken"] {
        assert_eq!(refused(vec![end(key)]), (key.into(), named.clone()));
    }
    propose(
        &first_state(),
        DIRECTORY,
        200,
        vec![end("body/rz"), end("delegation/d1")],
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
        ("rule/a@1".into(), OperationProblem::OtherKind(REGISTERLANDKARTE))
    );
}

/// A rule with long texts still makes a small set.
#[test]
fn the_set_of_one_rule_is_small() {
    let Value::Rule(long) = rule("parken", 1, "parken") else {
        panic!()
    };
    let mut long = long.as_ref().clone();
    long.occasion = "x".repeat(1000);
    long.legal_basis = "§ ".repeat(499) + "§";
    long.evidence.categories = vec!["x".repeat(40); 10];
    let set = propose(
        &first_state(),
        REGISTERLANDKARTE,
        200,
        vec![put(&Value::Rule(long.into()))],
    );
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
    let rules = vec![put(&rule("parken", 1, "parken")), put(&rule("halten", 1, "halten"))];
    let set = sign(propose(&state, REGISTERLANDKARTE, 200, rules), &[1, 2]);
    let state = state.apply(REGISTERLANDKARTE, &set).unwrap();
    let query = |purpose: &str| Query {
        consumer: "stadt.parken".parse().unwrap(),
        provider: "kba.zfzr".parse().unwrap(),
        evidence_type: "zb1".into(),
        purpose: purpose.into(),
        idnr: true,
    };
    let now = Timestamp(300);
    let relation = state.registerlandkarte();
    assert_eq!(
        relation.decide(&query("halten"), now, now),
        Ok(relation.rule("halten@1").unwrap())
    );
    assert_eq!(relation.decide(&query("fahren"), now, now), Err(Denied::NoRule));
    let set = sign(
        propose(&state, REGISTERLANDKARTE, 300, vec![end("rule/halten@1")]),
        &[1, 2],
    );
    let state = state.apply(REGISTERLANDKARTE, &set).unwrap();
    let ended = state.registerlandkarte().decide(&query("halten"), now, now);
    assert_eq!(ended, Err(Denied::NoRule));
}
