//! The process that writes to the log.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use service::clock::CheckedClock;
use service::secret::CredentialDigest;
use service::{Shutdown, http as calls};
use tlog::policy::Policy;
use tokio::task::JoinHandle;

use super::error::Error;
use crate::engine::follower::FollowError;
use crate::engine::publication::{Publication, QuorumLossPolicy};
use crate::engine::rows::{Rows, TreeHead};
use crate::engine::witnessing::{WitnessClient, WitnessIntervals};
use crate::engine::{Limits, SequencedLog, Signer, Snapshot, open};
use crate::http::{ServedLog, Shared};
use crate::rules::following::FollowedRules;
use crate::rules::{self, Rules, RulesClock, SubmissionChecker, WriterKeys};
use crate::store::Store;

/// How long a start waits for the witnesses, if they must confirm the log, before it serves readers alone.
const CONFIRMATION_WAIT: Duration = Duration::from_secs(2);

/// The parts of a ledger that writes to its log.
pub(crate) struct Setup {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) signer: Signer,
    pub(crate) rules: rules::RulesConfig,
    pub(crate) policy: Option<Policy>,
    pub(crate) on_failure: QuorumLossPolicy,
    pub(crate) writing_entrance: bool,
    pub(crate) records_credentials: Vec<CredentialDigest>,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<CheckedClock>,
    /// Whether the witnesses must confirm the log after each start.
    pub(crate) confirmed_at_start: bool,
    /// What this process knows of the log, if it has followed it.
    pub(crate) followed: Option<Followed>,
}

/// What a follower keeps when it takes over the log.
pub(crate) struct Followed {
    /// The newest state that it has shown.
    pub(crate) shown: TreeHead,
    pub(crate) publication: Arc<Publication>,
    pub(crate) keys: Arc<WriterKeys>,
    /// `None` if they could not be kept.
    pub(crate) rules: Option<FollowedRules>,
}

/// The clocks of the rules.
pub(crate) fn rules_clock(clock: &Arc<CheckedClock>, publication: &Arc<Publication>) -> RulesClock {
    let publication = publication.clone();
    RulesClock {
        clock: clock.clone(),
        witness_time: Box::new(move || publication.witness_time()),
    }
}

/// Opens the log and starts its sequencer. Blocks while the store replays its write-ahead log.
pub(crate) fn start(setup: Setup) -> Result<Arc<Shared>, Error> {
    let rows = Rows::new(setup.store);
    let opened = open(&rows, &setup.signer)?;
    let (publication, keys, followed) = match setup.followed {
        None => {
            let publication = Publication::open(setup.policy, setup.on_failure, &rows, &opened)?;
            (Arc::new(publication), Arc::default(), None)
        }
        Some(followed) => {
            continues(&opened, &followed.shown)?;
            followed.publication.record_policy(&rows)?;
            (followed.publication, followed.keys, followed.rules)
        }
    };
    if setup.confirmed_at_start {
        publication.require_confirmation();
    }
    let checker = SubmissionChecker {
        genesis: setup.rules.genesis,
        keys: keys.clone(),
    };
    let kept = followed.and_then(|followed| {
        let kept = followed.take_over(&rows, &opened);
        kept.inspect_err(|error| tracing::warn!(%error, "the rules are loaded again"))
            .ok()
    });
    let rules = match kept {
        Some(rules) => rules,
        None => Rules::load(&rows, setup.rules, keys, rules_clock(&setup.clock, &publication))?,
    };
    tracing::info!(origin = %setup.signer.origin(), size = opened.head.size, root = %opened.head.root, "log opened");
    let history = rules.history();
    let log = SequencedLog::start(rows, setup.signer, opened, rules, setup.limits)?;
    Ok(Arc::new(Shared {
        log: ServedLog::Sequenced(log),
        publication,
        checker,
        history,
        strangers: Default::default(),
        trust: Default::default(),
        writing_entrance: setup.writing_entrance,
        records_credentials: setup.records_credentials,
        clock: setup.clock,
    }))
}

/// Refuses a log that does not continue what this process has shown.
fn continues(opened: &Snapshot, shown: &TreeHead) -> Result<(), Error> {
    let new = opened.head.size;
    if new >= shown.size && opened.root(shown.size)? == shown.root {
        return Ok(());
    }
    Err(FollowError::Contradiction { shown: shown.size, new }.into())
}

/// Resolves with the reason when another ledger has taken over the log.
pub(super) type Fenced = Pin<Box<dyn Future<Output = String> + Send>>;

/// The tasks beside a sequencer.
pub(super) struct Sequencing {
    shared: Arc<Shared>,
    witnessing: Option<JoinHandle<()>>,
    keys: JoinHandle<()>,
    /// `None` if the store is in this process, so no other ledger can take over.
    fenced: Option<Fenced>,
}

impl Sequencing {
    /// Asks the witnesses whether this is the newest log, and starts the tasks.
    ///
    /// # Errors
    /// [`Error::Behind`] if a witness shows that this is an old copy.
    pub(super) async fn begin(
        shared: Arc<Shared>,
        pace: WitnessIntervals,
        fenced: Option<Fenced>,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        let (rows, snapshots) = (shared.log.rows().clone(), shared.log.snapshots());
        let (publication, clock) = (shared.publication.clone(), shared.clock.clone());
        let client = calls::Client::new()?;
        let mut witnessing = WitnessClient::new(publication, rows, snapshots, client, pace, clock);
        if let Some(witnessing) = &mut witnessing {
            witnessing.check_at_start().await?;
        }
        let witnessing = witnessing.map(|witnessing| tokio::spawn(witnessing.run(shutdown.clone())));
        // Usually they answer at once. So no writer has to come again.
        shared.publication.confirmed_within(CONFIRMATION_WAIT).await;
        let keys = tokio::spawn({
            let shared = shared.clone();
            async move {
                if let Some(log) = shared.log.sequenced() {
                    log.sign_on_key_changes().await;
                }
            }
        });
        Ok(Self {
            shared,
            witnessing,
            keys,
            fenced,
        })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Waits until this process must end.
    ///
    /// * Another ledger has taken over the log: what this one has in memory is no longer the newest state.
    /// * The log is in a database and has stopped: the process gives up the claim with its end, so that another ledger
    ///   can continue. A log on this machine continues to serve readers.
    pub(super) async fn over(&mut self) -> Error {
        let Some(log) = self.shared.log.sequenced() else {
            return std::future::pending().await;
        };
        let Some(fenced) = &mut self.fenced else {
            return std::future::pending().await;
        };
        tokio::select! {
            reason = fenced => Error::TakenOver(reason),
            stopped = log.ended() => match stopped {
                Some(reason) if reason.taken_over => Error::TakenOver(reason.text),
                Some(reason) => Error::Stopped(reason.text),
                None => Error::Stopped("the sequencer panicked".into()),
            }
        }
    }

    /// Ends the tasks and the sequencer, after shutdown was requested and the accepted requests have been answered.
    pub(super) async fn end(self) -> Result<(), Error> {
        self.keys.abort();
        if let Some(witnessing) = self.witnessing {
            let _ = witnessing.await;
        }
        let shared = self.shared;
        let ended = tokio::task::spawn_blocking(move || shared.log.end()).await;
        ended.map_err(|_| Error::Start)
    }
}
