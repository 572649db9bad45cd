//! Asks the register and seals its answer to the consumer. No other module has the register's address.

use std::time::Duration;

use messages::limits::{MAX_EVIDENCE, MAX_LATER_SECONDS};
use messages::xnachweis::{
    Authority, Availability, Distribution, ErrorCode, Evidence, EvidenceError0103, EvidenceResponse0102, EvidenceType,
    Head, Subject, XmlError,
};
use messages::{
    AnswerContent, AnswerResult, Deferral, EvidenceForm, FailureReason, Forward, ForwardAnswer, MessageError, Reply,
};
use record::{LegalDay, ParticipantId, SigningKey, Timestamp};
use serde::Serialize;
use service::http::{CallError, Client};
use text::Reference;
use tlog::Hash;
use tlog::merkle::Index;
use uuid::Uuid;

use super::checks::Checked;
use super::logins::LoginUnused;
use super::served::NotServed;
use crate::alarm;
use crate::config::ProviderConfig;
use crate::context::CheckContext;
use crate::error::Error;
use crate::evidence;
use crate::scan::{ScanError, Scanned, Scanner, scan};

/// A register that does not say when it is ready is asked again after this many seconds.
const ASK_AGAIN: u64 = 3600;
/// The last deferral ends so many seconds before the exchange does, so that the register can still be asked then.
const LAST_HOUR: u64 = 3600;

/// Query to the register.
#[derive(Serialize)]
struct RegisterQuery<'a> {
    #[serde(flatten)]
    subject: RegisterSubject<'a>,
    evidence_type: &'a str,
    exchange: Uuid,
    /// Whether the answer may come days later. Left out where it must come now.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    may_wait: bool,
}

/// Query for everything that the register has about the person that identity found.
#[derive(Serialize)]
struct StockQuery<'a> {
    idnr: &'a str,
    exchange: Uuid,
}

/// Whom the register is asked about. A natural person is the one that identity found, never the one of the request.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum RegisterSubject<'a> {
    Idnr(&'a str),
    Euid(String),
}

impl<'a> RegisterSubject<'a> {
    fn of(checked: &'a Checked) -> Option<Self> {
        match &checked.request().query.subject {
            Subject::Natural(_) => Some(Self::Idnr(checked.idnr().expose())),
            Subject::Legal(person) => person.euid().map(|euid| Self::Euid(euid.to_string())),
        }
    }
}

/// Evidence as the register gives it, which is also the content of `RepositoryItem` in an answer.
struct RegisterEvidence {
    form: EvidenceForm,
    content: Vec<u8>,
    issued_at: Reference,
}

enum RegisterAnswer {
    Found(RegisterEvidence),
    Nothing,
    /// The register asks to be asked again in so many seconds.
    Later(u64),
    Failed(FailureReason),
}

/// Client of the register behind this connector.
#[derive(Debug, Clone)]
pub(crate) struct Register {
    /// Base URL.
    url: String,
    client: Client,
    limit: Duration,
    scanner: Option<Scanner>,
}

/// Why no answer can be sealed: the consumer's answer key is unusable, or there is no randomness. The register has not
/// been asked then.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct AnswerError(#[from] MessageError);

impl Register {
    pub(crate) fn new(role: &ProviderConfig, client: &Client) -> Result<Self, Error> {
        let credential = service::secret::Credential::read(&role.register_credential)?;
        Ok(Self {
            url: role.register.clone(),
            client: client.with_credential(credential),
            limit: Duration::from_secs(role.register_seconds),
            scanner: role.scanner.clone().map(Scanner::new),
        })
    }

    /// Asks for the evidence of a checked exchange that was not served before. The register is asked for the number of
    /// nobody (design §5.5) like for any other; no register has it. The connector does not wait for the register after
    /// the exchange's deadline, when the consumer has stopped waiting.
    async fn ask(&self, checked: &Checked, _once: (&NotServed, &LoginUnused), left: Duration) -> RegisterAnswer {
        // No register has a legal person that is named by its name alone.
        let Some(subject) = RegisterSubject::of(checked) else {
            return RegisterAnswer::Nothing;
        };
        let own = checked.record().why.is_own_request();
        let Some(form) = requested_form(checked).filter(|form| *form == EvidenceForm::Json || !own) else {
            tracing::error!("the request asks for a form of evidence that does not exist here");
            return RegisterAnswer::Failed(FailureReason::EvidenceUnusable);
        };
        let client = self.client.with_timeout(self.limit.min(left));
        let client = client.with_accept(form.media_type());
        let exchange = checked.record().ids.exchange;
        let evidence_type = &checked.permission().evidence.id;
        let wanted = (form, evidence_type.as_str());
        let asked = match subject {
            // P7 has found the permission of this purpose, which only the body of the citizens' portal has.
            RegisterSubject::Idnr(idnr) if own => {
                let query = StockQuery { idnr, exchange };
                question_register(&client, &format!("{}/stock", self.url), &query, wanted).await
            }
            subject => {
                let query = RegisterQuery {
                    subject,
                    evidence_type,
                    exchange,
                    may_wait: !checked.record().synchronous,
                };
                question_register(&client, &format!("{}/evidence", self.url), &query, wanted).await
            }
        };
        match asked {
            Ok(RegisterAnswer::Found(found)) if issuing_date(&found.issued_at).is_none() => {
                tracing::error!("the register's answer has no valid date of issue");
                RegisterAnswer::Failed(FailureReason::EvidenceUnusable)
            }
            Ok(RegisterAnswer::Later(_)) if checked.record().synchronous => {
                tracing::error!("the register prepares evidence that is needed at once");
                RegisterAnswer::Failed(FailureReason::RegisterUnavailable)
            }
            Ok(answer) => answer,
            Err(CallError::Refused(problem)) if problem.status == 404 => RegisterAnswer::Nothing,
            Err(CallError::Refused(problem)) if problem.slug == FailureReason::EvidenceTooLarge.as_str() => {
                RegisterAnswer::Failed(FailureReason::EvidenceTooLarge)
            }
            Err(error) => {
                tracing::warn!(%error, "the register is unavailable");
                RegisterAnswer::Failed(FailureReason::RegisterUnavailable)
            }
        }
    }
}

/// Sends the query. A register answers with evidence of the wanted form and type, or with 202 and the time after which
/// it is to be asked again.
async fn question_register(
    client: &Client,
    url: &str,
    query: &impl Serialize,
    (form, evidence_type): (EvidenceForm, &str),
) -> Result<RegisterAnswer, CallError> {
    let body = serde_json::to_vec(query).map_err(|error| CallError::Invalid(error.to_string()))?;
    let answer = client.post(url, "application/json", body).await?;
    if answer.status == 202 {
        let seconds = answer.retry_after.map_or(ASK_AGAIN, u64::from);
        return Ok(RegisterAnswer::Later(seconds.max(1)));
    }
    let body = answer.success()?;
    if body.len() > MAX_EVIDENCE {
        return Ok(RegisterAnswer::Failed(FailureReason::EvidenceTooLarge));
    }
    let read = evidence::read(form, &body, evidence_type);
    let read = read.map_err(|error| CallError::Invalid(error.to_string()))?;
    let content = match form {
        // In canonical form, and without what is no part of it.
        EvidenceForm::Json => serde_json::to_vec(&read).map_err(|error| CallError::Invalid(error.to_string()))?,
        EvidenceForm::Xml | EvidenceForm::Pdf => body,
    };
    Ok(RegisterAnswer::Found(RegisterEvidence {
        form,
        content,
        issued_at: read.issued_at,
    }))
}

/// The day in Germany on which the register issued the evidence. A time without a zone is German time.
fn issuing_date(text: &str) -> Option<String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(LegalDay::of(time).to_string());
    }
    let is_date = |date: &&str| date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.get(..10).filter(is_date).map(str::to_owned)
}

/// Asks the register and makes the signed reply, or the deferral. It takes all tokens, so that nothing is released
/// unchecked or twice. The answer for a failure is sealed first, so that after the question there is always one to
/// give. A deferred intent's register is not asked before the time that the deferral has named.
pub(crate) async fn release(
    register: &Register,
    key: &SigningKey,
    forward: &Forward,
    checked: &Checked,
    (fresh, login): (&NotServed, &LoginUnused),
    now: Timestamp,
) -> Result<ForwardAnswer, AnswerError> {
    let request = checked.request();
    let head = Head {
        created: now,
        ..request.head.clone()
    };
    let index = checked.intent().index().get();
    let left = match fresh.pending() {
        Some(pending) if now < pending.available => {
            return Ok(ForwardAnswer::Deferral(defer(
                key,
                forward,
                checked,
                head,
                pending.available,
            )?));
        }
        // No consumer waits, and the deadline is over.
        Some(_) => Duration::MAX,
        None => Duration::from_secs(forward.metadata.deadline.since(now).max(1)),
    };
    let requested = requested_form(checked).unwrap_or_default();
    let failed = Answer::seal(
        forward,
        error(head.clone(), request.id, ErrorCode::Unavailable)?,
        requested,
    )?;
    let nothing = Answer::seal(
        forward,
        error(head.clone(), request.id, ErrorCode::NotFound)?,
        requested,
    )?;
    let reason = match register.ask(checked, (fresh, login), left).await {
        RegisterAnswer::Nothing => return Ok(nothing.reply(key, forward, index, AnswerResult::NothingFound)),
        RegisterAnswer::Failed(reason) => reason,
        RegisterAnswer::Later(seconds) => match later(checked, seconds, now) {
            Some(available) => {
                return Ok(ForwardAnswer::Deferral(defer(key, forward, checked, head, available)?));
            }
            None => FailureReason::RegisterUnavailable,
        },
        RegisterAnswer::Found(found) => match delivered(register, forward, checked, head, &found).await {
            Ok((answer, digest)) => return Ok(answer.reply(key, forward, index, AnswerResult::Delivered(digest))),
            Err(reason) => reason,
        },
    };
    alarm(reason, checked, forward);
    Ok(failed.reply(key, forward, index, AnswerResult::Failed(reason)))
}

/// The form of evidence that the request asks for; `None` if there is no such form here.
fn requested_form(checked: &Checked) -> Option<EvidenceForm> {
    EvidenceForm::of_media_type(&checked.request().query.distribution.media_type)
}

/// The time from which the register is asked again. `None` when the exchange ends before it can be asked again.
fn later(checked: &Checked, seconds: u64, now: Timestamp) -> Option<Timestamp> {
    let latest = checked.intent().entry().time.after(MAX_LATER_SECONDS - LAST_HOUR);
    (now < latest).then(|| now.after(seconds).min(latest))
}

/// Signs that the answer is available later, and seals the same to the consumer.
fn defer(
    key: &SigningKey,
    forward: &Forward,
    checked: &Checked,
    head: Head,
    available: Timestamp,
) -> Result<Deferral, AnswerError> {
    let xml = EvidenceResponse0102 {
        request: checked.request().id,
        response: Uuid::new_v4(),
        head,
        availability: Availability::From(available),
    }
    .to_xml()
    .map_err(MessageError::from)?;
    let about = (forward.metadata.message, checked.intent().index().get());
    Ok(Deferral::sign(
        key,
        about,
        available,
        Answer::seal(forward, xml, requested_form(checked).unwrap_or_default())?.sealed,
    ))
}

/// Raises the alarm for a reason that an operator must look at.
fn alarm(reason: FailureReason, checked: &Checked, forward: &Forward) {
    let evidence_type = checked.permission().evidence.id.as_str();
    let (kind, why) = match reason {
        FailureReason::EvidenceTooLarge => (
            "evidence-too-large",
            format!(
                "the register's evidence of type {evidence_type} exceeds {MAX_EVIDENCE} bytes and was not delivered"
            ),
        ),
        FailureReason::EvidenceUnusable => (
            "evidence-unusable",
            format!(
                "evidence of type {evidence_type} cannot be written as XNachweis, or not in the form that was asked for"
            ),
        ),
        FailureReason::EvidenceInfected => (
            "evidence-infected",
            format!("the scanner has found malware in evidence of type {evidence_type}, which was not delivered"),
        ),
        FailureReason::ScannerUnavailable => (
            "scanner",
            "the scanner gives no clear answer: no evidence is delivered".to_owned(),
        ),
        FailureReason::RegisterUnavailable | FailureReason::Clock => return,
    };
    alarm::raise(kind, Some(forward.metadata.exchange), &why);
}

/// Makes the signed reply when a check failed, or when the forward comes at the wrong time. The register is not asked,
/// and the request id is nil because it may be unreadable.
pub(crate) fn refuse(
    context: &CheckContext,
    key: &SigningKey,
    forward: &Forward,
    index: u64,
    result: AnswerResult,
    now: Timestamp,
) -> Result<Reply, AnswerError> {
    let metadata = &forward.metadata;
    let head = Head {
        message: metadata.message,
        created: now,
        test: metadata.test,
        consumer: authority(context, &metadata.consumer, index),
        provider: authority(context, &context.me, index),
    };
    let code = match result {
        AnswerResult::TimedOut | AnswerResult::Failed(_) => ErrorCode::Unavailable,
        _ => ErrorCode::Refused,
    };
    let xml = error(head, Uuid::nil(), code)?;
    Ok(Answer::seal(forward, xml, EvidenceForm::default())?.sign(key, forward, index, result))
}

/// The authority of a component, by the directory in force at the intent. A component that it does not list has its id
/// alone.
fn authority(context: &CheckContext, id: &ParticipantId, intent: u64) -> Authority {
    let party = Index::new(intent).ok().and_then(|intent| {
        let directory = context.at(intent);
        directory.party(directory.component(id)?)
    });
    party.map_or_else(
        || Authority {
            directory: String::new(),
            identifier: id.to_string(),
            name: id.to_string(),
        },
        |party| Authority::from(&party),
    )
}

/// A sealed answer that is not signed yet.
struct Answer {
    sealed: Vec<u8>,
    digest: Hash,
}

impl Answer {
    fn seal(forward: &Forward, xml: Vec<u8>, requested: EvidenceForm) -> Result<Self, MessageError> {
        let content = AnswerContent {
            salt: messages::random()?,
            xml,
        };
        Ok(Self {
            digest: content.digest(),
            sealed: content.seal(&forward.answer_key, forward.metadata.message, requested)?,
        })
    }

    fn sign(self, key: &SigningKey, forward: &Forward, index: u64, result: AnswerResult) -> Reply {
        Reply::sign(key, (forward.metadata.message, index), result, self.sealed)
    }

    fn reply(self, key: &SigningKey, forward: &Forward, index: u64, result: AnswerResult) -> ForwardAnswer {
        ForwardAnswer::Reply(self.sign(key, forward, index, result))
    }
}

/// Scans the evidence, and seals it with its digest. The limits of the reader apply here, before anything is signed.
async fn delivered(
    register: &Register,
    forward: &Forward,
    checked: &Checked,
    head: Head,
    found: &RegisterEvidence,
) -> Result<(Answer, Hash), FailureReason> {
    if found.content.len() > MAX_EVIDENCE {
        return Err(FailureReason::EvidenceTooLarge);
    }
    let scanned = scan(register.scanner.as_ref(), &found.content).await.map_err(|error| {
        tracing::error!(%error, "the evidence is not delivered");
        match error {
            ScanError::Infected => FailureReason::EvidenceInfected,
            ScanError::Unclear(_) => FailureReason::ScannerUnavailable,
        }
    })?;
    let issued = issuing_date(&found.issued_at).ok_or(FailureReason::EvidenceUnusable)?;
    let xml = response(checked, head, &issued, (found.form, &scanned)).map_err(|error| match error {
        XmlError::TooLarge => FailureReason::EvidenceTooLarge,
        _ => FailureReason::EvidenceUnusable,
    })?;
    let answer = Answer::seal(forward, xml, found.form).map_err(|_| FailureReason::EvidenceTooLarge)?;
    let digest = answer.digest;
    Ok((answer, digest))
}

fn response(
    checked: &Checked,
    head: Head,
    issued: &str,
    (form, content): (EvidenceForm, &Scanned<'_>),
) -> Result<Vec<u8>, XmlError> {
    let request = checked.request();
    let evidence = &checked.permission().evidence;
    EvidenceResponse0102 {
        request: request.id,
        response: Uuid::new_v4(),
        head,
        availability: Availability::Evidence(Box::new(Evidence {
            object: Uuid::new_v4(),
            issued: issued.parse().map_err(|_| XmlError::Value("IssuingDate"))?,
            validity: None,
            evidence_type: EvidenceType {
                id: evidence.id.clone(),
                title: evidence.title.clone(),
                description: None,
            },
            distribution: Distribution::of(form.media_type()),
            languages: Vec::new(),
            content: content.bytes().to_vec(),
            subject: request.query.subject.clone(),
        })),
    }
    .to_xml()
}

fn error(head: Head, request: Uuid, code: ErrorCode) -> Result<Vec<u8>, MessageError> {
    let error = EvidenceError0103 {
        request,
        response: Uuid::new_v4(),
        head,
        exception: code.into(),
    };
    Ok(error.to_xml()?)
}

#[cfg(test)]
mod tests {
    use super::issuing_date;

    #[test]
    fn the_issuing_date_is_the_day_in_germany() {
        for (issued_at, date) in [
            ("2026-11-28T23:57:00Z", Some("2026-11-29")),
            ("2026-07-01T22:00:00Z", Some("2026-07-02")),
            ("2026-11-29T00:57:00+01:00", Some("2026-11-29")),
            ("2026-11-29T00:57:00", Some("2026-11-29")),
            ("2026-11-29", Some("2026-11-29")),
            ("1950-05-01", Some("1950-05-01")),
            ("29.11.2026", None),
            ("2026", None),
        ] {
            assert_eq!(issuing_date(issued_at).as_deref(), date, "{issued_at}");
        }
    }
}
