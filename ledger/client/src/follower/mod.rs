//! The follower: reads the log to its newest signed head, checks every entry, and finds labels.
//!
//! Each round
//!
//! 1. fetches the published checkpoint (with a quorum) and the head (with the log's signature),
//! 2. fetches the new entries in bundles, and appends their leaf hashes to its own tree, which must give the signed
//!    root,
//! 3. checks each entry: its form, its writer's chain and signature, the writer's right in the directory in force at
//!    its index; and each change set,
//! 4. advances the maps of labels to the last published `map` entry, and compares each root on the way with its own
//!    ([`Follower::proved`]).
//!
//! *Invariant*: everything that the follower returns belongs to one signed tree, and every entry of this tree has
//! been checked. The follower stores nothing on disk; after a restart it reads the log again.
//!
//! **What goes wrong.** If the ledger is not reached, or its bytes do not match the signed head, the round fails and
//! is repeated. If the log has *signed* something that contradicts what it has signed before, or its rules (another
//! root for a size, an entry that its writer may not write, a published map root that is not the root of the
//! entries), the follower is broken permanently. Every call then returns the reason, and an operator must act.
//!
//! Memory per entry: 64 bytes in the tree, 24 for its summary, about 120 in a map.

mod audit;
mod documents;
mod maps;
mod poll;
mod shared;
mod state;
mod types;

use std::sync::Arc;
use std::time::Duration;

use record::{GenesisDocument, Label, Period, WriterId};
use service::Backoff;
use service::clock::WitnessTime;
use service::shutdown::Shutdown;
use tlog::Hash;
use tlog::merkle::{Index, Size};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;
use trust::{GenesisProblem, History};

use crate::api::LedgerApi;
use crate::trust::{Head, Trust};
use shared::Shared;

pub use types::{FollowerError, LastEntry, Located, MapProofs, Proved, Wanted};

/// How often the follower fetches the head.
pub const POLL_INTERVAL: Duration = Duration::from_millis(150);
/// The longest pause after a round that has failed. Callers of [`Follower::refresh`] wait for its end.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(2);

/// A handle to the follower; cheap to clone. The follower ends when the last handle is dropped.
#[derive(Clone)]
pub struct Follower {
    shared: Arc<Shared>,
    refresh: mpsc::UnboundedSender<Waiter>,
}

type Waiter = oneshot::Sender<Result<Size, FollowerError>>;

impl Follower {
    /// Starts following. The ledger need not be up yet.
    ///
    /// # Errors
    /// [`GenesisProblem`] when the genesis document is not the beginning of a log.
    pub fn start(
        api: Arc<dyn LedgerApi>,
        trust: Arc<Trust>,
        genesis: &GenesisDocument,
        shutdown: Shutdown,
    ) -> Result<Self, GenesisProblem> {
        let shared = Arc::new(Shared::new(api, trust, History::founded(genesis)?));
        let (refresh, waiters) = mpsc::unbounded_channel();
        tokio::spawn(follow(shared.clone(), waiters, shutdown));
        Ok(Self { shared, refresh })
    }

    /// Follows the log to a head that is fetched after this call, and returns its size. Concurrent callers share one
    /// fetch.
    ///
    /// # Errors
    /// [`FollowerError`]; [`FollowerError::Behind`] if the ledger cannot be reached.
    pub async fn refresh(&self) -> Result<Size, FollowerError> {
        let (waiter, answer) = oneshot::channel();
        self.refresh.send(waiter).map_err(|_| self.ended())?;
        answer.await.unwrap_or_else(|_| Err(self.ended()))
    }

    fn ended(&self) -> FollowerError {
        self.shared.sound().err().unwrap_or(FollowerError::Ended)
    }

    /// The entry with this label, if the tree followed so far has one; searches the newest period first.
    ///
    /// # Errors
    /// [`FollowerError::Broken`].
    pub fn locate(&self, label: &Label) -> Result<Option<Located>, FollowerError> {
        self.shared.sound()?;
        Ok(self.shared.state().locate(label))
    }

    /// The newest head that has been followed, with the log's signature.
    ///
    /// # Errors
    /// [`FollowerError::Behind`] before the first one, [`FollowerError::Broken`].
    pub fn head(&self) -> Result<Arc<Head>, FollowerError> {
        self.shared.sound()?;
        let nothing = || FollowerError::Behind("no head yet".into());
        self.shared.state().head().ok_or_else(nothing)
    }

    /// An inclusion proof for [`tlog::merkle::verify_inclusion`] in the tree of `size`, which must not be beyond the
    /// head.
    ///
    /// # Errors
    /// [`FollowerError::OutOfTree`], [`FollowerError::Broken`].
    pub fn inclusion(&self, index: Index, size: Size) -> Result<Vec<Hash>, FollowerError> {
        self.shared.sound()?;
        self.shared
            .state()
            .inclusion(index, size)
            .ok_or(FollowerError::OutOfTree)
    }

    /// The intents of a period without an outcome or `lost` entry, ascending.
    ///
    /// # Errors
    /// [`FollowerError::Broken`].
    pub fn open_intents(&self, period: Period) -> Result<Vec<Index>, FollowerError> {
        self.shared.sound()?;
        Ok(self.shared.state().open_intents(period))
    }

    /// The root of a map over all entries followed so far.
    ///
    /// # Errors
    /// [`FollowerError::Behind`] while labels of the period are not published, [`FollowerError::Broken`].
    pub fn map_root(&self, period: Period) -> Result<Hash, FollowerError> {
        self.shared.sound()?;
        let waiting = || FollowerError::Behind(format!("labels of period {period} are not published yet"));
        self.shared.state().map_root(period).ok_or_else(waiting)
    }

    /// The position that [`Follower::prove`] is as of; `None` before the first published `map` entry.
    ///
    /// # Errors
    /// [`FollowerError::Broken`].
    pub fn proved(&self) -> Result<Option<Proved>, FollowerError> {
        self.shared.sound()?;
        Ok(self.shared.state().proved())
    }

    /// Proves what the maps have as of the `map` entry `at`. Returns `None` if the maps have advanced since, or an
    /// entry is not in the published tree; the caller then calls [`Follower::proved`] again.
    ///
    /// # Errors
    /// [`FollowerError::Broken`].
    pub fn prove(&self, at: Index, wanted: &Wanted) -> Result<Option<MapProofs>, FollowerError> {
        self.shared.sound()?;
        Ok(self.shared.state().prove(at, wanted))
    }

    /// The time that the policy's quorum has cosigned last, on the published checkpoint.
    #[must_use]
    pub fn witness_time(&self) -> WitnessTime {
        if !self.shared.trust.policy.needs_witnesses() {
            return WitnessTime::NotRequired;
        }
        let time = self.shared.state().quorum_time();
        time.map_or(WitnessTime::Unknown, WitnessTime::Quorum)
    }

    /// The last entry of a writer.
    ///
    /// # Errors
    /// [`FollowerError::Broken`].
    pub fn last_of(&self, writer: &WriterId) -> Result<Option<LastEntry>, FollowerError> {
        self.shared.sound()?;
        Ok(self.shared.state().last_of(writer))
    }

    /// An entry's bytes, from the cache or the ledger, checked against the tree.
    ///
    /// # Errors
    /// [`FollowerError::OutOfTree`], [`FollowerError::Behind`] if the ledger does not have them now,
    /// [`FollowerError::Broken`].
    pub async fn leaf(&self, index: Index) -> Result<Vec<u8>, FollowerError> {
        self.shared.sound()?;
        poll::leaf(&self.shared, index).await
    }

    /// The size of the tree followed so far, and its changes.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Size> {
        self.shared.size.subscribe()
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Follower({})", *self.shared.size.borrow())
    }
}

async fn follow(shared: Arc<Shared>, mut waiters: mpsc::UnboundedReceiver<Waiter>, shutdown: Shutdown) {
    let mut poller = poll::Poller::new(shared.clone());
    let mut backoff = Backoff::new(POLL_INTERVAL, MAX_RETRY_DELAY);
    let mut pause = Duration::ZERO;
    loop {
        let mut asked = Vec::new();
        tokio::select! {
            () = shutdown.wait() => return,
            () = sleep(pause) => {}
            // After a failure, callers wait too: many of them must not ask the ledger all the time.
            waiter = waiters.recv(), if backoff.failures() == 0 => match waiter {
                Some(waiter) => asked.push(waiter),
                None => return,
            },
        }
        // A caller that asks after this point waits for the next round, because this round may fetch an older head.
        loop {
            match waiters.try_recv() {
                Ok(waiter) => asked.push(waiter),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        let result = tokio::select! {
            () = shutdown.wait() => return,
            result = poller.poll() => result,
        };
        pause = match &result {
            Ok(_) => {
                backoff.succeeded();
                POLL_INTERVAL
            }
            Err(error) => {
                tracing::debug!(%error, "the log is not followed");
                backoff.failed()
            }
        };
        for waiter in asked {
            // A caller that has dropped the future does not need the answer.
            let _ = waiter.send(result.clone());
        }
        if shared.broken.get().is_some() {
            return;
        }
    }
}
