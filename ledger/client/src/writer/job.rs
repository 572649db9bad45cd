//! The calls of a writer: drafts, their callers, and what handles and engine share about them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use record::{Body, EntryError, Timestamp, WriterId};
use service::problem::Problem;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::recorded::Proved;

/// An entry to be written. The writer adds number, chain and signature.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The entry's time; `None` for the time of signing.
    pub time: Option<Timestamp>,
    /// The content.
    pub body: Body,
}

impl Draft {
    /// A draft that gets the time of its signing.
    #[must_use]
    pub const fn now(body: Body) -> Self {
        Self { time: None, body }
    }
}

/// Why an entry was not recorded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The ledger has refused the entry, and would refuse it again. It is not in the log.
    #[error("the ledger refused the entry: {0}")]
    Refused(Box<Problem>),
    /// The draft breaks a rule of its kind. Nothing was written.
    #[error("the entry cannot be written: {0}")]
    Malformed(EntryError),
    /// Another entry in the log has the label. The entry is not in the log.
    #[error("another entry has the label")]
    LabelUsed,
    /// The intent could not be recorded in time. It is not in the log. Retryable.
    #[error("the ledger could not be reached in time")]
    GivenUp,
    /// The draft's kind is not the requested one. Nothing was written.
    #[error("the draft is of another kind than the requested one")]
    OtherKind,
    /// The process is shutting down. The entry may or may not be in the log; the next start continues from the
    /// journal.
    #[error("shutting down")]
    Ended,
    /// The writer has stopped with an alarm; an operator must act. The entry may or may not be in the log.
    #[error("the writer has stopped: {0}")]
    Stopped(Arc<str>),
}

impl AppendError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::GivenUp | Self::Ended)
    }
}

/// A call of [`super::Writer::append`].
pub(super) struct Job {
    pub(super) draft: Draft,
    pub(super) record: Option<Vec<u8>>,
    pub(super) document: Option<Vec<u8>>,
    pub(super) caller: Caller,
}

/// A waiting caller.
pub(super) struct Caller {
    pub(super) since: Instant,
    reply: oneshot::Sender<Result<Proved, AppendError>>,
    _ticket: Ticket,
}

impl Caller {
    pub(super) fn new(
        since: Instant,
        reply: oneshot::Sender<Result<Proved, AppendError>>,
        state: &Arc<WriterState>,
    ) -> Self {
        Self {
            since,
            reply,
            _ticket: state.ticket(since),
        }
    }

    pub(super) fn answer(self, answer: Result<Proved, AppendError>) {
        // A caller that has dropped the future does not need the answer.
        let _ = self.reply.send(answer);
    }
}

/// Shared by the handles and the engine.
pub(super) struct WriterState {
    pub(super) id: WriterId,
    /// Calls without an answer.
    waiting: Mutex<Waiting>,
    /// Set once, by the engine, before it ends with an alarm.
    pub(super) alarm: OnceLock<Arc<str>>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    since: BTreeMap<u64, Instant>,
}

/// A place among the waiting calls. Dropping it removes the place.
struct Ticket {
    number: u64,
    state: Arc<WriterState>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.state.waiting().since.remove(&self.number);
    }
}

impl WriterState {
    pub(super) fn new(id: WriterId) -> Self {
        Self {
            id,
            waiting: Mutex::default(),
            alarm: OnceLock::new(),
        }
    }

    /// How long the oldest call has been waiting; zero if none is.
    pub(super) fn longest_wait(&self) -> Duration {
        let waiting = self.waiting();
        waiting.since.values().next().map_or(Duration::ZERO, Instant::elapsed)
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ticket(self: &Arc<Self>, since: Instant) -> Ticket {
        let mut waiting = self.waiting();
        let number = waiting.next;
        waiting.next += 1;
        waiting.since.insert(number, since);
        Ticket {
            number,
            state: self.clone(),
        }
    }

    /// Why the writer has ended.
    pub(super) fn end(&self) -> AppendError {
        self.alarm
            .get()
            .cloned()
            .map_or(AppendError::Ended, AppendError::Stopped)
    }
}
