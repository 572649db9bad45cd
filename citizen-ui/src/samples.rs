//! Invented records for the tests.

use record::{
    Allowed, Assurance, Check, CitizenPart, ConsumerSignatures, DisclosureClass, EvidenceInfo, ExchangeRecord,
    ExchangeResult, ExpiryDay, Ids, InspectionRecord, Kind, Lifecycle, Outcome, ParticipantId, Party, RetentionClass,
    SharedPart, SubjectRole, Why,
};
use tlog::Hash;

use crate::access::{Opened, Stamp};

/// 21.11.2026, 14:03 German time.
pub(crate) const TIME: u64 = 1_795_266_180;

fn party(id: &str, name: &str, component: &str) -> Party {
    Party {
        id: ParticipantId::new(id).unwrap_or_else(|_| unreachable!("a valid id")),
        directory: "DVDV".into(),
        identifier: format!("ags-{id}"),
        name: name.into(),
        component: component.into(),
        responsible: format!("{name}, Fachamt"),
        operating: "Rechenzentrum Muster".into(),
    }
}

pub(crate) fn exchange(result: Option<ExchangeResult>) -> ExchangeRecord {
    ExchangeRecord {
        ids: Ids {
            exchange: "0199a5b0-0000-7000-8000-000000000001".parse().unwrap_or_default(),
            message: "0199a5b0-0000-4000-8000-000000000002".parse().unwrap_or_default(),
            request_reference: "BPA-2026-17".into(),
            trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
            test: true,
        },
        consumer: party("musterhausen", "Stadt Musterhausen", "Bewohnerparken"),
        provider: party("kba", "Kraftfahrt-Bundesamt", "Zentrales Fahrzeugregister"),
        evidence: EvidenceInfo {
            id: "zulassung-1".into(),
            title: "Zulassungsbescheinigung Teil I".into(),
            categories: vec!["Fahrzeug".into(), "Halter".into()],
        },
        request_digest: Hash([1; 32]),
        why: Why {
            purpose: "bewohnerparken".into(),
            occasion: "Antrag auf einen Bewohnerparkausweis".into(),
            procedure: "99108008001000".into(),
            legal_basis: "§ 45 Abs. 1b StVO".into(),
        },
        allowed_by: Allowed {
            permission: "bewohnerparken@1".into(),
            registry: Hash([2; 32]),
        },
        role: SubjectRole::DataSubject,
        idnr_used: true,
        assurance: Assurance::High,
        synchronous: true,
        lifecycle: Lifecycle {
            retention: RetentionClass::IdnrG2y,
            expiry: ExpiryDay(21_509),
            disclosure: DisclosureClass::Immediate,
        },
        consumer_signatures: ConsumerSignatures {
            s1: [3; 64],
            s2: [4; 64],
            s1_digest: Hash([5; 32]),
            sealed_request: Hash([6; 32]),
            answer_key: [7; 32],
        },
        result,
    }
}

pub(crate) fn result(outcome: Outcome) -> ExchangeResult {
    ExchangeResult {
        outcome,
        told: "Nachweis übermittelt".into(),
        checks: vec![Check {
            name: "P1".into(),
            passed: true,
            algorithm: "Ed25519".into(),
        }],
        evidence_digest: Some(Hash([8; 32])),
        answer_digest: Some(Hash([9; 32])),
        provider_signature: Some([10; 64]),
    }
}

pub(crate) fn intent() -> Opened {
    Opened {
        stamp: Stamp { index: 17, time: TIME },
        kind: Kind::Intent,
        refers: None,
        shared: Some(SharedPart::Exchange(Box::new(exchange(None)))),
        citizen: None,
        expiry: ExpiryDay(21_509),
    }
}

pub(crate) fn outcome(outcome: Outcome) -> Opened {
    Opened {
        stamp: Stamp {
            index: 19,
            time: TIME + 1,
        },
        kind: Kind::Outcome,
        refers: Some(17),
        shared: Some(SharedPart::Exchange(Box::new(exchange(Some(result(outcome)))))),
        citizen: Some(CitizenPart::with_reason("Halterdaten stimmen nicht überein")),
        expiry: ExpiryDay(21_509),
    }
}

pub(crate) fn inspection() -> Opened {
    Opened {
        stamp: Stamp { index: 23, time: TIME },
        kind: Kind::Inspection,
        refers: None,
        shared: Some(SharedPart::Inspection(InspectionRecord {
            reader: "Datenschutzcockpit".into(),
            reason: "own-login".into(),
            day: 20_778,
        })),
        citizen: None,
        expiry: ExpiryDay(21_509),
    }
}
