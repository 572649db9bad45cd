//! What the parts of a record say (design §4): the facts that the cockpit shows in words. CBOR maps with text keys, written
//! by [`crate::cbor`].
//!
//! What must never stand here: IDNr, names of persons, values of evidence. Digests of guessable contents are salted, and the
//! salt stands elsewhere.

use serde::{Deserialize, Serialize};
use tlog::Hash;
use uuid::Uuid;

use crate::bytes;
use crate::id::ParticipantId;
use crate::time::{DisclosureClass, ExpiryDay, RetentionClass};

/// The part for both parties, the citizen and supervision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SharedPart {
    /// Of an intent, an outcome or a preview.
    Exchange(Box<ExchangeRecord>),
    /// Of an inspection.
    Inspection(InspectionRecord),
    /// Of a void.
    Void(VoidRecord),
    /// Of a denial: nothing here, everything stands in the supervision part.
    Denied,
}

/// The part that the requester does not see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CitizenPart {
    /// Why really, where the requester was told less.
    pub internal_reason: Option<String>,
}

impl CitizenPart {
    /// What always fits into the part, in bytes of UTF-8.
    pub const MAX_REASON: usize = 200;

    /// The part with a reason, cut at a character's end if it is longer than [`CitizenPart::MAX_REASON`].
    #[must_use]
    pub fn with_reason(reason: &str) -> Self {
        Self {
            internal_reason: Some(reason[..reason.floor_char_boundary(Self::MAX_REASON)].to_owned()),
        }
    }
}

/// The plaintext of the supervision part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupervisionPart {
    /// Pseudonymous handle of the official who asked.
    pub official: String,
    /// For a denial: everything that is known about it.
    pub denial: Option<Box<DenialRecord>>,
}

/// What was asked for and refused, without a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenialRecord {
    /// Identifiers of the attempt.
    pub ids: Ids,
    /// Who asked.
    pub consumer: ParticipantId,
    /// Who was asked.
    pub provider: ParticipantId,
    /// For which evidence.
    pub evidence_type: String,
    /// For which purpose.
    pub purpose: String,
    /// Whether the IDNr was to be used.
    pub idnr_used: bool,
    /// Why it was refused; the requester is told only that it was.
    pub reason: String,
    /// The Registerlandkarte that the decision was made on.
    #[serde(with = "bytes")]
    pub registry: Hash,
}

/// An exchange of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRecord {
    /// Identifiers.
    pub ids: Ids,
    /// Who asked.
    pub consumer: Party,
    /// Who was asked.
    pub provider: Party,
    /// For what.
    pub evidence: EvidenceInfo,
    /// SHA-256(salt ‖ request); the salt stands only inside the sealed request.
    #[serde(with = "bytes")]
    pub request_digest: Hash,
    /// Why.
    pub why: Why,
    /// By which permission.
    pub allowed_by: Allowed,
    /// In which role the person is concerned.
    pub role: SubjectRole,
    /// Whether the IDNr was used (§ 10 (1) OZG shows those).
    pub idnr_used: bool,
    /// Level of assurance of the person's login at the requester.
    pub assurance: Assurance,
    /// Whether the person was waiting.
    pub synchronous: bool,
    /// How long the record is kept and when it is shown.
    pub lifecycle: Lifecycle,
    /// What binds the requester.
    pub consumer_signatures: ConsumerSignatures,
    /// How it went; none in an intent's record.
    pub result: Option<ExchangeResult>,
}

/// Identifiers of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    /// UUIDv7 of the exchange.
    pub exchange: Uuid,
    /// Of the XNachweis message; the answer has the same.
    pub message: Uuid,
    /// The requester's own reference.
    pub request_reference: String,
    /// W3C traceparent.
    pub trace: String,
    /// XNachweis `@test`.
    pub test: bool,
}

/// An authority's component, as the participants' directory names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its name in this system.
    pub id: ParticipantId,
    /// Verzeichnisdienst, e.g. `DVDV`.
    pub directory: String,
    /// Kennung in that directory.
    pub identifier: String,
    /// The authority's name in plain words.
    pub name: String,
    /// Komponenten-ID.
    pub component: String,
    /// Fachverantwortliche Stelle.
    pub responsible: String,
    /// Betriebsverantwortliche Stelle.
    pub operating: String,
}

/// A type of evidence and what it contains.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceInfo {
    /// Identifier of the type.
    pub id: String,
    /// Its title in plain words.
    pub title: String,
    /// Data categories, never values.
    pub categories: Vec<String>,
}

/// Why the evidence was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// Purpose code.
    pub purpose: String,
    /// Anlass in plain words.
    pub occasion: String,
    /// LeiKa or SDG code of the procedure.
    pub procedure: String,
    /// Reference to the norm.
    pub legal_basis: String,
}

/// The permission, so that the decision can be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    /// `id@version` of the rule.
    pub permission: String,
    /// Digest of the Registerlandkarte it stands in.
    #[serde(with = "bytes")]
    pub registry: Hash,
}

/// How the person is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectRole {
    /// The evidence is about the person.
    DataSubject,
    /// The person acts for another.
    Representative,
    /// The person appears in another's matter.
    ThirdPerson,
}

/// eIDAS level of assurance of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assurance {
    /// Niedrig (normal).
    Low,
    /// Substanziell.
    Substantial,
    /// Hoch.
    High,
}

/// How long the record is kept and when it is shown: both belong to the permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// The law's class.
    pub retention: RetentionClass,
    /// At the end of this day it is erased.
    pub expiry: ExpiryDay,
    /// Whether it is shown at once.
    pub disclosure: DisclosureClass,
}

/// What the requester signed, and the digests that the signatures cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsumerSignatures {
    /// S1, Ed25519.
    #[serde(with = "bytes")]
    pub s1: [u8; 64],
    /// S2, Ed25519.
    #[serde(with = "bytes")]
    pub s2: [u8; 64],
    /// SHA-256 of S1's statement.
    #[serde(with = "bytes")]
    pub s1_digest: Hash,
    /// SHA-256 of the sealed request.
    #[serde(with = "bytes")]
    pub sealed_request: Hash,
    /// The HPKE public key for the answer.
    #[serde(with = "bytes")]
    pub answer_key: [u8; 32],
}

/// How an exchange went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeResult {
    /// In one word.
    pub outcome: Outcome,
    /// What the requester was told, in plain words.
    pub told: String,
    /// Checks done by the provider's side.
    pub checks: Vec<Check>,
    /// SHA-256(salt ‖ evidence); the salt stands only inside the sealed answer.
    #[serde(with = "bytes")]
    pub evidence_digest: Option<Hash>,
    /// SHA-256 of the sealed answer.
    #[serde(with = "bytes")]
    pub answer_digest: Option<Hash>,
    /// The provider's Ed25519 signature over its answer; none if it never answered.
    #[serde(with = "bytes")]
    pub provider_signature: Option<[u8; 64]>,
}

/// Outcome of an exchange; stands only in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The evidence was handed over.
    Delivered,
    /// There was none, or it is not to be known whether there was.
    NothingFound,
    /// The provider's side refused.
    Refused,
    /// A technical failure.
    Failed,
    /// No answer in time.
    TimedOut,
}

/// One check and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// E.g. `P3`.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// E.g. `Ed25519`.
    pub algorithm: String,
}

/// Someone opened records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InspectionRecord {
    /// Who: the citizen's own cockpit, a supervisor. Never a name.
    pub reader: String,
    /// Why, in plain words.
    pub reason: String,
    /// UTC day, in days since 1970-01-01.
    pub day: u32,
}

/// A label was handed out and not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoidRecord {
    /// For whom it was reserved.
    pub consumer: ParticipantId,
    /// SHA-256 of S1's statement.
    #[serde(with = "bytes")]
    pub s1_digest: Hash,
}

#[cfg(test)]
pub(crate) mod tests {
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
        }
    }

    /// A full record with words as long as real ones.
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
                categories: vec!["Kennzeichen".into(), "Halter: Name und Anschrift".into(), "Fahrzeugdaten".into()],
            },
            request_digest: Hash([1; 32]),
            why: Why {
                purpose: "bewohnerparkausweis".into(),
                occasion: "Sie haben einen Bewohnerparkausweis beantragt.".into(),
                procedure: "99108005001000".into(),
                legal_basis: "§ 35 Absatz 1 Nummer 3 StVG in Verbindung mit § 45 Absatz 1b StVO".into(),
            },
            allowed_by: Allowed { permission: "koeln-parken-zfzr@1".into(), registry: Hash([2; 32]) },
            role: SubjectRole::DataSubject,
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
                checks: ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9"].map(check).to_vec(),
                evidence_digest: Some(Hash([8; 32])),
                answer_digest: None,
                provider_signature: Some([9; 64]),
            }),
        }
    }

    #[test]
    fn every_shape_travels() {
        let intent = ExchangeRecord {
            result: None,
            ..exchange()
        };
        let inspection = InspectionRecord {
            reader: "Datenschutzcockpit".into(),
            reason: "Auskunft".into(),
            day: 1,
        };
        let void = VoidRecord {
            consumer: "stadt".parse().unwrap(),
            s1_digest: Hash([1; 32]),
        };
        for part in [
            SharedPart::Exchange(Box::new(exchange())),
            SharedPart::Exchange(Box::new(intent)),
            SharedPart::Inspection(inspection),
            SharedPart::Void(void),
            SharedPart::Denied,
        ] {
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
            registry: Hash([1; 32]),
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
}
