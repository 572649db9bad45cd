//! Mutual TLS with the connectors.
//!
//! The listener admits active components alone, and a request must come from the component that has signed it. A
//! connector is called only if it has the name of the provider that the broker means.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use certificates::{Peer, Peers, Renewal, Subject, peer};
use ledger_client::LiveTrust;
use record::ParticipantId;
use service::http::{CallError, Client};
use service::tls::PeerName;
use service::{Listener, Problem};

use crate::error::Error;
use crate::problems::not_permitted;

/// The most providers to which connections are kept. With more, all of them are made again.
const MAX_CLIENTS: usize = 4096;

/// How the broker and the connectors reach each other.
pub(crate) enum Transport {
    /// Plain HTTP, for tests in one process.
    #[cfg(test)]
    Plain(Client),
    /// Mutual TLS.
    Mutual(Mutual),
}

/// The certificate, and a client for each provider.
pub(crate) struct Mutual {
    renewal: Renewal,
    clients: Mutex<HashMap<ParticipantId, Client>>,
}

impl Transport {
    pub(crate) fn mutual(renewal: Renewal) -> Self {
        Self::Mutual(Mutual {
            renewal,
            clients: Mutex::default(),
        })
    }

    /// The client for this provider's connector.
    pub(crate) fn client(&self, to: &ParticipantId) -> Result<Client, CallError> {
        let mutual = match self {
            #[cfg(test)]
            Self::Plain(client) => return Ok(client.clone()),
            Self::Mutual(mutual) => mutual,
        };
        let mut clients = mutual.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(to) {
            return Ok(client.clone());
        }
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        let provider = Subject::Component(to.clone()).to_string();
        let client = Client::mutual(mutual.renewal.identity(), move |name| name == provider)?;
        clients.insert(to.clone(), client.clone());
        Ok(client)
    }

    /// Refuses a request of another component than the one that it names.
    ///
    /// # Errors
    /// 403, the uniform refusal.
    pub(crate) fn require(&self, name: Option<&PeerName>, consumer: &ParticipantId) -> Result<(), Problem> {
        match self {
            #[cfg(test)]
            Self::Plain(_) => Ok(()),
            Self::Mutual(_) if peer::is_component(name, consumer) => Ok(()),
            Self::Mutual(_) => Err(not_permitted()),
        }
    }

    /// The listener, which admits active components alone.
    pub(crate) fn secure(&self, listener: Listener, live: &LiveTrust) -> Result<Listener, Error> {
        let Some(renewal) = self.renewal() else {
            return Ok(listener);
        };
        let components = Peers::new(Arc::new(live.clone()), [Peer::AnyComponent]);
        let secured = components.secure(listener, renewal.identity());
        secured.map_err(|error| Error::Configuration(error.to_string()))
    }

    /// The certificate.
    pub(crate) fn renewal(&self) -> Option<&Renewal> {
        match self {
            #[cfg(test)]
            Self::Plain(_) => None,
            Self::Mutual(mutual) => Some(&mutual.renewal),
        }
    }
}
