//! Three towns, two of which are housing benefit authorities, their two Melderegister, and a register of vehicles.

use record::{DisclosureClass, RetentionClass, Timestamp};

use crate::*;

pub(super) const T: fn(u64) -> Timestamp = Timestamp;

pub(super) fn interval(from: u64, until: u64) -> Interval {
    Interval {
        from: T(from),
        until: Some(T(until)),
    }
}

fn always() -> Interval {
    Interval::since(T(10))
}

pub(super) fn class(id: &str) -> BodyClass {
    BodyClass {
        id: id.parse().unwrap(),
        name: "Wohngeldbehörde".parse().unwrap(),
    }
}

pub(super) fn register(id: &str, subjects: Subjects) -> RegisterType {
    RegisterType {
        id: id.parse().unwrap(),
        name: "Register".parse().unwrap(),
        vip: None,
        idnrg: None,
        subjects,
        norm: "bmg-34".parse().unwrap(),
    }
}

pub(super) fn evidence(id: &str, register: &str) -> EvidenceType {
    EvidenceType {
        id: id.parse().unwrap(),
        uri: None,
        register: register.parse().unwrap(),
        title: "Auskunft".parse().unwrap(),
        categories: vec!["Name".parse().unwrap(), "Anschrift".parse().unwrap()],
    }
}

pub(super) fn norm(id: &str) -> Norm {
    Norm {
        id: id.parse().unwrap(),
        law: "BMG".parse().unwrap(),
        section: "§ 34 Absatz 1 Satz 1".parse().unwrap(),
        heading: Some("Datenübermittlungen an andere öffentliche Stellen".parse().unwrap()),
        permits: "Eine Meldebehörde darf Daten übermitteln.".parse().unwrap(),
        source: NormSource {
            repository: "kmein/gesetze".parse().unwrap(),
            path: "laws/BMG-BJNR108410013.md".parse().unwrap(),
            commit: "0a".repeat(20).parse().unwrap(),
            read: "2026-11-29".parse().unwrap(),
        },
    }
}

pub(super) fn rule(id: &str, version: u32) -> Rule {
    Rule {
        id: id.parse().unwrap(),
        version,
        consumer: Consumer::Class("wohngeldbehoerde".parse().unwrap()),
        provider: Provider::Register("melderegister".parse().unwrap()),
        evidence: "anschrift".parse().unwrap(),
        purpose: "wohngeld".parse().unwrap(),
        occasion: "Antrag auf Wohngeld".parse().unwrap(),
        procedure: None,
        norms: vec!["bmg-34".parse().unwrap()],
        area: AreaRelation::Any,
        subjects: Subjects::Natural,
        idnr: false,
        preview: true,
        representation: false,
        retention: RetentionClass::IdnrG2y,
        disclosure: DisclosureClass::Immediate,
        valid: always(),
        recorded: always(),
    }
}

pub(super) fn body(id: &str, area: &str, classes: &[&str]) -> ListedBody {
    ListedBody {
        id: id.parse().unwrap(),
        name: "Stadt".parse().unwrap(),
        area: area.parse().unwrap(),
        classes: classes.iter().map(|class| class.parse().unwrap()).collect(),
        valid: always(),
        recorded: always(),
    }
}

pub(super) fn instance(component: &str, register: &str, body: &str, area: &str) -> RegisterInstance {
    RegisterInstance {
        component: component.parse().unwrap(),
        register: register.parse().unwrap(),
        body: body.parse().unwrap(),
        areas: [area.parse().unwrap()].into(),
        valid: always(),
        recorded: always(),
    }
}

pub(super) fn tables() -> Tables {
    Tables {
        classes: vec![class("wohngeldbehoerde"), class("gewerbebehoerde")],
        registers: vec![
            register("melderegister", Subjects::Natural),
            register("zfzr", Subjects::Both),
        ],
        evidence: vec![evidence("anschrift", "melderegister"), evidence("halter", "zfzr")],
        norms: vec![norm("bmg-34")],
        permissions: vec![rule("wohngeld", 1)],
        bodies: vec![
            body("stadt-a", "053155001001", &["wohngeldbehoerde", "gewerbebehoerde"]),
            body("stadt-b", "053155001002", &["wohngeldbehoerde"]),
            body("stadt-c", "053155001003", &["gewerbebehoerde"]),
        ],
        instances: vec![
            instance("melde-a", "melderegister", "stadt-a", "053155001001"),
            instance("melde-b", "melderegister", "stadt-b", "053155001002"),
            instance("kfz", "zfzr", "stadt-c", ""),
        ],
    }
}
