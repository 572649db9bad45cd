//! The only thread that writes.
//!
//! **Natural batching**: the sequencer takes all waiting submissions, in turns of their writers ([`super::fair`]), and
//! commits them with one synced write. Submissions that arrive meanwhile wait for the next round. There is no timer: an
//! idle log answers after one `fsync`, and a busy log spreads the cost of one `fsync` over many entries.
//!
//! **Order of a commit** (design §7: persist before sign, sign before answer):
//!
//! 1. One synced batch stores the entries, the tiles, the rows of the admission, and the head (size and root).
//! 2. The checkpoint of that head is signed and stored without a sync. If a crash loses it, signing the head again
//!    gives the same bytes.
//! 3. Readers see the new snapshot.
//! 4. The waiting writers get their answers.
//!
//! A crash before step 1 leaves the old head, and nothing of the batch was ever signed. A crash after step 1 leaves the
//! new head, and start-up signs the same root. Two checkpoints of one size can therefore never differ.
//!
//! A failed write is fatal: the thread records the reason and ends. The log then accepts no more entries but continues
//! to serve reads. If the reason is that another ledger has taken over, the log is [`StopReason::taken_over`], and the
//! process must end, because what it would serve is no longer the newest state.

use std::hash::Hash as StdHash;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tlog::Hash;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use super::edge::Edge;
use super::fair::{Share, Turns};
use super::rows::{EntryRuns, Rows, TreeHead};
use super::signer::{Signer, SignerError};
use super::snapshot::Snapshot;
use crate::failpoints::{self, Point};
use crate::store::{Batch, Durability, StoreError};

/// The outcome of a submission.
#[derive(Debug)]
pub enum Outcome<R> {
    /// The log has the entry at this index, from this submission or an earlier one.
    Recorded(u64),
    /// The submission was refused, and nothing of it was stored.
    Refused(R),
}

/// Decides, in the sequencer's order, which submissions a log records.
///
/// An implementation may keep state in memory, which it derives from the store when it is created. It may stage rows of
/// its own, which become durable with the entries. If a commit fails, the sequencer drops it.
pub trait Admission: Send + 'static {
    /// A submission that passed the checks which do not depend on the log.
    type Submission: Send + 'static;
    /// Why a submission is refused.
    type Rejection: Send + 'static;
    /// Whose submission it is. Writers share the queue fairly.
    type Writer: Clone + Eq + StdHash + Send + 'static;

    /// The writer of a submission.
    fn writer(submission: &Self::Submission) -> Self::Writer;

    /// Checks a submission against the log and everything staged before it, and stages it if it may be recorded.
    fn admit(
        &mut self,
        submission: Self::Submission,
        stage: &mut Stage<'_>,
    ) -> Result<Outcome<Self::Rejection>, StoreError>;

    /// Prefetches what [`Admission::admit`] needs for the next submissions. No outcome depends on it.
    fn prefetch<'a>(&self, _submissions: impl Iterator<Item = &'a Self::Submission>) {}

    /// When a batch is due even without submissions; `None` if there is no such time.
    fn due(&self) -> Option<Instant>;

    /// Called last for every batch: stages the admission's own entries and rows.
    fn finish(&mut self, stage: &mut Stage<'_>) -> Result<(), StoreError>;

    /// Called when the staged batch is durable. `idle` means that the log has little to do, so that work may be done in
    /// advance.
    fn committed(&mut self, idle: bool);
}

/// The batch that is being assembled.
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

    /// Adds an entry of at most [`super::rows::MAX_ENTRY`] bytes to the log; `leaf` is its leaf hash. Returns its
    /// index.
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

    /// The rows that are already durable.
    pub fn rows(&self) -> &Rows {
        self.rows
    }

    /// The leaf hash of a durable or staged entry.
    pub fn leaf_hash(&self, index: u64) -> Result<Hash, StoreError> {
        self.edge.node(0, index).map_or_else(|| self.rows.leaf_hash(index), Ok)
    }
}

/// The submissions of one request, with their share of the queue.
pub(super) struct SubmitJob<A: Admission> {
    pub(super) submissions: Vec<A::Submission>,
    pub(super) answer: oneshot::Sender<SubmitReply<A::Rejection>>,
    pub(super) room: Room<A::Writer>,
}

/// A request's room in the queue, given back when it is dropped.
pub(super) struct Room<W: Eq + StdHash> {
    pub(super) _permit: OwnedSemaphorePermit,
    pub(super) _share: Option<Share<W>>,
}

/// The result of a request: an outcome for each submission, and a snapshot that covers them.
pub struct SubmitReply<R> {
    /// In the order of the submissions.
    pub outcomes: Vec<Outcome<R>>,
    /// Durable, signed, and at least as new as every outcome.
    pub snapshot: Arc<Snapshot>,
}

/// A command to the sequencer's thread.
pub(super) enum Command<A: Admission> {
    Work(SubmitJob<A>),
    /// Sign the head again, because the set of valid keys has changed.
    Sign,
    End,
}

/// The state of the sequencer's thread.
pub(super) struct Sequencer<A: Admission> {
    pub(super) admission: A,
    pub(super) rows: Rows,
    pub(super) signer: Arc<Signer>,
    pub(super) edge: Edge,
    pub(super) commands: Receiver<Command<A>>,
    /// The requests that were received and wait for their turn. `None` is a request without submissions.
    pub(super) turns: Turns<Option<A::Writer>, SubmitJob<A>>,
    /// Whether [`Command::End`] was received. Nothing is received after it.
    pub(super) ending: bool,
    pub(super) snapshots: watch::Sender<Arc<Snapshot>>,
    pub(super) max_batch: usize,
    pub(super) stopped: Arc<Mutex<Option<StopReason>>>,
    /// Empty between rounds; kept so that its memory is reused.
    pub(super) batch: Batch,
}

/// Why a log accepts no more entries.
#[derive(Clone, Debug)]
pub struct StopReason {
    /// The reason in words.
    pub text: String,
    /// Whether another ledger writes to the log now.
    pub taken_over: bool,
}

/// Why the sequencer has to stop.
#[derive(Debug, thiserror::Error)]
enum Fatal {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sign(#[from] SignerError),
}

/// How many submissions are prefetched at once. What they need should stay in the cache until they are admitted.
const PREFETCH_BATCH: usize = 256;

/// How many jobs to prefetch together: jobs with about [`PREFETCH_BATCH`] submissions, but at least one job.
fn prefetch_batch_len<A: Admission>(waiting: &[Waiting<A>]) -> usize {
    let mut submissions = 0;
    let more = waiting.iter().position(|(job, _)| {
        submissions += job.submissions.len();
        submissions > PREFETCH_BATCH
    });
    more.unwrap_or(waiting.len()).max(1)
}

type Waiting<A> = (SubmitJob<A>, Vec<Outcome<<A as Admission>::Rejection>>);

impl<A: Admission> Sequencer<A> {
    /// Runs until [`Command::End`] arrives or the store fails.
    pub(super) fn run(mut self) {
        loop {
            let (jobs, running) = self.next_jobs();
            let mut waiting: Vec<Waiting<A>> = jobs.into_iter().map(|job| (job, Vec::new())).collect();
            if let Err(fatal) = self.round(&mut waiting) {
                tracing::error!(error = %fatal, "the log has stopped accepting entries; fix the store and restart");
                self.stop(StopReason {
                    text: fatal.to_string(),
                    taken_over: matches!(fatal, Fatal::Store(StoreError::Fenced(_))),
                });
                return;
            }
            if !running {
                self.stop(StopReason {
                    text: "the ledger is shutting down".into(),
                    taken_over: false,
                });
                return;
            }
        }
    }

    /// Records the reason. This happens before the jobs are dropped, so that their callers find it.
    fn stop(&self, reason: StopReason) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// Waits until there is a job or a command or the admission is due, and takes the next jobs, up to a batch. Returns
    /// `false` if this is the last round.
    fn next_jobs(&mut self) -> (Vec<SubmitJob<A>>, bool) {
        if self.turns.is_empty() && !self.ending {
            let first = match self.admission.due() {
                None => self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => self.commands.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            match first {
                Ok(command) => self.note(command),
                Err(RecvTimeoutError::Disconnected) => self.ending = true,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        while !self.ending {
            match self.commands.try_recv() {
                Ok(command) => self.note(command),
                Err(TryRecvError::Disconnected) => self.ending = true,
                Err(TryRecvError::Empty) => break,
            }
        }
        let mut jobs = Vec::new();
        let mut entries = 0;
        while entries < self.max_batch {
            let Some(job) = self.turns.take() else { break };
            entries += job.submissions.len();
            jobs.push(job);
        }
        (jobs, !(self.ending && self.turns.is_empty()))
    }

    fn note(&mut self, command: Command<A>) {
        match command {
            Command::Work(job) => self.turns.add(job.submissions.first().map(A::writer), job),
            Command::End => self.ending = true,
            // The next round signs, because the signer is due.
            Command::Sign => {}
        }
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
            // A client that has disconnected loses the answer, not the entry.
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
        self.rows.store_checkpoint(&note)?;
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
        let before = self.snapshots.borrow().head;
        Rows::swap_head(batch, Some(&before), &head);
        failpoints::reach(Point::Made);
        self.rows.write(batch, Durability::Synced)?;
        failpoints::reach(Point::Written);
        let note = self.signer.sign(&head)?;
        failpoints::reach(Point::Signed);
        self.rows.store_checkpoint(&note)?;
        failpoints::reach(Point::Kept);
        let next = self.edge.trimmed();
        let edge = std::mem::replace(&mut self.edge, next);
        let tiles = self.snapshots.borrow().tiles().clone();
        self.snapshots.send_replace(Arc::new(Snapshot::new(note, edge, tiles)));
        failpoints::reach(Point::Shown);
        metrics::counter!("ledger_entries_total").increment(head.size - old);
        metrics::counter!("ledger_commits_total").increment(1);
        metrics::histogram!("ledger_commit_duration_seconds").record(started.elapsed());
        metrics::gauge!("ledger_tree_size").set(head.size as f64);
        Ok(())
    }
}
