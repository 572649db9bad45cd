//! What a peer may do, from its name and the newest directory.
//!
//! [`Peers`] says who may connect to a listener, or whom a client calls. The handshake asks [`Peers::admits`]. A
//! listener whose routes have different callers asks [`Peers::require`] for each request, with fewer peers. Both ask
//! the directory each time, so a component that is suspended is refused at its next request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use record::{Kind, ParticipantId, WriterId};
use service::http::{CallError, Client};
use service::tls::{PeerName, TlsError, TlsIdentity};
use service::{Listener, Problem};
use trust::TrustMap;

use crate::directory::FollowedDirectory;
use crate::subject::Subject;

/// Whom [`Peers`] admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// Every component that is active.
    AnyComponent,
    /// This component, while it is active.
    Component(ParticipantId),
    /// Every writer.
    AnyWriter,
    /// Every writer that may write entries of this kind: who writes intents is the broker.
    WriterOf(Kind),
}

impl Peer {
    fn is(&self, subject: &Subject, directory: &TrustMap) -> bool {
        match (self, subject) {
            (Self::AnyComponent, Subject::Component(_)) => subject.component(directory).is_some(),
            (Self::Component(id), Subject::Component(named)) => id == named && subject.component(directory).is_some(),
            (Self::AnyWriter, Subject::Writer(id)) => directory.writer(id).is_some(),
            (Self::WriterOf(kind), Subject::Writer(id)) => {
                directory.writer(id).is_some_and(|grant| grant.kinds.contains(kind))
            }
            _ => false,
        }
    }
}

/// The peers that are admitted, by the newest directory. Cheap to clone.
#[derive(Clone)]
pub struct Peers {
    directory: Arc<dyn FollowedDirectory>,
    admitted: Arc<[Peer]>,
}

impl Peers {
    /// Admits each of these peers.
    pub fn new(directory: Arc<dyn FollowedDirectory>, admitted: impl Into<Arc<[Peer]>>) -> Self {
        Self {
            directory,
            admitted: admitted.into(),
        }
    }

    /// Whether the peer with the name `name` in its certificate is admitted now.
    #[must_use]
    pub fn admits(&self, name: &str) -> bool {
        let Ok(subject) = name.parse() else { return false };
        let Some(history) = self.directory.newest() else {
            return false;
        };
        let directory = history.state().directory();
        self.admitted.iter().any(|peer| peer.is(&subject, directory))
    }

    /// Refuses a request of another peer, or of one without a certificate.
    ///
    /// # Errors
    /// [`refusal`].
    pub fn require(&self, name: Option<&PeerName>) -> Result<(), Problem> {
        match name {
            Some(name) if self.admits(&name.0) => Ok(()),
            _ => Err(refusal()),
        }
    }

    /// The listener with mutual TLS, which admits these peers alone.
    ///
    /// # Errors
    /// As [`Listener::secured`].
    pub fn secure(&self, listener: Listener, identity: &TlsIdentity) -> Result<Listener, TlsError> {
        let peers = self.clone();
        listener.secured(identity, move |name| peers.admits(name))
    }

    /// A client with mutual TLS, which calls these peers alone.
    ///
    /// # Errors
    /// As [`Client::mutual`].
    pub fn client(&self, identity: &TlsIdentity) -> Result<Client, CallError> {
        let peers = self.clone();
        Client::mutual(identity, move |name| peers.admits(name))
    }
}

/// Refuses requests of other peers before their body is read: a layer for routes that only some may call.
///
/// # Errors
/// [`refusal`].
pub async fn only(State(callers): State<Peers>, request: Request, next: Next) -> Result<Response, Problem> {
    callers.require(request.extensions().get())?;
    Ok(next.run(request).await)
}

/// 403. The same for every request that the certificate of its connection does not permit.
#[must_use]
pub fn refusal() -> Problem {
    Problem::forbidden("peer", "the certificate of this connection does not permit the request")
}

/// Whether a request comes from this component.
#[must_use]
pub fn is_component(name: Option<&PeerName>, id: &ParticipantId) -> bool {
    name.is_some_and(|name| *name.0 == *Subject::Component(id.clone()).to_string())
}

/// Whether a request comes from this writer.
#[must_use]
pub fn is_writer(name: Option<&PeerName>, id: WriterId) -> bool {
    name.is_some_and(|name| *name.0 == *Subject::Writer(id).to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{CONSUMER, Fixed, PROVIDER, SUSPENDED, broker};

    fn admitted(peer: Peer) -> Vec<&'static str> {
        let peers = Peers::new(Arc::new(Fixed::new()), [peer]);
        let writer = broker().to_string();
        let names = [
            ("consumer", CONSUMER),
            ("provider", PROVIDER),
            ("suspended", SUSPENDED),
            ("broker", writer.as_str()),
            ("stranger", "urn:einsicht:component:niemand"),
            ("no name", "kba"),
        ];
        let admitted = names.iter().filter(|(_, name)| peers.admits(name));
        admitted.map(|(short, _)| *short).collect()
    }

    #[test]
    fn a_peer_is_admitted_while_the_newest_directory_lists_it() {
        let component = |id: &str| Peer::Component(id.parse().unwrap());
        assert_eq!(admitted(Peer::AnyComponent), ["consumer", "provider"]);
        assert_eq!(admitted(component("kba")), ["provider"]);
        assert_eq!(admitted(component("aus")), [""; 0], "it is suspended");
        assert_eq!(admitted(component("niemand")), [""; 0]);
        assert_eq!(admitted(Peer::AnyWriter), ["broker"]);
        assert_eq!(admitted(Peer::WriterOf(Kind::Intent)), ["broker"]);
        assert_eq!(admitted(Peer::WriterOf(Kind::Period)), [""; 0]);
    }

    #[test]
    fn without_a_certificate_or_a_directory_no_one_is_admitted() {
        let none = Peers::new(Arc::new(Fixed(None)), [Peer::AnyComponent, Peer::AnyWriter]);
        assert!(!none.admits(CONSUMER));
        let peers = Peers::new(Arc::new(Fixed::new()), [Peer::AnyComponent]);
        assert_eq!(peers.require(None).unwrap_err().status, 403);
        assert!(peers.require(Some(&PeerName(CONSUMER.into()))).is_ok());
        assert!(peers.require(Some(&PeerName(SUSPENDED.into()))).is_err());
    }
}
