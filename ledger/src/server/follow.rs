//! A process that follows the log in a database while another ledger writes to it, and takes its place when that one
//! dies.
//!
//! It asks the database several times a second who writes, and reads what was signed and published since. It serves all
//! readers from that, and keeps the rules, with the maps of all labels, at the same state. If the other ledger has lost
//! the lock for [`TAKEOVER_DELAY`], it claims the log. The delay lets a ledger that only lost its connection claim
//! again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::error::Error;
use super::process::Process;
use super::sequence::{Followed, rules_clock};
use crate::engine::follower::{FollowError, LogFollower};
use crate::engine::publication::Publication;
use crate::engine::rows::Rows;
use crate::http::{FollowState, FollowedLog, SequencerAddresses, ServedLog, Shared};
use crate::rules::following::FollowedRules;
use crate::rules::{SubmissionChecker, WriterKeys};
use crate::store::StoreError;
use crate::store::postgres::{Follow, PostgresConfig, PostgresStore, Sequencer};

/// How often the database is asked.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How long nobody must have had the lock before this process claims the log.
const TAKEOVER_DELAY: Duration = Duration::from_millis(500);
/// How long this process may know nothing new before its health says so.
const BEHIND_AFTER: Duration = Duration::from_secs(5);
/// The time between two attempts to load the rules again.
const RELOAD_DELAY: Duration = Duration::from_secs(10);

/// A follower.
pub(super) struct Follower {
    process: Arc<Process>,
    database: PostgresConfig,
    follow: Follow,
    log: LogFollower,
    publication: Arc<Publication>,
    keys: Arc<WriterKeys>,
    rules: Option<FollowedRules>,
    state: watch::Sender<FollowState>,
    /// Since when nobody has had the lock.
    free_since: Option<Instant>,
    /// When the newest state was read last.
    read_at: Instant,
    reloaded_at: Instant,
}

/// What a step has found.
pub(super) enum Step {
    /// Another ledger writes.
    Follows,
    /// The rules were loaded again, so the request handlers need another state.
    Reloaded,
    /// This process has claimed the log.
    Claimed(Arc<PostgresStore>),
}

impl Follower {
    /// Begins to follow; `None` if the log has no checkpoint yet.
    pub(super) fn open(process: &Arc<Process>, database: &PostgresConfig) -> Result<Option<Self>, Error> {
        let follow = Follow::open(database)?;
        let signer = process.signer()?;
        let rows = Rows::new(follow.store());
        let log = LogFollower::open(rows.clone(), signer.origin().clone(), signer.verifiers().to_vec())?;
        let Some(log) = log else { return Ok(None) };
        let (policy, on_failure) = (process.config.policy()?, process.config.on_failure());
        let publication = Arc::new(Publication::follow(policy, on_failure, &rows, &log.snapshot())?);
        let mut follower = Self {
            process: process.clone(),
            database: database.clone(),
            follow,
            log,
            publication,
            keys: Arc::default(),
            rules: None,
            state: watch::Sender::default(),
            free_since: None,
            read_at: Instant::now(),
            reloaded_at: Instant::now(),
        };
        follower.load_rules()?;
        tracing::info!(
            size = follower.log.snapshot().head.size,
            "another ledger writes to the log; following it"
        );
        Ok(Some(follower))
    }

    /// Loads the rules from one state of the database.
    fn load_rules(&mut self) -> Result<(), Error> {
        self.rules = None;
        self.reloaded_at = Instant::now();
        let snapshot = Rows::new(Arc::new(PostgresStore::open_read_only(&self.database)?));
        let clock = rules_clock(&self.process.clock, &self.publication);
        let keys = Arc::<WriterKeys>::default();
        let rules = FollowedRules::load(&snapshot, self.process.config.rules()?, keys.clone(), clock)?;
        (self.rules, self.keys) = (Some(rules), keys);
        Ok(())
    }

    /// The state of the request handlers.
    pub(super) fn shared(&self) -> Result<Arc<Shared>, Error> {
        let config = &self.process.config;
        Ok(Arc::new(Shared {
            log: ServedLog::Followed(FollowedLog {
                rows: self.log.rows().clone(),
                snapshots: self.log.snapshots(),
                state: self.state.subscribe(),
            }),
            publication: self.publication.clone(),
            checker: SubmissionChecker {
                genesis: config.rules()?.genesis,
                keys: self.keys.clone(),
            },
            history: self.rules.as_ref().map(FollowedRules::history).unwrap_or_default(),
            strangers: Default::default(),
            trust: Default::default(),
            writing_entrance: config.writing.is_some(),
            records_credentials: config.credentials()?,
            clock: self.process.clock.clone(),
        }))
    }

    /// Reads what is new, and claims the log if nobody writes to it. Blocks.
    ///
    /// # Errors
    /// If this process must end: the log in the database is not the one that it has shown, or was moved.
    pub(super) fn step(&mut self) -> Result<Step, Error> {
        let sequencer = match self.follow.sequencer() {
            Ok(sequencer) => sequencer,
            Err(error) => {
                self.free_since = None;
                self.note(None, Some(error.to_string()));
                return Ok(Step::Follows);
            }
        };
        let behind = self.read()?;
        self.note(Some(&sequencer), behind);
        if sequencer.lives {
            self.free_since = None;
        } else if self.free_since.get_or_insert_with(Instant::now).elapsed() >= TAKEOVER_DELAY
            && let Some(store) = self.claim()
        {
            return Ok(Step::Claimed(store));
        }
        if self.rules.is_none() && self.reloaded_at.elapsed() >= RELOAD_DELAY {
            match self.load_rules() {
                Ok(()) => return Ok(Step::Reloaded),
                Err(error) => tracing::warn!(%error, "the rules cannot be loaded yet"),
            }
        }
        Ok(Step::Follows)
    }

    /// Reads what was signed and published since; returns why that is not possible at the moment.
    fn read(&mut self) -> Result<Option<String>, Error> {
        match self.log.advance(&self.publication) {
            Ok(()) => {}
            Err(passing @ (FollowError::Store(_) | FollowError::Tree(_))) => return Ok(Some(passing.to_string())),
            Err(fatal) => return Err(fatal.into()),
        }
        if let Some(rules) = &mut self.rules {
            match rules.advance(self.log.rows(), &self.log.snapshot()) {
                Ok(()) => {}
                Err(StoreError::Unknown(why)) => return Ok(Some(why)),
                Err(error) => {
                    tracing::error!(%error, "this follower's rules are not those of the log; loading them again");
                    self.rules = None;
                }
            }
        }
        Ok(None)
    }

    /// Shows the request handlers who writes to the log, and why this process is behind if it has been for a while.
    fn note(&mut self, sequencer: Option<&Sequencer>, behind: Option<String>) {
        if behind.is_none() {
            self.read_at = Instant::now();
        }
        // The own address is one of an earlier life of this ledger.
        let own = self.process.addresses();
        let living = sequencer.filter(|sequencer| sequencer.lives && sequencer.addresses != own);
        let parsed = |text: &str| text.parse().ok();
        let state = FollowState {
            sequencer: living.map_or_else(SequencerAddresses::default, |sequencer| SequencerAddresses {
                public: parsed(&sequencer.addresses.public),
                writing: parsed(&sequencer.addresses.writing),
            }),
            behind: behind.filter(|_| self.read_at.elapsed() >= BEHIND_AFTER).map(Arc::from),
        };
        self.state.send_if_modified(|shown| {
            let is_news = *shown != state;
            if let (Some(reason), None) = (&state.behind, &shown.behind) {
                tracing::warn!(%reason, "this follower does not know the newest state of the log");
            }
            *shown = state;
            is_news
        });
    }

    fn claim(&mut self) -> Option<Arc<PostgresStore>> {
        match PostgresStore::claim_now(&self.database, self.process.addresses()) {
            Ok(store) => {
                tracing::info!("the ledger that wrote to the log is gone; taking it over");
                metrics::counter!("ledger_takeovers_total").increment(1);
                Some(Arc::new(store))
            }
            Err(StoreError::InUse) => {
                self.free_since = None;
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the log cannot be taken over yet");
                None
            }
        }
    }

    /// What is kept when this process writes from now on.
    pub(super) fn into_followed(self) -> Followed {
        Followed {
            shown: self.log.snapshot().head,
            publication: self.publication,
            keys: self.keys,
            rules: self.rules,
        }
    }
}
