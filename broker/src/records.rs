//! The sealed records of an exchange: their content and their sealing.
//!
//! The intent's record has everything that is known before the request is forwarded. The outcome's record repeats it
//! and adds the result. Consumer and provider compare the records with what they sent and signed, so that the broker
//! cannot misstate it without being noticed.

use messages::seal::PadTo;
use messages::{ExchangeRequest, Reply, ReplyOutcome, S1, SealingPublicKey, SignedDecision};
use record::content::{
    Check, CitizenPart, ConsumerSignatures, DenialRecord, ExchangeRecord, ExchangeResult, Ids, Lifecycle,
    PreviewDecision, PreviewResult, SharedPart, SupervisionPart,
};
use record::sealed::{Header, Parts, SealedError};
use record::{DayKey, ExpiryDay, Label, Outcome, RecordKey, RetentionClass, SealedRecord, SubjectRole};
use tlog::Hash;

use crate::authenticate::Authenticated;
use crate::permit::Permitted;

const SUPERVISION_INFO: &str = "einsicht/supervision/v1";
const SUPERVISION_PAD: PadTo = PadTo::Doubling(256);

/// Why a record could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Sealing under the record's key failed.
    #[error("sealing the record: {0}")]
    Seal(#[from] SealedError),
    /// Sealing to the supervisory authority failed: its key in the directory is unusable.
    #[error("sealing to the supervision: {0}")]
    Supervision(#[from] messages::seal::SealError),
}

/// How an exchange ended, as the broker saw it.
#[derive(Debug, Clone)]
pub enum Ending {
    /// The provider replied, positively or not; its signature is checked.
    Replied(Reply),
    /// The provider has certainly not served the request.
    NotServed(NotServed),
    /// No valid reply arrived, and the provider may have answered.
    TimedOut,
    /// The consumer has withdrawn an exchange that waited for its evidence.
    Withdrawn,
}

/// Why the provider has certainly not served a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotServed {
    /// The broker has no address of the provider's connector, or the directory does not list the provider any more.
    NoRoute,
    /// The provider's connector could not be reached, or was not ready, at any attempt.
    Unreachable,
    /// The provider's connector does not accept the request as one of the recorded intent.
    Refused,
    /// The request is larger than a provider's connector accepts.
    TooLarge,
    /// The ledger has not taken the representative's intent. Without it nothing is forwarded.
    NotRecorded,
}

impl NotServed {
    /// The reason's code in records.
    fn as_str(self) -> &'static str {
        match self {
            Self::NoRoute | Self::Unreachable => "provider-unreachable",
            Self::Refused => "provider-refused",
            Self::TooLarge => "request-too-large",
            Self::NotRecorded => "representative-not-recorded",
        }
    }
}

impl Ending {
    /// The outcome for the record.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Replied(reply) => reply.statement.outcome.into(),
            Self::NotServed(_) => Outcome::Failed,
            Self::TimedOut | Self::Withdrawn => Outcome::TimedOut,
        }
    }

    /// The reason for the citizen's part. The requester does not receive it (TR-03176 Z.3.10, Z.4.10).
    fn internal_reason(&self) -> Option<&'static str> {
        match self {
            Self::Replied(reply) => {
                let statement = &reply.statement;
                let refusal = statement.refusal.map(|check| check.as_str());
                let failure = statement.failure.map(|reason| reason.as_str());
                let late = (statement.outcome == ReplyOutcome::TimedOut).then_some("too-late");
                refusal.or(failure).or(late)
            }
            Self::NotServed(reason) => Some(reason.as_str()),
            Self::TimedOut => Some("no-answer"),
            Self::Withdrawn => Some("withdrawn"),
        }
    }

    /// The provider's reply, if there was one.
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Replied(reply) => Some(reply),
            Self::NotServed(_) | Self::TimedOut | Self::Withdrawn => None,
        }
    }
}

/// The record of an intent.
pub fn intent(permitted: &Permitted, expiry: ExpiryDay) -> ExchangeRecord {
    let authenticated = permitted.authenticated();
    let request = authenticated.request();
    let metadata = &request.metadata;
    let permission = permitted.permission();
    let rule = &permission.rule;
    ExchangeRecord {
        ids: ids(request),
        consumer: authenticated.consumer().clone(),
        provider: authenticated.provider().clone(),
        evidence: permission.evidence.clone(),
        request_digest: metadata.request_digest,
        why: permission.why.clone(),
        allowed_by: permission.allowed_by(),
        subject: metadata.subject,
        role: metadata.role,
        representation: metadata.representation,
        idnr_used: metadata.idnr_used,
        assurance: metadata.assurance,
        synchronous: metadata.synchronous,
        lifecycle: Lifecycle {
            retention: rule.retention,
            expiry,
            disclosure: rule.disclosure,
        },
        consumer_signatures: signatures(request),
        result: None,
        preview: None,
    }
}

/// The representative's record of an intent: the same, with their own role and S1.
pub fn representatives(subject: &ExchangeRecord, s1: &S1, expiry: ExpiryDay) -> ExchangeRecord {
    let mut record = subject.clone();
    record.role = SubjectRole::Representative;
    record.lifecycle.expiry = expiry;
    record.consumer_signatures.s1 = s1.signature.0;
    record.consumer_signatures.s1_digest = s1.digest();
    record
}

fn ids(request: &ExchangeRequest) -> Ids {
    let metadata = &request.metadata;
    Ids {
        exchange: metadata.exchange,
        message: metadata.message,
        request_reference: metadata.request_reference.to_string(),
        trace: metadata.trace.to_string(),
        test: metadata.test,
    }
}

fn signatures(request: &ExchangeRequest) -> ConsumerSignatures {
    ConsumerSignatures {
        s1: request.s1.signature.0,
        s2: request.s2.0,
        s1_digest: request.s1.digest(),
        sealed_request: messages::sha256_of(&[&request.sealed_request]),
        answer_key: request.answer_key.0,
    }
}

/// The record of the outcome: the intent's record with the result, and with an expiry day counted from the closing.
pub fn outcome(mut intent: ExchangeRecord, ending: &Ending, expiry: ExpiryDay) -> ExchangeRecord {
    let reply = ending.reply();
    intent.lifecycle.expiry = expiry;
    intent.result = Some(ExchangeResult {
        outcome: ending.outcome(),
        told: result_for_requester(ending.outcome()).to_owned(),
        checks: checks(ending),
        evidence_digest: reply.and_then(|reply| reply.statement.evidence_digest),
        answer_digest: reply.map(|reply| reply.statement.sealed_answer),
        provider_signature: reply.map(|reply| reply.signature.0),
    });
    intent
}

/// The record of a preview: the outcome's record with the decision, and with an expiry day counted from the decision.
pub fn preview(mut outcome: ExchangeRecord, decided: Option<&SignedDecision>, expiry: ExpiryDay) -> ExchangeRecord {
    outcome.lifecycle.expiry = expiry;
    outcome.preview = Some(PreviewResult {
        decision: decided.map_or(PreviewDecision::NotMade, |decided| decided.statement.decision),
        consumer_signature: decided.map(|decided| decided.signature.0),
    });
    outcome
}

/// What the requester receives as the result: never the reason.
fn result_for_requester(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "delivered",
        Outcome::NothingFound => "nothing found",
        Outcome::Refused => "refused",
        Outcome::Failed | Outcome::TimedOut => "not available",
    }
}

/// The broker's own checks (XBd.3.1: result and algorithm).
fn checks(ending: &Ending) -> Vec<Check> {
    let check = |name: &str, passed, algorithm: &str| Check {
        name: name.into(),
        passed,
        algorithm: algorithm.into(),
    };
    let mut checks = vec![
        check("consumer's signatures", true, "Ed25519"),
        check("abstract permission", true, "Registerlandkarte"),
    ];
    if let Ending::Replied(_) = ending {
        checks.push(check("provider's signature", true, "Ed25519"));
    }
    checks
}

/// Seals a labelled record under its key.
///
/// # Errors
/// [`RecordError`].
pub fn seal(
    content: ExchangeRecord,
    ending: Option<&Ending>,
    official: &str,
    label: &Label,
    key: &RecordKey,
    supervision: &[u8; 32],
) -> Result<SealedRecord, RecordError> {
    let header = Header::labelled(content.lifecycle.retention, content.lifecycle.expiry);
    let part = SupervisionPart {
        official: official.to_owned(),
        denial: None,
    };
    let parts = Parts {
        shared: SharedPart::Exchange(Box::new(content)),
        citizen: ending
            .and_then(Ending::internal_reason)
            .map_or_else(CitizenPart::default, CitizenPart::with_reason),
        supervision: to_supervision(&part, supervision, &label.0)?,
    };
    Ok(SealedRecord::seal(&header, Some(label), key, &parts)?)
}

/// Seals the record of a denial. Only the supervisory authority can open it, because it concerns no person.
///
/// # Errors
/// [`RecordError`].
pub fn seal_denial(
    authenticated: &Authenticated,
    (reason, registerlandkarte): (&str, Hash),
    (class, expiry): (RetentionClass, ExpiryDay),
    denial_key: &DayKey,
    supervision: &[u8; 32],
) -> Result<SealedRecord, RecordError> {
    let header = Header::denial(class, expiry)?;
    let salt = header.salt.unwrap_or_default();
    let request = authenticated.request();
    let metadata = &request.metadata;
    let denial = DenialRecord {
        ids: ids(request),
        consumer: metadata.consumer.clone(),
        provider: metadata.provider.clone(),
        evidence_type: metadata.evidence_type.to_string(),
        purpose: metadata.purpose.to_string(),
        idnr_used: metadata.idnr_used,
        reason: reason.to_owned(),
        registerlandkarte,
    };
    let part = SupervisionPart {
        official: metadata.official.to_string(),
        denial: Some(Box::new(denial)),
    };
    let parts = Parts::denial(to_supervision(&part, supervision, &salt)?);
    Ok(SealedRecord::seal(
        &header,
        None,
        &denial_key.salted_record_key(&salt),
        &parts,
    )?)
}

fn to_supervision(part: &SupervisionPart, key: &[u8; 32], aad: &[u8; 32]) -> Result<Vec<u8>, RecordError> {
    let plain = record::cbor::to_vec(part);
    Ok(messages::seal::seal(
        &SealingPublicKey(*key),
        SUPERVISION_INFO,
        aad,
        &plain,
        SUPERVISION_PAD,
    )?)
}
