//! The course of one exchange, from the consumer's request to the completion.
//!
//! An exchange runs in its own task, because the broker must close what it has recorded even if the consumer
//! disconnects. The journal has what the task needs to close an exchange before the intent is recorded. After a
//! restart, [`resume`] continues: it forwards the request again (the provider answers with the same bytes) before it
//! closes the exchange.
//!
//! * [`enter`] – authenticates, checks the permission, gets labels from identity, writes the journal.
//! * [`record`] – records intent and outcome.
//! * [`forward`] – sends the request to the provider.
//! * [`close`] – takes a journalled exchange to its completion.
//!
//! What goes wrong, and what follows:
//!
//! | Where | What the consumer gets | What is recorded |
//! | --- | --- | --- |
//! | signatures | 403 `not-permitted` | nothing; the sender is not authenticated |
//! | permission, or identity refuses | 403 `not-permitted` | `denial` |
//! | identity or ledger unavailable | 503, may be retried | nothing (identity voids the label) |
//! | provider refuses, fails, or is late | a completion that states it | `outcome` |

mod close;
mod enter;
mod forward;
mod record;

use std::sync::Arc;

use messages::{Completion, ExchangeRequest};
use service::problem::Problem;

use crate::broker::Broker;
use crate::journal::{JournalEntry, Stage};
use crate::problems::stopped;

/// Runs an exchange in its own task and waits for its end.
///
/// # Errors
/// The problem for the consumer.
pub async fn exchange(broker: &Arc<Broker>, request: ExchangeRequest) -> Result<Completion, Problem> {
    let broker = broker.clone();
    match tokio::spawn(async move { run(&broker, request).await }).await {
        Ok(result) => result,
        Err(_) => Err(Problem::internal()),
    }
}

async fn run(broker: &Arc<Broker>, request: ExchangeRequest) -> Result<Completion, Problem> {
    let id = request.metadata.exchange;
    let Some(_claim) = broker.claim(id) else {
        return Err(Problem::unavailable("under-way", 1, "the exchange is in progress"));
    };
    match broker.journal.get(id).await.map_err(stopped)? {
        Some(entry) => repeated(broker, entry, &request).await,
        None => {
            let entry = enter::enter(broker, request).await?;
            close::close(broker, entry).await
        }
    }
}

/// The same request again: returns the completion if the exchange is closed, and closes it otherwise.
async fn repeated(broker: &Broker, entry: JournalEntry, request: &ExchangeRequest) -> Result<Completion, Problem> {
    if entry.request != *request {
        return Err(Problem::conflict(
            "exchange-id-used",
            "another request has used this exchange id",
        ));
    }
    match entry.stage {
        Stage::Closed { completion, .. } => Ok(*completion),
        Stage::Open => close::close(broker, entry).await,
    }
}

/// Closes the exchanges that an earlier run of the broker left open.
pub async fn resume(broker: Arc<Broker>) {
    let entries = match broker.journal.all().await {
        Ok(entries) => entries,
        Err(error) => {
            tracing::error!(%error, "the journal cannot be read: open exchanges stay open");
            return;
        }
    };
    for entry in entries.into_iter().filter(|entry| matches!(entry.stage, Stage::Open)) {
        let id = entry.request.metadata.exchange;
        let Some(_claim) = broker.claim(id) else { continue };
        match close::close(&broker, entry).await {
            Ok(_) => tracing::info!(exchange = %id, "closed after a restart"),
            Err(problem) => tracing::warn!(exchange = %id, problem = problem.slug, "still open after a restart"),
        }
    }
}
