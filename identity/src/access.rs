//! Who may call identity: the broker and the cockpit, which the configuration tells apart by certificates or by bearer
//! credentials.

use std::sync::Arc;

use certificates::{Callers, Peer, Peers, Renewal, TlsConfig};
use ledger_client::LiveTrust;
use record::{Kind, ParticipantId};
use service::Listener;
use service::secret::CredentialDigest;
use service::tls::TlsError;

use crate::config::Config;
use crate::error::Error;
use crate::routes::RouteCallers;

/// How the callers authenticate. `T` is the configuration of TLS, or what keeps the certificate valid.
pub(crate) enum Access<T> {
    /// By certificates: who writes intents by the newest directory is the broker.
    Mutual {
        tls: T,
        /// The cockpit's component.
        cockpit: ParticipantId,
    },
    /// By bearer credentials over plain HTTP.
    Plain {
        broker: CredentialDigest,
        cockpit: CredentialDigest,
    },
}

impl Access<TlsConfig> {
    /// Reads the configuration.
    ///
    /// # Errors
    /// [`Error::Configuration`] if it has neither all of one kind, or something of both.
    pub(crate) fn configured(config: &Config) -> Result<Self, Error> {
        let digest = |hex: &str, name: &str| {
            let digest = CredentialDigest::from_hex(hex);
            digest.ok_or_else(|| Error::Configuration(format!("{name}: expected 64 hexadecimal digits")))
        };
        let tls = (&config.tls, &config.cockpit);
        match (tls, &config.broker_credential, &config.portal_credential) {
            ((Some(tls), Some(cockpit)), None, None) => Ok(Self::Mutual {
                tls: tls.clone(),
                cockpit: cockpit.clone(),
            }),
            ((None, None), Some(broker), Some(cockpit)) if config.ledger_writing.is_none() => Ok(Self::Plain {
                broker: digest(broker, "broker_credential")?,
                cockpit: digest(cockpit, "portal_credential")?,
            }),
            _ => Err(Error::Configuration(
                "give `tls` and `cockpit`, which `ledger_writing` needs, or `broker_credential` and `portal_credential`"
                    .into(),
            )),
        }
    }

    /// The same, once `start` keeps a certificate valid.
    ///
    /// # Errors
    /// The error of `start`.
    pub(crate) fn started<E>(self, start: impl FnOnce(TlsConfig) -> Result<Renewal, E>) -> Result<Access<Renewal>, E> {
        Ok(match self {
            Self::Mutual { tls, cockpit } => Access::Mutual {
                tls: start(tls)?,
                cockpit,
            },
            Self::Plain { broker, cockpit } => Access::Plain { broker, cockpit },
        })
    }
}

impl Access<Renewal> {
    /// What keeps the certificate valid, with mutual TLS.
    pub(crate) fn renewal(&self) -> Option<&Renewal> {
        match self {
            Self::Mutual { tls, .. } => Some(tls),
            Self::Plain { .. } => None,
        }
    }

    /// Who may call which routes, and the listener for them. With mutual TLS it admits these callers alone.
    ///
    /// # Errors
    /// [`TlsError`].
    pub(crate) fn open(&self, listener: Listener, live: &LiveTrust) -> Result<(Listener, RouteCallers), TlsError> {
        match self {
            Self::Mutual { cockpit, tls } => {
                let (broker, cockpit) = (Peer::WriterOf(Kind::Intent), Peer::Component(cockpit.clone()));
                let peers = |admitted: &[Peer]| Peers::new(Arc::new(live.clone()), admitted);
                let both = peers(&[broker.clone(), cockpit.clone()]);
                let secured = both.secure(listener, tls.identity())?;
                let callers = RouteCallers {
                    broker: Callers::Peers(peers(&[broker])),
                    cockpit: Callers::Peers(peers(&[cockpit])),
                };
                Ok((secured, callers))
            }
            Self::Plain { broker, cockpit } => {
                let callers = RouteCallers {
                    broker: Callers::Credentials(vec![*broker]),
                    cockpit: Callers::Credentials(vec![*cockpit]),
                };
                Ok((listener, callers))
            }
        }
    }
}
