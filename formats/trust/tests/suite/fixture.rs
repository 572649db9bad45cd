//! A small directory and Registerlandkarte, and sets that are signed by its authorities.

use std::collections::BTreeSet;

use record::{DisclosureClass, IdentityKeys, Kind, RetentionClass, SigningKey, Sorted, Timestamp, WriterGrant};
use registerlandkarte::{
    AreaRelation, BodyClass, Consumer, EvidenceType, Interval, Norm, NormSource, Provider, RegisterType, Rule, Subjects,
};
use tlog::checkpoint::Origin;
use tlog::merkle::Index;
use trust::{
    Ars, Authorities, Authority, Body, BodyRole, CertificateAuthorities, ChangeSet, Component, ComponentState,
    Delegation, Forms, History, Level, Operation, Position, ServedRegister, SignedChangeSet, SupervisionKey, Threshold,
    TrustKind, TrustState, Value,
};

pub(crate) const DIRECTORY: TrustKind = TrustKind::Directory;
pub(crate) const REGISTERLANDKARTE: TrustKind = TrustKind::Registerlandkarte;

pub(crate) fn seed(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32])
}

pub(crate) fn origin() -> Origin {
    "log.example/einsicht".parse().unwrap()
}

pub(crate) fn threshold(number: u8) -> Threshold {
    Threshold::new(number).unwrap()
}

/// Before the first sets, with the authorities 1, 2 and 3 of which two must sign.
pub(crate) fn genesis() -> TrustState {
    let keys = [1, 2, 3].map(|number| seed(number).public());
    TrustState::new(origin(), Authorities::genesis(&keys, threshold(2)).unwrap())
}

pub(crate) fn authority(number: u8, signs: &[TrustKind]) -> Value {
    Value::Authority(Authority {
        name: format!("Registerbehörde {number}").parse().unwrap(),
        key: seed(number).public(),
        signs: signs.iter().copied().collect(),
    })
}

pub(crate) fn writer(name: &str, key: u8) -> Value {
    Value::Writer(WriterGrant {
        name: name.into(),
        key: seed(key).public(),
        kinds: vec![Kind::Lost, Kind::Directory],
    })
}

pub(crate) fn body(id: &str) -> Value {
    Value::Body(Box::new(Body {
        id: id.parse().unwrap(),
        name: "Stadt Musterhausen".parse().unwrap(),
        level: Level::Municipal,
        ars: "053150000000".parse().unwrap(),
        classes: Sorted::from(["parken".parse().unwrap()]),
        roles: BTreeSet::from([BodyRole::Responsible]),
        contact: "klaerung@stadt.example".parse().unwrap(),
        data_protection: "datenschutz@stadt.example".parse().unwrap(),
        forms: Forms {
            subject: "die ~".parse().unwrap(),
            at: "bei der ~".parse().unwrap(),
        },
    }))
}

pub(crate) fn component(id: &str, key: u8) -> Value {
    Value::Component(Box::new(Component {
        id: id.parse().unwrap(),
        directory: "DVDV".parse().unwrap(),
        identifier: "ags:05315000".parse().unwrap(),
        name: "k-1".parse().unwrap(),
        signing_key: seed(key).public(),
        sealing_key: [key; 32],
        previous: None,
        consumer: true,
        provider: false,
        body: "stadt".parse().unwrap(),
        operator: Some("rz".parse().unwrap()),
        state: ComponentState::Active,
        serves: Sorted::default(),
        endpoint: None,
        software: None,
        ceilings: None,
    }))
}

pub(crate) fn delegation(id: &str, [operator, body, component]: [&str; 3], valid: Interval) -> Value {
    Value::Delegation(Delegation {
        id: id.parse().unwrap(),
        operator: operator.parse().unwrap(),
        body: body.parse().unwrap(),
        component: component.parse().unwrap(),
        valid,
    })
}

/// Certificate authorities, each of one byte.
pub(crate) fn certificates(issuing: u8, accepted: &[u8]) -> Value {
    Value::CertificateAuthorities(Box::new(CertificateAuthorities {
        issuing: vec![issuing],
        accepted: accepted.iter().map(|byte| vec![*byte]).collect(),
    }))
}

pub(crate) fn between(from: u64, until: u64) -> Interval {
    Interval {
        from: Timestamp(from),
        until: Some(Timestamp(until)),
    }
}

pub(crate) fn identity() -> Value {
    Value::Identity(IdentityKeys {
        signing: seed(90).public(),
        sealing: [91; 32],
    })
}

pub(crate) fn supervision() -> Value {
    Value::Supervision(SupervisionKey { sealing: [92; 32] })
}

/// A component that serves the register of vehicles everywhere.
pub(crate) fn register_component(id: &str, key: u8) -> Value {
    let Value::Component(mut component) = component(id, key) else {
        panic!()
    };
    component.provider = true;
    component.serves = Sorted::from([ServedRegister {
        register: "zfzr".parse().unwrap(),
        areas: Sorted::from([Ars::federation()]),
    }]);
    Value::Component(component)
}

pub(crate) fn evidence(id: &str, uri: Option<&str>) -> Value {
    Value::Evidence(Box::new(EvidenceType {
        id: id.parse().unwrap(),
        uri: uri.map(|uri| uri.parse().unwrap()),
        register: "zfzr".parse().unwrap(),
        title: "Zulassungsbescheinigung Teil I".parse().unwrap(),
        categories: vec!["Halter".parse().unwrap()],
    }))
}

pub(crate) fn norm() -> Value {
    Value::Norm(Box::new(Norm {
        id: "stvg".parse().unwrap(),
        law: "StVG".parse().unwrap(),
        section: "§ 35".parse().unwrap(),
        heading: None,
        permits: "Beispielnorm".parse().unwrap(),
        source: NormSource {
            repository: "beispiel/gesetze".parse().unwrap(),
            path: "stvg.md".parse().unwrap(),
            commit: "0a".repeat(20).parse().unwrap(),
            read: "2026-11-29".parse().unwrap(),
        },
    }))
}

/// What rules refer to: a class, a type of register, a type of evidence, a norm.
pub(crate) fn catalogue() -> Vec<Operation> {
    let class = Value::Class(BodyClass {
        id: "parken".parse().unwrap(),
        name: "Straßenverkehrsbehörde".parse().unwrap(),
    });
    let register = Value::Register(Box::new(RegisterType {
        id: "zfzr".parse().unwrap(),
        name: "Zentrales Fahrzeugregister".parse().unwrap(),
        vip: None,
        idnrg: None,
        subjects: Subjects::Both,
        norm: "stvg".parse().unwrap(),
    }));
    [norm(), register, class, evidence("zb1", None)]
        .iter()
        .map(put)
        .collect()
}

/// The operations of a first Registerlandkarte with these rules.
pub(crate) fn rules(rules: &[Value]) -> Vec<Operation> {
    catalogue().into_iter().chain(rules.iter().map(put)).collect()
}

pub(crate) fn rule(id: &str, version: u32, purpose: &str) -> Value {
    Value::Permission(
        Rule {
            id: id.parse().unwrap(),
            version,
            consumer: Consumer::Class("parken".parse().unwrap()),
            provider: Provider::Register("zfzr".parse().unwrap()),
            evidence: "zb1".parse().unwrap(),
            purpose: purpose.parse().unwrap(),
            occasion: "Sie haben einen Bewohnerparkausweis beantragt.".parse().unwrap(),
            procedure: Some("99108005001000".parse().unwrap()),
            norms: vec!["stvg".parse().unwrap()],
            area: AreaRelation::Any,
            subjects: Subjects::Natural,
            idnr: true,
            preview: true,
            representation: false,
            retention: RetentionClass::IdnrG2y,
            disclosure: DisclosureClass::Immediate,
            valid: Interval::since(Timestamp(0)),
            recorded: Interval::since(Timestamp(0)),
        }
        .into(),
    )
}

pub(crate) fn put(value: &Value) -> Operation {
    Operation::put(value).unwrap()
}

pub(crate) fn end(key: &str) -> Operation {
    Operation::end(key.parse().unwrap())
}

/// The operations of the first directory: three authorities of which two must sign, two bodies, two components, one
/// delegation.
pub(crate) fn first_directory() -> Vec<Operation> {
    [
        authority(1, &TrustKind::ALL),
        authority(2, &TrustKind::ALL),
        authority(3, &TrustKind::ALL),
        Value::Threshold(threshold(2)),
        identity(),
        supervision(),
        writer("broker", 10),
        writer("operator", 11),
        body("stadt"),
        body("rz"),
        component("stadt.parken", 20),
        register_component("kba.zfzr", 21),
        delegation("d1", ["rz", "stadt", "stadt.parken"], between(100, 900)),
    ]
    .iter()
    .map(put)
    .collect()
}

pub(crate) fn propose(state: &TrustState, kind: TrustKind, valid_from: u64, operations: Vec<Operation>) -> ChangeSet {
    let reason = "Anlass der Änderung".parse().unwrap();
    state.propose(kind, Timestamp(valid_from), reason, operations).unwrap()
}

pub(crate) fn sign(set: ChangeSet, seeds: &[u8]) -> SignedChangeSet {
    let keys: Vec<SigningKey> = seeds.iter().copied().map(seed).collect();
    set.sign(&keys.iter().collect::<Vec<_>>()).unwrap()
}

/// The first directory, valid from 100.
pub(crate) fn first_set() -> SignedChangeSet {
    sign(propose(&genesis(), DIRECTORY, 100, first_directory()), &[1, 2])
}

/// The state after the first directory.
pub(crate) fn first_state() -> TrustState {
    genesis().apply(DIRECTORY, &first_set()).unwrap()
}

/// The history after the first directory and these sets.
pub(crate) fn history(sets: Vec<(TrustKind, Vec<Operation>)>) -> History {
    let first = (DIRECTORY, first_directory());
    let sets = [first].into_iter().chain(sets).zip(1_u32..);
    sets.fold(History::new(genesis()), |history, ((kind, operations), number)| {
        let set = sign(propose(history.state(), kind, 100, operations), &[1, 2]);
        let position = Position {
            index: Index::from(number),
            time: Timestamp(1000),
        };
        history.apply(kind, position, &set).unwrap()
    })
}
