//! The writer's task, which alone changes chain and journal.
//!
//! It recovers, and then repeats: take waiting jobs → sign and journal → send → settle the answers. During a
//! request or a pause it continues to accept jobs, and gives up intents that have waited too long without being
//! signed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use record::{EntryError, Timestamp};
use service::Backoff;
use service::clock::Clock;
use service::shutdown::Shutdown;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::chain::{Chain, is_stale_intent};
use super::config::{MAX_BATCH, WriterConfig};
use super::job::{AppendError, Job, WriterState};
use super::journal::{Content, Journal, JournalError};
use crate::api::{ApiError, AppendAnswer, LedgerApi};
use crate::live::LiveTrust;
use crate::recorded::{Proved, ReceiptError, prove};
use crate::trust::Trust;

const MIN_RETRY_DELAY: Duration = Duration::from_millis(20);
/// Well below the time after which an intent is given up, so that several attempts fit into it.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(2);
const EXPIRY_INTERVAL: Duration = Duration::from_millis(250);
/// How long the writer continues after shutdown is requested, for requests that are still being served.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// After this many invalid answers in a row, the writer stops with an alarm.
const MAX_STRIKES: u32 = 10;

/// Why the writer's task ends.
#[derive(Debug)]
pub(super) enum Stop {
    /// The process is shutting down, or the last handle has been dropped.
    Ended,
    /// Continuing would destroy evidence.
    Alarm(String),
    /// The journal cannot be written. Says nothing about the ledger.
    Journal(JournalError),
}

impl From<EntryError> for Stop {
    fn from(error: EntryError) -> Self {
        Self::Alarm(format!("an entry cannot be signed again: {error}"))
    }
}

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

pub(super) struct Engine {
    // Fixed:
    pub(super) api: Arc<dyn LedgerApi>,
    trust: Arc<Trust>,
    live: LiveTrust,
    clock: Arc<dyn Clock>,
    pub(super) state: Arc<WriterState>,
    // The chain must be in the journal before it is sent; `dirty` if the journal is behind:
    pub(super) chain: Chain,
    pub(super) dirty: bool,
    journal: Arc<Journal>,
    // Jobs that are not signed yet:
    jobs: UnboundedReceiver<Job>,
    queue: VecDeque<Job>,
    // The results of the last rounds:
    pub(super) limit: usize,
    strikes: u32,
    backoff: Backoff,
}

impl Engine {
    pub(super) fn new(
        config: WriterConfig,
        journal: Journal,
        content: Content,
        jobs: UnboundedReceiver<Job>,
        state: Arc<WriterState>,
    ) -> Self {
        Self {
            api: config.api,
            trust: config.trust,
            live: config.live,
            clock: config.clock,
            state,
            chain: Chain::new(config.key, content),
            dirty: false,
            journal: Arc::new(journal),
            jobs,
            queue: VecDeque::new(),
            limit: MAX_BATCH,
            strikes: 0,
            backoff: Backoff::new(MIN_RETRY_DELAY, MAX_RETRY_DELAY),
        }
    }

    /// Runs until shutdown or an alarm; then every waiting caller receives an error.
    pub(super) async fn run(mut self, shutdown: Shutdown) {
        let stop = tokio::select! {
            stop = self.work() => match stop {
                Ok(never) => match never {},
                Err(stop) => stop,
            },
            () = async { shutdown.wait().await; sleep(SHUTDOWN_GRACE).await } => Stop::Ended,
        };
        let reason = match stop {
            Stop::Ended => None,
            Stop::Alarm(reason) => {
                tracing::error!(writer = ?self.state.id, reason, "ALARM: the writer stops until an operator acts");
                Some(reason)
            }
            Stop::Journal(error) => {
                tracing::error!(writer = ?self.state.id, %error, "the writer stops until its disk works again");
                Some(format!(
                    "{error}; make room or replace the disk, then restart this process"
                ))
            }
        };
        if let Some(reason) = reason {
            // This is the only place that sets it.
            let _ = self.state.alarm.set(reason.into());
        }
        self.jobs.close();
        while let Ok(job) = self.jobs.try_recv() {
            self.queue.push_back(job);
        }
        let pending = self.chain.pending.drain(..).filter_map(|item| item.caller);
        for caller in pending.chain(self.queue.drain(..).map(|job| job.caller)) {
            caller.answer(Err(self.state.end()));
        }
    }

    async fn work(&mut self) -> Result<Infallible, Stop> {
        self.recover().await?;
        loop {
            while self.chain.pending.is_empty() {
                self.next_batch().await?;
            }
            let count = self.chain.batch(self.limit);
            let (api, submissions) = (self.api.clone(), self.chain.submissions(count));
            let answers = self.meanwhile(async move { api.append(submissions).await }).await;
            if let Some(pause) = self.settle(count, answers).await? {
                self.rest(pause).await?;
                self.give_up_stale().await?;
            }
        }
    }

    /// Signs and journals the waiting jobs; waits for one if there is none.
    async fn next_batch(&mut self) -> Result<(), Stop> {
        self.take_jobs();
        if self.queue.is_empty() {
            // Idle: write the last receipts to the journal now.
            if self.dirty {
                self.commit().await?;
            }
            match self.jobs.recv().await {
                Some(job) => self.queue.push_back(job),
                None => return Err(Stop::Ended),
            }
            self.take_jobs();
        }
        self.expire_queue();
        let now = self.now();
        while self.chain.pending.len() < MAX_BATCH {
            let Some(job) = self.queue.pop_front() else { break };
            self.chain.push(job, now);
        }
        if self.chain.pending.is_empty() {
            return Ok(());
        }
        self.commit().await
    }

    fn take_jobs(&mut self) {
        while self.queue.len() < MAX_BATCH {
            let Ok(job) = self.jobs.try_recv() else { break };
            self.queue.push_back(job);
        }
    }

    /// Waits for `future` and accepts jobs meanwhile.
    pub(super) async fn meanwhile<F: Future>(&mut self, future: F) -> F::Output {
        tokio::pin!(future);
        let mut tick = interval(EXPIRY_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                output = &mut future => return output,
                Some(job) = self.jobs.recv() => self.queue.push_back(job),
                _ = tick.tick() => self.expire_queue(),
            }
        }
    }

    /// Pauses between two attempts. Ends if the last handle has been dropped: the journal has the remaining work.
    pub(super) async fn rest(&mut self, pause: Duration) -> Result<(), Stop> {
        self.meanwhile(sleep(pause)).await;
        if self.jobs.is_closed() && self.jobs.is_empty() {
            return Err(Stop::Ended);
        }
        Ok(())
    }

    /// Gives up stale intents that were never signed, and are therefore certainly not in the log.
    fn expire_queue(&mut self) {
        let stale = |job: &Job| is_stale_intent(&job.draft.body, Some(job.caller.since));
        if !self.queue.iter().any(stale) {
            return;
        }
        for job in std::mem::take(&mut self.queue) {
            if stale(&job) {
                job.caller.answer(Err(AppendError::GivenUp));
            } else {
                self.queue.push_back(job);
            }
        }
    }

    /// Gives up stale intents whose requests were all answered, and which are therefore certainly not in the log.
    async fn give_up_stale(&mut self) -> Result<(), Stop> {
        let stale = self.chain.take_stale(self.now())?;
        if stale.is_empty() {
            return Ok(());
        }
        // The journal first: after a restart the writer must not send an intent whose caller has received `GivenUp`.
        self.commit().await?;
        for item in stale {
            if let Some(caller) = item.caller {
                caller.answer(Err(AppendError::GivenUp));
            }
        }
        Ok(())
    }

    /// Writes the chain to the journal; it is on disk on return.
    pub(super) async fn commit(&mut self) -> Result<(), Stop> {
        let (journal, confirmed, rows) = (self.journal.clone(), self.chain.confirmed, self.chain.rows());
        blocking(move || journal.commit(confirmed, &rows)).await??;
        self.dirty = false;
        Ok(())
    }

    /// Checks the receipts among `answers`; `None` where there is none.
    pub(super) async fn prove_all(
        &self,
        answers: &[AppendAnswer],
    ) -> Result<Vec<Option<Result<Proved, ReceiptError>>>, Stop> {
        let receipt = |answer: &AppendAnswer| match answer {
            AppendAnswer::Recorded { receipt, .. } => Some(receipt.clone()),
            AppendAnswer::Refused { receipt, .. } => receipt.clone(),
        };
        let receipts: Vec<_> = answers.iter().map(receipt).collect();
        let (trust, history) = (self.trust.clone(), self.live.history());
        let check = move |receipt: Option<Vec<u8>>| Some(prove(receipt?, &trust, &history));
        blocking(move || receipts.into_iter().map(check).collect()).await
    }

    pub(super) async fn prove(&self, receipt: Vec<u8>) -> Result<Result<Proved, ReceiptError>, Stop> {
        let (trust, history) = (self.trust.clone(), self.live.history());
        blocking(move || prove(receipt, &trust, &history)).await
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp(self.clock.now())
    }

    /// Notes that the last round has made progress.
    pub(super) fn progress(&mut self) {
        self.strikes = 0;
        self.backoff.succeeded();
        self.limit = MAX_BATCH;
    }

    /// Returns the next pause, which is about twice as long as the one before.
    pub(super) fn back_off(&mut self) -> Duration {
        self.backoff.failed()
    }

    /// Notes an answer that contradicts a proof or the ledger itself.
    pub(super) fn strike(&mut self, reason: String) -> Result<Duration, Stop> {
        self.strikes += 1;
        tracing::warn!(writer = ?self.state.id, reason, strikes = self.strikes, "the ledger's answer is not valid");
        if self.strikes >= MAX_STRIKES {
            return Err(Stop::Alarm(reason));
        }
        Ok(self.back_off())
    }

    /// Notes a request without a usable answer, which contradicts nothing: the writer tries again.
    pub(super) fn unanswered(&mut self, error: &ApiError) -> Duration {
        tracing::debug!(writer = ?self.state.id, %error, "trying again");
        self.back_off()
    }
}

/// Runs blocking work (hundreds of signatures, disk syncs) on the blocking pool.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stop> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Stop::Alarm(format!("the writer's task failed: {error}")))
}
