//! A transparency log that does not depend on the meaning of its entries.
//!
//! Request handlers share a [`SequencedLog`] to submit, read and prove. One thread writes (`sequencer`); an
//! [`Admission`] decides which entries it records. All durable data goes through [`rows::Rows`]. Readers get a
//! [`Snapshot`], which is always a committed state.
//!
//! ```text
//! handlers ──submit──▶ bounded queue ──▶ sequencer: admit, append, one synced batch, sign
//! sequencer ──▶ snapshot ──▶ handlers: receipts and reads
//! snapshot ──▶ witnessing ──▶ published checkpoint
//! ```
//!
//! A process that does not write to the log gets its snapshots from the store ([`follower`]).

pub mod edge;
mod fair;
pub(crate) mod follower;
pub(crate) mod mark;
pub mod opening;
pub mod publication;
pub mod reader;
pub mod rows;
mod sequencer;
pub mod signer;
pub mod snapshot;
pub mod tiles;
mod witness_heads;
mod witness_peer;
mod witness_request;
pub mod witnessing;

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot, watch};

pub use opening::{OpenError, open};
pub use sequencer::{Admission, Outcome, Stage, StopReason, SubmitReply};
pub use signer::Signer;
pub use snapshot::Snapshot;
pub use witness_request::Contradiction;

use crate::store::Batch;
use fair::{Shares, Turns};
use rows::Rows;
use sequencer::{Command, Room, Sequencer, SubmitJob};

/// How often the log checks whether another set of its keys has become valid.
const KEY_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Limits of the queue and of one commit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The approximate number of entries in one commit.
    pub batch: usize,
    /// The weight that may wait in the queue (see [`SequencedLog::submit`]).
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

/// Why a request got no outcomes. `Busy` means that nothing was stored; after `Stopped` it is unknown what was stored.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The queue is full; the caller may try again later.
    #[error("the queue is full")]
    Busy,
    /// The log has stopped writing for this reason.
    #[error("the log has stopped accepting entries: {0}")]
    Stopped(String),
}

/// A running log.
pub struct SequencedLog<A: Admission> {
    rows: Rows,
    signer: Arc<Signer>,
    commands: mpsc::Sender<Command<A>>,
    room: Arc<Semaphore>,
    shares: Arc<Shares<A::Writer>>,
    queue: usize,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    stopped: Arc<Mutex<Option<StopReason>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<A: Admission> SequencedLog<A> {
    /// Starts the sequencer at `opened`, which [`open`] returned for `rows`.
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
            turns: Turns::default(),
            ending: false,
            snapshots: sender,
            max_batch: limits.batch,
            stopped: stopped.clone(),
            batch: Batch::default(),
        };
        let thread = std::thread::Builder::new()
            .name("sequencer".into())
            .spawn(move || sequencer.run())?;
        let queue = limits.queue.max(1);
        Ok(Self {
            rows,
            signer,
            commands,
            room: Arc::new(Semaphore::new(queue)),
            shares: Shares::of(queue),
            queue,
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

    /// Subscribes to the newest durable state.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// Signs the head again whenever the set of valid keys changes; returns when the log ends. Without this, a log
    /// without new entries would keep showing the signature of a retired key.
    pub async fn sign_on_key_changes(&self) {
        let mut every = tokio::time::interval(KEY_CHECK_INTERVAL);
        loop {
            every.tick().await;
            if self.signer.is_due() && self.commands.send(Command::Sign).is_err() {
                return;
            }
        }
    }

    /// Submits entries, which are admitted and recorded in order; returns once everything recorded is durable and
    /// signed.
    ///
    /// The submissions take `weight` of the queue until then. A weight above the size of the queue is reduced to it.
    /// They wait behind the other requests of the first one's writer, and take turns with other writers
    /// ([`fair`]).
    pub async fn submit(
        &self,
        submissions: Vec<A::Submission>,
        weight: usize,
    ) -> Result<SubmitReply<A::Rejection>, SubmitError> {
        let weight = weight.clamp(1, self.queue);
        let writer = submissions.first().map(A::writer);
        let share = writer.map(|writer| self.shares.take(writer, weight).ok_or(SubmitError::Busy));
        let permits = u32::try_from(weight).unwrap_or(u32::MAX);
        let permit = self.room.clone().try_acquire_many_owned(permits);
        let room = Room {
            _share: share.transpose()?,
            _permit: permit.map_err(|_| SubmitError::Busy)?,
        };
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

    /// Why the log accepts no more entries; `None` while it does.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the sequencer has ended; returns the reason.
    pub async fn ended(&self) -> Option<StopReason> {
        let mut snapshots = self.snapshots();
        while snapshots.changed().await.is_ok() {}
        self.stop_reason()
    }

    /// Occupies `weight` of the queue.
    #[cfg(test)]
    pub(crate) fn occupy_queue(&self, weight: u32) -> tokio::sync::OwnedSemaphorePermit {
        #[allow(clippy::unwrap_used)]
        self.room.clone().try_acquire_many_owned(weight).unwrap()
    }

    fn stopped(&self) -> SubmitError {
        SubmitError::Stopped(
            self.stop_reason()
                .map_or_else(|| "see the log output of the ledger".into(), |reason| reason.text),
        )
    }

    /// Processes what was submitted, then ends the sequencer. Blocks until it has ended.
    pub fn end(&self) {
        let _ = self.commands.send(Command::End);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the sequencer panicked");
        }
    }
}
