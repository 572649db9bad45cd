//! From a journalled exchange to its completion: intent, forward, outcome, release.

use std::time::Instant;

use ledger_client::recorded::{Intent, Outcome, Recorded};
use messages::{Completion, ExchangeAnswer, OutcomeNotice, RepresentativeNotice};
use record::Phase;
use record::content::ExchangeRecord;
use service::problem::Problem;

use super::defer::{defer, known_intents};
use super::forward::{Forwarded, forward};
use super::record::{Intents, Outcomes, record_intents, record_outcomes, seal_outcome};
use crate::broker::Broker;
use crate::journal::{
    AwaitedPreview, ClosedExchange, Closing, JournalEntry, OpenExchange, PreviewStage, SealedOutcome, request_digest,
};
use crate::metrics::count_exchange;
use crate::problems::{is_try_again, stopped, try_again};
use crate::records::Ending;
use crate::retry::patient;

/// Takes an exchange that is in the journal to its completion, or to where it waits. `first`: no earlier run of the
/// broker has worked on it.
pub(super) async fn close(broker: &Broker, open: Box<OpenExchange>, first: bool) -> Result<ExchangeAnswer, Problem> {
    let metadata = &open.request.metadata;
    let intents = if open.has_waited() {
        known_intents(broker, &open)?
    } else {
        match record_intents(broker, &open).await? {
            Some(intents) => intents,
            None => {
                broker.journal.remove(metadata.exchange).await.map_err(stopped)?;
                give_back(broker, &open);
                return Err(try_again("the log does not take entries at the moment"));
            }
        }
    };
    let mut ending = None;
    if open.closing.is_none() {
        match forward(broker, &intents, &open, first).await {
            Forwarded::Deferred(deferral) => {
                broker.circuits.answered(&metadata.provider);
                let deferred = defer(broker, &intents, *open, deferral).await?;
                return Ok(ExchangeAnswer::Deferred(Box::new(deferred)));
            }
            Forwarded::Ended(certain) => {
                broker.circuits.ended(&metadata.provider, &certain, Instant::now());
                ending = Some(certain);
            }
        }
    }
    let completion = finish(broker, &intents, open, ending.as_ref()).await?;
    Ok(ExchangeAnswer::Completed(Box::new(completion)))
}

/// Gives back all places of an exchange that has left the journal.
fn give_back(broker: &Broker, open: &OpenExchange) {
    let metadata = &open.request.metadata;
    for waited in [false, true].into_iter().take(1 + usize::from(!metadata.synchronous)) {
        broker.providers(waited).give_back(&metadata.provider);
        broker.consumers(waited).give_back(&metadata.consumer);
    }
    if open.preview {
        broker.previews.give_back(&metadata.consumer);
    }
}

/// Records how the exchange ended, and releases the completion. Without an ending, the journal has the closing.
pub(super) async fn finish(
    broker: &Broker,
    intents: &Intents,
    mut open: Box<OpenExchange>,
    ending: Option<&Ending>,
) -> Result<Completion, Problem> {
    let exchange = open.request.metadata.exchange;
    let closing = match (open.closing.clone(), ending) {
        (Some(closing), _) => closing,
        (None, Some(ending)) => {
            let closing = sealed(broker, intents, &open, ending).await?;
            open.closing = Some(closing.clone());
            // Before the outcome is appended: a second one, sealed again, would have another commitment.
            let entry = JournalEntry::Open(open.clone());
            broker.journal.put(&entry).await.map_err(stopped)?;
            closing
        }
        (None, None) => return Err(Problem::internal()),
    };
    if !open.request.metadata.synchronous {
        broker.journal.remove_deferred(exchange).await.map_err(stopped)?;
    }
    let outcomes = record_outcomes(broker, &open, intents, &closing).await?;
    // Until here the schedule takes the exchange up again if something fails.
    broker.schedule.remove(exchange);
    release(broker, intents, &outcomes, closing, &open).await
}

/// Seals the outcome's record. Waits for identity when it has to give another key.
async fn sealed(broker: &Broker, intents: &Intents, open: &OpenExchange, ending: &Ending) -> Result<Closing, Problem> {
    let mut pauses = patient();
    loop {
        match seal_outcome(broker, intents, open, ending).await {
            Err(problem) if is_try_again(&problem) => tokio::time::sleep(pauses.failed()).await,
            result => return result,
        }
    }
}

/// Releases the completion. Takes the recorded outcomes, so that nothing can be released without them.
async fn release(
    broker: &Broker,
    intents: &Intents,
    outcomes: &Outcomes,
    mut closing: Closing,
    open: &OpenExchange,
) -> Result<Completion, Problem> {
    let metadata = &open.request.metadata;
    let (intent, outcome) = (&intents.subject, &outcomes.subject);
    let representative = representatives_notice(intents, outcomes, closing.representative.take());
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
        representative,
    };
    let completion = Completion {
        notice: notice.clone(),
        reply: closing.reply.clone(),
    };
    let result = closing.outcome;
    let waited = open.has_waited();
    let entry = JournalEntry::Closed(Box::new(ClosedExchange {
        exchange: metadata.exchange,
        request: request_digest(&open.request),
        consumer: metadata.consumer.clone(),
        provider: metadata.provider.clone(),
        closed: broker.now(),
        notice,
        reply: closing.reply,
        waited,
        acknowledged: false,
        notified: !must_notify,
        preview,
    }));
    broker.journal.put(&entry).await.map_err(stopped)?;
    if open.preview && !has_preview {
        broker.previews.give_back(&metadata.consumer);
    }
    if !must_notify {
        broker.providers(waited).give_back(&metadata.provider);
    }
    if !waited && !metadata.synchronous {
        broker.waiting_providers.give_back(&metadata.provider);
        broker.waiting_consumers.give_back(&metadata.consumer);
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

/// What the notice has of the representative.
fn representatives_notice(
    intents: &Intents,
    outcomes: &Outcomes,
    closing: Option<Box<SealedOutcome>>,
) -> Option<Box<RepresentativeNotice>> {
    let (intent, outcome) = intents.representative.as_ref().zip(outcomes.representative.as_ref())?;
    let closing = closing?;
    Some(Box::new(RepresentativeNotice {
        intent_receipt: intent.receipt_bytes().to_vec(),
        outcome_receipt: outcome.receipt_bytes().to_vec(),
        sealed_record: closing.sealed_record,
        shared_key: closing.shared_key,
    }))
}

/// What recording the preview needs. It is recorded once, for the person whom the evidence is about.
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
