//! From the authority's question to the signed request (design §6, step 1).

use std::collections::BTreeMap;

use messages::xnachweis::{Authority, EvidenceRequest0101, EvidenceType, Head, NaturalPerson};
use messages::{
    ExchangeRequest, MessageError, Metadata, PersonQuery, S1, S2Statement, SealedRequest, SealingKey, SealingPublicKey,
};
use record::{Assurance, Idnr, Participant, ParticipantId, SigningKey, SubjectRole, TestNumbers, Timestamp};
use serde::{Deserialize, Serialize};
use service::Problem;
use tlog::Hash;
use uuid::Uuid;

use crate::common::Judge;

/// What the authority's own system asks (JSON). `Debug` shows no person.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Who is asked.
    pub provider: ParticipantId,
    /// For which evidence (id of the Registerlandkarte).
    pub evidence_type: String,
    /// For which purpose (code of the Registerlandkarte).
    pub purpose: String,
    /// The authority's own reference, without personal data: it goes into the record.
    pub request_reference: String,
    /// About whom.
    pub person: Person,
    /// In which role the person appears.
    #[serde(default = "data_subject")]
    pub role: SubjectRole,
    /// Level of assurance of the person's login; without a login `low`.
    #[serde(default = "low")]
    pub assurance: Assurance,
    /// Pseudonymous handle of the official; for supervision only.
    pub official: String,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Question({} for {}, person redacted)",
            self.provider, self.evidence_type
        )
    }
}

/// About whom (JSON): by IDNr and date of birth, or by names, postal code, place and date of birth (§ 6 IDNrG).
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
    /// `YYYY-MM-DD`.
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

/// What the authority's system gets (JSON). `Debug` shows no fields.
#[derive(Clone, Serialize, Deserialize)]
pub struct AuthorityAnswer {
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
    pub title: String,
    /// When the register issued it, UTC.
    pub issued_at: String,
    /// Field → value.
    pub fields: BTreeMap<String, String>,
}

impl std::fmt::Debug for AuthorityEvidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuthorityEvidence({:?}, fields redacted)", self.title)
    }
}

impl std::fmt::Debug for AuthorityAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "AuthorityAnswer({} {}, evidence redacted)",
            self.exchange, self.outcome
        )
    }
}

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
pub fn ask(
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
        media_type: crate::provider::JSON.to_owned(),
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

/// The trace id of a W3C `traceparent` (version 00), or a fresh one.
///
/// # Errors
/// When the operating system has no randomness.
pub fn trace_id(traceparent: Option<&str>) -> Result<String, MessageError> {
    let given = traceparent.and_then(|text| {
        let mut parts = text.split('-');
        let (Some("00"), Some(id), Some(_), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let hex = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (hex && id.bytes().any(|byte| byte != b'0')).then(|| id.to_owned())
    });
    match given {
        Some(id) => Ok(id),
        None => Ok(messages::random::<16>()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::fixture::{FAMILY_NAME, IDNR, NOW, World, id, question};

    fn ask_changed(change: impl Fn(&mut Question)) -> Result<Asked, AskError> {
        let world = World::new();
        let mut question = question();
        change(&mut question);
        ask(
            &world.judge("stadt-a"),
            &world.consumer,
            &question,
            "0".repeat(32),
            NOW,
            NOW.after(30),
        )
    }

    #[test]
    fn what_is_asked_is_signed_sealed_and_only_for_those_it_is_for() {
        let world = World::new();
        let asked = world.ask();
        let key = world.consumer.public();
        asked.request.verify(&key, NOW).unwrap();
        let person = asked.request.s1.open_person(&world.identity_sealing).unwrap();
        assert_eq!(person.family_name, FAMILY_NAME);
        let request = &asked.request;
        let sealed =
            SealedRequest::open(&request.sealed_request, &world.provider_sealing, &request.s1.digest()).unwrap();
        assert_eq!(sealed.digest(), request.metadata.request_digest);
        assert_eq!(EvidenceRequest0101::parse(&sealed.xml).ok(), asked.xnachweis);
        let wire = String::from_utf8_lossy(&record::cbor::to_vec(request)).into_owned();
        assert!(!wire.contains(IDNR) && !wire.contains(FAMILY_NAME));
    }

    #[test]
    fn a_faulty_question_is_not_asked() {
        assert_eq!(
            ask_changed(|q| q.provider = id("unknown")).unwrap_err(),
            AskError::Provider
        );
        assert_eq!(
            ask_changed(|q| q.provider = id("stadt-b")).unwrap_err(),
            AskError::Provider
        );
        assert_eq!(
            ask_changed(|q| q.purpose.clear()).unwrap_err(),
            AskError::Text("purpose")
        );
        assert_eq!(
            ask_changed(|q| q.official = "x".repeat(201)).unwrap_err(),
            AskError::Text("official")
        );
        for idnr in ["0821496738", "08214967385", "00000000000"] {
            let error = ask_changed(|q| q.person.idnr = Some(idnr.into())).unwrap_err();
            assert_eq!(
                error,
                AskError::Person(MessageError::Malformed("person: the IDNr is not valid"))
            );
        }
        assert!(ask_changed(|q| q.person.date_of_birth = "gestern".into()).is_err());
    }

    #[test]
    fn trace_ids_come_from_traceparent() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(trace_id(Some(&format!("00-{id}-b7ad6b7169203331-01"))).unwrap(), id);
        let all_zero = "0".repeat(32);
        for bad in [
            "",
            "00",
            &format!("01-{id}-x-01"),
            &format!("00-{all_zero}-b7-01"),
            "00-ABC-b7-01",
        ] {
            let fresh = trace_id(Some(bad)).unwrap();
            assert!(fresh.len() == 32 && fresh != id, "{bad}");
        }
    }

    #[test]
    fn debug_shows_nothing_personal() {
        let text = format!("{:?} {:?} {:?}", question(), question().person, World::new().ask());
        for secret in [IDNR, FAMILY_NAME, "Emma", "1964", "50667"] {
            assert!(!text.contains(secret), "{secret}");
        }
    }
}
