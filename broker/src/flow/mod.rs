//! The course of one exchange, from the consumer's request to the completion.
//!
//! An exchange runs in its own task, because the broker must close what it has recorded even if the consumer
//! disconnects or its deadline passes. The journal has what the task needs to close an exchange before the intent is
//! recorded. After a restart, [`resume`] continues: it forwards the request again (the provider answers with the same
//! bytes) until it is certain how the exchange ended, and appends the outcome that the journal has.
//!
//! * [`enter`] – authenticates, checks the permission, gets labels from identity, writes the journal.
//! * [`record`] – records intent and outcome.
//! * [`forward`] – sends the request to the provider until it is certain how the exchange ended.
//! * [`close`] – takes a journalled exchange to its completion.
//! * [`defer`] – makes an exchange wait whose evidence is available later.
//! * [`deferred`] – asks the provider again for what waits, and takes withdrawals.
//! * [`preview`] – records what the person has decided about delivered evidence.
//!
//! What goes wrong, and what follows:
//!
//! | Where | What the consumer gets | What is recorded |
//! | --- | --- | --- |
//! | directory not confirmed | 503 `directory-unconfirmed`, may be retried | nothing |
//! | signatures | 403 `not-permitted` | nothing; the sender is not authenticated |
//! | permission, or identity refuses | 403 `not-permitted` | `denial` |
//! | provider known not to answer | 503 `provider-unavailable`, may be retried | nothing |
//! | identity or ledger unavailable | 503, may be retried | nothing (identity voids the label) |
//! | provider refuses, fails, or was asked too late | a completion that states it | `outcome` |
//! | the provider answers later | 202 with the provider's deferral | `outcome`, once it has answered |
//! | no certain end before the deadline | 503 `under-way`, may be retried | `outcome`, once it is certain |

mod close;
mod defer;
pub(crate) mod deferred;
mod enter;
mod forward;
pub(crate) mod preview;
mod record;
#[cfg(test)]
mod representation_tests;

use std::sync::Arc;
use std::time::Duration;

use messages::{ExchangeAnswer, ExchangeRequest};
use service::problem::Problem;
use tokio::sync::Semaphore;

use crate::broker::Broker;
use crate::journal::{JournalEntry, OpenExchange, request_digest};
use crate::problems::{acknowledged, stopped, under_way};

/// How many open exchanges an earlier run's journal may have in work at once.
const MAX_RESUMED: usize = 256;
/// How long the broker works for a consumer beyond the deadline, to record an outcome that arrived in time.
const DEADLINE_GRACE: u64 = 2;

/// Runs an exchange in its own task, and waits for its end until the deadline.
///
/// # Errors
/// The problem for the consumer. `under-way` does not end the exchange.
pub async fn exchange(broker: &Arc<Broker>, request: ExchangeRequest) -> Result<ExchangeAnswer, Problem> {
    let now = broker.now();
    let left = request.metadata.deadline.after(DEADLINE_GRACE).since(now);
    let broker = broker.clone();
    let task = tokio::spawn(async move { run(&broker, request).await });
    match tokio::time::timeout(Duration::from_secs(left.max(DEADLINE_GRACE)), task).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Problem::internal()),
        Err(_) => Err(under_way()),
    }
}

async fn run(broker: &Arc<Broker>, request: ExchangeRequest) -> Result<ExchangeAnswer, Problem> {
    let id = request.metadata.exchange;
    let Some(_claim) = broker.claim(id) else {
        return Err(under_way());
    };
    match broker.journal.get(id).await.map_err(stopped)? {
        Some(entry) => repeated(broker, entry, &request).await,
        None => {
            let open = enter::enter(broker, request).await?;
            close::close(broker, open, true).await
        }
    }
}

/// The same request again: returns the completion if the exchange is closed, the newest deferral if it waits, and
/// closes it otherwise.
async fn repeated(broker: &Broker, entry: JournalEntry, request: &ExchangeRequest) -> Result<ExchangeAnswer, Problem> {
    let same = match &entry {
        JournalEntry::Open(open) => open.request == *request,
        JournalEntry::Deferred(deferred) => deferred.open.request == *request,
        JournalEntry::Closed(closed) => closed.request == request_digest(request),
    };
    if !same {
        return Err(Problem::conflict(
            "exchange-id-used",
            "another request has used this exchange id",
        ));
    }
    match entry {
        JournalEntry::Closed(closed) => {
            let completion = closed.completion().ok_or_else(acknowledged)?;
            Ok(ExchangeAnswer::Completed(Box::new(completion)))
        }
        JournalEntry::Deferred(deferred) => Ok(ExchangeAnswer::Deferred(Box::new(defer::answer(*deferred)))),
        JournalEntry::Open(open) => close::close(broker, open, false).await,
    }
}

/// Closes the exchanges that an earlier run of the broker left open. They are independent of each other: one that a
/// provider keeps waiting does not delay the others, up to [`MAX_RESUMED`] at once.
pub async fn resume(broker: Arc<Broker>, left_open: Vec<OpenExchange>) {
    let slots = Arc::new(Semaphore::new(MAX_RESUMED));
    for open in left_open {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        let broker = broker.clone();
        tokio::spawn(async move {
            let _slot = slot;
            let id = open.request.metadata.exchange;
            let Some(_claim) = broker.claim(id) else { return };
            match close::close(&broker, Box::new(open), false).await {
                Ok(_) => tracing::info!(exchange = %id, "continued after a restart"),
                Err(problem) => tracing::warn!(exchange = %id, problem = problem.slug, "still open after a restart"),
            }
        });
    }
}
