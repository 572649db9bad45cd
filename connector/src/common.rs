//! The parts of a connector that both roles use: keys, check context, checkpoint watch, HTTP client and clock.

use std::sync::Arc;

use certificates::renewal::{RenewalConfig, Signer};
use certificates::{Peer, Peers, Renewal, Subject};
use ledger_client::checkpoints::{NotReady, WatchConfig, WatchError};
use ledger_client::{Anchored, CheckpointWatch, HttpLedger, LedgerApi, LiveTrust, Trust, TrustNotReady};
use record::{Kind, Timestamp};
use service::Impairment;
use service::Listener;
use service::clock::CheckedClock;
use service::http::Client;
use service::{Clock, Problem, Shutdown};
use tlog::checkpoint::Checkpoint;

use crate::alarm;
use crate::config::{Config, Role};
use crate::context::{CheckContext, LiveContext};
use crate::error::Error;
use crate::keys::Keys;
use crate::protocol::Protocol;
use crate::protocol::entry::ProtocolEntry;

/// The parts of a connector that both roles use.
#[derive(Debug)]
pub struct Common {
    /// What messages are checked against.
    pub context: LiveContext,
    /// The role in which the directory must list the participant.
    pub role: Role,
    /// Sign in the participant's name, and open what is sealed to it.
    pub keys: Keys,
    /// Records the checkpoints that this connector relies on, and settles them.
    pub watch: CheckpointWatch,
    /// The authority's own protocol of its transmissions.
    pub protocol: Protocol,
    /// Keeps the certificate valid, if the connector and the broker use mutual TLS.
    pub tls: Option<Renewal>,
    /// Calls the register, and the broker if they do not use TLS.
    pub http: Client,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Common {
    /// Reads keys and trust, waits for the ledger, and follows directory and Registerlandkarte.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(config: &Config, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let keys = Keys::open(config)?;
        let trust = Arc::new(Trust::load(&config.policy, &config.genesis)?);
        let http = |error: &dyn std::fmt::Display| Error::Http(error.to_string());
        let api: Arc<dyn LedgerApi> = Arc::new(HttpLedger::of(&config.ledger).map_err(|error| http(&error))?);
        service::durable::private_directory(&config.data).map_err(|error| Error::State(error.to_string()))?;
        let anchored = Anchored::wait(&api, &trust, &shutdown).await?;
        let context = LiveContext {
            live: LiveTrust::start(api.clone(), trust.clone(), &anchored, clock.clone(), shutdown.clone()),
            trust: trust.clone(),
            origin: anchored.genesis.origin.into(),
            me: config.participant.clone(),
            test: config.test,
        };
        keys.follow(
            context.live.clone(),
            context.me.clone(),
            clock.clone(),
            shutdown.clone(),
        );
        let (state_dir, renewing) = (config.data.clone(), shutdown.clone());
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
        let tls = match &config.tls {
            None => None,
            Some(tls) => {
                let signing = keys.clone();
                let renewal = RenewalConfig {
                    tls: tls.clone(),
                    subject: Subject::Component(config.participant.clone()),
                    signer: Signer::new(move || signing.signing()),
                    directory: Arc::new(context.live.clone()),
                    data: config.data.clone(),
                    clock: clock.clone(),
                };
                let renewal = Renewal::start(renewal, renewing);
                Some(renewal.map_err(|error| http(&error))?)
            }
        };
        let protocol = Protocol::open(&config.data).map_err(|error| Error::State(error.to_string()))?;
        let http = Client::new().map_err(|error| http(&error))?;
        Ok(Self {
            context,
            role: config.role.clone(),
            keys,
            watch,
            protocol,
            tls,
            http,
            clock,
        })
    }

    /// The client for the broker: with mutual TLS, whatever writes intents by the newest directory is the broker.
    ///
    /// # Errors
    /// [`Error::Http`].
    pub(crate) fn broker_client(&self) -> Result<Client, Error> {
        let Some(tls) = &self.tls else {
            return Ok(self.http.clone());
        };
        let brokers = self.peers([Peer::WriterOf(Kind::Intent)]);
        let client = brokers.client(tls.identity());
        client.map_err(|error| Error::Http(error.to_string()))
    }

    /// The listener for the broker: with mutual TLS, it admits writers of intents or outcomes alone.
    ///
    /// # Errors
    /// [`Error::Http`].
    pub(crate) fn secured(&self, listener: Listener) -> Result<Listener, Error> {
        let Some(tls) = &self.tls else {
            return Ok(listener);
        };
        let brokers = self.peers([Kind::Intent, Kind::Outcome].map(Peer::WriterOf));
        let listener = brokers.secure(listener, tls.identity());
        listener.map_err(|error| Error::Http(error.to_string()))
    }

    fn peers(&self, admitted: impl Into<Arc<[Peer]>>) -> Peers {
        Peers::new(Arc::new(self.context.live.clone()), admitted)
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

    /// What the messages of a new request are checked against.
    ///
    /// # Errors
    /// 503: soon retryable while the newest directory is not confirmed; until an operator acts when the log contradicts
    /// its rules.
    pub fn confirmed(&self) -> Result<CheckContext, Problem> {
        self.context.confirmed().map_err(|error| {
            match &error {
                TrustNotReady::Unconfirmed(_) => tracing::warn!(%error, "refusing new exchanges"),
                TrustNotReady::Broken(reason) => alarm::raise("log-inconsistent", None, reason),
            }
            error.into()
        })
    }

    /// Refuses unless the newest directory lists the participant in this role, with the keys of this connector.
    ///
    /// # Errors
    /// 503, until an authority or an operator acts.
    pub fn listed(&self, context: &CheckContext) -> Result<(), Problem> {
        if self.is_listed(context) {
            return Ok(());
        }
        let why = self.not_listed();
        tracing::error!(why, "refusing new exchanges");
        Err(Problem::unavailable("not-listed", 60, why))
    }

    fn is_listed(&self, context: &CheckContext) -> bool {
        let me = context.directory().component(&context.me);
        me.is_some_and(|me| self.keys.are_of(me) && self.role.is_open_to(me))
    }

    fn not_listed(&self) -> String {
        let (me, role) = (&self.context.me, self.role.name());
        format!("the directory does not list {me} as {role} with the keys of this connector")
    }

    /// Halted after an inconsistency of the log, while the state cannot be written, and while the directory does not
    /// list this connector; behind while no witnessed checkpoint or no confirmation of the directory is available.
    pub(crate) fn health(&self) -> Result<(), Impairment> {
        self.watch.ready().map_err(|error| match error {
            NotReady::Stale(_) => Impairment::Behind(error.to_string()),
            NotReady::Storage(_) => Impairment::Halted(error.to_string()),
            NotReady::Inconsistent(reason) => Impairment::Halted(reason.to_string()),
        })?;
        if !self.is_listed(&self.context.known()) {
            return Err(Impairment::Halted(self.not_listed()));
        }
        if let Some(tls) = &self.tls {
            tls.health()?;
        }
        self.context.live.health()
    }

    /// Adds an entry to the protocol. Call it before the transmission continues.
    ///
    /// # Errors
    /// 503 when it cannot be written; the transmission must not continue.
    pub async fn log(&self, entry: ProtocolEntry) -> Result<(), Problem> {
        let exchange = entry.exchange;
        self.protocol.add(entry).await.map_err(|error| {
            alarm::raise("protocol", Some(exchange), &error.to_string());
            Problem::unavailable("stopped", 60, "the connector's protocol cannot be written")
        })
    }

    /// Destroys what the protocol may not keep any more, if all clocks agree that the time has come.
    pub fn destroy_expired(&self, clock: &CheckedClock) {
        let Ok(now) = clock.agreed(self.context.live.witness_time()) else {
            return;
        };
        if let Err(error) = self.protocol.destroy_expired(&now) {
            alarm::raise("protocol", None, &error.to_string());
        }
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
