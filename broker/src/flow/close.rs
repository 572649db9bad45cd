//! From a journalled exchange to its completion: intent, forward, outcome, release.

use ledger_client::recorded::{Outcome, Recorded};
use messages::{Completion, OutcomeNotice};
use service::problem::Problem;

use super::forward::forward;
use super::record::{record_intent, record_outcome};
use crate::broker::Broker;
use crate::journal::{JournalEntry, Stage};
use crate::metrics::count_exchange;
use crate::problems::{stopped, try_again};
use crate::records::Ending;

/// Closes an exchange that is in the journal.
pub(super) async fn close(broker: &Broker, entry: JournalEntry) -> Result<Completion, Problem> {
    let Some(intent) = record_intent(broker, &entry).await? else {
        let exchange = entry.request.metadata.exchange;
        broker.journal.remove(exchange).await.map_err(stopped)?;
        return Err(try_again("the log does not take entries at the moment"));
    };
    let ending = forward(broker, &intent, &entry).await;
    let (outcome, notice) = record_outcome(broker, &entry, &intent, &ending).await?;
    release(broker, &outcome, notice, ending, entry).await
}

/// Releases the completion. Takes the recorded outcome, so that nothing can be released without one.
async fn release(
    broker: &Broker,
    outcome: &Recorded<Outcome>,
    notice: OutcomeNotice,
    ending: Ending,
    mut entry: JournalEntry,
) -> Result<Completion, Problem> {
    let result = ending.outcome();
    let reply = match ending {
        Ending::Replied(reply) => Some(reply),
        Ending::Failed | Ending::TimedOut => None,
    };
    let completion = Completion { notice, reply };
    entry.stage = Stage::Closed {
        completion: Box::new(completion.clone()),
        acknowledged: false,
        notified: false,
    };
    broker.journal.put(&entry).await.map_err(stopped)?;
    tracing::info!(exchange = %entry.request.metadata.exchange, index = outcome.index().get(), "closed");
    count_exchange(match result {
        record::Outcome::Delivered => "delivered",
        record::Outcome::NothingFound => "nothing_found",
        record::Outcome::Refused => "refused",
        record::Outcome::Failed => "failed",
        record::Outcome::TimedOut => "timed_out",
    });
    broker.closed.notify_one();
    Ok(completion)
}
