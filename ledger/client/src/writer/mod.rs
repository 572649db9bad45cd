//! The writer's side of the ledger: one hash chain, many callers.
//!
//! ```text
//! append() ──► queue ──► sign, chain ──► journal (one synced commit) ──► POST /entries ──► check receipts ──► callers
//!                ▲                                                          │
//!                └── what comes in meanwhile is the next batch             └── refused: out, re-chain the rest, journal, again
//! ```
//!
//! * **One chain per key.** Every entry carries its number and the leaf hash of the one before; so there is one request in flight,
//!   and whatever waits meanwhile goes as the next batch, in the order in which it came.
//! * **Journal before sending.** The exact signed bytes are durable before the ledger sees them. After a lost answer, or a
//!   restart, the same bytes are sent again; the ledger then answers with the receipt of the entry it has. So an entry is
//!   written once, however often it is sent.
//! * **No answer without proof.** A caller gets a [`Recorded`] or an error; receipts are checked first.
//! * **Giving up** is only for what is certainly not in the log. An intent that cannot be recorded within
//!   [`INTENT_PATIENCE`] is given up while no request with it has been left unanswered; once one has, its bytes may stand in
//!   the log, and the writer goes on until it knows. Dropping the future of [`Writer::append`] withdraws nothing either: who must
//!   answer somebody in time lets a task of its own wait for it.
//! * **Alarms.** A ledger whose head is behind the last receipt was set back; one that is ahead with an entry we did not sign
//!   so, or in our journal otherwise, means a second user of the key or a fork; one whose receipts keep failing lies. Each
//!   stops the writer, for all callers, until an operator acts: going on would write over evidence.
//!
//! Read after a restart: an intent of before the crash may have got into the log without the caller having heard of it.
//! Appending the same body again answers with the receipt of the entry that is there (the label is the key).

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

/// How long an intent may wait before it is given up.
pub const INTENT_PATIENCE: Duration = Duration::from_secs(10);

/// The most entries in one request.
pub const MAX_BATCH: usize = 1024;

/// The most bytes in one request, unless a single entry has more.
pub const MAX_BATCH_BYTES: usize = 4 << 20;

/// What a writer needs.
pub struct WriterConfig {
    /// The ledger.
    pub api: Arc<dyn LedgerApi>,
    /// What its receipts are checked against.
    pub trust: Arc<Trust>,
    /// Which must let this key write what it writes.
    pub directory: Arc<Directory>,
    /// The writer's key. One process, one chain: nobody else may use it.
    pub key: SigningKey,
    /// Where the journal `writer.redb` lies. Losing it loses what was signed and not yet recorded, nothing else.
    pub state_dir: PathBuf,
    /// Where entries get their time from.
    pub clock: Arc<dyn Clock>,
}

/// What is to be said; number, chain and signature are the writer's.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The entry's time; `None` for the clock's when it is signed.
    pub time: Option<Timestamp>,
    /// The content.
    pub body: Body,
}

impl Draft {
    /// To be dated when it is signed.
    #[must_use]
    pub const fn now(body: Body) -> Self {
        Self { time: None, body }
    }
}

/// Why an entry was not recorded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The ledger refuses it. It is not in the log, and the same again will be refused again.
    #[error("the ledger refused the entry: {0}")]
    Refused(Box<Problem>),
    /// The draft breaks a rule of its kind. Nothing was written.
    #[error("the entry cannot be written: {0}")]
    Malformed(EntryError),
    /// Its label stands in the log already, in another entry. It is not in the log.
    #[error("the label is used already")]
    LabelUsed,
    /// An intent that could not be recorded in time. It is not in the log. Retryable.
    #[error("the ledger could not be reached in time")]
    GivenUp,
    /// The draft's kind is not the one asked for. Nothing was written.
    #[error("the draft is of another kind than the one asked for")]
    OtherKind,
    /// The process is ending. Whether the entry is in the log is not known; the journal knows, and the next start goes on.
    #[error("ending")]
    Ended,
    /// The writer has stopped with an alarm: an operator must act. Whether the entry is in the log is not known.
    #[error("the writer has stopped: {0}")]
    Stopped(Arc<str>),
}

impl AppendError {
    /// Whether the same may be tried again.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::GivenUp | Self::Ended)
    }
}

/// A handle on the writer; cheap to clone. The writer ends when the last handle is dropped.
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
    state: Arc<State>,
}

/// One call of [`Writer::append`].
struct Job {
    draft: Draft,
    record: Option<Vec<u8>>,
    document: Option<Vec<u8>>,
    caller: Caller,
}

/// Who waits, and since when.
struct Caller {
    since: Instant,
    reply: oneshot::Sender<Result<Proved, AppendError>>,
    _ticket: Ticket,
}

impl Caller {
    fn answer(self, answer: Result<Proved, AppendError>) {
        // Whoever dropped the future does not want to know.
        let _ = self.reply.send(answer);
    }
}

/// Shared by the handles and the engine.
struct State {
    id: WriterId,
    /// Calls without an answer, oldest first.
    waiting: Mutex<Waiting>,
    /// Set once, by the engine, before it ends with an alarm.
    alarm: OnceLock<Arc<str>>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    since: BTreeMap<u64, Instant>,
}

/// A place among those waiting, given back when dropped.
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

    /// Why there is no writer any more.
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
    /// [`JournalError`] when the journal cannot be opened or read.
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

    /// Appends an entry of kind `K` and returns once it stands in the log, proved. Takes as long as it takes (see the module's
    /// manual); dropping the future does not withdraw the entry.
    ///
    /// # Arguments
    /// `record`: the sealed record that the body's commitment is of; `document`: the public document that its digest is of.
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

    /// How long the oldest call has been waiting; zero when none is.
    #[must_use]
    pub fn waiting(&self) -> Duration {
        let waiting = self.state.waiting();
        waiting.since.values().next().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// Whose chain it is.
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
