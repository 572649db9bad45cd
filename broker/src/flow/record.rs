//! The two entries of an exchange: intent and outcome.

use ledger_client::recorded::{Intent, Outcome, Recorded};
use ledger_client::writer::{AppendError, Draft};
use messages::{OutcomeKeyAnswer, OutcomeKeyRequest};
use record::content::ExchangeRecord;
use record::entry::{Body, LabelledKind};
use record::{ExpiryDay, Label, PartName, Phase, RecordKey, SealedRecord};
use service::problem::Problem;
use trust::History;

use crate::broker::Broker;
use crate::journal::{Closing, OpenExchange};
use crate::problems::{ending, not_recorded, stopped, try_again};
use crate::records::{self, Ending};

/// Records the intent. Returns `None` if the writer has given up: then the intent is certainly not in the log.
pub(super) async fn record_intent(broker: &Broker, open: &OpenExchange) -> Result<Option<Recorded<Intent>>, Problem> {
    let sealed = SealedRecord::parse(open.intent_record.clone()).map_err(|_| Problem::internal())?;
    let body = Body::Labelled {
        kind: LabelledKind::Intent,
        period: open.labels.period,
        label: open.labels.intent,
        commitment: sealed.commitment(),
        refers: None,
    };
    // After a restart the same body may be in the log already: the writer then returns the entry that is there.
    let appended = broker
        .writer
        .append::<Intent>(Draft::now(body), Some(sealed), None)
        .await;
    match appended {
        Ok(intent) => Ok(Some(intent)),
        Err(AppendError::Stopped(alarm)) => Err(stopped(alarm)),
        Err(AppendError::Ended) => Err(ending()),
        Err(error) => {
            tracing::warn!(exchange = %open.request.metadata.exchange, %error, "intent given up");
            Ok(None)
        }
    }
}

/// Seals the outcome's record.
pub(super) async fn seal_outcome(broker: &Broker, open: &OpenExchange, ending: &Ending) -> Result<Closing, Problem> {
    let (key, expiry) = outcome_key(broker, open).await?;
    let content = records::outcome(open.content.clone(), ending, expiry);
    let label = open.labels.label(Phase::Outcome);
    let history = broker.live.history();
    let official = &open.request.metadata.official;
    let sealed = seal(&history, &content, Some(ending), official, (label, &key))?;
    let has_preview = open.preview && ending.outcome() == record::Outcome::Delivered;
    Ok(Closing {
        sealed_record: sealed.into_bytes(),
        shared_key: key.part(PartName::Shared),
        previewed: has_preview.then(|| Box::new(content)),
        reply: ending.reply().cloned(),
        outcome: ending.outcome(),
    })
}

/// Records the outcome. An outcome is never given up, because an intent without an outcome stays visibly open in the
/// log.
pub(super) async fn record_outcome(
    broker: &Broker,
    open: &OpenExchange,
    intent: &Recorded<Intent>,
    closing: &Closing,
) -> Result<Recorded<Outcome>, Problem> {
    let sealed = SealedRecord::parse(closing.sealed_record.clone()).map_err(|_| Problem::internal())?;
    let body = Body::Labelled {
        kind: LabelledKind::Outcome,
        period: open.labels.period,
        label: open.labels.label(Phase::Outcome),
        commitment: sealed.commitment(),
        refers: Some(intent.index()),
    };
    let appended = broker
        .writer
        .append::<Outcome>(Draft::now(body), Some(sealed), None)
        .await;
    appended.map_err(|error| not_recorded(&error))
}

/// Key and expiry day for an outcome that is recorded now. Identity's first answer still applies unless the day has
/// changed since then; in that case identity gives another key.
async fn outcome_key(broker: &Broker, open: &OpenExchange) -> Result<(RecordKey, ExpiryDay), Problem> {
    let labels = &open.labels;
    if labels.class.expiry(broker.now()) == labels.expiry {
        return Ok((labels.outcome_key.clone(), labels.expiry));
    }
    let request = OutcomeKeyRequest {
        token: labels.token.clone(),
        label: labels.label(Phase::Outcome),
        phase: Phase::Outcome,
        class: labels.class,
        s1: open.request.s1.digest(),
    };
    later_key(broker, &request).await
}

/// Asks identity for the key and the expiry day of an outcome or a preview that is recorded now.
pub(super) async fn later_key(broker: &Broker, request: &OutcomeKeyRequest) -> Result<(RecordKey, ExpiryDay), Problem> {
    let answer: OutcomeKeyAnswer = broker
        .ask_identity("labels/outcome-key", request)
        .await
        .map_err(|_| try_again("identity does not answer"))?;
    Ok((answer.key, answer.expiry))
}

/// Seals the record of a labelled entry, for the supervision of the newest version.
pub(super) fn seal(
    history: &History,
    content: &ExchangeRecord,
    ending: Option<&Ending>,
    official: &str,
    (label, key): (Label, &RecordKey),
) -> Result<SealedRecord, Problem> {
    let supervision = supervision(history)?;
    records::seal(content.clone(), ending, official, &label, key, &supervision).map_err(|error| {
        tracing::error!(%error, "a record could not be sealed");
        Problem::internal()
    })
}

/// The key that the supervision's part of a record is sealed to. Every directory has one.
pub(super) fn supervision(history: &History) -> Result<[u8; 32], Problem> {
    let supervision = history.state().directory().supervision();
    supervision.map(|key| key.sealing).ok_or_else(Problem::internal)
}
