//! Builds the signed request from the authority's query (design §6, step 1).

use messages::xnachweis::{
    Address, Authority, Distribution, Euid, EvidenceRequest0101, EvidenceType, Head, LegalPerson, NaturalPerson, Query,
};
use messages::{
    EvidenceForm, ExchangeRequest, MessageError, Metadata, PersonQuery, RequestContent, S1, S2Statement, SealingKey,
    SealingPublicKey, SubjectQuery,
};
use record::content::{OWN_REQUEST, Party};
use record::{Ars, Assurance, IdentityKeys, ParticipantId, SigningKey, Subject, Timestamp};
use registerlandkarte::Denied;
use service::Problem;
use text::{Reference, Text};
use tlog::Hash;
use trust::{Component, PermitError};
use uuid::Uuid;

use super::idempotency::ExchangeKey;
use super::query::{EvidenceQuery, LegalPersonQuery};
use super::reading::{field, login_proof, natural};
use super::representative::QueryRepresentative;
use crate::context::CheckContext;

pub use super::reading::QueryError;

/// A request that was sent, with what is kept to check and open its answer.
#[derive(Debug)]
pub struct PendingRequest {
    /// The request as sent to the broker.
    pub request: ExchangeRequest,
    /// Opens the answer. Journalled before the request is sent.
    pub answer_key: SealingKey,
    /// The XNachweis request. `None` after a restart, because the journal does not have it in clear.
    pub xnachweis: Option<EvidenceRequest0101>,
    /// The idempotency key that the caller has named.
    pub(crate) key: Option<ExchangeKey>,
}

impl PendingRequest {
    /// The exchange's number.
    #[must_use]
    pub fn exchange(&self) -> Uuid {
        self.request.metadata.exchange
    }

    /// The request as the journal has it, without the XNachweis message and the secret of its key.
    pub(crate) fn without_message(&self) -> Self {
        Self {
            request: self.request.clone(),
            answer_key: self.answer_key.clone(),
            xnachweis: None,
            key: self.key.as_ref().map(ExchangeKey::without_seal),
        }
    }
}

/// Builds, seals and signs the request.
///
/// # Errors
/// See [`QueryError`].
pub fn build(
    context: &CheckContext,
    key: &SigningKey,
    query: &EvidenceQuery,
    trace: String,
    now: Timestamp,
    deadline: Timestamp,
) -> Result<PendingRequest, QueryError> {
    check_form(query)?;
    let texts = QueryTexts::read(query, &trace)?;
    let directory = context.directory();
    let provider = addressee(context, query, &texts, now)?;
    let provider = directory.provider(&provider).ok_or(QueryError::Provider)?;
    let to = directory.party(provider).ok_or(QueryError::Provider)?;
    let me = directory.consumer(&context.me).and_then(|me| directory.party(me));
    let me = me.ok_or(QueryError::Consumer)?;
    let identity = directory.identity().ok_or(QueryError::Identity)?;
    let subject = QuerySubject::read(query)?;
    let (exchange, message) = (Uuid::now_v7(), Uuid::new_v4());
    let representative = QueryRepresentative::read(query)?;
    let mut xnachweis = xnachweis(context, (&me, &to), query, &texts, &subject, (exchange, message), now);
    xnachweis.query.representative = representative.as_ref().map(|acting| acting.of_message(query.assurance));
    let salt = messages::random().map_err(MessageError::from)?;
    let request = RequestContent {
        salt,
        xml: xnachweis.to_xml().map_err(MessageError::from)?,
        login: login_proof(query)?,
        power: representative.as_ref().map(|acting| acting.power.clone()),
    };
    let parts = (provider, texts, &subject, request.digest());
    let mut metadata = metadata(context, query, parts, (exchange, message), deadline);
    metadata.representation = representative.as_ref().map(|acting| acting.power.power);
    metadata.place = needed_place(context, &metadata, query.place.as_ref(), now);
    let answer_key = SealingKey::generate().map_err(MessageError::from)?;
    let request = seal(
        (key, identity, provider),
        metadata,
        (&subject.for_identity(), representative.as_ref()),
        &request,
        answer_key.public(),
        now,
    )?;
    Ok(PendingRequest {
        request,
        answer_key,
        xnachweis: Some(xnachweis),
        key: None,
    })
}

/// Checks a query as far as it can be checked without a directory.
///
/// # Errors
/// See [`QueryError`].
pub(crate) fn check_query(query: &EvidenceQuery) -> Result<(), QueryError> {
    QueryTexts::read(query, "0")?;
    QuerySubject::read(query)?;
    QueryRepresentative::read(query)?;
    login_proof(query)?;
    check_form(query)?;
    match (&query.provider, &query.place) {
        (None, None) => Err(QueryError::NoProvider),
        _ => Ok(()),
    }
}

/// Everything about a person has no form but JSON.
fn check_form(query: &EvidenceQuery) -> Result<(), QueryError> {
    if query.form == EvidenceForm::Json || query.purpose != OWN_REQUEST {
        Ok(())
    } else {
        Err(QueryError::Form)
    }
}

/// 400: the permission demands a preview.
pub(crate) fn login_required() -> Problem {
    Problem::bad_request(
        "login-required",
        "the permission demands a preview: name the person's login and its proof, of the last three hours and of level \
         substantial or high",
    )
}

/// Checks that a query for which the permission demands a preview has what proves that its person is there.
pub(crate) fn require_login(query: &EvidenceQuery, now: Timestamp) -> Result<(), Problem> {
    let proof = login_proof(query)?;
    match proof {
        Some(proof) if proof.check(now).is_ok() && query.login.is_some() => Ok(()),
        _ => Err(login_required()),
    }
}

/// 400: a person's login does not last as long as an exchange may wait.
pub(crate) fn no_asynchronous_preview() -> Problem {
    Problem::bad_request(
        "question",
        "the permission demands a preview: the request cannot be asynchronous",
    )
}

/// 404: there is no asynchronous exchange of this number.
pub(crate) fn does_not_wait() -> Problem {
    Problem::not_found("no such exchange waits for its answer")
}

/// 404: also for a login that is not the person's, so that it learns nothing.
pub(crate) fn no_preview() -> Problem {
    Problem::not_found("no such preview")
}

/// 409: the person has decided too late.
pub(crate) fn too_late() -> Problem {
    Problem::conflict("too-late", "the time for the decision is over")
}

/// Whether the newest permission of an exchange demands a preview. The one that counts is checked with the completion.
pub(super) fn needs_preview(context: &CheckContext, metadata: &Metadata, now: Timestamp) -> bool {
    let history = &context.history;
    let permission = history.permit(history.newest_versions(), &metadata.transmission(), now);
    permission.is_ok_and(|permission| permission.rule.preview)
}

/// The component to ask: the one that the query names, or the one that is competent for its place.
fn addressee(
    context: &CheckContext,
    query: &EvidenceQuery,
    texts: &QueryTexts,
    now: Timestamp,
) -> Result<ParticipantId, QueryError> {
    match (&query.provider, &query.place) {
        (Some(provider), _) => Ok(provider.clone()),
        (None, Some(place)) => Ok(context.history.competent(&texts.evidence_type, place, now)?),
        (None, None) => Err(QueryError::NoProvider),
    }
}

/// The texts of a query, read at this entrance.
struct QueryTexts {
    evidence_type: Reference,
    purpose: Reference,
    request_reference: Reference,
    official: Reference,
    trace: Reference,
}

impl QueryTexts {
    fn read(query: &EvidenceQuery, trace: &str) -> Result<Self, QueryError> {
        Ok(Self {
            evidence_type: field("evidence_type", &query.evidence_type)?,
            purpose: field("purpose", &query.purpose)?,
            request_reference: field("request_reference", &query.request_reference)?,
            official: field("official", &query.official)?,
            trace: field("trace", trace)?,
        })
    }
}

/// Whom a query is about.
enum QuerySubject {
    Natural(PersonQuery),
    Legal(Box<LegalPerson>),
}

impl QuerySubject {
    fn read(query: &EvidenceQuery) -> Result<Self, QueryError> {
        match (&query.person, &query.legal_person) {
            (Some(person), None) => natural(person).map(Self::Natural),
            (None, Some(person)) => legal(person, query.assurance).map(|person| Self::Legal(Box::new(person))),
            _ => Err(MessageError::Malformed("name a person or a legal_person, and not both").into()),
        }
    }

    fn kind(&self) -> Subject {
        match self {
            Self::Natural(_) => Subject::Natural,
            Self::Legal(_) => Subject::Legal,
        }
    }

    fn names_idnr(&self) -> bool {
        matches!(self, Self::Natural(person) if person.idnr.is_some())
    }

    fn for_identity(&self) -> SubjectQuery {
        match self {
            Self::Natural(person) => SubjectQuery::Natural(person.clone()),
            Self::Legal(_) => SubjectQuery::Legal,
        }
    }

    fn of_message(&self, assurance: Assurance) -> messages::xnachweis::Subject {
        match self {
            Self::Natural(person) => natural_person(person, assurance).into(),
            Self::Legal(person) => person.as_ref().clone().into(),
        }
    }
}

fn legal(query: &LegalPersonQuery, assurance: Assurance) -> Result<LegalPerson, QueryError> {
    let euid: Euid = query
        .euid
        .parse()
        .map_err(|_| MessageError::Malformed("legal_person: the EUID is not like DEF1103R.HRB116737"))?;
    let mut person = LegalPerson::new(field("name", &query.name)?, assurance);
    person.numbers.push(euid.into());
    Ok(person)
}

fn xnachweis(
    context: &CheckContext,
    (me, provider): (&Party, &Party),
    query: &EvidenceQuery,
    texts: &QueryTexts,
    subject: &QuerySubject,
    (exchange, message): (Uuid, Uuid),
    now: Timestamp,
) -> EvidenceRequest0101 {
    let id = &texts.evidence_type;
    let relation = context.history.relation(context.history.newest_versions()).ok();
    let listed = relation.as_deref().and_then(|relation| relation.identified(id));
    EvidenceRequest0101 {
        id: Uuid::new_v4(),
        head: Head {
            message,
            created: now,
            test: context.test,
            consumer: Authority::from(me),
            provider: Authority::from(provider),
        },
        issued_token: format!("urn:uuid:{exchange}"),
        query: Query {
            evidence_type: EvidenceType {
                id: id.to_string(),
                title: listed.map_or_else(|| id.to_string(), |evidence| evidence.title.to_string()),
                description: None,
            },
            distribution: Distribution::of(query.form.media_type()),
            representative: None,
            subject: subject.of_message(query.assurance),
        },
    }
}

/// The person of the request, with as much of the address as the authority knows.
fn natural_person(person: &PersonQuery, assurance: Assurance) -> NaturalPerson {
    let address = Address {
        postal_code: Some(person.postal_code.clone()).filter(Text::is_given),
        place: Some(person.place.clone()).filter(Text::is_given),
        ..Address::default()
    };
    NaturalPerson {
        address: Some(address).filter(|address| *address != Address::default()),
        idnr: person.idnr.clone(),
        ..NaturalPerson::new(
            person.date_of_birth,
            person.family_name.clone(),
            person.given_name.clone(),
            assurance,
        )
    }
}

fn metadata(
    context: &CheckContext,
    query: &EvidenceQuery,
    (provider, texts, subject, request_digest): (&Component, QueryTexts, &QuerySubject, Hash),
    (exchange, message): (Uuid, Uuid),
    deadline: Timestamp,
) -> Metadata {
    Metadata {
        exchange,
        message,
        request_reference: texts.request_reference,
        trace: texts.trace,
        test: context.test,
        consumer: context.me.clone(),
        provider: provider.id.clone(),
        evidence_type: texts.evidence_type,
        purpose: texts.purpose,
        idnr_used: subject.names_idnr(),
        assurance: query.assurance,
        subject: subject.kind(),
        role: query.role,
        representation: None,
        place: None,
        synchronous: !query.asynchronous,
        request_digest,
        official: texts.official,
        deadline,
    }
}

/// The place of the person, if the permission depends on it. Otherwise the broker does not learn it.
fn needed_place(context: &CheckContext, metadata: &Metadata, place: Option<&Ars>, now: Timestamp) -> Option<Ars> {
    let (history, place) = (&context.history, place?);
    let without = history.permit(history.newest_versions(), &metadata.transmission(), now);
    matches!(without, Err(PermitError::Denied(Denied::NoPlace))).then(|| place.clone())
}

/// Seals all parts and signs S1, of a representative as well, and S2.
fn seal(
    (key, identity, provider): (&SigningKey, &IdentityKeys, &Component),
    metadata: Metadata,
    (subject, representative): (&SubjectQuery, Option<&QueryRepresentative>),
    request: &RequestContent,
    answer_key: SealingPublicKey,
    now: Timestamp,
) -> Result<ExchangeRequest, MessageError> {
    let sealed_person = subject.seal(&SealingPublicKey(identity.sealing), metadata.message)?;
    let (consumer, provider_id) = (metadata.consumer.clone(), metadata.provider.clone());
    let s1 = S1::sign(key, consumer, provider_id, metadata.message, now, sealed_person);
    let sealed_request = request.seal(&SealingPublicKey(provider.sealing_key), &s1.digest())?;
    let representative = representative
        .map(|acting| acting.sign(key, identity, &s1, now))
        .transpose()?;
    let s2 = S2Statement::new(&metadata, answer_key, &sealed_request, &s1)
        .with_representative(representative.as_ref())
        .sign(key);
    Ok(ExchangeRequest {
        metadata,
        s1,
        representative,
        s2,
        answer_key,
        sealed_request,
    })
}

#[cfg(test)]
mod tests;
