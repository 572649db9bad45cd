//! The checks of a completion, before anything of it is opened (design §6, step 6).
//!
//! | Check | What it keeps out |
//! | --- | --- |
//! | C1 receipts of both, of our log, the outcome closing the intent under its label | a hidden exchange |
//! | C2 the outcome's record has, field by field, what was asked and permitted | a broker that records something else |
//! | C2 a representative's own outcome, with the same record | a representative who does not find the exchange |
//! | C3 the provider signed this answer, and the record carries its digest and signature | another provider's answer |
//!
//! Where the permission demands a preview, the evidence of an accepted completion stays locked until [`preview`] has
//! proved that the log has its person's acceptance.
//!
//! Only [`check`] makes an [`Accepted`], which alone can open the answer. The caller relies on both checkpoints
//! ([`Accepted::checkpoints`]) before it opens.

pub(crate) mod later;
pub(crate) mod preview;

use ledger_client::recorded::{self, Intent, Outcome, Recorded};
use messages::xnachweis::{ErrorCode, Evidence, EvidenceAnswer, EvidenceRequest0101};
use messages::{
    AnswerContent, Completion, EvidenceForm, ExchangeRequest, FailureReason, OutcomeNotice, Reply, ReplyOutcome,
    SealingKey,
};
use record::{ExchangeRecord, ExchangeResult, Label};
use tlog::checkpoint::Checkpoint;

use super::query::AuthorityEvidence;
use crate::context::CheckContext;
use crate::evidence;
use crate::record_check::{self, Decision, RepresentativesOutcome, SignedParts};

/// The check that failed, and why, for the alarm. Names no person and no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompletionError {
    /// `C1`, `C2` or `C3`, or `answer` for the content of the answer.
    pub check: &'static str,
    /// What was wrong.
    pub why: &'static str,
}

fn failed(check: &'static str) -> impl Fn(&'static str) -> CompletionError {
    move |why| CompletionError { check, why }
}

/// A completion that passed C1 to C3.
pub struct Accepted {
    intent: Recorded<Intent>,
    outcome: Recorded<Outcome>,
    record: Box<ExchangeRecord>,
    result: ExchangeResult,
    /// Whether the permission demands a preview.
    preview: bool,
    reply: Option<Reply>,
    representative: Option<RepresentativesOutcome>,
    _answered: AnswerRecorded,
}

/// What an answer has.
#[derive(Debug)]
pub enum Opened {
    /// Nothing was found, or the provider refused or failed.
    Nothing,
    /// Evidence that the authority may use.
    Evidence(AuthorityEvidence),
    /// Evidence that is as it should be, and that the authority may use when its person has accepted.
    AwaitsPreview,
}

impl Opened {
    /// The evidence that the authority may use.
    #[must_use]
    pub fn evidence(self) -> Option<AuthorityEvidence> {
        match self {
            Self::Evidence(evidence) => Some(evidence),
            Self::Nothing | Self::AwaitsPreview => None,
        }
    }
}

/// What C1 proves.
struct Closing {
    intent: Recorded<Intent>,
    outcome: Recorded<Outcome>,
    /// Label of the outcome.
    label: Label,
}

/// What C2 proves.
struct RecordedResult {
    record: Box<ExchangeRecord>,
    result: ExchangeResult,
    preview: bool,
}

/// C3 has passed. Only [`c3_answer`] makes one.
struct AnswerRecorded(());

/// Checks C1 to C3, in order; the first that fails is returned.
///
/// # Errors
/// The [`CompletionError`].
pub fn check(
    context: &CheckContext,
    request: &ExchangeRequest,
    completion: &Completion,
) -> Result<Accepted, CompletionError> {
    let Completion { notice, reply } = completion;
    let Closing { intent, outcome, label } = c1_receipts(context, notice)?;
    let RecordedResult {
        record,
        result,
        preview,
    } = c2_record(context, request, notice, &intent, &outcome, &label)?;
    let representative = request.representative.as_ref();
    let representative = record_check::representatives_outcome(context, notice, &record, representative);
    let representative = representative.map_err(failed("C2"))?;
    let answered = c3_answer(context, request, (&intent, &outcome), &result, reply.as_ref())?;
    Ok(Accepted {
        intent,
        outcome,
        record,
        result,
        preview,
        reply: reply.clone(),
        representative,
        _answered: answered,
    })
}

/// C1: both receipts prove entries of the anchored log, written by a writer with the right to their kind; the outcome
/// closes the intent, under the label that follows from the intent's.
fn c1_receipts(context: &CheckContext, notice: &OutcomeNotice) -> Result<Closing, CompletionError> {
    let failed = failed("C1");
    let intent = recorded::check::<Intent>(&notice.intent_receipt, &context.trust, &context.history)
        .map_err(|_| failed("the intent's receipt does not hold"))?;
    let outcome = recorded::check::<Outcome>(&notice.outcome_receipt, &context.trust, &context.history)
        .map_err(|_| failed("the outcome's receipt does not hold"))?;
    if !context.is_from_our_log(&intent) || !context.is_from_our_log(&outcome) {
        return Err(failed("a receipt is of another log"));
    }
    let label = record_check::closing_label(&context.history, &intent, &outcome).map_err(failed)?;
    Ok(Closing { label, intent, outcome })
}

/// C2: the outcome's record opens, is the one that the entry commits to, and every field is what this connector sent
/// and what the logged Registerlandkarte permits.
fn c2_record(
    context: &CheckContext,
    request: &ExchangeRequest,
    notice: &OutcomeNotice,
    intent: &Recorded<Intent>,
    outcome: &Recorded<Outcome>,
    label: &Label,
) -> Result<RecordedResult, CompletionError> {
    let failed = failed("C2");
    let entry = outcome.entry();
    let record = record_check::open(&notice.sealed_record, entry, label, &notice.shared_key).map_err(&failed)?;
    let sent = SignedParts {
        metadata: &request.metadata,
        s1: &request.s1,
        s2: &request.s2,
        answer_key: request.answer_key,
        sealed_request: &request.sealed_request,
    };
    record_check::check_content(&record, &sent, context.at(intent.index())).map_err(&failed)?;
    let decided_at = intent.entry().time;
    let decision = Decision {
        intent: intent.index(),
        decided_at,
        closed_at: entry.time,
        relied_at: decided_at,
    };
    let permission = record_check::check_permission(&record, &request.metadata, &context.history, &decision);
    let permission = permission.map_err(&failed)?;
    let Some(result) = record.result.clone() else {
        return Err(failed("the outcome's record has no result"));
    };
    Ok(RecordedResult {
        record,
        result,
        preview: permission.rule.preview,
    })
}

/// C3: the provider signed its answer to this message and this intent, with its key of the directory in force at the
/// intent or at the outcome, because it answered in between; the record carries outcome, digests and
/// signature. Without an answer the record says that there was none.
fn c3_answer(
    context: &CheckContext,
    request: &ExchangeRequest,
    (intent, outcome): (&Recorded<Intent>, &Recorded<Outcome>),
    result: &ExchangeResult,
    reply: Option<&Reply>,
) -> Result<AnswerRecorded, CompletionError> {
    let failed = failed("C3");
    let Some(reply) = reply else {
        let no_answer = matches!(result.outcome, record::Outcome::Failed | record::Outcome::TimedOut)
            && result.answer_digest.is_none()
            && result.evidence_digest.is_none()
            && result.provider_signature.is_none();
        return if no_answer {
            Ok(AnswerRecorded(()))
        } else {
            Err(failed("the record speaks of an answer that was not handed over"))
        };
    };
    let provider = &request.metadata.provider;
    let mut listed = [intent.index(), outcome.index()]
        .into_iter()
        .filter_map(|index| context.at(index).provider(provider));
    if !listed.any(|provider| provider.verified(|key| reply.verify(key)).is_ok()) {
        return Err(failed("the provider did not sign this answer"));
    }
    let statement = &reply.statement;
    if statement.message != request.metadata.message || statement.intent != intent.index().get() {
        return Err(failed("the answer is to another message or intent"));
    }
    if result.outcome != statement.outcome.into() {
        return Err(failed("the record's outcome is not the provider's"));
    }
    if result.answer_digest != Some(statement.sealed_answer) || result.evidence_digest != statement.evidence_digest {
        return Err(failed("the record's digests are not the provider's"));
    }
    if result.provider_signature != Some(reply.signature.0) {
        return Err(failed("the record does not carry the provider's signature"));
    }
    Ok(AnswerRecorded(()))
}

impl std::fmt::Debug for Accepted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Accepted({:?})", self.result.outcome)
    }
}

impl Accepted {
    /// Indices of intent and outcome.
    pub fn indices(&self) -> (u64, u64) {
        (self.intent.index().get(), self.outcome.index().get())
    }

    /// The checkpoints that accepting relies on: those of all receipts.
    pub fn checkpoints(&self) -> Vec<&Checkpoint> {
        record_check::checkpoints(&self.intent, &self.outcome, self.representative.as_ref())
    }

    /// How the exchange ended, as recorded.
    pub fn outcome(&self) -> record::Outcome {
        self.result.outcome
    }

    /// Whether the authority may use the delivered evidence only after its person has accepted.
    pub fn awaits_preview(&self) -> bool {
        self.preview && self.result.outcome == record::Outcome::Delivered
    }

    /// The outcome's record.
    pub(crate) fn record(&self) -> &ExchangeRecord {
        &self.record
    }

    /// The result as recorded.
    pub(crate) fn result(&self) -> &ExchangeResult {
        &self.result
    }

    /// The sealed answer, if there is one.
    pub(crate) fn sealed_answer(&self) -> Option<&[u8]> {
        self.reply.as_ref().map(|reply| reply.sealed_answer.as_slice())
    }

    /// Opens the answer. Evidence that awaits a preview is checked, and not returned.
    ///
    /// # Errors
    /// [`CompletionError`] `answer`, when what the provider sealed is not an answer to what was asked.
    pub fn open(&self, key: &SealingKey, asked: &EvidenceRequest0101) -> Result<Opened, CompletionError> {
        let failed = failed("answer");
        let Some(reply) = &self.reply else {
            return Ok(Opened::Nothing);
        };
        let message = asked.head.message;
        let answer = AnswerContent::open(&reply.sealed_answer, key, message)
            .map_err(|_| failed("the answer is not sealed to the key of this exchange"))?;
        let parsed =
            EvidenceAnswer::parse(&answer.xml).map_err(|_| failed("the answer is not XNachweis 0102 or 0103"))?;
        let delivered = reply.statement.outcome == ReplyOutcome::Delivered;
        match parsed {
            EvidenceAnswer::Response(response) if delivered => {
                if Some(answer.digest()) != reply.statement.evidence_digest {
                    return Err(failed("the answer is not the one that was digested"));
                }
                let evidence = response
                    .availability
                    .evidence()
                    .ok_or_else(|| failed("the answer promises evidence for later"))?;
                let same_head = is_answer(&response.head, response.request, asked);
                if !same_head || evidence.evidence_type.id != asked.query.evidence_type.id {
                    return Err(failed("the answer is to another request"));
                }
                let form = &asked.query.distribution.media_type;
                if evidence.subject != asked.query.subject || evidence.distribution.media_type != *form {
                    return Err(failed("the answer is about another person or in another form"));
                }
                let evidence = evidence_of(evidence).ok_or_else(|| failed("the evidence cannot be read"))?;
                if self.awaits_preview() {
                    return Ok(Opened::AwaitsPreview);
                }
                Ok(Opened::Evidence(evidence))
            }
            EvidenceAnswer::Error(error) if !delivered => {
                let asked_too_late = reply.statement.outcome == ReplyOutcome::TimedOut;
                let untimely = asked_too_late || reply.statement.failure == Some(FailureReason::Clock);
                // A provider that refuses, or is asked at the wrong time, has not read the request's id.
                let refused = untimely || reply.statement.outcome == ReplyOutcome::Refused;
                let request = if refused { asked.id } else { error.request };
                if !is_answer(&error.head, request, asked)
                    || error.exception.code != error_code(reply.statement.outcome)
                {
                    return Err(failed("the answer is to another request, or contradicts the outcome"));
                }
                Ok(Opened::Nothing)
            }
            _ => Err(failed("the answer contradicts the outcome")),
        }
    }
}

/// The error code of an answer without evidence.
fn error_code(outcome: ReplyOutcome) -> ErrorCode {
    match outcome {
        ReplyOutcome::NothingFound => ErrorCode::NotFound,
        ReplyOutcome::Refused => ErrorCode::Refused,
        ReplyOutcome::Delivered | ReplyOutcome::Failed | ReplyOutcome::TimedOut => ErrorCode::Unavailable,
    }
}

/// Whether head and request id are those of an answer to `asked`; the time is the provider's own.
fn is_answer(head: &messages::xnachweis::Head, request: uuid::Uuid, asked: &EvidenceRequest0101) -> bool {
    let expected = messages::xnachweis::Head {
        created: head.created,
        ..asked.head.clone()
    };
    *head == expected && request == asked.id
}

/// Reads the evidence of an answer that [`Accepted::open`] has checked before.
pub(crate) fn read_checked(
    sealed_answer: &[u8],
    key: &SealingKey,
    message: uuid::Uuid,
) -> Result<AuthorityEvidence, CompletionError> {
    let failed = failed("answer");
    let unreadable = || failed("the kept answer cannot be read");
    let answer = AnswerContent::open(sealed_answer, key, message).map_err(|_| unreadable())?;
    let Ok(EvidenceAnswer::Response(response)) = EvidenceAnswer::parse(&answer.xml) else {
        return Err(unreadable());
    };
    let evidence = response.availability.evidence().ok_or_else(unreadable)?;
    evidence_of(evidence).ok_or_else(unreadable)
}

/// Evidence for the authority's system, by the form and the type that it names.
fn evidence_of(evidence: &Evidence) -> Option<AuthorityEvidence> {
    let form = EvidenceForm::of_media_type(&evidence.distribution.media_type)?;
    let read = evidence::read(form, &evidence.content, &evidence.evidence_type.id).ok()?;
    Some(AuthorityEvidence::new(read, form, &evidence.content))
}

#[cfg(test)]
pub(super) mod tests;
