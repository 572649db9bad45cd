//! Which version of directory and Registerlandkarte decides.

use messages::SealingKey;
use record::{IdentityKeys, Timestamp};
use registerlandkarte::Rule;
use trust::{Operation, Section, TrustKind, Value};

use super::*;
use crate::fixture::{TrustChange, broker_grant, component, end, put};

const DIRECTORY: TrustKind = TrustKind::Directory;
const REGISTERLANDKARTE: TrustKind = TrustKind::Registerlandkarte;
/// When the change sets of these tests were logged: the grace ends ten seconds after the intent.
const CHANGED: Timestamp = NOW.before(50);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn change(kind: TrustKind, operations: Vec<Operation>) -> TrustChange {
    TrustChange {
        kind,
        time: CHANGED,
        operations,
    }
}

/// A plan whose intent comes after the change.
fn after(kind: TrustKind, operations: Vec<Operation>) -> Plan {
    Plan {
        changes: vec![change(kind, operations)],
        ..Plan::default()
    }
}

/// An exchange whose intent comes before the change.
fn before(kind: TrustKind, operations: Vec<Operation>) -> Prepared {
    let mut prepared = Plan::default().build();
    prepared.change(kind, CHANGED, operations);
    prepared
}

fn consumer_with(seed: u8) -> Vec<Operation> {
    put(&component(
        "stadt-a",
        &key(seed),
        &SealingKey::from_seed([11; 32]),
        true,
    ))
}

/// Checks that the exchange is served until the grace ends, and that P7 refuses it from then on.
fn served_within_the_grace(prepared: &Prepared, why: &'static str) {
    run(prepared, 9).unwrap();
    let failure = run(prepared, 10).unwrap_err();
    let check = CheckName::P7;
    assert_eq!(failure, CheckFailed { check, why });
}

const DIRECTORY_SUPERSEDED: &str = "the directory of the intent was superseded too long ago";
const REGISTERLANDKARTE_SUPERSEDED: &str =
    "the record names a version of the Registerlandkarte that was superseded too long ago";

#[test]
fn p2_a_new_exchange_of_a_component_that_was_removed_is_refused() {
    let failure = run(&after(DIRECTORY, end(Section::Component, "stadt-a")).build(), 1).unwrap_err();
    let (check, why) = (CheckName::P2, "the consumer is not in the directory");
    assert_eq!(failure, CheckFailed { check, why });
    let provider = after(DIRECTORY, end(Section::Component, "kba")).build();
    assert_eq!(run(&provider, 1).unwrap_err().check, CheckName::P6);
}

#[test]
fn p7_an_exchange_from_before_a_removal_is_served_for_60_s() {
    let prepared = before(DIRECTORY, end(Section::Component, "stadt-a"));
    served_within_the_grace(&prepared, DIRECTORY_SUPERSEDED);
}

#[test]
fn p7_a_rule_that_has_ended_permits_an_exchange_from_before_for_60_s() {
    let ended = end(Section::Permission, "bewohnerparken@1");
    let prepared = before(REGISTERLANDKARTE, ended.clone());
    served_within_the_grace(&prepared, REGISTERLANDKARTE_SUPERSEDED);
    let failure = run(&after(REGISTERLANDKARTE, ended).build(), 1).unwrap_err();
    let (check, why) = (CheckName::P7, "no rule permits this exchange");
    assert_eq!(failure, CheckFailed { check, why });
}

/// The broker may decide by a version that another one has just replaced.
#[test]
fn p7_a_record_may_name_a_version_that_was_superseded_before_its_intent() {
    let first = World::new().registerlandkarte();
    let named = |hash: Hash| Plan {
        record: Box::new(move |record| record.allowed_by.registerlandkarte = hash),
        ..after(REGISTERLANDKARTE, end(Section::Permission, "bewohnerparken@1"))
    };
    served_within_the_grace(&named(first).build(), REGISTERLANDKARTE_SUPERSEDED);
}

#[test]
fn p7_a_record_that_names_a_version_from_after_its_intent_is_refused() {
    let rule = Rule {
        occasion: "another occasion".parse().unwrap(),
        ..rule()
    };
    let put = put(&Value::Permission(rule.into()));
    let second = {
        let prepared = before(REGISTERLANDKARTE, put.clone());
        prepared.world.registerlandkarte()
    };
    let mut prepared = Plan {
        record: Box::new(move |record| record.allowed_by.registerlandkarte = second),
        ..Plan::default()
    }
    .build();
    prepared.change(REGISTERLANDKARTE, CHANGED, put);
    assert_eq!(prepared.world.registerlandkarte(), second);
    let why = "the record names a version of the Registerlandkarte that was not in force yet";
    let check = CheckName::P7;
    assert_eq!(run(&prepared, 1).unwrap_err(), CheckFailed { check, why });
}

#[test]
fn p2_a_key_that_was_replaced_counts_for_what_it_signed_before_only() {
    run(&before(DIRECTORY, consumer_with(31)), 1).unwrap();
    assert_eq!(
        run(&after(DIRECTORY, consumer_with(31)).build(), 1).unwrap_err().check,
        CheckName::P2
    );
}

#[test]
fn p3_a_key_of_identity_that_was_replaced_counts_for_what_it_signed_before_only() {
    let replaced = || {
        put(&Value::Identity(IdentityKeys {
            signing: key(32).public(),
            sealing: [8; 32],
        }))
    };
    run(&before(DIRECTORY, replaced()), 1).unwrap();
    assert_eq!(
        run(&after(DIRECTORY, replaced()).build(), 1).unwrap_err().check,
        CheckName::P3
    );
}

/// The chain has entries of the old key, and the intent is of the new one.
#[test]
fn p1_and_p5_a_writer_is_judged_at_the_index_of_each_entry() {
    let replaced = || put(&Value::Writer(broker_grant(&key(33))));
    run(&before(DIRECTORY, replaced()), 1).unwrap();
    assert_eq!(
        run(&after(DIRECTORY, replaced()).build(), 1).unwrap_err().check,
        CheckName::P1
    );
    let plan = Plan {
        writer: Some(key(33)),
        ..after(DIRECTORY, replaced())
    };
    run(&plan.build(), 1).unwrap();
}

#[test]
fn p6_a_name_counts_as_it_was_at_the_intent() {
    let renamed = || {
        let mut body = fixtures::values::body();
        body.name = "Stadt A".parse().unwrap();
        put(&Value::Body(Box::new(body)))
    };
    run(&before(DIRECTORY, renamed()), 1).unwrap();
    assert_eq!(
        run(&after(DIRECTORY, renamed()).build(), 1).unwrap_err().check,
        CheckName::P6
    );
}
