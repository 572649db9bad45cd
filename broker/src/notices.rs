//! Delivers the outcome to the provider's connector and retries until the connector has it. Removes an exchange from
//! the journal once the consumer has acknowledged it, too.
//!
//! Every connector has its own queue and task, so a slow one delays nobody else's notices. A task delivers at most
//! [`PARALLEL`] notices at once. When one is not accepted, the task pauses before the next ones, longer each time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use messages::CallKind;
use record::ParticipantId;
use service::shutdown::Shutdown;
use store::TableError;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::broker::Broker;
use crate::journal::{ClosedExchange, JournalEntry};
use crate::queues::Queues;
use crate::retry::patient;

/// The most notices that one connector receives at once.
const PARALLEL: usize = 8;
/// How long a connector may take to accept a notice.
const LIMIT: Duration = Duration::from_secs(10);

/// Delivers notices until `shutdown`, with a task for each queue from its first notice on.
pub(crate) fn deliver(broker: &Arc<Broker>, mut queues: Queues, shutdown: &Shutdown) {
    let (broker, shutdown) = (broker.clone(), shutdown.clone());
    tokio::spawn(async move {
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                queue = queues.recv() => match queue {
                    Some((provider, queue)) => { tasks.spawn(work(broker.clone(), provider, queue)); }
                    None => return,
                },
                () = shutdown.wait() => return,
            }
        }
    });
}

async fn work(broker: Arc<Broker>, provider: ParticipantId, mut queue: UnboundedReceiver<Uuid>) {
    let (mut waiting, mut pauses) = (VecDeque::new(), patient());
    loop {
        if waiting.is_empty() {
            match queue.recv().await {
                Some(exchange) => waiting.push_back(exchange),
                None => return,
            }
        }
        while let Ok(exchange) = queue.try_recv() {
            waiting.push_back(exchange);
        }
        let mut round = JoinSet::new();
        for exchange in waiting.drain(..waiting.len().min(PARALLEL)) {
            let (broker, provider) = (broker.clone(), provider.clone());
            round.spawn(async move { (exchange, notify(&broker, &provider, exchange).await) });
        }
        let mut all_done = true;
        for (exchange, done) in round.join_all().await {
            if !done {
                all_done = false;
                waiting.push_back(exchange);
            }
        }
        if all_done {
            pauses.succeeded();
        } else {
            tokio::time::sleep(pauses.failed()).await;
        }
    }
}

/// Delivers one notice. Returns whether it need not be sent again.
async fn notify(broker: &Broker, provider: &ParticipantId, exchange: Uuid) -> bool {
    let closed = match broker.journal.get(exchange).await {
        Ok(Some(JournalEntry::Closed(closed))) if !closed.notified => closed,
        Ok(_) => return true,
        Err(error) => {
            tracing::error!(%exchange, %error, "the journal cannot be read: a notice is delivered later");
            return false;
        }
    };
    if !send(broker, provider, &closed).await {
        return false;
    }
    match settle(broker, &closed, |closed| closed.notified = true).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(%exchange, %error, "the journal cannot be written: a notice is delivered again");
            false
        }
    }
}

async fn send(broker: &Broker, provider: &ParticipantId, closed: &ClosedExchange) -> bool {
    let Some(route) = broker.route(provider) else {
        return false;
    };
    let body = record::cbor::to_vec(&closed.notice);
    let call = broker
        .connectors
        .call(CallKind::Outcome, (provider, &route), broker.now(), body, LIMIT);
    match call.await {
        Ok(_) => true,
        Err(error) => {
            let exchange = closed.exchange;
            tracing::warn!(%exchange, %error, "the provider has not accepted the outcome");
            // 404 and 409 are about this outcome: the connector has nothing to compare it with, or has raised its own
            // alarm. Anything else may go away.
            error
                .problem()
                .is_some_and(|problem| matches!(problem.status, 404 | 409))
        }
    }
}

/// Marks one of the two conditions for removing an exchange from the journal, and removes it when both hold. Gives
/// back the places that the exchange no longer takes.
pub(crate) async fn settle(
    broker: &Broker,
    closed: &ClosedExchange,
    mark: impl Fn(&mut ClosedExchange) + Send + 'static,
) -> Result<(), TableError> {
    let waited = closed.waited;
    let (consumers, providers) = (broker.consumers(waited).clone(), broker.providers(waited).clone());
    let previews = broker.previews.clone();
    let change = move |entry: &mut JournalEntry| {
        let JournalEntry::Closed(closed) = entry else {
            return true;
        };
        let before = (closed.acknowledged, closed.notified);
        let had_preview = closed.preview.is_some();
        mark(closed);
        if closed.acknowledged && !before.0 {
            closed.reply = None;
            consumers.give_back(&closed.consumer);
        }
        if closed.notified && !before.1 {
            providers.give_back(&closed.provider);
        }
        if had_preview && closed.preview.is_none() {
            previews.give_back(&closed.consumer);
        }
        !closed.is_settled()
    };
    broker.journal.update(closed.exchange, change).await
}
