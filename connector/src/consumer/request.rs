//! From the authority's question to the signed request (design §6, step 1).

use messages::xnachweis::{Authority, EvidenceRequest0101, EvidenceType, Head, NaturalPerson};
use messages::{
    ExchangeRequest, MessageError, Metadata, PersonQuery, S1, S2Statement, SealedRequest, SealingKey, SealingPublicKey,
};
use record::{Idnr, Participant, SigningKey, TestNumbers, Timestamp};
use service::Problem;
use tlog::Hash;
use uuid::Uuid;

use super::query::{Person, Question};
use crate::context::Judge;
use crate::evidence::EVIDENCE_MEDIA_TYPE;

/// What was asked: the signed request, and what stays here to compare the answer with.
#[derive(Debug)]
pub struct Asked {
    /// As sent to the broker.
    pub request: ExchangeRequest,
    /// Opens the answer; journalled before the request is sent.
    pub answer_key: SealingKey,
    /// The XNachweis request; none after a restart, for it is not journalled.
    pub xnachweis: Option<EvidenceRequest0101>,
}

/// Why a question cannot be asked. The authority's own fault, told plainly, without values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The provider is not in the directory.
    #[error("the provider is not in the directory")]
    Provider,
    /// The person's data are not enough, or not of their form.
    #[error(transparent)]
    Person(#[from] MessageError),
    /// A text is empty or too long.
    #[error("{0} must have 1 to 200 characters")]
    Text(&'static str),
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        Problem::bad_request("question", error.to_string())
    }
}

/// Builds, seals and signs the request.
///
/// # Errors
/// See [`AskError`].
pub fn build(
    judge: &Judge,
    key: &SigningKey,
    question: &Question,
    trace: String,
    now: Timestamp,
    deadline: Timestamp,
) -> Result<Asked, AskError> {
    for (name, text) in [
        ("evidence_type", &question.evidence_type),
        ("purpose", &question.purpose),
        ("request_reference", &question.request_reference),
        ("official", &question.official),
    ] {
        if text.is_empty() || text.chars().count() > 200 {
            return Err(AskError::Text(name));
        }
    }
    let provider = judge.directory.provider(&question.provider).ok_or(AskError::Provider)?;
    let person = person(question)?;
    let (exchange, message) = (Uuid::now_v7(), Uuid::new_v4());
    let xnachweis = xnachweis(judge, provider, question, &person, (exchange, message), now);
    let salt = messages::random().map_err(MessageError::from)?;
    let request = SealedRequest {
        salt,
        xml: xnachweis.to_xml().map_err(MessageError::from)?,
    };
    let metadata = metadata(judge, question, (exchange, message), trace, request.digest(), deadline);
    let answer_key = SealingKey::generate().map_err(MessageError::from)?;
    let request = seal(
        judge,
        key,
        provider,
        metadata,
        &person,
        &request,
        answer_key.public(),
        now,
    )?;
    Ok(Asked {
        request,
        answer_key,
        xnachweis: Some(xnachweis),
    })
}

fn person(question: &Question) -> Result<PersonQuery, MessageError> {
    let Person {
        idnr,
        family_name,
        given_name,
        date_of_birth,
        postal_code,
        place,
    } = question.person.clone();
    let idnr = idnr
        .map(|idnr| Idnr::parse(&idnr, TestNumbers::Allowed))
        .transpose()
        .map_err(|_| MessageError::Malformed("person: the IDNr is not valid"))?;
    let query = PersonQuery {
        idnr,
        family_name,
        given_name,
        date_of_birth,
        postal_code,
        place,
    };
    query.check()?;
    Ok(query)
}

fn xnachweis(
    judge: &Judge,
    provider: &Participant,
    question: &Question,
    person: &PersonQuery,
    (exchange, message): (Uuid, Uuid),
    now: Timestamp,
) -> EvidenceRequest0101 {
    let id = &question.evidence_type;
    let known = judge.registry.map().rules().iter().find(|rule| rule.evidence.id == *id);
    EvidenceRequest0101 {
        id: Uuid::new_v4(),
        head: Head {
            message,
            created: now,
            test: judge.test,
            consumer: Authority::from(&judge.me.party),
            provider: Authority::from(&provider.party),
        },
        issued_token: format!("urn:uuid:{exchange}"),
        evidence_type: EvidenceType {
            id: id.clone(),
            title: known.map_or_else(|| id.clone(), |rule| rule.evidence.title.clone()),
        },
        media_type: EVIDENCE_MEDIA_TYPE.to_owned(),
        person: NaturalPerson {
            date_of_birth: person.date_of_birth.clone(),
            family_name: person.family_name.clone(),
            given_name: person.given_name.clone(),
            assurance: question.assurance,
            postal_code: person.postal_code.clone(),
            place: person.place.clone(),
            idnr: person.idnr.clone(),
        },
    }
}

fn metadata(
    judge: &Judge,
    question: &Question,
    (exchange, message): (Uuid, Uuid),
    trace: String,
    request_digest: Hash,
    deadline: Timestamp,
) -> Metadata {
    Metadata {
        exchange,
        message,
        request_reference: question.request_reference.clone(),
        trace,
        test: judge.test,
        consumer: judge.me.party.id.clone(),
        provider: question.provider.clone(),
        evidence_type: question.evidence_type.clone(),
        purpose: question.purpose.clone(),
        idnr_used: question.person.idnr.is_some(),
        assurance: question.assurance,
        role: question.role,
        synchronous: true,
        request_digest,
        official: question.official.clone(),
        deadline,
    }
}

/// Seals both parts and signs S1 and S2.
#[allow(
    clippy::too_many_arguments,
    reason = "each is a part of the message; a struct of them would be the message"
)]
fn seal(
    judge: &Judge,
    key: &SigningKey,
    provider: &Participant,
    metadata: Metadata,
    person: &PersonQuery,
    request: &SealedRequest,
    answer_key: SealingPublicKey,
    now: Timestamp,
) -> Result<ExchangeRequest, MessageError> {
    let identity = SealingPublicKey(judge.directory.identity.sealing);
    let sealed_person = person.seal(&identity, metadata.message)?;
    let (consumer, provider_id) = (metadata.consumer.clone(), metadata.provider.clone());
    let s1 = S1::sign(key, consumer, provider_id, metadata.message, now, sealed_person);
    let sealed_request = request.seal(&SealingPublicKey(provider.sealing_key), &s1.digest())?;
    let s2 = S2Statement::new(&metadata, answer_key, &sealed_request, &s1).sign(key);
    Ok(ExchangeRequest {
        metadata,
        s1,
        s2,
        answer_key,
        sealed_request,
    })
}

#[cfg(test)]
mod tests;
