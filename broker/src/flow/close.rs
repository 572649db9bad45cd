//! From a journalled exchange to its completion: intent, forward, outcome, release.

use std::time::Instant;

use ledger_client::recorded::{Intent, Outcome, Recorded};
use messages::{Completion, OutcomeNotice};
use record::Phase;
use record::content::ExchangeRecord;
use service::problem::Problem;

use super::forward::forward;
use super::record::{record_intent, record_outcome, seal_outcome};
use crate::broker::Broker;
use crate::journal::{
    AwaitedPreview, ClosedExchange, Closing, JournalEntry, OpenExchange, PreviewStage, request_digest,
};
use crate::metrics::count_exchange;
use crate::problems::{is_try_again, stopped, try_again};
use crate::records::Ending;
use crate::retry::patient;

/// Closes an exchange that is in the journal. `first`: no earlier run of the broker has worked on it.
pub(super) async fn close(broker: &Broker, mut open: Box<OpenExchange>, first: bool) -> Result<Completion, Problem> {
    let metadata = &open.request.metadata;
    let Some(intent) = record_intent(broker, &open).await? else {
        broker.journal.remove(metadata.exchange).await.map_err(stopped)?;
        broker.providers.give_back(&metadata.provider);
        broker.consumers.give_back(&metadata.consumer);
        if open.preview {
            broker.previews.give_back(&metadata.consumer);
        }
        return Err(try_again("the log does not take entries at the moment"));
    };
    let closing = match open.closing.clone() {
        Some(closing) => closing,
        None => {
            let ending = forward(broker, &intent, &open, first).await;
            broker.circuits.ended(&metadata.provider, &ending, Instant::now());
            let closing = sealed(broker, &open, &ending).await?;
            open.closing = Some(closing.clone());
            // Before the outcome is appended: a second one, sealed again, would have another commitment.
            let entry = JournalEntry::Open(open.clone());
            broker.journal.put(&entry).await.map_err(stopped)?;
            closing
        }
    };
    let outcome = record_outcome(broker, &open, &intent, &closing).await?;
    release(broker, &intent, &outcome, closing, &open).await
}

/// Seals the outcome's record. Waits for identity when it has to give another key.
async fn sealed(broker: &Broker, open: &OpenExchange, ending: &Ending) -> Result<Closing, Problem> {
    let mut pauses = patient();
    loop {
        match seal_outcome(broker, open, ending).await {
            Err(problem) if is_try_again(&problem) => tokio::time::sleep(pauses.failed()).await,
            result => return result,
        }
    }
}

/// Releases the completion. Takes the recorded outcome, so that nothing can be released without one.
async fn release(
    broker: &Broker,
    intent: &Recorded<Intent>,
    outcome: &Recorded<Outcome>,
    mut closing: Closing,
    open: &OpenExchange,
) -> Result<Completion, Problem> {
    let metadata = &open.request.metadata;
    let preview = closing
        .previewed
        .take()
        .map(|content| Box::new(awaited_preview(*content, open, (intent, outcome))));
    let has_preview = preview.is_some();
    // Also while nothing says where the provider is: the notice waits until something does.
    let must_notify = closing.may_be_served();
    let notice = OutcomeNotice {
        intent_receipt: intent.receipt_bytes().to_vec(),
        outcome_receipt: outcome.receipt_bytes().to_vec(),
        sealed_record: closing.sealed_record,
        shared_key: closing.shared_key,
    };
    let completion = Completion {
        notice: notice.clone(),
        reply: closing.reply.clone(),
    };
    let result = closing.outcome;
    let entry = JournalEntry::Closed(Box::new(ClosedExchange {
        exchange: metadata.exchange,
        request: request_digest(&open.request),
        consumer: metadata.consumer.clone(),
        provider: metadata.provider.clone(),
        closed: broker.now(),
        notice,
        reply: closing.reply,
        acknowledged: false,
        notified: !must_notify,
        preview,
    }));
    broker.journal.put(&entry).await.map_err(stopped)?;
    if open.preview && !has_preview {
        broker.previews.give_back(&metadata.consumer);
    }
    if !must_notify {
        broker.providers.give_back(&metadata.provider);
    }
    tracing::info!(exchange = %metadata.exchange, index = outcome.index().get(), "closed");
    count_exchange(match result {
        record::Outcome::Delivered => "delivered",
        record::Outcome::NothingFound => "nothing_found",
        record::Outcome::Refused => "refused",
        record::Outcome::Failed => "failed",
        record::Outcome::TimedOut => "timed_out",
    });
    broker.notices.add(&metadata.provider, metadata.exchange);
    Ok(completion)
}

/// What recording the preview needs.
fn awaited_preview(
    content: ExchangeRecord,
    open: &OpenExchange,
    (intent, outcome): (&Recorded<Intent>, &Recorded<Outcome>),
) -> AwaitedPreview {
    let (labels, request) = (&open.labels, &open.request);
    AwaitedPreview {
        content,
        period: labels.period,
        label: labels.label(Phase::Preview),
        token: labels.token.clone(),
        s1: request.s1.digest(),
        official: request.metadata.official.clone(),
        intent: intent.index().get(),
        outcome: outcome.index().get(),
        stage: PreviewStage::Awaiting,
    }
}
