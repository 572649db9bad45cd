//! The check of a deferral: the intent is in the log, and the provider has named the time of its answer.
//!
//! The record is not sent with it. That the intent is the one of this exchange follows from the provider's signature
//! over message and intent: its connector has checked both (P1 to P9).

use ledger_client::recorded::{self, Intent, Recorded};
use messages::limits::MAX_LATER_SECONDS;
use messages::xnachweis::{Availability, EvidenceAnswer, EvidenceRequest0101};
use messages::{AnswerContent, Deferred, ExchangeRequest, SealingKey};
use record::Timestamp;
use tlog::checkpoint::Checkpoint;

use super::{CompletionError, failed, is_answer};
use crate::context::CheckContext;

/// A deferral that was checked. Only [`check`] makes one.
#[derive(Debug)]
pub(crate) struct AcceptedDeferral {
    intent: Recorded<Intent>,
    /// When the provider can answer.
    pub(crate) available: Timestamp,
    sealed_answer: Vec<u8>,
}

/// Checks the intent's receipt, the provider's signature, and that the time is one at which an exchange can wait.
///
/// # Errors
/// The [`CompletionError`].
pub(crate) fn check(
    context: &CheckContext,
    request: &ExchangeRequest,
    deferred: &Deferred,
) -> Result<AcceptedDeferral, CompletionError> {
    let receipt = failed("C1");
    if request.metadata.synchronous {
        return Err(receipt("a synchronous exchange is deferred"));
    }
    let intent = recorded::check::<Intent>(&deferred.intent_receipt, &context.trust, &context.history)
        .map_err(|_| receipt("the intent's receipt does not hold"))?;
    if !context.is_from_our_log(&intent) {
        return Err(receipt("a receipt is of another log"));
    }
    let failed = failed("C3");
    let (deferral, provider) = (&deferred.deferral, &request.metadata.provider);
    // The provider may have got another key while the exchange waited.
    let listed = [
        context.at(intent.index()).provider(provider),
        context.directory().provider(provider),
    ];
    let mut listed = listed.into_iter().flatten();
    if !listed.any(|provider| provider.verified(|key| deferral.verify(key)).is_ok()) {
        return Err(failed("the provider did not sign this deferral"));
    }
    let statement = &deferral.statement;
    if statement.message != request.metadata.message || statement.intent != intent.index().get() {
        return Err(failed("the deferral is of another message or intent"));
    }
    if statement.available > intent.entry().time.after(MAX_LATER_SECONDS) {
        return Err(failed("the deferral names a time at which no exchange waits any more"));
    }
    Ok(AcceptedDeferral {
        available: statement.available,
        sealed_answer: deferral.sealed_answer.clone(),
        intent,
    })
}

impl AcceptedDeferral {
    /// Index and time of the intent.
    pub(crate) fn intent(&self) -> (u64, Timestamp) {
        (self.intent.index().get(), self.intent.entry().time)
    }

    /// The checkpoint that accepting relies on.
    pub(crate) fn checkpoint(&self) -> &Checkpoint {
        self.intent.checkpoint()
    }

    /// Opens what the provider has sealed, and checks that it says the same.
    ///
    /// # Errors
    /// [`CompletionError`] `answer`.
    pub(crate) fn open(&self, key: &SealingKey, asked: &EvidenceRequest0101) -> Result<(), CompletionError> {
        let failed = failed("answer");
        let answer = AnswerContent::open(&self.sealed_answer, key, asked.head.message)
            .map_err(|_| failed("the deferral is not sealed to the key of this exchange"))?;
        let Ok(EvidenceAnswer::Response(response)) = EvidenceAnswer::parse(&answer.xml) else {
            return Err(failed("the deferral has no XNachweis 0102"));
        };
        if !is_answer(&response.head, response.request, asked) {
            return Err(failed("the deferral is an answer to another request"));
        }
        if response.availability != Availability::From(self.available) {
            return Err(failed("the deferral names two times"));
        }
        Ok(())
    }
}
