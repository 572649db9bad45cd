//! The writer: one hash chain for many callers.
//!
//! ```text
//! append() --> queue --> sign, chain --> journal (one synced commit) --> POST /entries --> check receipts --> callers
//!                ^                                                           |
//!                +-- jobs that arrive meanwhile are the next batch           +-- refused: take out, sign and journal
//!                                                                                the rest again
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
mod config;
mod engine;
mod job;
mod journal;
mod recovery;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use record::{SealedRecord, WriterId};
use service::shutdown::Shutdown;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::recorded::{EntryKind, Recorded};
use job::{Caller, Job, WriterState};

pub use config::{INTENT_RETRY_FOR, MAX_BATCH, MAX_BATCH_BYTES, WriterConfig};
pub use job::{AppendError, Draft};
pub use journal::JournalError;

/// A handle to the writer; cheap to clone. The writer ends when the last handle is dropped.
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
    state: Arc<WriterState>,
}

impl Writer {
    /// Opens the journal and starts the writer's task. The ledger need not be up yet.
    ///
    /// # Errors
    /// [`JournalError`] if the journal cannot be opened or read.
    pub fn start(config: WriterConfig, shutdown: Shutdown) -> Result<Self, JournalError> {
        let (journal, content) = journal::Journal::open(&config.state_dir, &config.key.id())?;
        let state = Arc::new(WriterState::new(config.key.id()));
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
            caller: Caller::new(since, reply, &self.state),
        };
        self.jobs.send(job).map_err(|_| self.state.end())?;
        let proved = answer.await.unwrap_or_else(|_| Err(self.state.end()))?;
        Recorded::of(proved).map_err(|_| AppendError::OtherKind)
    }

    /// How long the oldest call has been waiting; zero if none is.
    #[must_use]
    pub fn waiting(&self) -> Duration {
        self.state.longest_wait()
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
