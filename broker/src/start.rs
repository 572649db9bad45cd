//! Starts the broker: reads its files, waits for the log's anchor, follows the change sets, starts the writer.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use ledger_client::LiveTrust;
use ledger_client::anchor::Anchored;
use ledger_client::api::{HttpLedger, LedgerApi};
use ledger_client::trust::Trust;
use ledger_client::writer::{Writer, WriterConfig};
use record::SigningKey;
use service::clock::Clock;
use service::http::Client;
use service::secret::{Credential, read_seed};
use service::shutdown::Shutdown;

use crate::broker::Broker;
use crate::ceilings::Begun;
use crate::circuit::Circuits;
use crate::config::Config;
use crate::connectors::Connectors;
use crate::error::Error;
use crate::journal::{Journal, JournalEntry, OpenExchange};
use crate::outstanding::{MAX_OUTSTANDING, MAX_PREVIEWS, Outstanding};
use crate::queues::{Notices, Queues};

fn configuration(error: impl std::fmt::Display) -> Error {
    Error::Configuration(error.to_string())
}

fn log(error: impl std::fmt::Display) -> Error {
    Error::Log(error.to_string())
}

/// A started broker with what an earlier run has left.
pub(crate) struct Started {
    pub(crate) broker: Arc<Broker>,
    pub(crate) queues: Queues,
    pub(crate) left_open: Vec<OpenExchange>,
}

/// Opens the journal, waits for the ledger, and starts the writer.
pub(crate) async fn start(config: &Config, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<Started, Error> {
    config.check().map_err(configuration)?;
    service::durable::private_directory(&config.data)
        .map_err(|error| configuration(format!("{}: {error}", config.data.display())))?;
    let journal = Journal::open(&config.data)?;
    let trust = Arc::new(Trust::load(&config.policy, &config.genesis).map_err(configuration)?);
    let api: Arc<dyn LedgerApi> = Arc::new(HttpLedger::new(&config.ledger).map_err(configuration)?);
    let anchored = Anchored::wait(&api, &trust, &shutdown).await.map_err(log)?;
    let live = LiveTrust::start(api.clone(), trust.clone(), &anchored, clock.clone(), shutdown.clone());
    let key = SigningKey::from_seed(read_seed(&config.writer_key).map_err(configuration)?);
    let writer = Writer::start(
        WriterConfig {
            api,
            trust,
            live: live.clone(),
            key: key.clone(),
            state_dir: config.data.clone(),
            clock: clock.clone(),
        },
        shutdown,
    )
    .map_err(configuration)?;
    let client = Client::new().map_err(configuration)?;
    let credential = Credential::read(&config.identity_credential).map_err(configuration)?;
    let (notices, queues) = Notices::new();
    let broker = Arc::new(Broker {
        identity: client.with_credential(credential),
        connectors: Connectors::new(client, key),
        config: config.clone(),
        clock,
        live,
        writer,
        journal,
        in_progress: Mutex::new(HashSet::new()),
        providers: Outstanding::new(MAX_OUTSTANDING),
        consumers: Outstanding::new(MAX_OUTSTANDING),
        previews: Outstanding::new(MAX_PREVIEWS),
        begun: Begun::default(),
        circuits: Circuits::default(),
        notices,
    });
    let left_open = restore(&broker).await?;
    Ok(Started {
        broker,
        queues,
        left_open,
    })
}

/// Counts what the journal has, queues the notices, and returns the open exchanges.
async fn restore(broker: &Broker) -> Result<Vec<OpenExchange>, Error> {
    let mut left_open = Vec::new();
    for entry in broker.journal.all().await? {
        match entry {
            JournalEntry::Open(open) => {
                broker.providers.count(&open.request.metadata.provider);
                broker.consumers.count(&open.request.metadata.consumer);
                if open.preview {
                    broker.previews.count(&open.request.metadata.consumer);
                }
                left_open.push(*open);
            }
            JournalEntry::Closed(closed) => {
                if !closed.acknowledged {
                    broker.consumers.count(&closed.consumer);
                }
                if closed.preview.is_some() {
                    broker.previews.count(&closed.consumer);
                }
                if !closed.notified {
                    broker.providers.count(&closed.provider);
                    broker.notices.add(&closed.provider, closed.exchange);
                }
            }
        }
    }
    Ok(left_open)
}
