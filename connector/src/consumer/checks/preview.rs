//! The check of a preview's notice, before evidence is handed out: the log has this decision about this exchange.

use ledger_client::recorded::{self, Intent, Preview};
use messages::{ExchangeRequest, PreviewNotice, SignedDecision};
use record::{ExchangeResult, Phase, PreviewDecision, PreviewResult};
use tlog::checkpoint::Checkpoint;

use crate::context::CheckContext;
use crate::record_check::{self, Decision, SignedParts};

/// What a notice must be about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// The request as sent.
    pub(crate) request: &'a ExchangeRequest,
    /// The receipt of its intent.
    pub(crate) intent_receipt: &'a [u8],
    /// The result that the outcome's record has.
    pub(crate) result: &'a ExchangeResult,
    /// The decision that this connector has signed.
    pub(crate) decision: &'a SignedDecision,
}

/// A decision that is in the log. Only [`check`] makes one.
#[derive(Debug)]
pub(crate) struct RecordedDecision {
    /// Index of the preview.
    pub(crate) entry: u64,
    /// The checkpoint of its receipt, which acting on it relies on.
    pub(crate) checkpoint: Checkpoint,
    decision: PreviewDecision,
}

/// The log has the person's acceptance. Handing evidence out takes one.
pub(crate) struct AcceptedPreview(());

/// Why a notice proves no decision of this connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PreviewError {
    /// The notice proves nothing about this exchange. A true one may still come.
    #[error("{0}")]
    Unproved(&'static str),
    /// The log has a preview of this exchange that says something else. No other can come.
    #[error("{0}")]
    Contradicted(&'static str),
}

impl RecordedDecision {
    /// The right to hand the evidence out, if the person has accepted.
    pub(crate) fn accepted(&self) -> Option<AcceptedPreview> {
        (self.decision == PreviewDecision::Accepted).then_some(AcceptedPreview(()))
    }
}

/// Checks that the receipt proves a preview of the anchored log, that it follows from the intent, and that its record
/// repeats what was asked, permitted and delivered, with the decision as it was signed.
///
/// # Errors
/// [`PreviewError`].
pub(crate) fn check(
    context: &CheckContext,
    expected: &Expected<'_>,
    notice: &PreviewNotice,
) -> Result<RecordedDecision, PreviewError> {
    let failed = PreviewError::Unproved;
    let intent = recorded::check::<Intent>(expected.intent_receipt, &context.trust, &context.history)
        .map_err(|_| failed("the intent's receipt is not valid"))?;
    let preview = recorded::check::<Preview>(&notice.receipt, &context.trust, &context.history)
        .map_err(|_| failed("the receipt does not prove a preview"))?;
    if !context.is_from_our_log(&preview) {
        return Err(failed("the receipt is of another log"));
    }
    let label = record_check::later_label(&context.history, &intent, &preview, Phase::Preview).map_err(failed)?;
    let entry = preview.entry();
    let record = record_check::open(&notice.sealed_record, entry, &label, &notice.shared_key).map_err(failed)?;
    let request = expected.request;
    let sent = SignedParts {
        metadata: &request.metadata,
        s1: &request.s1,
        s2: &request.s2,
        answer_key: request.answer_key,
        sealed_request: &request.sealed_request,
    };
    record_check::check_content(&record, &sent, context.at(intent.index())).map_err(PreviewError::Contradicted)?;
    let decided_at = intent.entry().time;
    let decision = Decision {
        intent: intent.index(),
        decided_at,
        closed_at: entry.time,
        relied_at: decided_at,
    };
    record_check::check_permission(&record, &request.metadata, &context.history, &decision)
        .map_err(PreviewError::Contradicted)?;
    if record.result.as_ref() != Some(expected.result) {
        return Err(PreviewError::Contradicted(
            "the record has another result than the outcome's",
        ));
    }
    let signed = PreviewResult {
        decision: expected.decision.statement.decision,
        consumer_signature: Some(expected.decision.signature.0),
    };
    if record.preview.as_ref() != Some(&signed) {
        return Err(PreviewError::Contradicted(
            "the record has another decision than the signed one",
        ));
    }
    Ok(RecordedDecision {
        entry: preview.index().get(),
        checkpoint: preview.checkpoint().clone(),
        decision: signed.decision,
    })
}
