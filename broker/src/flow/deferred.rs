//! Exchanges that wait for their evidence: the provider has signed a later time for its answer.
//!
//! Such an exchange is recorded and stays open. The broker sends the same forward again at the time that the deferral
//! names, and answers the consumer, which sends its request again when it likes, with the newest deferral. The exchange
//! ends with the provider's reply, with the consumer's withdrawal, or without an answer when
//! [`messages::limits::MAX_LATER_SECONDS`] have passed since its intent. A provider that does not answer, or is
//! suspended, is asked again until then.
//!
//! Nothing is appended twice: the intent is known by its receipt, which the journal keeps, and the outcome is sealed
//! once.

use std::sync::Arc;
use std::time::Duration;

use messages::{Completion, Withdrawal};
use record::Timestamp;
use service::clock::{CheckedClock, Clock as _};
use service::problem::Problem;
use service::shutdown::Shutdown;
use service::tls::PeerName;
use tokio::task::JoinSet;

use super::close::finish;
use super::defer::{defer, known_intents};
use super::forward::{self, Forwarded, Uncertain};
use crate::broker::Broker;
use crate::journal::JournalEntry;
use crate::problems::{acknowledged, not_permitted, stopped, under_way};
use crate::records::Ending;
use crate::schedule::Due;

/// How long to wait before the clock is read again that is in doubt.
const CLOCK_RETRY: Duration = Duration::from_secs(60);
/// How long a consumer waits for the end of a withdrawal.
const WITHDRAWAL_LIMIT: Duration = Duration::from_secs(20);

/// Asks the providers again for what is due, until `shutdown`. While the clock is in doubt it asks for nothing: a clock
/// that is weeks ahead would close every exchange without an answer.
pub(crate) async fn ask_again(broker: Arc<Broker>, shutdown: Shutdown) {
    let clock = CheckedClock::unattended(broker.clock.clone());
    let mut tasks = JoinSet::new();
    loop {
        let pause = match clock.check().map(Timestamp) {
            Ok(now) => {
                while let Some(due) = broker.schedule.take(now) {
                    let broker = broker.clone();
                    tasks.spawn(async move { work(&broker, due, now).await });
                }
                Duration::from_secs(broker.schedule.next(now))
            }
            Err(_) => CLOCK_RETRY,
        };
        tokio::select! {
            () = clock.sleep(pause) => {}
            () = broker.schedule.changed() => {}
            Some(_) = tasks.join_next() => {}
            // The journal has what the tasks are working on.
            () = shutdown.wait() => return,
        }
    }
}

/// Works on an exchange that is due, and puts it into the schedule again unless it has ended.
async fn work(broker: &Arc<Broker>, due: Due, now: Timestamp) {
    let (exchange, row) = (due.exchange, &due.row);
    match ask(broker, &due, now).await {
        Ok(Progress::Settled) => {}
        Ok(Progress::NotReady) => broker.schedule.set(exchange, row.soon(now), row.clone()),
        Ok(Progress::Unanswered) => broker.schedule.set(exchange, row.after_failure(now), row.clone()),
        Err(problem) => {
            tracing::warn!(%exchange, problem = problem.slug, "an exchange that waits is asked for again later");
            broker.schedule.set(exchange, row.after_failure(now), row.clone());
        }
    }
}

enum Progress {
    /// The exchange is closed, or the schedule has it with a new deferral.
    Settled,
    /// Nothing is certain yet, and the provider is running. It is asked again in a minute, however long the exchange
    /// has been due: a broker that was off for days would otherwise wait an hour for a provider that has just started.
    NotReady,
    /// Nothing is certain yet.
    Unanswered,
}

async fn ask(broker: &Arc<Broker>, due: &Due, now: Timestamp) -> Result<Progress, Problem> {
    let Some(_claim) = broker.claim(due.exchange) else {
        // The consumer asks or withdraws at this moment.
        return Ok(Progress::Unanswered);
    };
    let open = match broker.journal.get(due.exchange).await.map_err(stopped)? {
        Some(JournalEntry::Deferred(deferred)) => deferred.open,
        // An earlier attempt to close it has failed.
        Some(JournalEntry::Open(open)) => *open,
        Some(JournalEntry::Closed(_)) | None => return Ok(Progress::Settled),
    };
    let intents = known_intents(broker, &open)?;
    if open.closing.is_some() {
        finish(broker, &intents, Box::new(open), None).await?;
        return Ok(Progress::Settled);
    }
    let ending = if now >= due.row.expiry {
        tracing::warn!(exchange = %due.exchange, "given up: the evidence did not become available in time");
        Ending::TimedOut
    } else {
        match forward::ask_again(broker, &intents, &open).await {
            Ok(Forwarded::Deferred(deferral)) => {
                broker.circuits.answered(&due.row.provider);
                defer(broker, &intents, open, deferral).await?;
                return Ok(Progress::Settled);
            }
            Ok(Forwarded::Ended(ending)) => {
                broker.circuits.answered(&due.row.provider);
                ending
            }
            Err(Uncertain::NotReady) => return Ok(Progress::NotReady),
            Err(Uncertain::Unanswered) => return Ok(Progress::Unanswered),
        }
    };
    finish(broker, &intents, Box::new(open), Some(&ending)).await?;
    Ok(Progress::Settled)
}

/// Ends an exchange that waits, because its consumer wants no answer any more, and answers with how it ended.
///
/// # Errors
/// The problem for the consumer: 404 if there is no such exchange, 403 if its consumer did not sign the withdrawal, 503
/// if a task is working on it.
pub(crate) async fn withdraw(
    broker: &Arc<Broker>,
    withdrawal: Withdrawal,
    name: Option<PeerName>,
) -> Result<Completion, Problem> {
    let broker = broker.clone();
    // Spawned, so that a consumer that disconnects does not stop a withdrawal halfway.
    let task = tokio::spawn(async move {
        let Some(_claim) = broker.claim(withdrawal.exchange) else {
            return Err(under_way());
        };
        let entry = broker.journal.get(withdrawal.exchange).await.map_err(stopped)?;
        let entry = entry.ok_or_else(|| Problem::not_found("no such exchange"))?;
        broker.transport.require(name.as_ref(), entry.consumer())?;
        let history = broker.live.confirmed()?;
        let consumer = history.state().directory().component(entry.consumer());
        if consumer.is_none_or(|consumer| consumer.verified(|key| withdrawal.verify(key)).is_err()) {
            return Err(not_permitted());
        }
        let open = match entry {
            JournalEntry::Open(_) => return Err(under_way()),
            JournalEntry::Closed(closed) => return closed.completion().ok_or_else(acknowledged),
            JournalEntry::Deferred(deferred) => deferred.open,
        };
        let intents = known_intents(&broker, &open)?;
        finish(&broker, &intents, Box::new(open), Some(&Ending::Withdrawn)).await
    });
    match tokio::time::timeout(WITHDRAWAL_LIMIT, task).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Problem::internal()),
        Err(_) => Err(under_way()),
    }
}

#[cfg(test)]
mod tests;
