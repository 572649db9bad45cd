//! Checks the outcome of an exchange that this provider answered: it must be in the log and match the answer.
//!
//! A missing outcome (after five minutes) or a different one is an alarm: the broker closed the exchange differently
//! from what the provider's signed reply says, or not at all.

use ledger_client::recorded::{self, Intent, Outcome, Recorded};
use messages::OutcomeNotice;
use record::ExchangeRecord;
use tlog::checkpoint::Checkpoint;

use super::served::{AnsweredIntent, PendingIntent};
use crate::context::CheckContext;
use crate::record_check::{self, RepresentativesOutcome};

/// How a recorded outcome and the provider's answer go together, when they do not contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerComparison {
    /// The outcome is the one that was answered.
    Same,
    /// The broker recorded that no answer arrived in time. It may say so of every answer, so this is an alarm, but it
    /// is no contradiction: the consumer has received nothing.
    Lost,
}

/// A closed exchange: both receipts of a notice are verified and belong together.
pub(crate) struct ClosedExchange {
    intent: Recorded<Intent>,
    outcome: Recorded<Outcome>,
    record: Box<ExchangeRecord>,
    representative: Option<RepresentativesOutcome>,
}

impl ClosedExchange {
    /// Verifies both receipts and opens the outcome's record.
    ///
    /// # Errors
    /// The reason, for the alarm.
    pub(crate) fn check(context: &CheckContext, notice: &OutcomeNotice) -> Result<Self, &'static str> {
        let intent = recorded::check::<Intent>(&notice.intent_receipt, &context.trust, &context.history)
            .map_err(|_| "the intent's receipt does not hold")?;
        let outcome = recorded::check::<Outcome>(&notice.outcome_receipt, &context.trust, &context.history)
            .map_err(|_| "the outcome's receipt does not hold")?;
        if !context.is_from_our_log(&intent) || !context.is_from_our_log(&outcome) {
            return Err("a receipt is of another log");
        }
        let label = record_check::closing_label(&context.history, &intent, &outcome)?;
        let record = record_check::open(&notice.sealed_record, outcome.entry(), &label, &notice.shared_key)?;
        if record.result.is_none() {
            return Err("the outcome's record has no result");
        }
        let representative = record_check::representatives_outcome(context, notice, &record, None)?;
        Ok(Self {
            intent,
            outcome,
            record,
            representative,
        })
    }

    /// The intent.
    pub(crate) fn intent(&self) -> &Recorded<Intent> {
        &self.intent
    }

    /// The outcome.
    pub(crate) fn outcome(&self) -> &Recorded<Outcome> {
        &self.outcome
    }

    /// The checkpoints that accepting the outcome relies on.
    pub(crate) fn checkpoints(&self) -> Vec<&Checkpoint> {
        record_check::checkpoints(&self.intent, &self.outcome, self.representative.as_ref())
    }

    /// The outcome's record.
    pub(crate) fn record(&self) -> &ExchangeRecord {
        &self.record
    }

    /// Compares the outcome with a deferral: it must say that there was no answer.
    ///
    /// # Errors
    /// What differs, for the alarm.
    pub(crate) fn check_pending(&self, pending: &PendingIntent) -> Result<(), &'static str> {
        if self.record.ids.exchange != pending.exchange {
            return Err("the outcome is of another exchange");
        }
        if self.has_no_answer() {
            Ok(())
        } else {
            Err("the outcome has an answer, but the answer was deferred")
        }
    }

    /// Whether the outcome says that no answer arrived.
    fn has_no_answer(&self) -> bool {
        self.record.result.as_ref().is_some_and(|result| {
            result.outcome == record::Outcome::TimedOut
                && result.answer_digest.is_none()
                && result.evidence_digest.is_none()
                && result.provider_signature.is_none()
        })
    }

    /// Compares the outcome with the provider's answer.
    ///
    /// # Errors
    /// What differs, for the alarm.
    pub(crate) fn check_answer(&self, served: &AnsweredIntent) -> Result<AnswerComparison, &'static str> {
        if self.record.ids.exchange != served.exchange || self.record.ids.message != served.statement.message {
            return Err("the outcome is of another exchange");
        }
        let Some(result) = &self.record.result else {
            return Err("the outcome's record has no result");
        };
        let statement = &served.statement;
        if self.has_no_answer() {
            return Ok(AnswerComparison::Lost);
        }
        if result.outcome != statement.outcome.into() {
            return Err("the outcome is not the one that was answered");
        }
        if result.answer_digest != Some(statement.sealed_answer) || result.evidence_digest != statement.evidence_digest
        {
            return Err("the outcome's digests are not those of the answer");
        }
        if result.provider_signature != Some(served.signature.0) {
            return Err("the outcome does not carry the answer's signature");
        }
        let Some(intended) = &served.record else {
            return Ok(AnswerComparison::Same);
        };
        let mut expected = intended.clone();
        expected.lifecycle.expiry = self.record.lifecycle.expiry;
        expected.result.clone_from(&self.record.result);
        if *self.record == expected {
            Ok(AnswerComparison::Same)
        } else {
            Err("the outcome's record differs from the intent's")
        }
    }
}
