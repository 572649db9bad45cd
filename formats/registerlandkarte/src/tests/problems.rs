//! Each problem is found where it is.

use super::sample::*;
use crate::*;

/// The problems after a change of the sample, as text.
fn problems(change: impl Fn(&mut Tables)) -> Vec<String> {
    let mut tables = tables();
    change(&mut tables);
    let problems = check(&tables);
    assert_eq!(Registerlandkarte::new(tables).is_err(), !problems.is_empty());
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_sample_has_no_problem() {
    assert_eq!(problems(|_| {}), Vec::<String>::new());
}

/// A change of the sample, and the problem that it makes.
type Case<'a> = (fn(&mut Tables), &'a str);

const NAMES: &[Case<'_>] = &[
    (
        (|t| t.classes.push(class("gewerbebehoerde"))),
        "class 3, id: gewerbebehoerde is defined twice",
    ),
    (
        |t| t.registers.push(register("zfzr", Subjects::Both)),
        "register 3, id: zfzr is defined twice",
    ),
    (
        |t| t.evidence.push(evidence("halter", "zfzr")),
        "evidence 3, id: halter is defined twice",
    ),
    (|t| t.norms.push(norm("bmg-34")), "norm 2, id: bmg-34 is defined twice"),
    (
        |t| t.registers[0].norm = "x".parse().unwrap(),
        "register 1, norm: there is no norm x",
    ),
    (
        |t| t.evidence.push(evidence("neu", "x")),
        "evidence 3, register: there is no register x",
    ),
    (
        |t| t.permissions[0].norms.push("x".parse().unwrap()),
        "permission 1, norms: there is no norm x",
    ),
    (
        |t| t.permissions[0].consumer = Consumer::Class("x".parse().unwrap()),
        "permission 1, class: there is no class x",
    ),
    (
        |t| t.permissions[0].consumer = Consumer::Body("x".parse().unwrap()),
        "permission 1, body: there is no body x",
    ),
    (
        |t| t.permissions[0].provider = Provider::Register("x".parse().unwrap()),
        "permission 1, register: there is no register x",
    ),
    (
        |t| t.permissions[0].provider = Provider::Component("kfz".parse().unwrap()),
        "permission 1, component: no component kfz serves the register melderegister",
    ),
    (
        |t| t.permissions[0].evidence = "x".parse().unwrap(),
        "permission 1, evidence: there is no evidence x",
    ),
    (
        |t| t.bodies.push(body("neu", "05", &["x"])),
        "body 4, classes: there is no class x",
    ),
    (
        |t| t.instances[0].register = "x".parse().unwrap(),
        "instance 1, register: there is no register x",
    ),
    (
        |t| t.instances[0].body = "x".parse().unwrap(),
        "instance 1, body: there is no body x",
    ),
    (
        |t| t.registers.iter_mut().for_each(|register| register.vip = Some(7)),
        "register 2, vip: melderegister has this VIP number too",
    ),
];

#[test]
fn names_must_be_unique_and_known() {
    for (change, expected) in NAMES {
        assert_eq!(problems(change), [*expected]);
    }
}

#[test]
fn a_row_must_agree_with_itself() {
    for (change, expected) in [
        (
            (|t| t.permissions[0].evidence = "halter".parse().unwrap()) as fn(&mut Tables),
            "permission 1, register: the evidence halter comes from the register zfzr",
        ),
        (
            |t| t.permissions[0].norms.clear(),
            "permission 1, norms: the list is empty",
        ),
        (
            |t| t.permissions[0].norms = vec!["bmg-34".parse().unwrap(); 2],
            "permission 1, norms: bmg-34 is in the list twice",
        ),
        (
            |t| t.evidence[0].categories.clear(),
            "evidence 1, categories: the list is empty",
        ),
        (
            |t| t.evidence[0].categories = vec!["Name".parse().unwrap(); 2],
            "evidence 1, categories: Name is in the list twice",
        ),
        (
            |t| t.instances[0].areas = [].into(),
            "instance 1, areas: the list is empty",
        ),
        (
            |t| t.permissions[0].version = 0,
            "permission 1, version: the version is 0; versions count from 1",
        ),
        (
            |t| t.permissions[0].version = 2,
            "permission 1, version: the version before wohngeld@2 is missing",
        ),
        (
            |t| t.permissions[0].valid = interval(20, 20),
            "permission 1, valid_until: the time ends before it begins, so it is empty",
        ),
        (
            |t| t.bodies[0].recorded = interval(20, 10),
            "body 1, recorded_until: the time ends before it begins, so it is empty",
        ),
        (
            |t| t.permissions[0].subjects = Subjects::Legal,
            "permission 1, subjects: the register melderegister has no data of such persons",
        ),
    ] {
        assert_eq!(problems(change), [expected]);
    }
    let legal_persons_with_idnr = problems(|t| {
        t.permissions.push(Rule {
            provider: Provider::Register("zfzr".parse().unwrap()),
            evidence: "halter".parse().unwrap(),
            subjects: Subjects::Both,
            idnr: true,
            ..rule("halter", 1)
        });
    });
    assert_eq!(
        legal_persons_with_idnr,
        ["permission 2, idnr: the IDNr cannot be used for legal persons, who have none"]
    );
}

#[test]
fn two_rows_must_not_say_the_same_at_the_same_time() {
    let twice = problems(|t| t.permissions.push(rule("auch-wohngeld", 1)));
    assert_eq!(
        twice,
        ["permission 2, id: wohngeld@1 permits the same at the same time"]
    );
    let version = problems(|t| t.permissions.push(rule("wohngeld", 1)));
    assert_eq!(version, ["permission 2, id: there are two permissions wohngeld@1"]);
    let other_class = problems(|t| {
        let consumer = Consumer::Class("gewerbebehoerde".parse().unwrap());
        t.permissions.push(Rule {
            consumer,
            ..rule("gewerbe", 1)
        });
    });
    assert_eq!(
        other_class,
        ["permission 2, class: wohngeld@1 permits the body stadt-a the same at the same time"]
    );
    let body_twice = problems(|t| t.bodies.push(t.bodies[0].clone()));
    assert_eq!(
        body_twice,
        ["body 4, id: the body stadt-a has another entry at the same time"]
    );
    let component_twice = problems(|t| t.instances.push(instance("kfz", "zfzr", "stadt-c", "05")));
    assert_eq!(
        component_twice,
        ["instance 4, component: the component kfz has another entry for the register zfzr at the same time"]
    );
    let competent_twice = problems(|t| t.instances.push(instance("kfz-2", "zfzr", "stadt-c", "")));
    assert_eq!(
        competent_twice,
        ["instance 4, areas: the component kfz is competent for the same register and area at the same time"]
    );
}

#[test]
fn two_classes_of_a_body_are_compared_whatever_other_classes_there_are() {
    let third = problems(|t| {
        t.classes.push(class("dritte"));
        t.bodies[0].classes = ["gewerbebehoerde", "dritte"].map(|id| id.parse().unwrap()).into();
        for (id, class) in [("gewerbe", "gewerbebehoerde"), ("dritte", "dritte")] {
            let consumer = Consumer::Class(class.parse().unwrap());
            t.permissions.push(Rule {
                consumer,
                ..rule(id, 1)
            });
        }
    });
    // No body is both in the class of the first permission and in another one.
    assert_eq!(
        third,
        ["permission 3, class: gewerbe@1 permits the body stadt-a the same at the same time"]
    );
}

#[test]
fn rows_that_follow_each_other_in_time_agree() {
    let followed = problems(|t| {
        t.permissions[0].valid = interval(10, 60);
        t.permissions.push(Rule {
            valid: Interval::since(T(60)),
            ..rule("wohngeld", 2)
        });
        t.bodies[0].recorded = interval(10, 60);
        let mut later = t.bodies[0].clone();
        later.recorded = Interval::since(T(60));
        t.bodies.push(later);
    });
    assert_eq!(followed, Vec::<String>::new());
}

#[test]
fn every_table_is_read_back_from_its_bytes() {
    let tables = tables();
    assert_eq!(
        record::cbor::from_slice::<Tables>(&record::cbor::to_vec(&tables)).as_ref(),
        Ok(&tables)
    );
    // A change of one rule is far from the bound of 16 KiB that a value of a change set has.
    assert!(record::cbor::to_vec(&tables.permissions[0]).len() < 600);
}
