//! Delivers the outcome to the provider's connector and retries until the connector accepts it. Removes an exchange
//! from the journal once the consumer has acknowledged it, too.

use std::sync::Arc;
use std::time::Duration;

use service::shutdown::Shutdown;
use service::table::TableError;
use uuid::Uuid;

use crate::broker::Broker;
use crate::journal::{JournalEntry, Stage};

/// How long to wait before the notices that were not accepted are sent again.
const RETRY_DELAY: Duration = Duration::from_secs(5);

/// Delivers notices until `shutdown`.
pub(crate) async fn deliver(broker: Arc<Broker>, shutdown: Shutdown) {
    loop {
        match broker.journal.all().await {
            Ok(entries) => {
                for entry in entries {
                    notify(&broker, entry).await;
                }
            }
            Err(error) => tracing::error!(%error, "the journal cannot be read: notices are not delivered"),
        }
        tokio::select! {
            () = broker.closed.notified() => {}
            () = tokio::time::sleep(RETRY_DELAY) => {}
            () = shutdown.wait() => return,
        }
    }
}

async fn notify(broker: &Broker, entry: JournalEntry) {
    let id = entry.request.metadata.exchange;
    let Stage::Closed {
        completion,
        notified: false,
        ..
    } = &entry.stage
    else {
        return;
    };
    // A provider that never replied has nothing to compare the outcome with, and may not exist at all.
    let done = completion.reply.is_none() || send(broker, &entry).await;
    if done && let Err(error) = settle(broker, id, |_, notified| *notified = true).await {
        tracing::error!(exchange = %id, %error, "the journal cannot be written");
    }
}

/// Sends the notice. Returns whether it need not be sent again.
async fn send(broker: &Broker, entry: &JournalEntry) -> bool {
    let Stage::Closed { completion, .. } = &entry.stage else {
        return false;
    };
    let Some(route) = broker.config.routes.get(&entry.request.metadata.provider) else {
        return false;
    };
    let body = record::cbor::to_vec(&completion.notice);
    match broker.connectors.post_cbor(&format!("{route}/outcome"), body).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(
                exchange = %entry.request.metadata.exchange, %error, "the provider has not accepted the outcome"
            );
            // A permanent refusal: the connector has raised its own alarm and would refuse the same bytes again.
            !error.retryable()
        }
    }
}

/// Marks one of the two conditions for removing an exchange from the journal, and removes it when both hold.
pub(crate) async fn settle(
    broker: &Broker,
    exchange: Uuid,
    mark: impl FnOnce(&mut bool, &mut bool) + Send + 'static,
) -> Result<(), TableError> {
    let change = |entry: &mut JournalEntry| match &mut entry.stage {
        Stage::Open => true,
        Stage::Closed {
            acknowledged, notified, ..
        } => {
            mark(acknowledged, notified);
            !(*acknowledged && *notified)
        }
    };
    broker.journal.update(exchange, change).await
}
