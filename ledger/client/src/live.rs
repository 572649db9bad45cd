//! [`LiveTrust`]: the directory and the Registerlandkarte in force, and what was in force before.
//!
//! A task reads the newest published `map` entry every [`POLL_INTERVAL`] and the change sets that it names
//! (`sets.rs`), and replaces the [`History`] that all handles share. A request takes one history and uses it to its
//! end, so it never sees two versions.
//!
//! **Fail closed.** [`LiveTrust::confirmed`] refuses when no quorum of witnesses has confirmed the newest versions for
//! [`MAX_UNCONFIRMED`]: a ledger that shows old entries could otherwise keep a removed participant in force. It is
//! ready again with the next confirmation. The age counts by the wall clock from the time that the witnesses state, and
//! by the steady clock from the moment that this process first heard of that time; the larger one decides. A log whose
//! change sets contradict its rules is refused permanently.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use certificates::FollowedDirectory;
use record::Timestamp;
use service::clock::{Clock, WitnessTime};
use service::shutdown::Shutdown;
use service::{Backoff, Impairment, Problem};
use tlog::merkle::Index;
use tokio::sync::watch;
use trust::{History, TrustKind};

use crate::anchor::Anchored;
use crate::api::LedgerApi;
use crate::sets::{NewestMap, Round, SetReader};
use crate::sets_error::SetsError;
use crate::trust::Trust;

/// How often the newest `map` entry is fetched.
pub const POLL_INTERVAL: Duration = Duration::from_millis(300);
/// The longest pause after a failed round.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(2);
const VERSION_METRIC: &str = "directory_version";
/// How long a history may be used without a confirmation that it is the newest.
pub const MAX_UNCONFIRMED: Duration = Duration::from_secs(60);

/// Why no directory may be relied upon for something new.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TrustNotReady {
    /// No quorum of witnesses has confirmed the newest versions for too long. Retryable.
    #[error("the newest directory and Registerlandkarte have not been confirmed for {0} s")]
    Unconfirmed(u64),
    /// The log contradicts its rules. Fatal until an operator acts.
    #[error("{0}")]
    Broken(Arc<str>),
}

impl From<TrustNotReady> for Problem {
    fn from(error: TrustNotReady) -> Self {
        let detail = error.to_string();
        match error {
            TrustNotReady::Unconfirmed(_) => Self::unavailable("directory-unconfirmed", 5, detail),
            TrustNotReady::Broken(_) => Self::unavailable("log-broken", 60, detail),
        }
    }
}

/// A handle to the versions in force; cheap to clone.
#[derive(Clone)]
pub struct LiveTrust(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    current: ArcSwap<Current>,
    broken: OnceLock<Arc<str>>,
    /// How many rounds have ended. The task has the sender, so that no caller waits for one that has ended.
    rounds: watch::Receiver<u64>,
}

struct Current {
    history: Arc<History>,
    newest: Option<NewestMap>,
    confirmed: Confirmation,
}

/// When the versions were known to be the newest.
#[derive(Clone, Copy)]
struct Confirmation {
    /// By the clocks of the witnesses, or of the ledger.
    time: Timestamp,
    /// When this process first heard of it, by its steady clock.
    heard: Duration,
}

impl Confirmation {
    fn now(clock: &dyn Clock) -> Self {
        Self {
            time: Timestamp(clock.now()),
            heard: clock.steady(),
        }
    }

    /// The confirmation after a round that found the versions to be the newest `as_of` a time.
    ///
    /// Only a later time confirms again. An answer that was heard before, or another one that is no later, proves
    /// nothing about the time since then. A repeated answer could otherwise stop this clock, too, and hide a removal
    /// from a process whose wall clock is slow. Without a time, the ledger's word is all that the policy asks for.
    fn after(self, as_of: Option<Timestamp>, clock: &dyn Clock) -> Self {
        match as_of {
            None => Self::now(clock),
            Some(time) if time > self.time => Self {
                time,
                heard: clock.steady(),
            },
            Some(_) => self,
        }
    }
}

impl FollowedDirectory for LiveTrust {
    fn newest(&self) -> Option<Arc<History>> {
        Some(self.history())
    }

    fn confirmed(&self) -> Result<Arc<History>, String> {
        Self::confirmed(self).map_err(|error| error.to_string())
    }
}

impl LiveTrust {
    /// A history that was confirmed just now and changes by [`LiveTrust::replace`] alone, where no ledger is followed.
    #[must_use]
    pub fn fixed(history: Arc<History>, clock: Arc<dyn Clock>) -> Self {
        let confirmed = Confirmation::now(clock.as_ref());
        Self::new(history, None, confirmed, clock, watch::channel(0).1)
    }

    /// Replaces the history by a later one, confirmed just now.
    pub fn replace(&self, history: Arc<History>) {
        let newest = self.0.current.load().newest.clone();
        self.0.current.store(Arc::new(Current {
            history,
            newest,
            confirmed: Confirmation::now(self.0.clock.as_ref()),
        }));
    }

    fn new(
        history: Arc<History>,
        newest: Option<NewestMap>,
        confirmed: Confirmation,
        clock: Arc<dyn Clock>,
        rounds: watch::Receiver<u64>,
    ) -> Self {
        Self(Arc::new(Shared {
            clock,
            current: ArcSwap::from_pointee(Current {
                history,
                newest,
                confirmed,
            }),
            broken: OnceLock::new(),
            rounds,
        }))
    }

    /// Starts to follow the log's change sets from the anchor on.
    #[must_use]
    pub fn start(
        api: Arc<dyn LedgerApi>,
        trust: Arc<Trust>,
        anchored: &Anchored,
        clock: Arc<dyn Clock>,
        shutdown: Shutdown,
    ) -> Self {
        let unconfirmed = Confirmation {
            time: Timestamp(0),
            heard: clock.steady(),
        };
        let confirmed = unconfirmed.after(anchored.newest.as_of, clock.as_ref());
        let (ended, rounds) = watch::channel(0);
        let newest = Some(anchored.newest.clone());
        let live = Self::new(anchored.history.clone(), newest, confirmed, clock, rounds);
        tokio::spawn(follow(live.clone(), api, trust, ended, shutdown));
        live
    }

    /// The newest known history, to judge what is in the log: receipts, records.
    #[must_use]
    pub fn history(&self) -> Arc<History> {
        self.0.current.load().history.clone()
    }

    /// The newest history, for something new that relies on it.
    ///
    /// # Errors
    /// See [`TrustNotReady`].
    pub fn confirmed(&self) -> Result<Arc<History>, TrustNotReady> {
        if let Some(reason) = self.0.broken.get() {
            return Err(TrustNotReady::Broken(reason.clone()));
        }
        let current = self.0.current.load();
        let Confirmation { time, heard } = current.confirmed;
        let age = Timestamp(self.0.clock.now()).since(time);
        let seconds = age.max(self.0.clock.steady().saturating_sub(heard).as_secs());
        if seconds > MAX_UNCONFIRMED.as_secs() {
            return Err(TrustNotReady::Unconfirmed(seconds));
        }
        Ok(current.history.clone())
    }

    /// The newest time by the witnesses, or by this process if the policy needs none. [`WitnessTime::Unknown`] until
    /// there is one.
    #[must_use]
    pub fn witness_time(&self) -> WitnessTime {
        match self.0.current.load().confirmed.time {
            Timestamp(0) => WitnessTime::Unknown,
            Timestamp(time) => WitnessTime::Quorum(time),
        }
    }

    /// Halted when the log contradicts its rules, behind while the newest versions are not confirmed.
    ///
    /// # Errors
    /// [`Impairment`]
    pub fn health(&self) -> Result<(), Impairment> {
        match self.confirmed() {
            Ok(_) => Ok(()),
            Err(error @ TrustNotReady::Unconfirmed(_)) => Err(Impairment::Behind(error.to_string())),
            Err(TrustNotReady::Broken(reason)) => Err(Impairment::Halted(reason.to_string())),
        }
    }

    /// Whether the history has every set before the entry at `index`. Until then, [`LiveTrust::refresh`] may bring the
    /// version that the entry is to be judged by.
    #[must_use]
    pub fn covers(&self, index: Index) -> bool {
        let current = self.0.current.load();
        current.newest.as_ref().is_none_or(|newest| index <= newest.index)
    }

    /// Waits until a round that begins after this call has ended. Used where an entry's writer is not known yet.
    /// Returns at once when nothing is followed any more.
    pub async fn refresh(&self) {
        let mut rounds = self.0.rounds.clone();
        let begun = *rounds.borrow_and_update();
        // The round under way may have begun before the call.
        let _ = rounds.wait_for(|round| *round >= begun + 2).await;
    }

    fn update(&self, round: Round) {
        for kind in TrustKind::ALL {
            let version = round.history.state().map(kind).version();
            metrics::gauge!(VERSION_METRIC, "kind" => kind.as_str()).set(version.0);
        }
        let before = self.0.current.load().confirmed;
        self.0.current.store(Arc::new(Current {
            confirmed: before.after(round.newest.as_of, self.0.clock.as_ref()),
            history: round.history,
            newest: Some(round.newest),
        }));
    }
}

impl std::fmt::Debug for LiveTrust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let history = self.history();
        let state = history.state();
        let versions = (state.directory().version(), state.registerlandkarte().version());
        write!(f, "LiveTrust{versions:?}")
    }
}

async fn follow(
    live: LiveTrust,
    api: Arc<dyn LedgerApi>,
    trust: Arc<Trust>,
    ended: watch::Sender<u64>,
    shutdown: Shutdown,
) {
    let mut backoff = Backoff::new(POLL_INTERVAL, MAX_RETRY_DELAY);
    loop {
        let reader = SetReader {
            api: api.as_ref(),
            trust: &trust,
        };
        let current = live.0.current.load_full();
        let round = tokio::select! {
            () = shutdown.wait() => return,
            round = reader.round(&current.history, current.newest.as_ref()) => round,
        };
        let pause = match round {
            Ok(round) => {
                live.update(round);
                backoff.succeeded();
                POLL_INTERVAL
            }
            Err(SetsError::NotYet(reason)) => {
                tracing::debug!(reason, "the change sets are not followed");
                backoff.failed()
            }
            Err(SetsError::Wrong(reason)) => {
                tracing::error!(
                    reason,
                    "ALARM: the log's change sets contradict its rules; nothing new is accepted until an operator acts"
                );
                let _ = live.0.broken.set(reason.into());
                return;
            }
        };
        ended.send_modify(|round| *round += 1);
        tokio::select! {
            () = shutdown.wait() => return,
            () = live.0.clock.sleep(pause) => {}
        }
    }
}
