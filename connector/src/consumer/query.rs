//! What the authority's own system sends and receives (JSON).

use std::collections::BTreeMap;

use record::{Ars, Assurance, ParticipantId, SubjectRole};
use serde::{Deserialize, Serialize};
use text::{FieldValue, Reference, Title};
use uuid::Uuid;

/// Query of the authority's own system (JSON). `Debug` shows no person.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceQuery {
    /// The provider; without one, the component that is competent for `place`.
    #[serde(default)]
    pub provider: Option<ParticipantId>,
    /// The area in which the person lives, as an Amtlicher Regionalschlüssel.
    #[serde(default)]
    pub place: Option<Ars>,
    /// The evidence type (id of the Registerlandkarte).
    pub evidence_type: String,
    /// The purpose (code of the Registerlandkarte).
    pub purpose: String,
    /// The authority's own reference, without personal data, because the record contains it.
    pub request_reference: String,
    /// The person.
    pub person: Person,
    /// The role of the person in the procedure.
    #[serde(default = "data_subject")]
    pub role: SubjectRole,
    /// Level of assurance of the person's login; `low` without a login.
    #[serde(default = "low")]
    pub assurance: Assurance,
    /// Pseudonymous handle of the official, for supervision only.
    pub official: String,
}

impl std::fmt::Debug for EvidenceQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EvidenceQuery({}, person redacted)", self.evidence_type)
    }
}

/// The person of a query (JSON): identified by IDNr and date of birth, or by names, postal code, place and date of
/// birth (§ 6 IDNrG).
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Eleven digits.
    #[serde(default)]
    pub idnr: Option<String>,
    /// Family name.
    #[serde(default)]
    pub family_name: String,
    /// Given names.
    #[serde(default)]
    pub given_name: String,
    /// `YYYY-MM-DD`, with zeros for what is not known ([`text::PartialDate`]).
    pub date_of_birth: String,
    /// Postal code.
    #[serde(default)]
    pub postal_code: String,
    /// Place.
    #[serde(default)]
    pub place: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(redacted)")
    }
}

fn data_subject() -> SubjectRole {
    SubjectRole::DataSubject
}

fn low() -> Assurance {
    Assurance::Low
}

/// Answer to the authority's own system (JSON). `Debug` shows no evidence.
#[derive(Clone, Serialize, Deserialize)]
pub struct EvidenceResult {
    /// The exchange.
    pub exchange: Uuid,
    /// `delivered` or `nothing_found`.
    pub outcome: String,
    /// Index of the intent in the log.
    pub intent: u64,
    /// Index of the outcome in the log.
    pub outcome_entry: u64,
    /// The evidence, if delivered.
    pub evidence: Option<AuthorityEvidence>,
}

/// The evidence for the authority's system.
#[derive(Clone, Serialize, Deserialize)]
pub struct AuthorityEvidence {
    /// Title of the evidence.
    pub title: Title,
    /// When the register issued it, UTC.
    pub issued_at: Reference,
    /// Field → value.
    pub fields: BTreeMap<Title, FieldValue>,
}

impl std::fmt::Debug for AuthorityEvidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthorityEvidence({:?}, fields redacted)", self.title)
    }
}

impl std::fmt::Debug for EvidenceResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "EvidenceResult({} {}, evidence redacted)",
            self.exchange, self.outcome
        )
    }
}
