//! The two entries of an exchange: intent and outcome. An exchange by a representative has two of each: one pair under
//! a label of the person whom the evidence is about, and one under a label of the representative. The log does not show
//! that they belong together.

use ledger_client::recorded::{Intent, Outcome, Recorded};
use ledger_client::writer::{AppendError, Draft};
use messages::{LabelAnswer, OutcomeKeyAnswer, OutcomeKeyRequest};
use record::content::ExchangeRecord;
use record::entry::{Body, LabelledKind};
use record::{ExpiryDay, Label, PartName, Phase, RecordKey, SealedRecord};
use service::problem::Problem;
use tlog::Hash;
use trust::History;
use uuid::Uuid;

use crate::broker::Broker;
use crate::journal::{Closing, OpenExchange, SealedOutcome};
use crate::problems::{ending, not_recorded, stopped, try_again};
use crate::records::{self, Ending};

/// The recorded intents of an exchange.
pub(super) struct Intents {
    /// Of the person whom the evidence is about.
    pub(super) subject: Recorded<Intent>,
    /// Of the representative, if one acts. `None` also if the ledger has not taken it: then nothing is forwarded.
    pub(super) representative: Option<Recorded<Intent>>,
}

/// Records the intents. Returns `None` if the writer has given up the first one: then none is in the log.
pub(super) async fn record_intents(broker: &Broker, open: &OpenExchange) -> Result<Option<Intents>, Problem> {
    let exchange = open.request.metadata.exchange;
    let Some(subject) = record_intent(broker, exchange, &open.labels, &open.intent_record).await? else {
        return Ok(None);
    };
    // An exchange that is closing without the representative must not get an intent that nothing closes.
    let has_room = |closing: &Closing| closing.representative.is_some();
    let representative = match &open.representative {
        Some(own) if open.closing.as_ref().is_none_or(has_room) => {
            record_intent(broker, exchange, &own.labels, &own.intent_record).await?
        }
        _ => None,
    };
    Ok(Some(Intents {
        subject,
        representative,
    }))
}

async fn record_intent(
    broker: &Broker,
    exchange: Uuid,
    labels: &LabelAnswer,
    record: &[u8],
) -> Result<Option<Recorded<Intent>>, Problem> {
    let sealed = SealedRecord::parse(record.to_vec()).map_err(|_| Problem::internal())?;
    let body = Body::Labelled {
        kind: LabelledKind::Intent,
        period: labels.period,
        label: labels.intent,
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
            tracing::warn!(%exchange, %error, "intent given up");
            Ok(None)
        }
    }
}

/// Seals the outcome's record, and the representative's if their intent is recorded.
pub(super) async fn seal_outcome(
    broker: &Broker,
    intents: &Intents,
    open: &OpenExchange,
    ending: &Ending,
) -> Result<Closing, Problem> {
    let official = &open.request.metadata.official;
    let own = (&open.labels, open.request.s1.digest());
    let (content, sealed) = seal_one(broker, own, &open.content, official, ending).await?;
    let representative = match open.representative.as_ref().zip(intents.representative.as_ref()) {
        Some((own, _)) => {
            let labels = (&own.labels, own.s1);
            let (_, sealed) = seal_one(broker, labels, &own.content, official, ending).await?;
            Some(Box::new(sealed))
        }
        None => None,
    };
    let has_preview = open.preview && ending.outcome() == record::Outcome::Delivered;
    Ok(Closing {
        sealed_record: sealed.sealed_record,
        shared_key: sealed.shared_key,
        previewed: has_preview.then(|| Box::new(content)),
        reply: ending.reply().cloned(),
        outcome: ending.outcome(),
        representative,
    })
}

async fn seal_one(
    broker: &Broker,
    (labels, s1): (&LabelAnswer, Hash),
    intent: &ExchangeRecord,
    official: &str,
    ending: &Ending,
) -> Result<(ExchangeRecord, SealedOutcome), Problem> {
    let (key, expiry) = outcome_key(broker, labels, s1).await?;
    let content = records::outcome(intent.clone(), ending, expiry);
    let label = labels.label(Phase::Outcome);
    let history = broker.live.history();
    let sealed = seal(&history, &content, Some(ending), official, (label, &key))?;
    let sealed = SealedOutcome {
        sealed_record: sealed.into_bytes(),
        shared_key: key.part(PartName::Shared),
    };
    Ok((content, sealed))
}

/// The recorded outcomes of an exchange.
pub(super) struct Outcomes {
    pub(super) subject: Recorded<Outcome>,
    pub(super) representative: Option<Recorded<Outcome>>,
}

/// Records the outcomes. An outcome is never given up, because an intent without an outcome stays visibly open in the
/// log.
pub(super) async fn record_outcomes(
    broker: &Broker,
    open: &OpenExchange,
    intents: &Intents,
    closing: &Closing,
) -> Result<Outcomes, Problem> {
    let subject = record_outcome(broker, &open.labels, &intents.subject, &closing.sealed_record).await?;
    let closed = open.representative.as_ref().zip(closing.representative.as_ref());
    let representative = match closed.zip(intents.representative.as_ref()) {
        Some(((own, sealed), intent)) => {
            Some(record_outcome(broker, &own.labels, intent, &sealed.sealed_record).await?)
        }
        None => None,
    };
    Ok(Outcomes {
        subject,
        representative,
    })
}

async fn record_outcome(
    broker: &Broker,
    labels: &LabelAnswer,
    intent: &Recorded<Intent>,
    record: &[u8],
) -> Result<Recorded<Outcome>, Problem> {
    let sealed = SealedRecord::parse(record.to_vec()).map_err(|_| Problem::internal())?;
    let body = Body::Labelled {
        kind: LabelledKind::Outcome,
        period: labels.period,
        label: labels.label(Phase::Outcome),
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
async fn outcome_key(broker: &Broker, labels: &LabelAnswer, s1: Hash) -> Result<(RecordKey, ExpiryDay), Problem> {
    if labels.class.expiry(broker.now()) == labels.expiry {
        return Ok((labels.outcome_key.clone(), labels.expiry));
    }
    let request = OutcomeKeyRequest {
        token: labels.token.clone(),
        label: labels.label(Phase::Outcome),
        phase: Phase::Outcome,
        class: labels.class,
        s1,
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
