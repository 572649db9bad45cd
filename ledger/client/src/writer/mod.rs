//! The writer: one hash chain for many callers.
//!
//! ```text
//! append() ──► queue ──► sign, chain ──► journal (one synced commit) ──► POST /entries ──► check receipts ──► callers
//!                ▲                                                          │
//!                └── jobs that arrive meanwhile are the next batch          └── refused: out, sign the rest, journal, again
//! ```
//!
//! * **One chain per key.** Every entry has its number and the leaf hash of the entry before. There is therefore only
//!   one request at a time; the jobs that arrive meanwhile are the next batch, in the order of their arrival.
//! * **Journal before sending.** The exact signed bytes are on disk before the ledger receives them. After a lost
//!   answer or a restart the writer sends the same bytes again, and the ledger answers with the receipt of the entry
//!   that it has. An entry is thus written once, however often it is sent.
//! * **No answer without proof.** A caller gets a [`Recorded`] or an error. The writer checks receipts first.
//! * **Giving up** is possible only for entries that are certainly not in the log. The writer gives up an intent that
//!   cannot be recorded within [`INTENT_RETRY_FOR`], unless a request with it was left unanswered. In that case the
//!   bytes may be in the log, and the writer continues until it has an answer. Dropping the future of
//!   [`Writer::append`] does not withdraw the entry either. A caller with a deadline of its own should await the
//!   future in a separate task.
//! * **Alarms.** A ledger whose head is behind the last receipt was set back. A head that is ahead, with an entry
//!   that is not in the journal, means a second user of the key or a fork. A ledger whose receipts keep failing lies.
//!   Each of these stops the writer for all callers until an operator acts, because continuing would destroy
//!   evidence.
//!
//! After a restart, an intent from before the crash may be in the log although its caller has no answer. Appending
//! the same body again returns the entry that is there (the label is the key).

mod chain;
mod engine;
mod journal;
mod recovery;
mod settle;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use record::{Body, Directory, EntryError, SealedRecord, SigningKey, Timestamp, WriterId};
use service::clock::Clock;
use service::problem::Problem;
use service::shutdown::Shutdown;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::api::LedgerApi;
use crate::recorded::{EntryKind, Proved, Recorded};
use crate::trust::Trust;

pub use journal::JournalError;

/// How long the writer tries to record an intent before it gives up.
pub const INTENT_PATIENCE: Duration = Duration::from_secs(10);

/// The most entries in one request.
pub const MAX_BATCH: usize = 1024;

/// The most bytes in one request. A single larger entry is still sent.
pub const MAX_BATCH_BYTES: usize = 4 << 20;

/// Parameters of a writer.
pub struct WriterConfig {
    /// The ledger.
    pub api: Arc<dyn LedgerApi>,
    /// The trust root for receipts.
    pub trust: Arc<Trust>,
    /// The directory, which must grant the key the kinds of its entries.
    pub directory: Arc<Directory>,
    /// The writer's key. No other process may use it, because each key has one chain.
    pub key: SigningKey,
    /// Directory of the journal `writer.redb`. Without the file, only entries that were signed and not recorded yet
    /// are lost.
    pub state_dir: PathBuf,
    /// Source of the entries' time.
    pub clock: Arc<dyn Clock>,
}

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

/// A handle to the writer; cheap to clone. The writer ends when the last handle is dropped.
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
    state: Arc<State>,
}

/// A call of [`Writer::append`].
struct Job {
    draft: Draft,
    record: Option<Vec<u8>>,
    document: Option<Vec<u8>>,
    caller: Caller,
}

/// A waiting caller.
struct Caller {
    since: Instant,
    reply: oneshot::Sender<Result<Proved, AppendError>>,
    _ticket: Ticket,
}

impl Caller {
    fn answer(self, answer: Result<Proved, AppendError>) {
        // A caller that has dropped the future does not need the answer.
        let _ = self.reply.send(answer);
    }
}

/// Shared by the handles and the engine.
struct State {
    id: WriterId,
    /// Calls without an answer.
    waiting: Mutex<Waiting>,
    /// Set once, by the engine, before it ends with an alarm.
    alarm: OnceLock<Arc<str>>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    since: BTreeMap<u64, Instant>,
}

/// A place among the waiting calls. Dropping it removes the place.
struct Ticket {
    number: u64,
    state: Arc<State>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.state.waiting().since.remove(&self.number);
    }
}

impl State {
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
    fn end(&self) -> AppendError {
        self.alarm
            .get()
            .cloned()
            .map_or(AppendError::Ended, AppendError::Stopped)
    }
}

impl Writer {
    /// Opens the journal and starts the writer's task. The ledger need not be up yet.
    ///
    /// # Errors
    /// [`JournalError`] if the journal cannot be opened or read.
    pub fn start(config: WriterConfig, shutdown: Shutdown) -> Result<Self, JournalError> {
        let (journal, content) = journal::Journal::open(&config.state_dir)?;
        let state = Arc::new(State {
            id: config.key.id(),
            waiting: Mutex::default(),
            alarm: OnceLock::new(),
        });
        let (jobs, receiver) = mpsc::unbounded_channel();
        let engine = engine::Engine::new(config, journal, content, receiver, state.clone());
        tokio::spawn(engine.run(shutdown));
        Ok(Self { jobs, state })
    }

    /// Appends an entry of kind `K` and returns once a checked receipt proves that it is in the log. There is no time
    /// limit except for intents. Dropping the future does not withdraw the entry.
    ///
    /// # Arguments
    /// `record`: the sealed record that the body commits to; `document`: the public document whose digest is in the
    /// body.
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn append<K: EntryKind>(
        &self,
        draft: Draft,
        record: Option<SealedRecord>,
        document: Option<Vec<u8>>,
    ) -> Result<Recorded<K>, AppendError> {
        if draft.body.kind() != K::KIND {
            return Err(AppendError::OtherKind);
        }
        let (reply, answer) = oneshot::channel();
        let since = Instant::now();
        let job = Job {
            draft,
            record: record.map(SealedRecord::into_bytes),
            document,
            caller: Caller {
                since,
                reply,
                _ticket: self.state.ticket(since),
            },
        };
        self.jobs.send(job).map_err(|_| self.state.end())?;
        let proved = answer.await.unwrap_or_else(|_| Err(self.state.end()))?;
        Recorded::of(proved).map_err(|_| AppendError::OtherKind)
    }

    /// How long the oldest call has been waiting; zero if none is.
    #[must_use]
    pub fn waiting(&self) -> Duration {
        let waiting = self.state.waiting();
        waiting.since.values().next().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// The writer's id, which identifies its chain.
    #[must_use]
    pub fn id(&self) -> WriterId {
        self.state.id
    }

    /// The alarm with which the writer has stopped.
    #[must_use]
    pub fn alarm(&self) -> Option<Arc<str>> {
        self.state.alarm.get().cloned()
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({:?})", self.state.id)
    }
}
