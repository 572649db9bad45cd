//! How the portal reaches identity and the ledger's records, which only the cockpit may call.

use std::sync::Arc;

use certificates::renewal::RenewalConfig;
use certificates::{Peer, Peers, Renewal, Subject};
use ledger_client::LiveTrust;
use record::{Kind, SigningKey};
use service::http::Client;
use service::secret::read_seed;
use service::{Clock, Shutdown};

use crate::config::ComponentConfig;
use crate::error::Error;

/// How the portal is connected to identity and the ledger's records.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Transport {
    /// By mutual TLS.
    Mutual,
    /// By plain HTTP, for tests in one process.
    Plain,
}

/// The clients for what only the cockpit may call.
pub(crate) struct Upstream {
    /// Calls identity.
    pub(crate) identity: Client,
    /// Reads records.
    pub(crate) records: Client,
    /// Keeps the certificate valid, with mutual TLS.
    pub(crate) renewal: Option<Renewal>,
}

impl Upstream {
    /// With mutual TLS, who writes periods by the newest directory is identity, and who writes `map` entries is the
    /// ledger.
    pub(crate) fn open(
        transport: Transport,
        component: &ComponentConfig,
        live: &LiveTrust,
        clock: &Arc<dyn Clock>,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        match transport {
            Transport::Mutual => Self::mutual(component, live, clock, shutdown),
            Transport::Plain => Ok(Self {
                identity: Client::new()?,
                records: Client::new()?,
                renewal: None,
            }),
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
            signer: SigningKey::from_seed(read_seed(&component.signing_key)?).into(),
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
            renewal: Some(renewal),
        })
    }
}
