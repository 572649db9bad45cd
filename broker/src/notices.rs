//! The provider's connector gets the outcome, until it has taken it; then, once the consumer has acknowledged too, the
//! journal forgets the exchange.

use std::time::Duration;

use service::shutdown::Shutdown;

use crate::flow::Broker;
use crate::journal::{Row, Stage};

/// How long to wait before a provider that did not take a notice is asked again.
const AGAIN: Duration = Duration::from_secs(5);

/// Delivers notices until `shutdown`.
pub(crate) async fn deliver(broker: Broker, shutdown: Shutdown) {
    loop {
        match broker.0.journal.all() {
            Ok(rows) => {
                for row in rows {
                    notify(&broker, row).await;
                }
            }
            Err(error) => tracing::error!(%error, "the journal cannot be read: notices wait"),
        }
        tokio::select! {
            () = broker.0.closed.notified() => {}
            () = tokio::time::sleep(AGAIN) => {}
            () = shutdown.wait() => return,
        }
    }
}

async fn notify(broker: &Broker, row: Row) {
    let id = row.request.metadata.exchange;
    let Stage::Closed {
        completion,
        notified: false,
        ..
    } = &row.stage
    else {
        return;
    };
    // A provider that never replied has nothing to compare, and may not be there at all.
    let took = completion.reply.is_none() || send(broker, &row).await;
    if took && let Err(error) = settle(broker, id, |_, notified| *notified = true).await {
        tracing::error!(exchange = %id, %error, "the journal cannot be written");
    }
}

async fn send(broker: &Broker, row: &Row) -> bool {
    let Stage::Closed { completion, .. } = &row.stage else {
        return false;
    };
    let Some(route) = broker.0.config.routes.get(&row.request.metadata.provider) else {
        return false;
    };
    let body = record::cbor::to_vec(&completion.notice);
    match broker.0.connectors.post_cbor(&format!("{route}/outcome"), body).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(exchange = %row.request.metadata.exchange, %error, "the provider has not taken the outcome");
            // It refused for good: it has raised its own alarm, and the same bytes would be refused again.
            !error.retryable()
        }
    }
}

/// Marks one of the two conditions of forgetting an exchange, and forgets it when both hold.
pub(crate) async fn settle(
    broker: &Broker,
    exchange: uuid::Uuid,
    mark: impl FnOnce(&mut bool, &mut bool) + Send + 'static,
) -> Result<(), crate::journal::JournalError> {
    let change = |row: &mut Row| match &mut row.stage {
        Stage::Open => true,
        Stage::Closed {
            acknowledged, notified, ..
        } => {
            mark(acknowledged, notified);
            !(*acknowledged && *notified)
        }
    };
    broker.0.journal.update(exchange, change).await
}
