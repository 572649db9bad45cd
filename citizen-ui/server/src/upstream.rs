//! How the portal reaches identity and the ledger's records: with a certificate, or with bearer credentials.

use std::path::PathBuf;
use std::sync::Arc;

use certificates::renewal::RenewalConfig;
use certificates::{Peer, Peers, Renewal, Subject};
use ledger_client::LiveTrust;
use record::{Kind, SigningKey};
use service::http::Client;
use service::secret::{Credential, read_seed};
use service::{Clock, Shutdown};

use crate::config::{ComponentConfig, Config};
use crate::error::Error;

/// The clients for what only the cockpit may call.
pub(crate) struct Upstream {
    /// Calls identity.
    pub(crate) identity: Client,
    /// Reads records.
    pub(crate) records: Client,
    /// The base URL of the ledger's entrance that shows records.
    pub(crate) records_url: String,
    /// Keeps the certificate valid, with mutual TLS.
    pub(crate) renewal: Option<Renewal>,
}

impl Upstream {
    /// As the configuration says. With mutual TLS, who writes periods by the newest directory is identity, and who
    /// writes `map` entries is the ledger.
    pub(crate) fn open(
        config: &Config,
        client: &Client,
        live: &LiveTrust,
        clock: &Arc<dyn Clock>,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        let with = |file: &PathBuf| Ok::<_, Error>(client.with_credential(Credential::read(file)?));
        match (
            &config.component,
            &config.identity_credential,
            &config.ledger_credential,
        ) {
            (Some(component), None, None) => Self::mutual(component, live, clock, shutdown),
            (None, Some(identity), Some(ledger)) => Ok(Self {
                identity: with(identity)?,
                records: with(ledger)?,
                records_url: config.ledger.clone(),
                renewal: None,
            }),
            _ => Err(Error::Access),
        }
    }

    fn mutual(
        component: &ComponentConfig,
        live: &LiveTrust,
        clock: &Arc<dyn Clock>,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        service::durable::private_directory(&component.data).map_err(|source| Error::Read {
            path: component.data.clone(),
            source,
        })?;
        let renewal = RenewalConfig {
            tls: component.tls.clone(),
            subject: Subject::Component(component.id.clone()),
            signing_key: SigningKey::from_seed(read_seed(&component.signing_key)?),
            directory: Arc::new(live.clone()),
            data: component.data.clone(),
            clock: clock.clone(),
        };
        let renewal = Renewal::start(renewal, shutdown.clone())?;
        let writer = |kind| {
            let peers = Peers::new(Arc::new(live.clone()), [Peer::WriterOf(kind)]);
            peers.client(renewal.identity())
        };
        Ok(Self {
            identity: writer(Kind::Period)?,
            records: writer(Kind::Map)?,
            records_url: component.ledger_writing.clone(),
            renewal: Some(renewal),
        })
    }
}
