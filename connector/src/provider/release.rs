//! Asks the register and seals its answer to the consumer. No other module has the register's address.

use std::collections::BTreeMap;
use std::time::Duration;

use messages::xnachweis::{
    Authority, ErrorCode, Evidence, EvidenceError0103, EvidenceResponse0102, EvidenceType, Head,
};
use messages::{AnswerContent, Forward, MessageError, Reply, ReplyOutcome};
use record::{LegalDay, SigningKey, Timestamp};
use serde::{Deserialize, Serialize};
use service::http::{CallError, Client};
use text::{FieldValue, Reference, Title};
use uuid::Uuid;

use super::checks::{CheckFailed, Checked};
use super::served::NotServed;
use crate::config::ProviderConfig;
use crate::context::CheckContext;
use crate::error::Error;
use crate::evidence::EVIDENCE_MEDIA_TYPE;

/// Query to the register.
#[derive(Serialize)]
struct RegisterQuery<'a> {
    idnr: &'a str,
    evidence_type: &'a str,
    exchange: Uuid,
}

/// The register's answer, which is also the content of `RepositoryItem` in an answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterEvidence {
    pub(crate) title: Title,
    pub(crate) issued_at: Reference,
    pub(crate) fields: BTreeMap<Title, FieldValue>,
}

enum RegisterAnswer {
    Found(RegisterEvidence),
    Nothing,
    Unavailable,
}

/// Client of the register behind this connector.
#[derive(Debug, Clone)]
pub(crate) struct Register {
    url: String,
    client: Client,
}

/// Why an answer cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    /// The consumer's answer key is unusable, or the evidence too long.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The evidence cannot be encoded as XML or JSON.
    #[error("the evidence cannot be encoded")]
    Content,
}

impl Register {
    pub(crate) fn new(role: &ProviderConfig, client: &Client) -> Result<Self, Error> {
        let credential = service::secret::Credential::read(&role.register_credential)?;
        let client = client
            .with_credential(credential)
            .with_timeout(Duration::from_secs(role.register_seconds));
        Ok(Self {
            url: format!("{}/evidence", role.register),
            client,
        })
    }

    /// Asks for the evidence of a checked exchange that was not served before. The register is asked for the number of
    /// nobody (design §5.5) like for any other; no register has it.
    async fn ask(&self, checked: &Checked, _fresh: &NotServed) -> RegisterAnswer {
        let question = RegisterQuery {
            idnr: checked.idnr().expose(),
            evidence_type: &checked.permission().rule.evidence.id,
            exchange: checked.record().ids.exchange,
        };
        match self.client.post_json::<_, RegisterEvidence>(&self.url, &question).await {
            Ok(found) if issuing_date(&found.issued_at).is_some() => RegisterAnswer::Found(found),
            Ok(_) => {
                tracing::error!("the register's answer has no valid date of issue");
                RegisterAnswer::Unavailable
            }
            Err(CallError::Refused(problem)) if problem.status == 404 => RegisterAnswer::Nothing,
            Err(error) => {
                tracing::warn!(%error, "the register is unavailable");
                RegisterAnswer::Unavailable
            }
        }
    }
}

/// The day in Germany on which the register issued the evidence. A time without a zone is German time.
fn issuing_date(text: &str) -> Option<String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(LegalDay::of(time).to_string());
    }
    let is_date = |date: &&str| date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.get(..10).filter(is_date).map(str::to_owned)
}

/// Asks the register and makes the signed reply. It takes both tokens, so that nothing is released unchecked or twice.
pub(crate) async fn release(
    register: &Register,
    key: &SigningKey,
    forward: &Forward,
    checked: &Checked,
    fresh: &NotServed,
    now: Timestamp,
) -> Result<Reply, AnswerError> {
    let finding = register.ask(checked, fresh).await;
    let request = checked.request();
    let head = Head {
        created: now,
        ..request.head.clone()
    };
    let (outcome, xml) = match finding {
        RegisterAnswer::Found(found) => (ReplyOutcome::Delivered, response(checked, head, &found)?),
        RegisterAnswer::Nothing => (
            ReplyOutcome::NothingFound,
            error(head, request.id, ErrorCode::NotFound)?,
        ),
        RegisterAnswer::Unavailable => (ReplyOutcome::Failed, error(head, request.id, ErrorCode::Unavailable)?),
    };
    let index = checked.intent().index().get();
    reply(key, forward, index, (outcome, None), xml)
}

/// Makes the signed reply to a forward that failed a check. The register is not asked, and the request id is nil because it may be
/// unreadable.
pub(crate) fn refuse(
    context: &CheckContext,
    key: &SigningKey,
    forward: &Forward,
    index: u64,
    failure: CheckFailed,
    now: Timestamp,
) -> Result<Reply, AnswerError> {
    let metadata = &forward.metadata;
    let consumer = context.directory.participant(&metadata.consumer).map_or_else(
        || Authority {
            directory: String::new(),
            identifier: metadata.consumer.to_string(),
            name: metadata.consumer.to_string(),
        },
        |participant| Authority::from(&participant.party),
    );
    let head = Head {
        message: metadata.message,
        created: now,
        test: metadata.test,
        consumer,
        provider: Authority::from(&context.me.party),
    };
    let outcome = failure.check.outcome();
    let code = match outcome {
        ReplyOutcome::Failed => ErrorCode::Unavailable,
        _ => ErrorCode::Refused,
    };
    let xml = error(head, Uuid::nil(), code)?;
    reply(key, forward, index, (outcome, Some(failure.check)), xml)
}

fn reply(
    key: &SigningKey,
    forward: &Forward,
    index: u64,
    (outcome, refusal): (ReplyOutcome, Option<messages::CheckName>),
    xml: Vec<u8>,
) -> Result<Reply, AnswerError> {
    let answer = AnswerContent {
        salt: messages::random().map_err(MessageError::from)?,
        xml,
    };
    let digest = (outcome == ReplyOutcome::Delivered).then(|| answer.digest());
    let message = forward.metadata.message;
    let sealed = answer.seal(&forward.answer_key, message)?;
    Ok(Reply::sign(key, (message, index), (outcome, refusal), digest, sealed))
}

fn response(checked: &Checked, head: Head, found: &RegisterEvidence) -> Result<Vec<u8>, AnswerError> {
    let request = checked.request();
    let evidence = &checked.permission().rule.evidence;
    let issued = issuing_date(&found.issued_at).ok_or(AnswerError::Content)?;
    let response = EvidenceResponse0102 {
        request: request.id,
        response: Uuid::new_v4(),
        head,
        evidence: Evidence {
            object: Uuid::new_v4(),
            issued,
            evidence_type: EvidenceType {
                id: evidence.id.clone(),
                title: evidence.title.clone(),
            },
            media_type: EVIDENCE_MEDIA_TYPE.to_owned(),
            content: serde_json::to_vec(found).map_err(|_| AnswerError::Content)?,
        },
        person: request.person.clone(),
    };
    response.to_xml().map_err(|_| AnswerError::Content)
}

fn error(head: Head, request: Uuid, code: ErrorCode) -> Result<Vec<u8>, AnswerError> {
    EvidenceError0103 {
        request,
        response: Uuid::new_v4(),
        head,
        code,
    }
    .to_xml()
    .map_err(|_| AnswerError::Content)
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
