//! A transparency log, whatever its entries mean.
//!
//! [`SequencedLog`] is the handle that request handlers share: submit, read, prove. Behind it one thread writes (`sequencer`), judging by
//! an [`Admission`]; everything durable goes through [`rows::Rows`]. What was read is a [`Snapshot`], never a half-made state.
//!
//! ```text
//! handlers ──submit──▶ bounded queue ──▶ sequencer: judge, append, one synced batch, sign ──▶ snapshot ──▶ handlers: receipts
//!                                                                                           └─▶ witnessing ──▶ published
//! ```

pub mod edge;
pub mod opening;
pub mod publication;
pub mod reader;
pub mod rows;
mod sequencer;
pub mod signer;
pub mod snapshot;
pub mod tiles;
mod witness_request;
pub mod witnessing;

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot, watch};

pub use opening::{OpenError, open};
pub use sequencer::{Admission, Outcome, Stage, SubmitReply};
pub use signer::Signer;
pub use snapshot::Snapshot;
pub use witness_request::Contradiction;

use crate::store::Batch;
use rows::Rows;
use sequencer::{Command, Sequencer, SubmitJob};

/// A key becomes valid or expires within this time after it should.
const KEY_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How much may wait and be written at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries in one commit, about.
    pub batch: usize,
    /// Weight that may wait in the queue (see [`SequencedLog::submit`]).
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch: 4096,
            queue: 65_536,
        }
    }
}

/// Why submissions were not judged. Nothing of them was stored, except after `Stopped`: then it is unknown.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The queue is full: try again later.
    #[error("the queue is full")]
    Busy,
    /// The log has stopped writing, for this reason.
    #[error("the log has stopped accepting entries: {0}")]
    Stopped(String),
}

/// A running log.
pub struct SequencedLog<A: Admission> {
    rows: Rows,
    signer: Arc<Signer>,
    commands: mpsc::Sender<Command<A>>,
    room: Arc<Semaphore>,
    queue: usize,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    stopped: Arc<Mutex<Option<String>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<A: Admission> SequencedLog<A> {
    /// Starts the sequencer on what [`open`] gave.
    pub fn start(
        rows: Rows,
        signer: Signer,
        opened: Arc<Snapshot>,
        admission: A,
        limits: Limits,
    ) -> std::io::Result<Self> {
        let signer = Arc::new(signer);
        let (commands, receiver) = mpsc::channel();
        let stopped = Arc::new(Mutex::new(None));
        let (sender, snapshots) = watch::channel(opened.clone());
        let sequencer = Sequencer {
            admission,
            rows: rows.clone(),
            signer: signer.clone(),
            edge: opened.edge.clone(),
            commands: receiver,
            snapshots: sender,
            max_batch: limits.batch,
            stopped: stopped.clone(),
            batch: Batch::default(),
        };
        let thread = std::thread::Builder::new()
            .name("sequencer".into())
            .spawn(move || sequencer.run())?;
        let room = Arc::new(Semaphore::new(limits.queue.max(1)));
        Ok(Self {
            rows,
            signer,
            commands,
            room,
            queue: limits.queue.max(1),
            snapshots,
            stopped,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The log's rows.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The newest durable state.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }

    /// Follows the durable state.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Has the head signed again when other keys are valid than those that signed it; until the end of the log. Without it a log
    /// to which nobody writes would show the signature of a retired key.
    pub async fn follow_keys(&self) {
        let mut every = tokio::time::interval(KEY_CHECK_INTERVAL);
        loop {
            every.tick().await;
            if self.signer.is_due() && self.commands.send(Command::Sign).is_err() {
                return;
            }
        }
    }

    /// Has submissions judged and recorded in order; returns once what was recorded is durable and signed.
    ///
    /// `weight` is the room they take in the queue until then; more than the whole queue is cut to it.
    pub async fn submit(
        &self,
        submissions: Vec<A::Submission>,
        weight: usize,
    ) -> Result<SubmitReply<A::Refusal>, SubmitError> {
        let weight = u32::try_from(weight.clamp(1, self.queue)).unwrap_or(u32::MAX);
        let room = self
            .room
            .clone()
            .try_acquire_many_owned(weight)
            .map_err(|_| SubmitError::Busy)?;
        let (answer, answers) = oneshot::channel();
        let job = SubmitJob {
            submissions,
            answer,
            room,
        };
        if self.commands.send(Command::Work(job)).is_err() {
            return Err(self.stopped());
        }
        answers.await.map_err(|_| self.stopped())
    }

    /// Takes room in the queue away.
    #[cfg(test)]
    pub(crate) fn fill(&self, weight: u32) -> tokio::sync::OwnedSemaphorePermit {
        #[allow(clippy::unwrap_used)]
        self.room.clone().try_acquire_many_owned(weight).unwrap()
    }

    fn stopped(&self) -> SubmitError {
        let reason = self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone();
        SubmitError::Stopped(reason.unwrap_or_else(|| "see its log".into()))
    }

    /// Finishes what was submitted and ends the sequencer. Blocks.
    pub fn end(&self) {
        let _ = self.commands.send(Command::End);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the sequencer has panicked");
        }
    }
}
