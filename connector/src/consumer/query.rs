//! What the authority's own system sends and receives (JSON).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use messages::EvidenceForm;
use record::{Ars, Assurance, ParticipantId, Power, PreviewDecision, SubjectRole};
use serde::{Deserialize, Serialize};
use text::{FieldValue, Reference, Title};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use uuid::Uuid;

use super::login::Login;
use crate::evidence::{EvidenceContent, EvidenceSection};

/// A request for evidence: either `person` or `legal_person`, and `provider`, `place` or both.
// `Debug` shows no person.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceQuery {
    /// The provider; without one, the component that is competent for `place`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "bund:kba:zfzr")]
    pub provider: Option<ParticipantId>,
    /// The area in which the person lives, as an Amtlicher Regionalschlüssel.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]*$", example = "08117019")]
    pub place: Option<Ars>,
    /// The evidence type (id of the Registerlandkarte).
    #[schema(example = "fahrzeug-parken")]
    pub evidence_type: String,
    /// The form of the evidence ([`messages::document`]).
    #[serde(default)]
    #[schema(schema_with = form_schema, required = false)]
    pub form: EvidenceForm,
    /// The purpose (code of the Registerlandkarte).
    #[schema(example = "bewohnerparken")]
    pub purpose: String,
    /// The authority's own reference, without personal data, because the record contains it.
    pub request_reference: String,
    /// The natural person; or `legal_person`.
    #[serde(default)]
    pub person: Option<Person>,
    /// The legal person; or `person`.
    #[serde(default)]
    pub legal_person: Option<LegalPersonQuery>,
    /// Who acts for the natural person, by which power. The login and its proof are the representative's then. Both
    /// persons find the exchange in their cockpit.
    #[serde(default)]
    pub representative: Option<RepresentativeQuery>,
    /// The role in the procedure of the person whom the evidence is about.
    #[serde(default = "data_subject")]
    #[schema(schema_with = role_schema, required = false)]
    pub role: SubjectRole,
    /// Level of assurance of the person's login; `low` without a login.
    #[serde(default = "low")]
    #[schema(schema_with = assurance_schema, required = false)]
    pub assurance: Assurance,
    /// Pseudonymous handle of the official, for supervision only.
    pub official: String,
    /// What only the person's session at the online service has: a session secret, never a name or a number. Needed
    /// where the permission demands a preview; the preview and the decision must show the same value.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 32, max_length = 2048)]
    pub login: Option<Login>,
    /// The proof of the person's login at the online service, for the provider alone. Needed where the permission
    /// demands a preview; its level is `assurance`, which must be `substantial` or `high` then.
    #[serde(default)]
    pub login_proof: Option<LoginProofQuery>,
    /// Whether the caller can wait: the provider may take up to 30 days. Needs an `Idempotency-Key`, with which the
    /// answer is collected, and a permission that demands no preview.
    #[serde(default)]
    pub asynchronous: bool,
}

impl std::fmt::Debug for EvidenceQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EvidenceQuery({}, person redacted)", self.evidence_type)
    }
}

/// The proof of a login (JSON). The connector gives each request a nonce of its own.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginProofQuery {
    /// SHA-256 of the identity token as the online service has received it, 64 hexadecimal digits. The service keeps
    /// the token, so that supervision can compare both.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub token_digest: String,
    /// When the person logged in, in RFC 3339; at most three hours ago.
    #[schema(example = "2027-01-15T08:00:00Z")]
    pub authenticated_at: String,
}

impl std::fmt::Debug for LoginProofQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoginProofQuery(redacted)")
    }
}

/// Who acts for the person of a query (JSON).
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RepresentativeQuery {
    /// The representative.
    pub person: Person,
    /// The power: `parent` or `guardian` of a minor, `custodian` of an adult (rechtliche Betreuung), `attorney`
    /// (Vollmacht) or `notary`.
    #[schema(schema_with = power_schema)]
    pub power: Power,
    /// SHA-256 of the document that proves the power, 64 hexadecimal digits. The service keeps the document, so that
    /// supervision can compare both.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub document_digest: String,
    /// The first day on which the power is valid.
    #[schema(example = "2026-01-01")]
    pub valid_from: String,
    /// The last day, if the document names one.
    #[serde(default)]
    #[schema(example = "2028-12-31")]
    pub valid_until: Option<String>,
}

impl std::fmt::Debug for RepresentativeQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RepresentativeQuery(redacted)")
    }
}

/// The person of a query (JSON): identified by IDNr and date of birth, or by names, postal code, place and date of
/// birth (§ 6 IDNrG).
#[derive(Clone, Deserialize, ToSchema)]
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
    /// `YYYY-MM-DD`, with zeros for what is not known.
    #[schema(example = "1964-08-12")]
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

/// The legal person of a query (JSON).
// `Debug` shows nothing, because the name of a small firm is that of its owner.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LegalPersonQuery {
    /// The name (Firma).
    pub name: String,
    /// Its number in a public register, as a European Unique Identifier: `DEF1103R.HRB116737`.
    pub euid: String,
}

impl std::fmt::Debug for LegalPersonQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LegalPersonQuery(redacted)")
    }
}

fn data_subject() -> SubjectRole {
    SubjectRole::DataSubject
}

fn low() -> Assurance {
    Assurance::Low
}

fn role_schema() -> Object {
    one_of(&[SubjectRole::DataSubject, SubjectRole::ThirdPerson])
        .description(Some(
            "The role in the procedure of the person whom the evidence is about; `data-subject` without one.",
        ))
        .build()
}

fn form_schema() -> Object {
    one_of(&EvidenceForm::ALL)
        .description(Some(
            "The form of the evidence: `json` for its fields alone, `xml` or `pdf` for a document besides. A register \
             writes its documents by the XML schema that it publishes; `pdf` is PDF/A-3 with the XML document in it. \
             Everything about a person comes as `json` alone. Without a form `json`.",
        ))
        .build()
}

fn power_schema() -> Object {
    one_of(&Power::ALL).build()
}

fn assurance_schema() -> Object {
    one_of(&[Assurance::Low, Assurance::Substantial, Assurance::High])
        .description(Some("Level of assurance of the person's login; `low` without a login."))
        .build()
}

/// The schema of an enumeration that another crate defines.
fn one_of<T: Serialize>(values: &[T]) -> ObjectBuilder {
    let values = values.iter().filter_map(|value| serde_json::to_value(value).ok());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(values))
}

/// How an exchange stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResultState {
    /// The authority may use the evidence.
    Delivered,
    /// There is no evidence.
    NothingFound,
    /// The person has to see the evidence and to decide.
    AwaitingPreview,
    /// The person has decided, and the log does not have the decision yet.
    RecordingDecision,
    /// The person did not accept; the evidence is destroyed.
    Rejected,
    /// The person broke the procedure off; the evidence is destroyed.
    Cancelled,
    /// The person did not decide in time; the evidence is destroyed.
    NotDecided,
    /// The provider answers later.
    Pending,
    /// The answer is here: send the request again, with its idempotency key.
    Available,
    /// The request is withdrawn, and the broker does not know it yet.
    Withdrawing,
    /// The request is withdrawn; evidence that has come is destroyed.
    Withdrawn,
}

impl From<PreviewDecision> for ResultState {
    fn from(decision: PreviewDecision) -> Self {
        match decision {
            PreviewDecision::Accepted => Self::Delivered,
            PreviewDecision::Rejected => Self::Rejected,
            PreviewDecision::Cancelled => Self::Cancelled,
            PreviewDecision::NotMade => Self::NotDecided,
        }
    }
}

/// The request to show evidence to its person (JSON).
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewQuery {
    /// As in the request for the evidence.
    #[schema(value_type = String, min_length = 32, max_length = 2048)]
    pub login: Login,
}

/// Evidence for the eyes of its person alone (JSON). The authority must not use it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PreviewShown {
    /// The exchange.
    pub exchange: Uuid,
    /// Until when the person may decide, in RFC 3339.
    pub decide_until: String,
    /// The evidence.
    pub evidence: AuthorityEvidence,
}

/// The person's decision (JSON).
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionQuery {
    /// As in the request for the evidence.
    #[schema(value_type = String, min_length = 32, max_length = 2048)]
    pub login: Login,
    /// The decision.
    pub decision: PersonsDecision,
}

/// What a person can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonsDecision {
    /// The authority may use the evidence.
    Accept,
    /// It may not.
    Reject,
    /// The person breaks the procedure off.
    Cancel,
}

impl From<PersonsDecision> for PreviewDecision {
    fn from(decision: PersonsDecision) -> Self {
        match decision {
            PersonsDecision::Accept => Self::Accepted,
            PersonsDecision::Reject => Self::Rejected,
            PersonsDecision::Cancel => Self::Cancelled,
        }
    }
}

/// How an exchange stands, with its evidence if there is some that may be used.
// `Debug` shows no evidence.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct EvidenceResult {
    /// The exchange.
    pub exchange: Uuid,
    /// How it stands.
    pub outcome: ResultState,
    /// Index of the intent in the log.
    pub intent: u64,
    /// Index of the outcome in the log, once the exchange is closed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome_entry: Option<u64>,
    /// Index of the preview in the log, once the person has decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview_entry: Option<u64>,
    /// Until when the person may decide, in RFC 3339; while a decision is awaited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decide_until: Option<String>,
    /// From when the provider can answer, in RFC 3339; while the answer is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_at: Option<String>,
    /// The evidence, if delivered.
    pub evidence: Option<AuthorityEvidence>,
    /// After how many seconds the caller should ask again.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) retry_after: Option<u64>,
}

impl EvidenceResult {
    /// The result of an exchange of which nothing else is to be said.
    pub(crate) fn new(exchange: Uuid, outcome: ResultState, intent: u64) -> Self {
        Self {
            exchange,
            outcome,
            intent,
            outcome_entry: None,
            preview_entry: None,
            decide_until: None,
            available_at: None,
            evidence: None,
            retry_after: None,
        }
    }

    /// The result with the time after which the caller should ask again.
    #[must_use]
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }
}

/// The evidence for the authority's system.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AuthorityEvidence {
    /// Title of the evidence.
    #[schema(value_type = String)]
    pub title: Title,
    /// When the register issued it, UTC.
    #[schema(value_type = String)]
    pub issued_at: Reference,
    /// Field → value. Empty if the person has requested everything that the register has about them.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub fields: BTreeMap<Title, FieldValue>,
    /// Everything that the register has about the person; only for a request of the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<EvidenceSection>,
    /// The document, if one was requested. Its fields are those above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<AuthorityDocument>,
}

/// Evidence as a document.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AuthorityDocument {
    /// `application/xml` or `application/pdf`.
    #[schema(example = "application/pdf")]
    pub media_type: String,
    /// The document as the register has written it, in base64 (RFC 4648, section 4).
    #[schema(content_encoding = "base64")]
    pub content: String,
}

impl AuthorityEvidence {
    /// Evidence of one form, with its content as the register has written it.
    pub(crate) fn new(read: EvidenceContent, form: EvidenceForm, content: &[u8]) -> Self {
        Self {
            title: read.title,
            issued_at: read.issued_at,
            fields: read.fields,
            sections: read.sections,
            document: (form != EvidenceForm::Json).then(|| AuthorityDocument {
                media_type: form.media_type().to_owned(),
                content: BASE64.encode(content),
            }),
        }
    }
}

impl std::fmt::Debug for AuthorityDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthorityDocument({}, redacted)", self.media_type)
    }
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
            "EvidenceResult({} {:?}, evidence redacted)",
            self.exchange, self.outcome
        )
    }
}
