//! A small directory and Registerlandkarte, and sets that are signed by its authorities.

use std::collections::BTreeSet;

use record::{
    DisclosureClass, EvidenceInfo, IdentityKeys, Kind, Participant, Party, RetentionClass, SigningKey, Timestamp,
    WriterGrant,
};
use registerlandkarte::{Interval, Rule};
use tlog::checkpoint::Origin;
use trust::{
    Authorities, Authority, Body, BodyRole, ChangeSet, Delegation, Forms, Level, Operation, SignedChangeSet,
    SupervisionKey, Threshold, TrustKind, TrustState, Value,
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
        roles: BTreeSet::from([BodyRole::Responsible]),
        contact: "klaerung@stadt.example".parse().unwrap(),
        data_protection: "datenschutz@stadt.example".parse().unwrap(),
        forms: Forms {
            subject: "die Stadt Musterhausen".parse().unwrap(),
            at: "bei der Stadt Musterhausen".parse().unwrap(),
        },
    }))
}

pub(crate) fn component(id: &str, key: u8) -> Value {
    Value::Component(Box::new(Participant {
        party: Party {
            id: id.parse().unwrap(),
            directory: "DVDV".into(),
            identifier: "ags:05315000".into(),
            name: "Stadt Musterhausen".into(),
            component: "k-1".into(),
            responsible: "Stadt Musterhausen".into(),
            operating: "Rechenzentrum".into(),
        },
        signing_key: seed(key).public(),
        sealing_key: [key; 32],
        consumer: true,
        provider: false,
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

pub(crate) fn rule(id: &str, version: u32, purpose: &str) -> Value {
    Value::Rule(
        Rule {
            id: id.into(),
            version,
            consumer: "stadt.parken".parse().unwrap(),
            provider: "kba.zfzr".parse().unwrap(),
            evidence: EvidenceInfo {
                id: "zb1".into(),
                title: "Zulassungsbescheinigung Teil I".into(),
                categories: vec!["Halter".into()],
            },
            purpose: purpose.into(),
            occasion: "Sie haben einen Bewohnerparkausweis beantragt.".into(),
            procedure: "99108005001000".into(),
            legal_basis: "Beispielnorm".into(),
            idnr: true,
            preview: true,
            legal_persons: false,
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
        component("kba.zfzr", 21),
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
