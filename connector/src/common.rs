//! What both roles have: keys, trust, anchor, Registerlandkarte, checkpoint watch, time.

use std::sync::Arc;

use ledger_client::checkpoints::{NotReady, WatchConfig};
use ledger_client::recorded::Recorded;
use ledger_client::{Anchored, CheckpointWatch, Ledger, LedgerApi, Trust};
use messages::SealingKey;
use record::{Directory, Participant, ParticipantId, SigningKey, Timestamp};
use registerlandkarte::Snapshot;
use service::http::Client;
use service::{Clock, Problem, Shutdown};
use tlog::checkpoint::Checkpoint;

use crate::{Config, Error, alarm};

/// What a connector judges by, all of it proved or from outside the ledger.
#[derive(Debug, Clone)]
pub struct Judge {
    /// Log key, witnesses, quorum; genesis hash.
    pub trust: Arc<Trust>,
    /// Origin of the log that begins with the genesis hash.
    pub origin: String,
    /// Participants and writers.
    pub directory: Directory,
    /// The logged Registerlandkarte.
    pub registry: Snapshot,
    /// Whose connector this is.
    pub me: Participant,
    /// Whether this system exchanges test messages.
    pub test: bool,
}

/// Everything both roles need.
#[derive(Debug)]
pub struct Common {
    /// What is judged by.
    pub judge: Judge,
    /// Signs as the participant.
    pub signing: SigningKey,
    /// Opens what is sealed to the participant.
    pub sealing: SealingKey,
    /// What was relied on.
    pub watch: CheckpointWatch,
    /// Calls others.
    pub http: Client,
    clock: Arc<dyn Clock>,
}

impl Common {
    /// Reads keys and trust, waits for the ledger, and checks that the directory lists this connector.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(config: &Config, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let signing = SigningKey::from_seed(service::secret::read_seed(&config.signing_key)?);
        let sealing = SealingKey::from_seed(service::secret::read_seed(&config.sealing_key)?);
        let trust = Arc::new(Trust::load(&config.policy, &config.genesis)?);
        let http = |error: &dyn std::fmt::Display| Error::Http(error.to_string());
        let api: Arc<dyn Ledger> = Arc::new(LedgerApi::new(&config.ledger).map_err(|error| http(&error))?);
        std::fs::create_dir_all(&config.data).map_err(|error| Error::State(error.to_string()))?;
        let anchored = Anchored::wait(&api, &trust, &shutdown).await?;
        let judge = Judge::new(trust.clone(), &anchored, &config.participant, config.test)?;
        check_keys(&judge, config, &signing, &sealing)?;
        let state_dir = config.data.clone();
        let watch = CheckpointWatch::start(
            WatchConfig {
                api,
                trust,
                state_dir,
                clock: clock.clone(),
            },
            shutdown,
        )
        .map_err(|error| Error::State(error.to_string()))?;
        let http = Client::new().map_err(|error| http(&error))?;
        Ok(Self {
            judge,
            signing,
            sealing,
            watch,
            http,
            clock,
        })
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.clock.now())
    }

    /// Refuses while what was relied on is not settled.
    ///
    /// # Errors
    /// 503: retryable when it is only late, and until an operator acts when the log was inconsistent.
    pub fn ready(&self) -> Result<(), Problem> {
        self.watch.ready().map_err(|error| match error {
            NotReady::Stale(seconds) => {
                tracing::warn!(seconds, "no witnessed checkpoint: nothing new is served");
                Problem::unavailable(
                    "log-not-witnessed",
                    10,
                    "no witnessed checkpoint of the log is to be had",
                )
            }
            NotReady::Inconsistent(reason) => {
                alarm::raise("log-inconsistent", None, &reason);
                Problem::unavailable("stopped", 600, "stopped until an operator has acted")
            }
        })
    }

    /// Notes durably that checkpoints are relied on; to be called before acting on them.
    ///
    /// # Errors
    /// 503 when that cannot be noted: nothing may be done then.
    pub async fn rely(&self, checkpoints: &[&Checkpoint]) -> Result<(), Problem> {
        for checkpoint in checkpoints {
            self.watch.rely(checkpoint).await.map_err(|error| {
                alarm::raise("cannot-rely", None, &error.to_string());
                Problem::unavailable("stopped", 60, "what is relied on cannot be noted")
            })?;
        }
        Ok(())
    }
}

impl Judge {
    /// From what the anchor has proved.
    ///
    /// # Errors
    /// [`Error::Registry`], and [`Error::Directory`] when the participant is not listed.
    pub fn new(trust: Arc<Trust>, anchored: &Anchored, me: &ParticipantId, test: bool) -> Result<Self, Error> {
        let directory = anchored.directory.clone();
        let me = directory
            .participant(me)
            .cloned()
            .ok_or_else(|| Error::Directory(me.clone(), "participant"))?;
        Ok(Self {
            registry: Snapshot::open(&anchored.registry, &anchored.genesis.authorities)?,
            origin: anchored.genesis.origin.clone(),
            trust,
            directory,
            me,
            test,
        })
    }

    /// A receipt proves its entry under a checkpoint of *some* log the policy trusts; it must be the anchored one.
    pub(crate) fn of_our_log<K>(&self, recorded: &Recorded<K>) -> bool {
        self.is_our_log(recorded.checkpoint())
    }

    /// As above, for a checkpoint.
    pub(crate) fn is_our_log(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.origin.as_str() == self.origin
    }
}

fn check_keys(judge: &Judge, config: &Config, signing: &SigningKey, sealing: &SealingKey) -> Result<(), Error> {
    let (role, listed) = match config.role {
        crate::Role::Consumer(_) => ("consumer", judge.me.consumer),
        crate::Role::Provider(_) => ("provider", judge.me.provider),
    };
    let same = judge.me.signing_key == signing.public() && judge.me.sealing_key == sealing.public().0;
    if listed && same {
        Ok(())
    } else {
        Err(Error::Directory(config.participant.clone(), role))
    }
}
