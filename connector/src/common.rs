//! What both roles have: keys, trust, anchor, Registerlandkarte, checkpoint watch, time.

use std::sync::Arc;

use ledger_client::checkpoints::{NotReady, WatchConfig};
use ledger_client::{Anchored, CheckpointWatch, HttpLedger, LedgerApi, Trust};
use messages::SealingKey;
use record::{SigningKey, Timestamp};
use service::http::Client;
use service::{Clock, Problem, Shutdown};
use tlog::checkpoint::Checkpoint;

use crate::alarm;
use crate::config::{Config, Role};
use crate::context::CheckContext;
use crate::error::Error;

/// Everything both roles need.
#[derive(Debug)]
pub struct Common {
    /// What is judged by.
    pub context: CheckContext,
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
        let api: Arc<dyn LedgerApi> = Arc::new(HttpLedger::new(&config.ledger).map_err(|error| http(&error))?);
        std::fs::create_dir_all(&config.data).map_err(|error| Error::State(error.to_string()))?;
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
