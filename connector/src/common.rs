//! The parts of a connector that both roles use: keys, check context, checkpoint watch, HTTP client and clock.

use std::sync::Arc;

use ledger_client::checkpoints::{NotReady, WatchConfig, WatchError};
use ledger_client::{Anchored, CheckpointWatch, HttpLedger, LedgerApi, Trust};
use messages::SealingKey;
use record::{SigningKey, Timestamp};
use service::Impairment;
use service::http::Client;
use service::{Clock, Problem, Shutdown};
use tlog::checkpoint::Checkpoint;

use crate::alarm;
use crate::config::{Config, Role};
use crate::context::CheckContext;
use crate::error::Error;

/// The parts of a connector that both roles use.
#[derive(Debug)]
pub struct Common {
    /// What messages are checked against.
    pub context: CheckContext,
    /// Signs in the participant's name.
    pub signing: SigningKey,
    /// Opens what is sealed to the participant.
    pub sealing: SealingKey,
    /// Records the checkpoints that this connector relies on, and settles them.
    pub watch: CheckpointWatch,
    /// Calls broker and register.
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
        let api: Arc<dyn LedgerApi> = Arc::new(HttpLedger::new(&config.ledger).map_err(|error| http(&error))?);
        service::durable::private_directory(&config.data).map_err(|error| Error::State(error.to_string()))?;
        let anchored = Anchored::wait(&api, &trust, &shutdown).await?;
        let context = CheckContext::new(trust.clone(), &anchored, &config.participant, config.test)?;
        check_keys(&context, config, &signing, &sealing)?;
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
            context,
            signing,
            sealing,
            watch,
            http,
            clock,
        })
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.clock.now())
    }

    /// Refuses while a checkpoint that this connector relied on is overdue for a witnessed successor.
    ///
    /// # Errors
    /// 503: soon retryable when the successor is only late; until an operator acts when the log was inconsistent.
    pub fn ready(&self) -> Result<(), Problem> {
        self.watch.ready().map_err(|error| match error {
            NotReady::Stale(seconds) => {
                tracing::warn!(seconds, "no witnessed checkpoint: refusing new exchanges");
                Problem::unavailable(
                    "log-not-witnessed",
                    10,
                    "no witnessed checkpoint of the log is available",
                )
            }
            NotReady::Storage(error) => {
                alarm::raise("state", None, &error.to_string());
                Problem::unavailable("stopped", 60, "the connector's state cannot be written")
            }
            NotReady::Inconsistent(reason) => {
                alarm::raise("log-inconsistent", None, &reason);
                Problem::unavailable("stopped", 600, "stopped until an operator has acted")
            }
        })
    }

    /// Records durably that this connector relies on checkpoints. Call it before acting on them.
    ///
    /// # Errors
    /// 503 when they cannot be recorded; the caller must not act then.
    pub async fn rely(&self, checkpoints: &[&Checkpoint]) -> Result<(), Problem> {
        for checkpoint in checkpoints {
            self.watch.rely(checkpoint).await.map_err(|error| {
                match &error {
                    WatchError::Store(_) => alarm::raise("state", None, &error.to_string()),
                    WatchError::Inconsistent(reason) => alarm::raise("log-inconsistent", None, reason),
                    WatchError::Ended => {}
                }
                Problem::unavailable("stopped", 60, "the checkpoints relied on cannot be recorded")
            })?;
        }
        Ok(())
    }
}

/// Halted after an inconsistency of the log and while the state cannot be written, behind while no witnessed checkpoint
/// is available.
pub(crate) fn health(watch: &CheckpointWatch) -> Result<(), Impairment> {
    watch.ready().map_err(|error| match error {
        NotReady::Stale(_) => Impairment::Behind(error.to_string()),
        NotReady::Storage(_) => Impairment::Halted(error.to_string()),
        NotReady::Inconsistent(reason) => Impairment::Halted(reason.to_string()),
    })
}

fn check_keys(
    context: &CheckContext,
    config: &Config,
    signing: &SigningKey,
    sealing: &SealingKey,
) -> Result<(), Error> {
    let (role, listed) = match config.role {
        Role::Consumer(_) => ("consumer", context.me.consumer),
        Role::Provider(_) => ("provider", context.me.provider),
    };
    let same = context.me.signing_key == signing.public() && context.me.sealing_key == sealing.public().0;
    if listed && same {
        Ok(())
    } else {
        Err(Error::Directory(config.participant.clone(), role))
    }
}
