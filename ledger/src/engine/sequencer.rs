//! The one thread that writes.
//!
//! **Natural batching**: it takes whatever is waiting, judges it in order, and commits all of it with one synced write; what comes
//! meanwhile waits for the next round. There is no timer: an idle log answers after one `fsync`, a busy one amortises it.
//!
//! **Order of a commit** (design §7: persist before sign, sign before answer):
//!
//! 1. entries, tiles, whatever the admission adds, and the head (size, root): one batch, synced;
//! 2. the checkpoint of that head is signed and kept (lazily: the head decides, a lost signature is made again, the same bytes);
//! 3. the snapshot is published to readers;
//! 4. waiting writers are answered.
//!
//! A crash before 1 leaves the old head: nothing of the batch was ever signed. A crash after 1 leaves the new one, and start-up
//! signs the same root. So no two checkpoints of one size can differ.
//!
//! A failed write is fatal: the thread says why and ends, the log stops accepting and goes on serving.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tlog::Hash;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use super::edge::Edge;
use super::rows::{EntryRuns, Rows, TreeHead};
use super::signer::{Signer, SignerError};
use super::snapshot::Snapshot;
use crate::failpoints::{self, Point};
use crate::store::{Batch, Durability, StoreError};

/// What became of a submission.
#[derive(Debug)]
pub enum Outcome<R> {
    /// It stands in the log at this index, newly or since before.
    Recorded(u64),
    /// It was refused, and nothing of it was stored.
    Refused(R),
}

/// What a log admits: judged in order by the sequencer.
///
/// Everything it keeps about the log in memory it derives from the store when it is made. It may stage rows of its own, which become
/// durable with the entries. If a commit fails, it is dropped.
pub trait Admission: Send + 'static {
    /// What request handlers have checked already, as far as it can be checked alone.
    type Submission: Send + 'static;
    /// Why a submission is refused.
    type Refusal: Send + 'static;

    /// Judges a submission against the log and everything staged before it, and stages it if it is to be recorded.
    fn admit(
        &mut self,
        submission: Self::Submission,
        stage: &mut Stage<'_>,
    ) -> Result<Outcome<Self::Refusal>, StoreError>;

    /// These are judged next: what that needs may be fetched for all of them at once. No verdict depends on it.
    fn prefetch<'a>(&self, _submissions: impl Iterator<Item = &'a Self::Submission>) {}

    /// When a batch is to be made even if nobody submits anything.
    fn due(&self) -> Option<Instant>;

    /// Called once for every batch, last: stages entries and rows of its own.
    fn finish(&mut self, stage: &mut Stage<'_>) -> Result<(), StoreError>;

    /// What was staged is durable. `idle`: nobody is waiting, so work may be done ahead.
    fn committed(&mut self, idle: bool);
}

/// A batch being made.
pub struct Stage<'a> {
    rows: &'a Rows,
    edge: &'a mut Edge,
    batch: Batch,
    runs: EntryRuns,
}

impl Stage<'_> {
    /// The index that the next entry gets.
    pub fn next_index(&self) -> u64 {
        self.edge.size()
    }

    /// Adds an entry to the log. It has at most [`super::rows::MAX_ENTRY`] bytes; `leaf` is its leaf hash.
    pub fn append(&mut self, entry: &[u8], leaf: Hash) -> u64 {
        let index = self.edge.size();
        self.edge.append(leaf);
        self.runs.add(&mut self.batch, index, entry);
        index
    }

    /// Rows that become durable together with the entries.
    pub fn batch(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// What is durable already.
    pub fn rows(&self) -> &Rows {
        self.rows
    }

    /// The leaf hash of an entry, also of one staged before.
    pub fn leaf_hash(&self, index: u64) -> Result<Hash, StoreError> {
        self.edge.node(0, index).map_or_else(|| self.rows.leaf_hash(index), Ok)
    }
}

/// Submissions of one request, with the room they take in the queue.
pub(super) struct SubmitJob<A: Admission> {
    pub(super) submissions: Vec<A::Submission>,
    pub(super) answer: oneshot::Sender<SubmitReply<A::Refusal>>,
    pub(super) room: OwnedSemaphorePermit,
}

/// What becomes of a request: an outcome for each submission, and the snapshot that covers them.
pub struct SubmitReply<R> {
    /// In the order of the submissions.
    pub outcomes: Vec<Outcome<R>>,
    /// Durable, signed, and at least as new as every outcome.
    pub snapshot: Arc<Snapshot>,
}

/// What the thread is told.
pub(super) enum Command<A: Admission> {
    Work(SubmitJob<A>),
    /// Sign the head again: other keys have become valid.
    Sign,
    End,
}

/// The thread's state.
pub(super) struct Sequencer<A: Admission> {
    pub(super) admission: A,
    pub(super) rows: Rows,
    pub(super) signer: Arc<Signer>,
    pub(super) edge: Edge,
    pub(super) commands: Receiver<Command<A>>,
    pub(super) snapshots: watch::Sender<Arc<Snapshot>>,
    pub(super) max_batch: usize,
    pub(super) stopped: Arc<Mutex<Option<String>>>,
    /// Empty between rounds; its memory is used again.
    pub(super) batch: Batch,
}

/// Why the sequencer had to stop.
#[derive(Debug, thiserror::Error)]
enum Fatal {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sign(#[from] SignerError),
}

/// So many submissions are foreseen at once: what they need should stay in the cache until they are judged.
const PREFETCH_BATCH: usize = 256;

/// The length of the first run: jobs with about [`PREFETCH_BATCH`] submissions, at least one job.
fn prefetch_batch_len<A: Admission>(waiting: &[Waiting<A>]) -> usize {
    let mut submissions = 0;
    let more = waiting.iter().position(|(job, _)| {
        submissions += job.submissions.len();
        submissions > PREFETCH_BATCH
    });
    more.unwrap_or(waiting.len()).max(1)
}

type Waiting<A> = (SubmitJob<A>, Vec<Outcome<<A as Admission>::Refusal>>);

impl<A: Admission> Sequencer<A> {
    /// Works until told to end, or until the store fails.
    pub(super) fn run(mut self) {
        loop {
            let (jobs, go_on) = self.next_jobs();
            let mut waiting: Vec<Waiting<A>> = jobs.into_iter().map(|job| (job, Vec::new())).collect();
            if let Err(fatal) = self.round(&mut waiting) {
                tracing::error!(error = %fatal, "the log has stopped accepting entries; fix the store and restart");
                self.stop(fatal.to_string());
                return;
            }
            if !go_on {
                self.stop("it is shutting down".into());
                return;
            }
        }
    }

    /// Says why before anybody who is waiting learns that there will be no answer.
    fn stop(&self, reason: String) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// Waits for work, or until the admission is due, and takes all that is there; whether to go on afterwards.
    fn next_jobs(&self) -> (Vec<SubmitJob<A>>, bool) {
        let first = match self.admission.due() {
            None => self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => self.commands.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        let mut jobs = Vec::new();
        let mut entries = 0;
        match first {
            Ok(Command::Work(job)) => {
                entries += job.submissions.len();
                jobs.push(job);
            }
            Ok(Command::End) | Err(RecvTimeoutError::Disconnected) => return (jobs, false),
            Ok(Command::Sign) | Err(RecvTimeoutError::Timeout) => return (jobs, true),
        }
        while entries < self.max_batch {
            match self.commands.try_recv() {
                Ok(Command::Work(job)) => {
                    entries += job.submissions.len();
                    jobs.push(job);
                }
                Ok(Command::End) | Err(TryRecvError::Disconnected) => return (jobs, false),
                Ok(Command::Sign) => {}
                Err(TryRecvError::Empty) => break,
            }
        }
        (jobs, true)
    }

    fn round(&mut self, waiting: &mut Vec<Waiting<A>>) -> Result<(), Fatal> {
        let old = self.edge.size();
        let mut stage = Stage {
            rows: &self.rows,
            edge: &mut self.edge,
            batch: std::mem::take(&mut self.batch),
            runs: EntryRuns::default(),
        };
        let mut rest = waiting.as_mut_slice();
        while !rest.is_empty() {
            let (run, after) = rest.split_at_mut(prefetch_batch_len(rest));
            self.admission
                .prefetch(run.iter().flat_map(|(job, _)| &job.submissions));
            for (job, outcomes) in run {
                for submission in std::mem::take(&mut job.submissions) {
                    outcomes.push(self.admission.admit(submission, &mut stage)?);
                }
            }
            rest = after;
        }
        self.admission.finish(&mut stage)?;
        let Stage {
            mut batch, mut runs, ..
        } = stage;
        runs.finish(&mut batch);
        if self.edge.size() > old {
            self.commit(old, &mut batch)?;
        } else if self.signer.is_due() {
            self.sign_again()?;
        }
        batch.clear();
        self.batch = batch;
        let snapshot = self.snapshots.borrow().clone();
        let idle = waiting.is_empty() || self.edge.size() - old < self.max_batch as u64 / 64;
        for (SubmitJob { answer, room, .. }, outcomes) in waiting.drain(..) {
            failpoints::reach(Point::Answer);
            drop(room);
            // A requester who has gone away loses the answer, not the entry.
            let _ = answer.send(SubmitReply {
                outcomes,
                snapshot: snapshot.clone(),
            });
        }
        if snapshot.head.size > old {
            self.admission.committed(idle);
        }
        Ok(())
    }

    fn sign_again(&self) -> Result<(), Fatal> {
        let current = self.snapshots.borrow().clone();
        let note = self.signer.sign(&current.head)?;
        self.rows.keep_checkpoint(&note)?;
        let (edge, tiles) = (current.edge.clone(), current.tiles().clone());
        self.snapshots.send_replace(Arc::new(Snapshot::new(note, edge, tiles)));
        Ok(())
    }

    fn commit(&mut self, old: u64, batch: &mut Batch) -> Result<(), Fatal> {
        let started = Instant::now();
        for tile in self.edge.changed_tiles(old) {
            Rows::put_tile(batch, tile.level, tile.index, tile.hashes);
        }
        let head = TreeHead {
            size: self.edge.size(),
            root: self.edge.root(),
        };
        Rows::put_head(batch, &head);
        failpoints::reach(Point::Made);
        self.rows.store().write(batch, Durability::Synced)?;
        failpoints::reach(Point::Written);
        let note = self.signer.sign(&head)?;
        failpoints::reach(Point::Signed);
        self.rows.keep_checkpoint(&note)?;
        failpoints::reach(Point::Kept);
        let next = self.edge.trimmed();
        let edge = std::mem::replace(&mut self.edge, next);
        let tiles = self.snapshots.borrow().tiles().clone();
        self.snapshots.send_replace(Arc::new(Snapshot::new(note, edge, tiles)));
        failpoints::reach(Point::Shown);
        metrics::counter!("ledger_entries_total").increment(head.size - old);
        metrics::counter!("ledger_commits_total").increment(1);
        metrics::histogram!("ledger_commit_seconds").record(started.elapsed());
        metrics::gauge!("ledger_size").set(head.size as f64);
        Ok(())
    }
}
