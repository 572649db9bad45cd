//! Drops completions that their consumer has not acknowledged for a day, or for a week if the exchange has waited, and
//! ends previews without a decision.
//!
//! A consumer's connector asks for a completion again until it has it. After a day it has lost its journal, and no
//! person waits for the answer. The outcome is in the log in any case. So is a preview after [`flow::preview`] has
//! recorded that no decision was made; its notice is dropped a day later.

use std::sync::Arc;
use std::time::Duration;

use messages::limits::PREVIEW_RETENTION_SECONDS;
use record::Timestamp;
use service::clock::{CheckedClock, Clock as _};
use service::shutdown::Shutdown;
use store::TableError;

use crate::broker::Broker;
use crate::journal::{ClosedExchange, JournalEntry};
use crate::{flow, notices};

/// How often to look for old completions.
const INTERVAL: Duration = Duration::from_secs(600);
/// A completion without an acknowledgement is kept this many seconds.
pub(crate) const COMPLETION_RETENTION: u64 = 86_400;
/// The same of an exchange that has waited for its evidence: its consumer asks now and then, perhaps not on a weekend.
pub(crate) const WAITED_RETENTION: u64 = 7 * 86_400;

/// Drops old completions until `shutdown`. While the clock is in doubt, all stay: a clock that is days ahead would drop
/// those for which a person waits.
pub(crate) async fn expire(broker: Arc<Broker>, shutdown: Shutdown) {
    let clock = CheckedClock::unattended(broker.clock.clone());
    loop {
        tokio::select! {
            () = clock.sleep(INTERVAL) => {}
            () = shutdown.wait() => return,
        }
        let Ok(now) = clock.check() else { continue };
        if let Err(error) = sweep(&broker, Timestamp(now)).await {
            tracing::error!(%error, "the journal cannot be read or written: old completions stay");
        }
    }
}

async fn sweep(broker: &Arc<Broker>, now: Timestamp) -> Result<(), TableError> {
    let mut page = broker.journal.page(None).await?;
    while let Some(last) = page.last().map(JournalEntry::exchange) {
        for entry in page {
            if let JournalEntry::Closed(closed) = entry {
                expire_one(broker, &closed, now).await?;
            }
        }
        page = broker.journal.page(Some(last)).await?;
    }
    Ok(())
}

async fn expire_one(broker: &Arc<Broker>, closed: &ClosedExchange, now: Timestamp) -> Result<(), TableError> {
    let retention = if closed.waited {
        WAITED_RETENTION
    } else {
        COMPLETION_RETENTION
    };
    if !closed.acknowledged && now.since(closed.closed) > retention {
        tracing::warn!(exchange = %closed.exchange, "not acknowledged in time: the completion is dropped");
        notices::settle(broker, closed, |closed| closed.acknowledged = true).await?;
    }
    let recorded = closed.preview.as_ref().and_then(|preview| preview.recorded());
    if recorded.is_some() && now.since(closed.closed) > PREVIEW_RETENTION_SECONDS + retention {
        notices::settle(broker, closed, |closed| closed.preview = None).await?;
    } else if let Err(problem) = flow::preview::follow_up(broker, closed, now).await {
        tracing::warn!(exchange = %closed.exchange, problem = problem.slug, "a preview is not recorded yet");
    }
    Ok(())
}
