//! The contents of a record's parts (design §4): the facts that the cockpit turns into sentences. Each part is a
//! CBOR map with text keys, written by [`crate::cbor`].
//!
//! The texts come from the directory, the Registerlandkarte and the consumer's request. They are checked there, before
//! they are signed; a record is read with whatever text its writer has put in, so that it can be shown and judged.
//!
//! A record never contains an IDNr, the name of a person or a value of evidence. Digests of guessable contents are
//! salted, and the salt is stored outside the record.

use serde::{Deserialize, Serialize};
use text::FieldError;
use text::class::marker;
use tlog::Hash;
use uuid::Uuid;

use crate::bytes;
use crate::entry::LabelledKind;
use crate::id::ParticipantId;
use crate::power::Power;
use crate::retention::{DisclosureClass, ExpiryDay, RetentionClass};

/// The part that both parties, the citizen and supervision can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SharedPart {
    /// The content of an intent, an outcome or a preview.
    Exchange(Box<ExchangeRecord>),
    /// The content of an inspection: records were opened.
    Inspection(InspectionRecord),
    /// The content of an inspection: identity releases base data.
    Release(Box<ReleaseRecord>),
    /// The content of a void.
    Void(VoidRecord),
    /// The content of a denial. It is empty because the supervision part contains everything.
    Denied,
}

/// The part that the requester cannot read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CitizenPart {
    /// The actual reason, where the requester received a less specific one.
    pub internal_reason: Option<String>,
}

impl CitizenPart {
    /// The longest reason that always fits into the part, in bytes of UTF-8.
    pub const MAX_REASON: usize = 200;

    /// Creates the part with a reason. A reason longer than [`CitizenPart::MAX_REASON`] is cut at a character boundary.
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
    /// A pseudonymous identifier of the official who made the request.
    pub official: String,
    /// What is known about the denial; `None` for any other record.
    pub denial: Option<Box<DenialRecord>>,
}

/// A request that was refused. It names no person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenialRecord {
    /// Identifiers of the attempt.
    pub ids: Ids,
    /// The participant that made the request.
    pub consumer: ParticipantId,
    /// The participant that was asked.
    pub provider: ParticipantId,
    /// The type of evidence.
    pub evidence_type: String,
    /// The purpose code.
    pub purpose: String,
    /// Whether the request would have used the IDNr.
    pub idnr_used: bool,
    /// Why the request was refused. The requester only learns that it was.
    pub reason: String,
    /// The digest of the Registerlandkarte that the decision is based on.
    #[serde(rename = "registry", with = "bytes")]
    pub registerlandkarte: Hash,
}

/// An exchange of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRecord {
    /// Identifiers.
    pub ids: Ids,
    /// The party that made the request.
    pub consumer: Party,
    /// The party that was asked.
    pub provider: Party,
    /// The type of evidence.
    pub evidence: EvidenceInfo,
    /// SHA-256(salt ‖ request). Only the sealed request contains the salt.
    #[serde(with = "bytes")]
    pub request_digest: Hash,
    /// Why the evidence was requested.
    pub why: Why,
    /// The permission.
    pub allowed_by: Allowed,
    /// What the evidence is about.
    pub subject: Subject,
    /// The role of the person in whose list the record is.
    pub role: SubjectRole,
    /// By which power a representative acts for the person whom the evidence is about. The represented person and the
    /// representative each have a record, and `role` tells them apart. `None` without a representative.
    pub representation: Option<Power>,
    /// Whether the IDNr was used (§ 10 (1) OZG shows those).
    pub idnr_used: bool,
    /// Level of assurance of the person's login at the requester.
    pub assurance: Assurance,
    /// Whether the person was waiting for the answer.
    pub synchronous: bool,
    /// How long the record is kept and when it is shown.
    pub lifecycle: Lifecycle,
    /// The requester's signatures.
    pub consumer_signatures: ConsumerSignatures,
    /// The result; `None` in an intent's record.
    pub result: Option<ExchangeResult>,
    /// What became of the evidence at the preview; in a preview's record only.
    pub preview: Option<PreviewResult>,
}

impl ExchangeRecord {
    /// Whether this can be the record of an entry of this kind: an intent has no result, an outcome has one, and a
    /// preview has a result and a decision. The record of a representative names the power.
    #[must_use]
    pub const fn fits(&self, kind: LabelledKind) -> bool {
        let is_representatives = matches!(self.role, SubjectRole::Representative);
        (self.representation.is_some() || !is_representatives)
            && matches!(
                (kind, &self.result, &self.preview),
                (LabelledKind::Intent, None, None)
                    | (LabelledKind::Outcome, Some(_), None)
                    | (LabelledKind::Preview, Some(_), Some(_))
            )
    }
}

/// Identifiers of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    /// The exchange (UUIDv7).
    pub exchange: Uuid,
    /// The XNachweis message; the answer carries the same identifier.
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
    /// The component's name in this system.
    pub id: ParticipantId,
    /// The directory service (Verzeichnisdienst), for example `DVDV`.
    pub directory: String,
    /// The identifier (Kennung) in that directory.
    pub identifier: String,
    /// The authority's name in plain words.
    pub name: String,
    /// The component id (Komponenten-ID).
    pub component: String,
    /// The authority in charge of the subject matter (fachverantwortliche Stelle).
    pub responsible: String,
    /// The organisation that operates the component (betriebsverantwortliche Stelle).
    pub operating: String,
    /// The authority as the subject of a German sentence: "die Stadt Musterhausen".
    pub subject: String,
    /// The authority after the preposition "bei", which is part of it: "bei der Stadt Musterhausen".
    pub at: String,
    /// Where to ask the authority about the exchange: the address of a function, never of a person.
    pub contact: String,
    /// The address of the authority's data-protection officer: of the function, never of a person.
    pub data_protection: String,
}

impl Party {
    /// Checks the texts, which a stranger writes and citizens read.
    ///
    /// # Errors
    /// [`FieldError`] names the field.
    pub fn check(&self) -> Result<(), FieldError> {
        FieldError::check::<marker::Reference>("directory", &self.directory)?;
        FieldError::check::<marker::Reference>("identifier", &self.identifier)?;
        FieldError::check::<marker::Title>("name", &self.name)?;
        FieldError::check::<marker::Reference>("component", &self.component)?;
        FieldError::check::<marker::Title>("responsible", &self.responsible)?;
        FieldError::check::<marker::Title>("operating", &self.operating)?;
        FieldError::check::<marker::Paragraph>("subject", &self.subject)?;
        FieldError::check::<marker::Paragraph>("at", &self.at)?;
        FieldError::check::<marker::Title>("contact", &self.contact)?;
        FieldError::check::<marker::Title>("data_protection", &self.data_protection)
    }
}

/// A type of evidence and what it contains.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceInfo {
    /// Identifier of the type.
    pub id: String,
    /// The title in plain words.
    pub title: String,
    /// The data categories; never values.
    pub categories: Vec<String>,
}

impl EvidenceInfo {
    /// Checks the texts, which a stranger writes and citizens read.
    ///
    /// # Errors
    /// [`FieldError`] names the field.
    pub fn check(&self) -> Result<(), FieldError> {
        FieldError::check::<marker::Reference>("evidence id", &self.id)?;
        FieldError::check::<marker::Title>("evidence title", &self.title)?;
        let mut categories = self.categories.iter();
        categories.try_for_each(|category| FieldError::check::<marker::Title>("category", category))
    }
}

/// The purpose code of a person's own request: the person has the register show what it has about them (§ 10 (2) OZG).
/// Only the body that operates the citizens' portal has a permission for it.
pub const OWN_REQUEST: &str = "eigene-auskunft";

/// Why the evidence was requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// Purpose code.
    pub purpose: String,
    /// The occasion (Anlass) in plain words.
    pub occasion: String,
    /// LeiKa or SDG code of the procedure.
    pub procedure: String,
    /// Reference to the norm.
    pub legal_basis: String,
}

impl Why {
    /// Whether the person has caused the exchange to see their own data, and no authority.
    #[must_use]
    pub fn is_own_request(&self) -> bool {
        self.purpose == OWN_REQUEST
    }
}

/// The permission of an exchange, with what is needed to replay the decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    /// `id@version` of the rule.
    pub permission: String,
    /// The digest of the Registerlandkarte that contains the rule.
    #[serde(rename = "registry", with = "bytes")]
    pub registerlandkarte: Hash,
}

/// What evidence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A natural person.
    Natural,
    /// A legal person. It has no IDNr, and no cockpit shows its exchanges.
    Legal,
}

/// The person's role in the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectRole {
    /// The evidence is about the person.
    DataSubject,
    /// The evidence is about another person, for whom the person acts ([`ExchangeRecord::representation`]).
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

/// How long the record is kept and when it is shown. The permission determines both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// The retention class.
    pub retention: RetentionClass,
    /// The record is erased at the end of this day.
    pub expiry: ExpiryDay,
    /// Whether the record is shown at once or later.
    pub disclosure: DisclosureClass,
}

/// What the requester signed, and the digests that the signatures cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsumerSignatures {
    /// The Ed25519 signature S1.
    #[serde(with = "bytes")]
    pub s1: [u8; 64],
    /// The Ed25519 signature S2.
    #[serde(with = "bytes")]
    pub s2: [u8; 64],
    /// SHA-256 of the statement that S1 signs.
    #[serde(with = "bytes")]
    pub s1_digest: Hash,
    /// SHA-256 of the sealed request.
    #[serde(with = "bytes")]
    pub sealed_request: Hash,
    /// The HPKE public key that the answer is sealed to.
    #[serde(with = "bytes")]
    pub answer_key: [u8; 32],
}

/// The result of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeResult {
    /// The outcome.
    pub outcome: Outcome,
    /// What the requester received, in plain words.
    pub told: String,
    /// The checks that the provider's connector made.
    pub checks: Vec<Check>,
    /// SHA-256(salt ‖ evidence). Only the sealed answer contains the salt.
    #[serde(with = "bytes")]
    pub evidence_digest: Option<Hash>,
    /// SHA-256 of the sealed answer.
    #[serde(with = "bytes")]
    pub answer_digest: Option<Hash>,
    /// The provider's Ed25519 signature over its answer; `None` if there was no answer.
    #[serde(with = "bytes")]
    pub provider_signature: Option<[u8; 64]>,
}

/// The outcome of an exchange. Only the record contains it; the public entry does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The provider delivered the evidence.
    Delivered,
    /// The provider has no evidence, or must not disclose whether it has any.
    NothingFound,
    /// The provider's side refused.
    Refused,
    /// A technical failure.
    Failed,
    /// There was no answer in time.
    TimedOut,
}

/// What became of delivered evidence at the preview (Vorschau).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewResult {
    /// The decision.
    pub decision: PreviewDecision,
    /// The requester's Ed25519 signature over the decision. `None` if the requester reported none in time: then the
    /// decision is [`PreviewDecision::NotMade`].
    #[serde(with = "bytes")]
    pub consumer_signature: Option<[u8; 64]>,
}

/// The person's decision at the preview. Only [`PreviewDecision::Accepted`] lets the requester use the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreviewDecision {
    /// The person has seen the evidence and lets the requester use it.
    Accepted,
    /// The person does not let the requester use the evidence.
    Rejected,
    /// The person has broken the procedure off.
    Cancelled,
    /// The person has not decided in time, or the evidence could not be shown.
    NotMade,
}

impl PreviewDecision {
    /// All decisions.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Rejected, Self::Cancelled, Self::NotMade];
}

/// One check and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The check's name, for example `P3`.
    pub name: String,
    /// Whether it passed.
    pub passed: bool,
    /// The algorithm, for example `Ed25519`.
    pub algorithm: String,
}

/// Records were opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InspectionRecord {
    /// Who opened the records: the citizen's own cockpit or a supervisor. Never the name of a person.
    pub reader: String,
    /// Why, in plain words.
    pub reason: String,
    /// The UTC day, in days since 1970-01-01.
    pub day: u32,
}

/// Identity releases the IDNr and base data of the person to a component. The entry is in the log before the data leave
/// identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRecord {
    /// The component that receives the data.
    pub receiver: Party,
    /// Why it receives them. The legal basis is that of the IDNr.
    pub why: Why,
    /// The data; never values.
    pub data: Vec<ReleasedDatum>,
    /// The digest of the Registerlandkarte that contains the rules.
    #[serde(rename = "registry", with = "bytes")]
    pub registerlandkarte: Hash,
    /// How long the record is kept and when it is shown.
    pub lifecycle: Lifecycle,
}

/// A datum that identity releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasedDatum {
    /// What it is, in plain words.
    pub title: String,
    /// Reference to the norm.
    pub legal_basis: String,
    /// `id@version` of the rule.
    pub permission: String,
}

/// A label was reserved and not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoidRecord {
    /// The participant that the label was reserved for.
    pub consumer: ParticipantId,
    /// SHA-256 of the statement that S1 signs.
    #[serde(with = "bytes")]
    pub s1_digest: Hash,
}

#[cfg(test)]
pub(crate) mod tests;
