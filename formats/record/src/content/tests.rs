#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::cbor;

pub(crate) fn party(id: &str) -> Party {
    Party {
        id: id.parse().unwrap(),
        directory: "DVDV".into(),
        identifier: "ags:053150000000".into(),
        name: "Stadt Köln, Amt für Verkehrsmanagement, Bewohnerparkausweise".into(),
        component: "noots-dc-4711-0815".into(),
        responsible: "Stadt Köln".into(),
        operating: "Kommunales Rechenzentrum Niederrhein".into(),
        subject: "die Stadt Köln, Amt für Verkehrsmanagement, Bewohnerparkausweise".into(),
        at: "bei der Stadt Köln, Amt für Verkehrsmanagement, Bewohnerparkausweise".into(),
        contact: "poststelle@stadt-koeln.example".into(),
        data_protection: "datenschutz@stadt-koeln.example".into(),
    }
}

/// A complete record with texts of realistic length.
pub(crate) fn exchange() -> ExchangeRecord {
    let check = |name: &str| Check {
        name: name.into(),
        passed: true,
        algorithm: "ECVRF-RISTRETTO255-SHA512".into(),
    };
    ExchangeRecord {
        ids: Ids {
            exchange: Uuid::from_u128(1),
            message: Uuid::from_u128(2),
            request_reference: "Az. 32-BPA-2026-000123".into(),
            trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
            test: false,
        },
        consumer: party("stadt-koeln.parken"),
        provider: party("kba.zfzr"),
        evidence: EvidenceInfo {
            id: "https://sr.oots.tech.ec.europa.eu/evidencetypeclassifications/DE/00000000-0000-0000-0000-000000000001"
                .into(),
            title: "Angaben der Zulassungsbescheinigung Teil I".into(),
            categories: vec![
                "Kennzeichen".into(),
                "Halter: Name und Anschrift".into(),
                "Fahrzeugdaten".into(),
            ],
        },
        request_digest: Hash([1; 32]),
        why: Why {
            purpose: "bewohnerparkausweis".into(),
            occasion: "Sie haben einen Bewohnerparkausweis beantragt.".into(),
            procedure: "99108005001000".into(),
            legal_basis: "§ 35 Absatz 1 Nummer 3 StVG in Verbindung mit § 45 Absatz 1b StVO".into(),
        },
        allowed_by: Allowed {
            permission: "koeln-parken-zfzr@1".into(),
            registerlandkarte: Hash([2; 32]),
        },
        subject: Subject::Natural,
        role: SubjectRole::DataSubject,
        representation: None,
        idnr_used: true,
        assurance: Assurance::Substantial,
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
        result: Some(ExchangeResult {
            outcome: Outcome::Delivered,
            told: "Der Nachweis wurde übermittelt.".into(),
            checks: ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9"]
                .map(check)
                .to_vec(),
            evidence_digest: Some(Hash([8; 32])),
            answer_digest: None,
            provider_signature: Some([9; 64]),
        }),
        preview: None,
    }
}

#[test]
fn every_shape_is_read_back() {
    let intent = ExchangeRecord {
        result: None,
        ..exchange()
    };
    let previews = PreviewDecision::ALL.map(|decision| {
        let signed = decision != PreviewDecision::NotMade;
        SharedPart::Exchange(Box::new(ExchangeRecord {
            preview: Some(PreviewResult {
                decision,
                consumer_signature: signed.then_some([10; 64]),
            }),
            ..exchange()
        }))
    });
    let inspection = InspectionRecord {
        reader: "Datenschutzcockpit".into(),
        reason: "Auskunft".into(),
        day: 1,
    };
    let void = VoidRecord {
        consumer: "stadt".parse().unwrap(),
        s1_digest: Hash([1; 32]),
    };
    // Identity releases at most the IDNr and five base data.
    let release = ReleaseRecord {
        receiver: exchange().consumer,
        why: exchange().why,
        data: vec![
            ReleasedDatum {
                title: "Postleitzahl der Anschrift".into(),
                legal_basis: "§ 6 Absatz 1 IDNrG, § 4 Absatz 2 IDNrG".into(),
                permission: "register-idnr-postleitzahl@1".into(),
            };
            6
        ],
        registerlandkarte: Hash([1; 32]),
        lifecycle: exchange().lifecycle,
    };
    for part in [
        SharedPart::Release(Box::new(release)),
        SharedPart::Exchange(Box::new(exchange())),
        SharedPart::Exchange(Box::new(intent)),
        SharedPart::Inspection(inspection),
        SharedPart::Void(void),
        SharedPart::Denied,
    ]
    .into_iter()
    .chain(previews)
    {
        let bytes = cbor::to_vec(&part);
        assert!(bytes.len() < 4096, "fits the first size class: {}", bytes.len());
        assert_eq!(cbor::from_slice::<SharedPart>(&bytes).unwrap(), part);
        let json = serde_json::to_string(&part).unwrap();
        assert_eq!(serde_json::from_str::<SharedPart>(&json).unwrap(), part);
    }
    let denial = DenialRecord {
        ids: exchange().ids,
        consumer: "stadt".parse().unwrap(),
        provider: "kba".parse().unwrap(),
        evidence_type: "x".into(),
        purpose: "y".into(),
        idnr_used: false,
        reason: "no rule permits this".into(),
        registerlandkarte: Hash([1; 32]),
    };
    let part = SupervisionPart {
        official: "7f3a".into(),
        denial: Some(Box::new(denial)),
    };
    assert_eq!(cbor::from_slice::<SupervisionPart>(&cbor::to_vec(&part)).unwrap(), part);
}

#[test]
fn unknown_fields_are_refused() {
    let mut json = serde_json::to_value(SharedPart::Exchange(Box::new(exchange()))).unwrap();
    json["exchange"]["vehicle"] = "…".into();
    assert!(serde_json::from_value::<SharedPart>(json).is_err());
}
