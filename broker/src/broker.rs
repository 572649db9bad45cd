//! What all tasks of the broker share: configuration, keys, connections, the journal, and the exchanges in progress.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ledger_client::writer::Writer;
use ledger_client::{LiveTrust, Trust};
use record::{ParticipantId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use service::Impairment;
use service::clock::Clock;
use service::http::{CallError, Client};
use uuid::Uuid;

use crate::ceilings::Begun;
use crate::circuit::Circuits;
use crate::config::Config;
use crate::connectors::{Connectors, Route};
use crate::journal::Journal;
use crate::outstanding::Outstanding;
use crate::queues::Notices;
use crate::schedule::Schedule;
use crate::transport::Transport;

/// An entry that waits longer for its receipt means that the ledger does not take entries.
const LEDGER_IS_LATE: Duration = Duration::from_secs(5);

/// The broker's state. All tasks share one behind an `Arc`.
pub struct Broker {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    /// The directory and the Registerlandkarte in force.
    pub(crate) live: LiveTrust,
    /// What receipts are checked with.
    pub(crate) trust: Arc<Trust>,
    pub(crate) writer: Writer,
    /// Client for identity; sends the broker's credential.
    pub(crate) identity: Client,
    /// How the broker and the connectors reach each other.
    pub(crate) transport: Arc<Transport>,
    /// Client for the connectors.
    pub(crate) connectors: Connectors,
    pub(crate) journal: Journal,
    /// Exchanges that a task of this process is working on.
    pub(crate) in_progress: Mutex<HashSet<Uuid>>,
    /// The places of the providers: open exchanges, and notices that are not delivered.
    pub(crate) providers: Outstanding,
    /// The places of the consumers: open exchanges, and completions that are not acknowledged.
    pub(crate) consumers: Outstanding,
    /// The places of the providers for exchanges that wait for their evidence, until their notice is delivered.
    pub(crate) waiting_providers: Outstanding,
    /// The places of the consumers for such exchanges, until they are acknowledged.
    pub(crate) waiting_consumers: Outstanding,
    /// When to ask the providers again.
    pub(crate) schedule: Schedule,
    /// The places of the consumers for previews.
    pub(crate) previews: Outstanding,
    /// How many exchanges each component has begun.
    pub(crate) begun: Begun,
    /// Which providers do not answer.
    pub(crate) circuits: Circuits,
    /// The queues of the outcome notices.
    pub(crate) notices: Notices,
}

impl Broker {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.clock.now())
    }

    /// Halted when the writer has stopped or the log contradicts its rules, behind while an entry waits for the ledger
    /// or no quorum confirms the newest directory.
    pub(crate) fn health(&self) -> Result<(), Impairment> {
        if let Some(alarm) = self.writer.alarm() {
            return Err(Impairment::Halted(format!("the writer has stopped: {alarm}")));
        }
        if self.writer.waiting() > LEDGER_IS_LATE {
            return Err(Impairment::Behind("the ledger does not take entries".into()));
        }
        if let Some(renewal) = self.transport.renewal() {
            renewal.health()?;
        }
        self.live.health()
    }

    /// The places of the consumers that an exchange takes. `waited`: those of exchanges that wait for their evidence.
    pub(crate) fn consumers(&self, waited: bool) -> &Outstanding {
        if waited {
            &self.waiting_consumers
        } else {
            &self.consumers
        }
    }

    /// The places of the providers that an exchange takes.
    pub(crate) fn providers(&self, waited: bool) -> &Outstanding {
        if waited {
            &self.waiting_providers
        } else {
            &self.providers
        }
    }

    /// Sends a request in deterministic CBOR to identity and reads its answer.
    pub(crate) async fn ask_identity<Q: Serialize, A: Serialize + DeserializeOwned>(
        &self,
        path: &str,
        request: &Q,
    ) -> Result<A, CallError> {
        let url = format!("{}/{path}", self.config.identity);
        let answer = self.identity.post_cbor(&url, record::cbor::to_vec(request)).await?;
        record::cbor::from_slice(&answer).map_err(|error| CallError::Invalid(error.to_string()))
    }

    /// How a component's connector gets its calls: as the configuration says, or else as the newest directory does. A
    /// component without an endpoint collects them. `None` if the directory does not list it.
    pub(crate) fn route(&self, component: &ParticipantId) -> Option<Route> {
        if let Some(route) = self.config.routes.get(component) {
            return Some(Route::Url(route.clone()));
        }
        let history = self.live.history();
        let component = history.state().directory().component(component)?;
        Some(match &component.endpoint {
            Some(endpoint) => Route::Url(endpoint.to_string()),
            None => Route::Collected,
        })
    }

    /// Claims an exchange for the calling task; `None` if another task works on it.
    pub(crate) fn claim(self: &Arc<Self>, exchange: Uuid) -> Option<Claim> {
        let mut set = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        set.insert(exchange).then(|| Claim {
            broker: self.clone(),
            exchange,
        })
    }
}

/// The calling task's claim on an exchange. Dropping it lets another task claim the exchange.
pub(crate) struct Claim {
    broker: Arc<Broker>,
    exchange: Uuid,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut set = self.broker.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        set.remove(&self.exchange);
    }
}
