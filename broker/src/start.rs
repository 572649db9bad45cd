//! Starts the broker: reads its files, waits for the log's anchor, starts the writer.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use ledger_client::anchor::Anchored;
use ledger_client::api::{HttpLedger, LedgerApi};
use ledger_client::trust::Trust;
use ledger_client::writer::{Writer, WriterConfig};
use record::SigningKey;
use registerlandkarte::Snapshot;
use service::clock::Clock;
use service::http::Client;
use service::secret::{Credential, read_seed};
use service::shutdown::Shutdown;
use tokio::sync::Notify;

use crate::broker::Broker;
use crate::config::Config;
use crate::error::Error;
use crate::journal::Journal;

fn configuration(error: impl std::fmt::Display) -> Error {
    Error::Configuration(error.to_string())
}

fn log(error: impl std::fmt::Display) -> Error {
    Error::Log(error.to_string())
}

/// Opens the journal, waits for the ledger, and starts the writer.
pub(crate) async fn start(config: &Config, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<Arc<Broker>, Error> {
    service::durable::private_directory(&config.data)
        .map_err(|error| Error::Configuration(format!("{}: {error}", config.data.display())))?;
    let journal = Journal::open(&config.data)?;
    let trust = Arc::new(Trust::load(&config.policy, &config.genesis).map_err(configuration)?);
    let api: Arc<dyn LedgerApi> = Arc::new(HttpLedger::new(&config.ledger).map_err(configuration)?);
    let anchored = Anchored::wait(&api, &trust, &shutdown).await.map_err(log)?;
    let registerlandkarte = Snapshot::open(&anchored.registerlandkarte, &anchored.genesis.authorities).map_err(log)?;
    let key = SigningKey::from_seed(read_seed(&config.writer_key).map_err(configuration)?);
    let writer = Writer::start(
        WriterConfig {
            api,
            trust,
            directory: Arc::new(anchored.directory.clone()),
            key,
            state_dir: config.data.clone(),
            clock: clock.clone(),
        },
        shutdown,
    )
    .map_err(configuration)?;
    let connectors = Client::new().map_err(configuration)?;
    let credential = Credential::read(&config.identity_credential).map_err(configuration)?;
    Ok(Arc::new(Broker {
        identity: connectors.with_credential(credential),
        connectors,
        config: config.clone(),
        clock,
        anchored,
        registerlandkarte,
        writer,
        journal,
        in_progress: Mutex::new(HashSet::new()),
        closed: Notify::new(),
    }))
}
