//! The writing entrance: a second listener with mutual TLS, for those who write entries or read records.
//!
//! The public entrance stays open to all who read the log. Which entries each of them takes is in
//! [`crate::http`]. The ledger follows no log, so it takes the directory from its own rules. It gets its
//! certificate as every other writer does ([`certificates::renewal`]): the join service reads the public entrance.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use certificates::renewal::{RenewalConfig, RenewalError};
use certificates::{FollowedDirectory, Peer, Peers, Renewal, Subject, TlsConfig};
use record::{ParticipantId, SigningKey};
use serde::Deserialize;
use service::tls::TlsError;
use service::{Clock, Listener, Shutdown};

use crate::address::LedgerAddress;

/// The configuration of the writing entrance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WritingConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Where writers reach it, if the ledger is one of several on the same database.
    #[serde(default)]
    pub address: Option<LedgerAddress>,
    /// How the ledger gets its certificates. Its `hosts` are those of this entrance.
    pub tls: TlsConfig,
    /// The components that may read records: the cockpit, and auditors whom the law permits it.
    #[serde(default)]
    pub records: Vec<ParticipantId>,
}

impl WritingConfig {
    /// Makes relative paths start from `base`.
    pub(crate) fn resolved(self, base: &Path) -> Self {
        Self {
            tls: self.tls.resolved(base),
            ..self
        }
    }
}

/// Why there is no writing entrance.
#[derive(Debug, thiserror::Error)]
#[error("the writing entrance: {0}")]
pub enum WritingError {
    /// Its address cannot be bound.
    Bind(#[from] std::io::Error),
    /// The trusted authorities cannot be read.
    Certificates(#[from] RenewalError),
    /// TLS cannot be configured.
    Tls(#[from] TlsError),
}

/// A writing entrance that is ready to serve.
pub(crate) struct WritingEntrance {
    pub(crate) listener: Listener,
    pub(crate) renewal: Renewal,
    /// Who may read records.
    pub(crate) readers: Peers,
}

/// What [`WritingEntrance::open`] needs of the ledger.
pub(crate) struct Owner {
    /// The key of the ledger's entries.
    pub(crate) key: SigningKey,
    /// The ledger's own directory of files.
    pub(crate) data: std::path::PathBuf,
    /// The directory in the ledger's own store.
    pub(crate) directory: Arc<dyn FollowedDirectory>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl WritingEntrance {
    /// Secures the listener, and starts to keep the ledger's certificate valid until `shutdown`.
    pub(crate) fn open(
        config: WritingConfig,
        owner: Owner,
        listener: Listener,
        shutdown: Shutdown,
    ) -> Result<Self, WritingError> {
        let directory = owner.directory;
        let renewal = RenewalConfig {
            tls: config.tls,
            subject: Subject::Writer(owner.key.id()),
            signer: owner.key.into(),
            directory: directory.clone(),
            data: owner.data,
            clock: owner.clock,
        };
        let renewal = Renewal::start(renewal, shutdown)?;
        let readers: Vec<Peer> = config.records.into_iter().map(Peer::Component).collect();
        let all: Vec<Peer> = readers.iter().cloned().chain([Peer::AnyWriter]).collect();
        Ok(Self {
            listener: Peers::new(directory.clone(), all).secure(listener, renewal.identity())?,
            readers: Peers::new(directory, readers),
            renewal,
        })
    }
}
