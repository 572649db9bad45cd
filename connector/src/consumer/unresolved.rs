//! Exchanges that ended without a completion for their caller: the deadline passed, the broker was away, its answer or
//! the acknowledgement was lost, or the connector was restarted.
//!
//! After their deadline one task asks the broker for their completions until it has them, checks and acknowledges them,
//! and drops their evidence, because no caller waits for it any more. The pauses double up to a minute while the broker
//! gives no answer. An exchange whose completion fails a check is not asked for again before the next start: an
//! operator has the alarm.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use messages::limits::MAX_RETRY_SECONDS;
use service::backoff::Backoff;
use service::{Problem, Shutdown};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::request::PendingRequest;

/// The most unresolved exchanges. With more, the connector begins none.
const MAX_UNRESOLVED: usize = 1024;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(MAX_RETRY_SECONDS);
/// An exchange is asked for until this many seconds after its deadline. The broker has dropped it by then.
pub(super) const RETENTION: u64 = 7 * 86_400;

/// The queue of unresolved exchanges.
#[derive(Debug)]
pub(super) struct Unresolved {
    queue: UnboundedSender<PendingRequest>,
    count: Arc<AtomicUsize>,
}

/// The receiving end, for [`resolve`].
pub(super) struct Waiting {
    queue: UnboundedReceiver<PendingRequest>,
    count: Arc<AtomicUsize>,
}

/// Makes the queue.
pub(super) fn unresolved() -> (Unresolved, Waiting) {
    let (sender, receiver) = unbounded_channel();
    let count = Arc::new(AtomicUsize::new(0));
    let unresolved = Unresolved {
        queue: sender,
        count: count.clone(),
    };
    let waiting = Waiting { queue: receiver, count };
    (unresolved, waiting)
}

impl Unresolved {
    /// Adds an exchange.
    pub(super) fn add(&self, pending: PendingRequest) {
        self.count.fetch_add(1, Ordering::Relaxed);
        // Fails only while the process is ending; the next start reads the journal.
        let _ = self.queue.send(pending);
    }

    /// Refuses while there are too many.
    ///
    /// # Errors
    /// 503.
    pub(super) fn has_room(&self) -> Result<(), Problem> {
        if self.count.load(Ordering::Relaxed) < MAX_UNRESOLVED {
            Ok(())
        } else {
            Err(Problem::unavailable(
                "broker-unavailable",
                10,
                "the broker is unavailable",
            ))
        }
    }
}

/// Resolves exchanges until `shutdown`. `settle` asks for one, and returns it if it must be asked for again.
pub(super) async fn resolve<F, T>(waiting: Waiting, shutdown: Shutdown, settle: F)
where
    F: Fn(PendingRequest) -> T,
    T: Future<Output = Option<PendingRequest>>,
{
    tokio::select! {
        () = work(waiting, settle) => {}
        () = shutdown.wait() => {}
    }
}

async fn work<F, T>(Waiting { mut queue, count }: Waiting, settle: F)
where
    F: Fn(PendingRequest) -> T,
    T: Future<Output = Option<PendingRequest>>,
{
    let (mut open, mut pauses) = (VecDeque::new(), Backoff::new(FIRST_PAUSE, MAX_PAUSE));
    loop {
        if open.is_empty() {
            match queue.recv().await {
                Some(pending) => open.push_back(pending),
                None => return,
            }
        }
        while let Ok(pending) = queue.try_recv() {
            open.push_back(pending);
        }
        for _ in 0..open.len() {
            let Some(pending) = open.pop_front() else { break };
            match settle(pending).await {
                Some(again) => open.push_back(again),
                None => {
                    count.fetch_sub(1, Ordering::Relaxed);
                    pauses.succeeded();
                }
            }
        }
        if !open.is_empty() {
            tokio::time::sleep(pauses.failed()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::fixture::World;

    #[test]
    fn the_number_of_unresolved_exchanges_is_bounded() {
        let (unresolved, _waiting) = unresolved();
        let pending = World::new().request();
        for _ in 0..MAX_UNRESOLVED {
            unresolved.has_room().unwrap();
            unresolved.add(pending.without_message());
        }
        assert_eq!(unresolved.has_room().unwrap_err().status, 503);
    }
}
