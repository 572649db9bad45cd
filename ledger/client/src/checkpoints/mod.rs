//! The checkpoint watch: a fork that the log shows to a single reader is detected after a minute at most.
//!
//! The ledger gives a receipt at once, with the log's signature alone. A process that acts on a receipt *relies* on a
//! tree head (size and root) that no witness has seen yet. The process therefore notes the head durably before it
//! acts. Within [`MAX_UNSETTLED`] the watch must find a checkpoint that the policy's quorum has cosigned and that
//! extends the noted head. One such checkpoint settles all smaller heads: the watch computes their roots from the
//! ledger's tiles, which it authenticates against the checkpoint.
//!
//! ```text
//! rely(size, root) --> noted --> every 10 s: cosigned checkpoint ≥ size?
//!                                  same root at `size`     --> settled
//!                                  another root at `size`  --> inconsistent, permanently
//!                                older than 60 s           --> not ready (stale) until it is settled
//! ```
//!
//! **Stale** is retryable: the process refuses new exchanges until a quorum answers, whatever the ledger's own mode.
//! **Inconsistent** is a proof of a fork. The process stops relying on the log, also after restarts, until an
//! operator has investigated, kept the file as evidence, and moved it away.
//!
//! **Storage** says nothing about the log: the file cannot be written, for example because the disk is full. A head
//! that cannot be noted is not acted upon. The watch tries to write the file in each round, and is ready again once it
//! can.
//!
//! The file `checkpoints.redb` has three tables: `relied` (size → root ‖ since), `settled` (the last cosigned
//! checkpoint, which the next one must extend, too) and `stopped` (the reason).

mod file;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use service::Backoff;
use service::clock::Clock;
use service::shutdown::Shutdown;
use store::TableError;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::Size;
use tokio::sync::{mpsc, oneshot};

use crate::api::{ApiError, LedgerApi};
use crate::tiles::{RootError, TileCache, root_at};
use crate::trust::Trust;
use file::{CheckpointFile, Known, Relied};

/// How long a head may be relied upon without a cosigned successor.
pub const MAX_UNSETTLED: Duration = Duration::from_secs(60);
/// How often the watch fetches a cosigned checkpoint while there are unsettled heads.
pub const SETTLE_INTERVAL: Duration = Duration::from_secs(10);
/// The pauses before a checkpoint is fetched again after a failure.
const FIRST_RETRY_DELAY: Duration = Duration::from_secs(2);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(20);

/// Parameters of the watch.
pub struct WatchConfig {
    /// The ledger.
    pub api: Arc<dyn LedgerApi>,
    /// Log key and quorum.
    pub trust: Arc<Trust>,
    /// Directory of `checkpoints.redb`. Without the file, the unsettled heads are lost.
    pub state_dir: PathBuf,
    /// Source of the time.
    pub clock: Arc<dyn Clock>,
}

/// Why nothing new may be relied upon.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotReady {
    /// A head has been relied upon for too long without a cosigned successor. Retryable.
    #[error("no checkpoint with a quorum of witnesses for {0} s")]
    Stale(u64),
    /// The heads cannot be noted. Says nothing about the log. Retryable once there is room on the disk; after other
    /// failures of the disk, the process must be restarted.
    #[error("the heads relied upon cannot be stored: make room or replace the disk, then restart this process: {0}")]
    Storage(TableError),
    /// The log has forked. Fatal until an operator acts.
    #[error("the log is not consistent with the heads relied upon: {0}")]
    Inconsistent(Arc<str>),
}

/// Why the watch cannot start or cannot note a head.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WatchError {
    /// The file cannot be read or written, or is damaged. Says nothing about the log.
    #[error("the heads relied upon cannot be stored: {0}")]
    Store(#[from] TableError),
    /// As [`NotReady::Inconsistent`]. Fatal.
    #[error("the log is not consistent with the heads relied upon: {0}")]
    Inconsistent(Arc<str>),
    /// The process is shutting down.
    #[error("shutting down")]
    Ended,
}

struct Inner {
    config: WatchConfig,
    file: CheckpointFile,
    known: Mutex<Known>,
    /// Why the file could not be written last.
    failed: Mutex<Option<TableError>>,
}

struct Request {
    size: Size,
    root: Hash,
    done: oneshot::Sender<Result<(), WatchError>>,
}

/// A handle to the watch; cheap to clone.
#[derive(Clone)]
pub struct CheckpointWatch {
    inner: Arc<Inner>,
    requests: mpsc::UnboundedSender<Request>,
}

impl CheckpointWatch {
    /// Opens the file and starts the watch's tasks.
    ///
    /// # Errors
    /// [`WatchError::Store`].
    pub fn start(config: WatchConfig, shutdown: Shutdown) -> Result<Self, WatchError> {
        let (file, known) = CheckpointFile::open(&config.state_dir, config.clock.steady())?;
        let inner = Arc::new(Inner {
            config,
            file,
            known: Mutex::new(known),
            failed: Mutex::new(None),
        });
        let (requests, receiver) = mpsc::unbounded_channel();
        tokio::spawn(keep(inner.clone(), receiver, shutdown.clone()));
        tokio::spawn(settle_always(Arc::downgrade(&inner), shutdown));
        Ok(Self { inner, requests })
    }

    /// Notes that a tree head is relied upon; the note is on disk on return. Call it before acting on a receipt.
    ///
    /// # Errors
    /// [`WatchError`]; then the caller must not act.
    pub async fn rely(&self, checkpoint: &Checkpoint) -> Result<(), WatchError> {
        let (size, root) = (checkpoint.size, checkpoint.root);
        {
            let known = self.inner.known();
            if let Some(reason) = &known.stopped {
                return Err(WatchError::Inconsistent(reason.clone()));
            }
            let noted = known.relied.get(&size.get()).is_some_and(|relied| relied.root == root);
            if noted || known.settled == Some((size, root)) {
                return Ok(());
            }
        }
        let (done, answer) = oneshot::channel();
        self.requests
            .send(Request { size, root, done })
            .map_err(|_| WatchError::Ended)?;
        answer.await.unwrap_or(Err(WatchError::Ended))
    }

    /// Checks whether new heads may be relied upon.
    ///
    /// # Errors
    /// [`NotReady`].
    pub fn ready(&self) -> Result<(), NotReady> {
        let known = self.inner.known();
        if let Some(reason) = &known.stopped {
            return Err(NotReady::Inconsistent(reason.clone()));
        }
        if let Some(error) = self.inner.failed().clone() {
            return Err(NotReady::Storage(error));
        }
        let (now, steady) = (self.inner.config.clock.now(), self.inner.config.clock.steady());
        // By one clock alone a head would never be old after that clock was set back.
        let age = |relied: &Relied| {
            let waited = steady.saturating_sub(relied.noted).as_secs();
            now.saturating_sub(relied.since).max(waited)
        };
        let age = known.relied.values().map(age).max().unwrap_or(0);
        if age > MAX_UNSETTLED.as_secs() {
            Err(NotReady::Stale(age))
        } else {
            Ok(())
        }
    }

    /// The number of heads relied upon without a cosigned successor.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.inner.known().relied.len()
    }

    /// Settles now instead of at the next round.
    ///
    /// # Errors
    /// [`SettleError`]; the noted heads stay as they were.
    pub async fn settle(&self) -> Result<(), SettleError> {
        settle(&self.inner, &mut TileCache::default()).await
    }
}

impl std::fmt::Debug for CheckpointWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CheckpointWatch({} unsettled)", self.unsettled())
    }
}

impl Inner {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> MutexGuard<'_, Option<TableError>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes heads in the file, and whether that was possible.
    fn store(&self, new: &BTreeMap<u64, Relied>) -> Result<(), TableError> {
        let stored = self.file.note(new);
        let failed = stored.as_ref().err().cloned();
        let before = std::mem::replace(&mut *self.failed(), failed);
        match (&stored, before) {
            (Err(error), None) => {
                tracing::error!(%error, "the heads relied upon cannot be stored: make room or replace the disk");
            }
            (Ok(()), Some(_)) => tracing::info!("the heads relied upon can be stored again"),
            _ => {}
        }
        stored
    }

    /// Stops permanently because the log has forked. In memory first, because that must work even when the disk fails.
    fn stop(&self, reason: String) -> Arc<str> {
        tracing::error!(reason, "ALARM: the log is not relied upon until an operator acts");
        let reason: Arc<str> = reason.into();
        self.known().stopped = Some(reason.clone());
        if let Err(error) = self.file.stop(&reason) {
            tracing::error!(%error, "the alarm could not be stored");
        }
        reason
    }
}

/// Notes heads: one synced commit for all waiting callers.
async fn keep(inner: Arc<Inner>, mut requests: mpsc::UnboundedReceiver<Request>, shutdown: Shutdown) {
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            () = shutdown.wait() => return,
            request = requests.recv() => match request {
                Some(request) => batch.push(request),
                None => return,
            },
        }
        while let Ok(request) = requests.try_recv() {
            batch.push(request);
        }
        let worker = inner.clone();
        // A task that panics drops its requests, and their callers receive `Ended` and do not act.
        if let Err(error) = tokio::task::spawn_blocking(move || note(&worker, batch)).await {
            tracing::error!(%error, "heads were not noted");
        }
    }
}

fn note(inner: &Inner, batch: Vec<Request>) {
    let (since, noted) = (inner.config.clock.now(), inner.config.clock.steady());
    let mut new = BTreeMap::new();
    let mut answer = inner
        .known()
        .stopped
        .clone()
        .map_or(Ok(()), |reason| Err(WatchError::Inconsistent(reason)));
    for request in &batch {
        let (size, root) = (request.size.get(), request.root);
        let known = inner.known().relied.get(&size).copied();
        let relied = *new
            .entry(size)
            .or_insert(known.unwrap_or(Relied { root, since, noted }));
        if relied.root != root && answer.is_ok() {
            let reason = format!("the log has signed two roots for the size {size}");
            answer = Err(WatchError::Inconsistent(inner.stop(reason)));
        }
    }
    if answer.is_ok() {
        answer = inner.store(&new).map_err(WatchError::from);
        if answer.is_ok() {
            inner.known().relied.extend(new);
        }
    }
    for request in batch {
        // A caller that has dropped the future does not act on the answer.
        let _ = request.done.send(answer.clone());
    }
}

async fn settle_always(inner: std::sync::Weak<Inner>, shutdown: Shutdown) {
    let mut cache = TileCache::default();
    let mut backoff = Backoff::new(FIRST_RETRY_DELAY, MAX_RETRY_DELAY);
    loop {
        let Some(watch) = inner.upgrade() else { return };
        write_again(&watch).await;
        let settled = tokio::select! {
            () = shutdown.wait() => return,
            settled = settle(&watch, &mut cache) => settled,
        };
        let pause = match settled {
            Ok(()) => {
                backoff.succeeded();
                SETTLE_INTERVAL
            }
            Err(error) => {
                tracing::warn!(%error, unsettled = watch.known().relied.len(), "heads relied upon are not settled");
                backoff.failed()
            }
        };
        cache.drop_partial();
        let pause = watch.config.clock.sleep(pause);
        drop(watch);
        tokio::select! {
            () = shutdown.wait() => return,
            () = pause => {}
        }
    }
}

/// Tries to write the file again after a failure.
async fn write_again(inner: &Arc<Inner>) {
    if inner.failed().is_some() {
        let worker = inner.clone();
        let _ = tokio::task::spawn_blocking(move || worker.store(&BTreeMap::new())).await;
    }
}

/// Why nothing was settled.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SettleError {
    /// No checkpoint, none with a quorum, or not the tiles for it. Retryable.
    #[error("not now: {0}")]
    NotNow(String),
    /// As [`NotReady::Inconsistent`]. Fatal.
    #[error("the log is not consistent with the heads relied upon: {0}")]
    Inconsistent(Arc<str>),
}

impl From<ApiError> for SettleError {
    fn from(error: ApiError) -> Self {
        Self::NotNow(error.to_string())
    }
}

impl From<RootError> for SettleError {
    fn from(error: RootError) -> Self {
        Self::NotNow(error.to_string())
    }
}

async fn settle(inner: &Arc<Inner>, cache: &mut TileCache) -> Result<(), SettleError> {
    let (relied, settled) = {
        let known = inner.known();
        if let Some(reason) = &known.stopped {
            return Err(SettleError::Inconsistent(reason.clone()));
        }
        (known.relied.clone(), known.settled)
    };
    if relied.is_empty() {
        return Ok(());
    }
    let bytes = inner.config.api.checkpoint().await?;
    let head = inner
        .config
        .trust
        .checkpoint(bytes)
        .map_err(|error| SettleError::NotNow(error.to_string()))?;
    if !head.quorum() {
        return Err(SettleError::NotNow("the checkpoint has no quorum of witnesses".into()));
    }
    let checkpoint = head.checkpoint();
    if settled.is_some_and(|(size, _)| size > checkpoint.size) {
        return Err(SettleError::NotNow("the checkpoint is older than the last one".into()));
    }
    let covered: Vec<(Size, Hash)> = relied
        .iter()
        .filter_map(|(size, relied)| Some((Size::new(*size).ok()?, relied.root)))
        .filter(|(size, _)| *size <= checkpoint.size)
        .collect();
    for (size, root) in settled.iter().chain(&covered) {
        if root_at(inner.config.api.as_ref(), cache, checkpoint, *size).await? != *root {
            let reason = format!(
                "the cosigned tree of size {} does not extend that of size {size}",
                checkpoint.size
            );
            return Err(SettleError::Inconsistent(inner.stop(reason)));
        }
    }
    let (worker, newest) = (inner.clone(), (checkpoint.size, checkpoint.root));
    let finish = move || {
        worker.file.settle(newest, &covered)?;
        let mut known = worker.known();
        known.settled = Some(newest);
        for (size, _) in &covered {
            known.relied.remove(&size.get());
        }
        Ok::<(), TableError>(())
    };
    let finished = tokio::task::spawn_blocking(finish).await;
    let finished = finished.unwrap_or(Err(TableError::Ending));
    finished.map_err(|error| SettleError::NotNow(error.to_string()))
}
