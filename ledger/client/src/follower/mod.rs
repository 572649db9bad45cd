//! The follower: tails the log to its newest signed head, checks everything in it, and finds labels.
//!
//! Each round: the published checkpoint (quorum) and the head (log's signature) → the new entries, in bundles → their leaf hashes appended to our own tree must give
//! the signed root → each entry: its form, its writer's chain and signature, the directory's right → the maps of labels, as far
//! as they are published; each root on the way is compared with ours ([`Follower::proved`]).
//!
//! *Invariant*: what can be seen belongs to one signed tree, every entry of it checked, from the first on. Nothing is kept on disk;
//! a restart reads the log again.
//!
//! **What goes wrong.** Not reached, or bytes that do not fit the signed head: the round fails and is tried again. What the log
//! has *signed* and contradicts what was seen or what its rules say (another root for a size, an entry that its
//! writer may not write, a published map root that is not the entries'): the follower is broken for good, every call says so, an operator
//! must act.
//!
//! Memory per entry: 64 bytes of tree, 24 of its summary, about 120 in a map.

mod audit;
mod maps;
mod poll;
mod state;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use record::{Directory, Kind, Label, Period, Sequence, Timestamp, WriterId};
use service::shutdown::Shutdown;
use tlog::Hash;
use tlog::merkle::{Index, Size};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use crate::api::LedgerApi;
use crate::trust::{Head, Trust};
use state::State;

/// How often the head is looked at.
pub const POLL: Duration = Duration::from_millis(150);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why the follower does not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FollowerError {
    /// The log contradicts itself or its rules. Fatal; an operator must act.
    #[error("the log is broken: {0}")]
    Broken(Arc<str>),
    /// The ledger could not be followed to its newest head. Retryable.
    #[error("the log cannot be followed at present: {0}")]
    Behind(String),
    /// The caller asks for what is not in the tree followed so far.
    #[error("beyond the tree followed so far")]
    OutOfTree,
    /// The process is ending.
    #[error("ending")]
    Ended,
}

/// An entry found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// In which map its label stands.
    pub period: Period,
    /// Where it stands in the log.
    pub index: Index,
    /// Its leaf hash.
    pub leaf_hash: Hash,
    /// Its kind.
    pub kind: Kind,
    /// Its writer's time.
    pub time: Timestamp,
    /// Who wrote it.
    pub writer: WriterId,
}

/// A writer's last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastEntry {
    /// Its number.
    pub sequence: Sequence,
    /// Its leaf hash.
    pub leaf_hash: Hash,
    /// Where it stands in the log.
    pub index: Index,
    /// Its time.
    pub time: Timestamp,
}

/// As of when things can be proved to others.
#[derive(Debug, Clone)]
pub struct Proved {
    /// The last `map` entry in the published tree.
    pub map: Index,
    /// The published checkpoint, with the policy's quorum.
    pub published: Arc<Head>,
}

/// What is to be proved.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// In which map which labels are looked up.
    pub lookups: Vec<(Period, Vec<Label>)>,
    /// Which entries stand in the published tree; strictly ascending.
    pub entries: Vec<Index>,
}

/// The proofs.
#[derive(Debug, Clone)]
pub struct MapProofs {
    /// [`tlog::map::prove_lookups`], as many as wanted, under the roots in (or final before) the `map` entry.
    pub maps: Vec<Vec<u8>>,
    /// [`tlog::merkle::inclusion_batch`] in the published tree.
    pub tree: Vec<Hash>,
    /// The published checkpoint.
    pub published: Arc<Head>,
}

/// A handle on the follower; cheap to clone. The follower ends when the last handle is dropped.
#[derive(Clone)]
pub struct Follower {
    shared: Arc<Shared>,
    refresh: mpsc::UnboundedSender<Waiter>,
}

type Waiter = oneshot::Sender<Result<Size, FollowerError>>;

struct Shared {
    api: Arc<dyn LedgerApi>,
    trust: Arc<Trust>,
    directory: Arc<Directory>,
    state: Mutex<State>,
    bundles: Mutex<state::BundleCache>,
    broken: OnceLock<Arc<str>>,
    size: watch::Sender<Size>,
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sound(&self) -> Result<(), FollowerError> {
        match self.broken.get() {
            Some(reason) => Err(FollowerError::Broken(reason.clone())),
            None => Ok(()),
        }
    }
}

impl Follower {
    /// Starts following. The ledger need not be up yet.
    #[must_use]
    pub fn start(api: Arc<dyn LedgerApi>, trust: Arc<Trust>, directory: Arc<Directory>, shutdown: Shutdown) -> Self {
        let shared = Arc::new(Shared {
            api,
            trust,
            directory,
            state: Mutex::default(),
            bundles: Mutex::default(),
            broken: OnceLock::new(),
            size: watch::Sender::new(Size::ZERO),
        });
        let (refresh, waiters) = mpsc::unbounded_channel();
        tokio::spawn(follow(shared.clone(), waiters, shutdown));
        Self { shared, refresh }
    }

    /// Follows the log to the newest head, as of some moment after this call, and returns its size. Callers at the same time
    /// share one look.
    ///
    /// # Errors
    /// [`FollowerError`]; [`FollowerError::Behind`] when the ledger cannot be reached.
    pub async fn refresh(&self) -> Result<Size, FollowerError> {
        let (waiter, answer) = oneshot::channel();
        self.refresh.send(waiter).map_err(|_| self.ended())?;
        answer.await.unwrap_or_else(|_| Err(self.ended()))
    }

    fn ended(&self) -> FollowerError {
        self.shared.sound().err().unwrap_or(FollowerError::Ended)
    }

    /// The entry with this label, if the tree followed so far has one; the newest period is looked at first.
    ///
    /// # Errors
    /// [`FollowerError::Broken`].
    pub fn locate(&self, label: &Label) -> Result<Option<Located>, FollowerError> {
        self.shared.sound()?;
        Ok(self.shared.state().locate(label))
    }

    /// The newest head that was followed to, with the log's signature.
    ///
    /// # Errors
    /// [`FollowerError::Behind`] before the first one, [`FollowerError::Broken`].
    pub fn head(&self) -> Result<Arc<Head>, FollowerError> {
        self.shared.sound()?;
        let nothing = || FollowerError::Behind("no head yet".into());
        self.shared.state().head().ok_or_else(nothing)
    }

    /// Proves an entry in the tree of `size`, which must not be larger than the head's: as many hashes as
    /// [`tlog::merkle::verify_inclusion`] wants.
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

    /// The intents of a period that nothing has closed, ascending.
    ///
    /// # Errors
    /// [`FollowerError::Broken`].
    pub fn open_intents(&self, period: Period) -> Result<Vec<Index>, FollowerError> {
        self.shared.sound()?;
        Ok(self.shared.state().open_intents(period))
    }

    /// The root of a map over everything that has been followed.
    ///
    /// # Errors
    /// [`FollowerError::Behind`] while labels of the period wait for their publication, [`FollowerError::Broken`].
    pub fn map_root(&self, period: Period) -> Result<Hash, FollowerError> {
        self.shared.sound()?;
        let waiting = || FollowerError::Behind(format!("labels of period {period} are not published yet"));
        self.shared.state().map_root(period).ok_or_else(waiting)
    }

    /// As of which `map` entry, under which checkpoint, [`Follower::prove`] proves; `None` while nothing has been published.
    ///
    /// # Errors
    /// [`FollowerError::Broken`].
    pub fn proved(&self) -> Result<Option<Proved>, FollowerError> {
        self.shared.sound()?;
        Ok(self.shared.state().proved())
    }

    /// Proves what stands in the maps as of the `map` entry `at`; `None` when they have gone on since, or an entry is not in the
    /// published tree: ask [`Follower::proved`] again.
    ///
    /// # Errors
    /// [`FollowerError::Broken`].
    pub fn prove(&self, at: Index, wanted: &Wanted) -> Result<Option<MapProofs>, FollowerError> {
        self.shared.sound()?;
        Ok(self.shared.state().prove(at, wanted))
    }

    /// The last entry of a writer.
    ///
    /// # Errors
    /// [`FollowerError::Broken`].
    pub fn last_of(&self, writer: &WriterId) -> Result<Option<LastEntry>, FollowerError> {
        self.shared.sound()?;
        Ok(self.shared.state().last_of(writer))
    }

    /// An entry's bytes, fetched if they are not at hand, and checked against the tree.
    ///
    /// # Errors
    /// [`FollowerError::OutOfTree`], [`FollowerError::Behind`] when they cannot be had now, [`FollowerError::Broken`].
    pub async fn leaf(&self, index: Index) -> Result<Vec<u8>, FollowerError> {
        self.shared.sound()?;
        poll::leaf(&self.shared, index).await
    }

    /// The size followed to, and its changes.
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
    let mut pause = Duration::ZERO;
    loop {
        let mut asked = Vec::new();
        tokio::select! {
            () = shutdown.wait() => return,
            () = sleep(pause) => {}
            waiter = waiters.recv() => match waiter {
                Some(waiter) => asked.push(waiter),
                None => return,
            },
        }
        // Whoever asks from here on wants a head that is newer than the one now looked at, and gets the next round.
        while let Ok(waiter) = waiters.try_recv() {
            asked.push(waiter);
        }
        let result = tokio::select! {
            () = shutdown.wait() => return,
            result = poller.poll() => result,
        };
        pause = match &result {
            Ok(_) => POLL,
            Err(error) => {
                tracing::debug!(%error, "the log is not followed");
                (pause * 2).clamp(POLL, LONGEST_PAUSE)
            }
        };
        for waiter in asked {
            // Whoever dropped the future does not want to know.
            let _ = waiter.send(result.clone());
        }
        if shared.broken.get().is_some() {
            return;
        }
    }
}
