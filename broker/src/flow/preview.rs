//! The preview: records what the person has decided about delivered evidence.
//!
//! The broker does not see the evidence or the person. It records the decision that the consumer has signed, once, and
//! answers with the proof, which the consumer's connector needs before it hands the evidence out. The same decision
//! again gets the same proof. If the consumer reports no decision for [`PREVIEW_RETENTION_SECONDS`], the broker records
//! that none was made; a later decision then gets that proof, which releases nothing.

use std::sync::Arc;

use ledger_client::recorded::{Preview, Recorded};
use ledger_client::writer::Draft;
use messages::limits::PREVIEW_RETENTION_SECONDS;
use messages::{OutcomeKeyRequest, PreviewNotice, PreviewStatement, SignedDecision};
use record::entry::{Body, LabelledKind};
use record::{PartName, Phase, SealedRecord, Timestamp};
use service::problem::Problem;
use service::tls::PeerName;
use tlog::merkle::Index;

use super::record::{later_key, seal};
use crate::broker::Broker;
use crate::journal::{AwaitedPreview, ClosedExchange, JournalEntry, PreviewStage, SealedPreview};
use crate::metrics::count_preview;
use crate::problems::{not_permitted, not_recorded, stopped, under_way};
use crate::records;

/// Records the decision of the consumer.
///
/// # Errors
/// The problem for the consumer: 403 if it did not sign this decision about this exchange, 404 if no preview is due.
pub(crate) async fn decide(
    broker: &Arc<Broker>,
    decision: SignedDecision,
    name: Option<PeerName>,
) -> Result<PreviewNotice, Problem> {
    let broker = broker.clone();
    // Spawned, so that a consumer that disconnects does not stop a decision halfway.
    let task = tokio::spawn(async move {
        let exchange = decision.statement.exchange;
        let Some(_claim) = broker.claim(exchange) else {
            return Err(under_way());
        };
        let entry = broker.journal.get(exchange).await.map_err(stopped)?;
        let Some(JournalEntry::Closed(closed)) = entry else {
            return Err(Problem::not_found("no preview is due"));
        };
        let Some(preview) = &closed.preview else {
            return Err(Problem::not_found("no preview is due"));
        };
        broker.transport.require(name.as_ref(), &closed.consumer)?;
        check(&broker, &closed, preview, &decision)?;
        record(&broker, &closed, preview, Some(&decision)).await
    });
    task.await.map_err(|_| Problem::internal())?
}

/// Checks that the consumer of this exchange has signed this decision about its delivered answer.
fn check(
    broker: &Broker,
    closed: &ClosedExchange,
    preview: &AwaitedPreview,
    decision: &SignedDecision,
) -> Result<(), Problem> {
    let history = broker.live.confirmed()?;
    let consumer = history.state().directory().component(&closed.consumer);
    let signed = consumer.is_some_and(|consumer| consumer.verified(|key| decision.verify(key)).is_ok());
    let answer = preview.content.result.as_ref().and_then(|result| result.answer_digest);
    let expected = PreviewStatement {
        exchange: closed.exchange,
        intent: preview.intent,
        outcome: preview.outcome,
        answer: answer.ok_or_else(Problem::internal)?,
        decision: decision.statement.decision,
    };
    if signed && decision.statement == expected {
        Ok(())
    } else {
        tracing::warn!(exchange = %closed.exchange, "a preview's decision is not its consumer's");
        Err(not_permitted())
    }
}

/// Continues previews whose record is sealed, and records that no decision was made where none was reported in time.
/// Called for every closed exchange in the journal, now and then.
pub(crate) async fn follow_up(broker: &Arc<Broker>, closed: &ClosedExchange, now: Timestamp) -> Result<(), Problem> {
    let late = now.since(closed.closed) > PREVIEW_RETENTION_SECONDS;
    let is_due = closed.preview.as_ref().is_some_and(|preview| match preview.stage {
        PreviewStage::Awaiting => late,
        PreviewStage::Sealed(_) => true,
        PreviewStage::Recorded { .. } => false,
    });
    let (true, Some(_claim)) = (is_due, broker.claim(closed.exchange)) else {
        return Ok(());
    };
    let entry = broker.journal.get(closed.exchange).await.map_err(stopped)?;
    let Some(JournalEntry::Closed(closed)) = entry else {
        return Ok(());
    };
    match &closed.preview {
        Some(preview) => record(broker, &closed, preview, None).await.map(drop),
        None => Ok(()),
    }
}

/// Takes the preview from its stage in the journal to the recorded one. The caller holds the claim on the exchange.
async fn record(
    broker: &Broker,
    closed: &ClosedExchange,
    preview: &AwaitedPreview,
    decision: Option<&SignedDecision>,
) -> Result<PreviewNotice, Problem> {
    let sealed = match &preview.stage {
        PreviewStage::Recorded { notice, .. } => return Ok(notice.clone()),
        PreviewStage::Sealed(sealed) => sealed.clone(),
        PreviewStage::Awaiting => {
            let sealed = sealed(broker, preview, decision).await?;
            // Before the preview is appended: a second one, sealed again, would have another commitment.
            set_stage(broker, closed, PreviewStage::Sealed(sealed.clone())).await?;
            sealed
        }
    };
    let recorded = append(broker, preview, &sealed).await?;
    let notice = PreviewNotice {
        receipt: recorded.receipt_bytes().to_vec(),
        sealed_record: sealed.sealed_record,
        shared_key: sealed.shared_key,
    };
    let stage = PreviewStage::Recorded {
        index: recorded.index().get(),
        notice: notice.clone(),
    };
    set_stage(broker, closed, stage).await?;
    count_preview(sealed.decision);
    tracing::info!(exchange = %closed.exchange, index = recorded.index().get(), "preview recorded");
    Ok(notice)
}

async fn sealed(
    broker: &Broker,
    preview: &AwaitedPreview,
    decision: Option<&SignedDecision>,
) -> Result<SealedPreview, Problem> {
    let request = OutcomeKeyRequest {
        token: preview.token.clone(),
        label: preview.label,
        phase: Phase::Preview,
        class: preview.content.lifecycle.retention,
        s1: preview.s1,
    };
    let (key, expiry) = later_key(broker, &request).await?;
    let content = records::preview(preview.content.clone(), decision, expiry);
    let history = broker.live.history();
    let sealed = seal(&history, &content, None, &preview.official, (preview.label, &key))?;
    Ok(SealedPreview {
        sealed_record: sealed.into_bytes(),
        shared_key: key.part(PartName::Shared),
        decision: decision.map_or(record::PreviewDecision::NotMade, |decided| decided.statement.decision),
    })
}

async fn append(
    broker: &Broker,
    preview: &AwaitedPreview,
    sealed: &SealedPreview,
) -> Result<Recorded<Preview>, Problem> {
    let record = SealedRecord::parse(sealed.sealed_record.clone()).map_err(|_| Problem::internal())?;
    let body = Body::Labelled {
        kind: LabelledKind::Preview,
        period: preview.period,
        label: preview.label,
        commitment: record.commitment(),
        refers: Some(Index::new(preview.intent).map_err(|_| Problem::internal())?),
    };
    let appended = broker
        .writer
        .append::<Preview>(Draft::now(body), Some(record), None)
        .await;
    appended.map_err(|error| not_recorded(&error))
}

async fn set_stage(broker: &Broker, closed: &ClosedExchange, stage: PreviewStage) -> Result<(), Problem> {
    let change = move |entry: &mut JournalEntry| {
        if let JournalEntry::Closed(closed) = entry
            && let Some(preview) = &mut closed.preview
        {
            preview.stage = stage;
        }
        true
    };
    broker.journal.update(closed.exchange, change).await.map_err(stopped)
}
