//! Invented entries and records for the tests.

use fixtures::exchange;
use record::{
    Check, CitizenPart, ExchangeResult, ExpiryDay, InspectionRecord, Kind, Outcome, PreviewDecision, PreviewResult,
    ReleaseRecord, ReleasedDatum, SharedPart, Why,
};
use tlog::Hash;

use crate::proof::access::{EntryStamp, OpenedEntry};

/// 21.11.2026, 14:03 German time.
pub(crate) const TIME: u64 = 1_795_266_180;

pub(crate) fn result(outcome: Outcome) -> ExchangeResult {
    ExchangeResult {
        outcome,
        told: "Nachweis übermittelt".into(),
        checks: vec![Check {
            name: "abstract permission".into(),
            passed: true,
            algorithm: "Ed25519".into(),
        }],
        evidence_digest: Some(Hash([8; 32])),
        answer_digest: Some(Hash([9; 32])),
        provider_signature: Some([10; 64]),
    }
}

pub(crate) fn intent() -> OpenedEntry {
    OpenedEntry {
        stamp: EntryStamp { index: 17, time: TIME },
        kind: Kind::Intent,
        refers: None,
        shared: Some(SharedPart::Exchange(Box::new(exchange(None)))),
        citizen: None,
        expiry: ExpiryDay(21_509),
    }
}

pub(crate) fn outcome(outcome: Outcome) -> OpenedEntry {
    OpenedEntry {
        stamp: EntryStamp {
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

/// The decision at the preview of the outcome's evidence.
pub(crate) fn preview(decision: PreviewDecision) -> OpenedEntry {
    let mut preview = outcome(Outcome::Delivered);
    preview.kind = Kind::Preview;
    preview.stamp = EntryStamp {
        index: 21,
        time: TIME + 60,
    };
    preview.citizen = None;
    if let Some(SharedPart::Exchange(record)) = &mut preview.shared {
        record.preview = Some(PreviewResult {
            decision,
            consumer_signature: Some([11; 64]),
        });
    }
    preview
}

pub(crate) fn inspection() -> OpenedEntry {
    OpenedEntry {
        stamp: EntryStamp { index: 23, time: TIME },
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

pub(crate) fn release() -> OpenedEntry {
    let exchange = exchange(None);
    let datum = |title: &str, rule: &str| ReleasedDatum {
        title: title.into(),
        legal_basis: "§ 6 Absatz 1 IDNrG".into(),
        permission: format!("{rule}@1"),
    };
    OpenedEntry {
        shared: Some(SharedPart::Release(Box::new(ReleaseRecord {
            receiver: exchange.provider,
            why: Why {
                purpose: "registermodernisierung".into(),
                occasion: "Aufnahme der Identifikationsnummer in ein Register".into(),
                procedure: "registermodernisierung".into(),
                legal_basis: "§ 6 Absatz 1 IDNrG".into(),
            },
            data: vec![
                datum("Identifikationsnummer", "register-idnr"),
                datum("Familienname", "register-idnr-familienname"),
            ],
            registerlandkarte: Hash([12; 32]),
            lifecycle: exchange.lifecycle,
        }))),
        ..inspection()
    }
}

/// Intent and outcome of a request that the citizen has caused.
pub(crate) fn own_request(ended: Outcome) -> Vec<OpenedEntry> {
    let mut opened = vec![intent(), outcome(ended)];
    for entry in &mut opened {
        if let Some(SharedPart::Exchange(record)) = &mut entry.shared {
            record.why.purpose = record::content::OWN_REQUEST.into();
        }
    }
    opened
}
