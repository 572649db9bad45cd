//! Delivers the outcome to the provider's connector and retries until the connector accepts it. Removes an exchange
//! from the journal once the consumer has acknowledged it, too.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use record::ParticipantId;
use service::Backoff;
use service::shutdown::Shutdown;
use service::table::TableError;
use tokio::time::Instant;
use uuid::Uuid;

use crate::broker::Broker;
use crate::journal::{JournalEntry, Stage};

/// How often the journal is searched for notices, also when no exchange has closed.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// The pauses before a provider that has not accepted a notice gets one again. The longest is one half of the time
/// after which its connector reports a missing outcome.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(5);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

/// The providers that did not accept their last notice, and when each may get one again. There is at most one item for
/// each configured route.
#[derive(Default)]
struct Paused(HashMap<ParticipantId, (Backoff, Instant)>);

impl Paused {
    fn may_send(&self, provider: &ParticipantId) -> bool {
        self.0.get(provider).is_none_or(|(_, until)| *until <= Instant::now())
    }

    /// Notes whether a notice was answered.
    fn note(&mut self, provider: &ParticipantId, answered: bool) {
        if answered {
            self.0.remove(provider);
            return;
        }
        let paused = self.0.entry(provider.clone());
        let (backoff, until) =
            paused.or_insert_with(|| (Backoff::new(FIRST_RETRY_DELAY, MAX_RETRY_DELAY), Instant::now()));
        *until = Instant::now() + backoff.failed();
    }
}

/// Delivers notices until `shutdown`.
pub(crate) async fn deliver(broker: Arc<Broker>, shutdown: Shutdown) {
    let mut paused = Paused::default();
    loop {
        match broker.journal.all().await {
            Ok(entries) => {
                for entry in entries {
                    notify(&broker, entry, &mut paused).await;
                }
            }
            Err(error) => tracing::error!(%error, "the journal cannot be read: notices are not delivered"),
        }
        tokio::select! {
            () = broker.closed.notified() => {}
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            () = shutdown.wait() => return,
        }
    }
}

async fn notify(broker: &Broker, entry: JournalEntry, paused: &mut Paused) {
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
    let done = completion.reply.is_none() || send(broker, &entry, paused).await;
    if done && let Err(error) = settle(broker, id, |_, notified| *notified = true).await {
        tracing::error!(exchange = %id, %error, "the journal cannot be written");
    }
}

/// Sends the notice. Returns whether it need not be sent again.
async fn send(broker: &Broker, entry: &JournalEntry, paused: &mut Paused) -> bool {
    let Stage::Closed { completion, .. } = &entry.stage else {
        return false;
    };
    let provider = &entry.request.metadata.provider;
    let Some(route) = broker.config.routes.get(provider) else {
        return false;
    };
    if !paused.may_send(provider) {
        return false;
    }
    let body = record::cbor::to_vec(&completion.notice);
    let answer = broker.connectors.post_cbor(&format!("{route}/outcome"), body).await;
    paused.note(provider, answer.as_ref().err().is_none_or(|error| !error.retryable()));
    match answer {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_provider_that_does_not_take_a_notice_is_asked_after_growing_pauses_and_no_other_is_paused() {
        let [silent, other] = ["bund:kba:zfzr", "bund:bva:azr"].map(|id| id.parse::<ParticipantId>().unwrap());
        let mut paused = Paused::default();
        for whole in [5, 10, 20, 40, 60, 60].map(Duration::from_secs) {
            let before = Instant::now();
            paused.note(&silent, false);
            let (_, until) = &paused.0[&silent];
            assert!(*until >= before + whole / 2 && *until <= Instant::now() + whole);
            assert!(!paused.may_send(&silent) && paused.may_send(&other));
        }
        paused.note(&silent, true);
        assert!(paused.may_send(&silent) && paused.0.is_empty());
    }
}
