//! Starts the broker: reads its files, waits for the log's anchor, follows the change sets, starts the writer.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use certificates::renewal::RenewalConfig;
use certificates::{Peer, Peers, Renewal, Subject};
use ledger_client::LiveTrust;
use ledger_client::anchor::Anchored;
use ledger_client::api::{HttpLedger, LedgerApi};
use ledger_client::trust::Trust;
use ledger_client::writer::{Writer, WriterConfig};
use messages::limits::MAX_LATER;
use record::{Kind, SigningKey};
use service::clock::Clock;
use service::secret::read_seed;
use service::shutdown::Shutdown;

use crate::broker::Broker;
use crate::ceilings::Begun;
use crate::circuit::Circuits;
use crate::config::Config;
use crate::connectors::Connectors;
use crate::error::Error;
use crate::journal::{ClosedExchange, Journal, JournalEntry, OpenExchange};
use crate::outstanding::{MAX_OUTSTANDING, MAX_PREVIEWS, Outstanding};
use crate::queues::{Notices, Queues};
use crate::schedule::Schedule;
use crate::transport::Transport;

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
    let journal = Journal::open(&config.store, &config.data)?;
    let trust = Arc::new(Trust::load(&config.policy, &config.genesis).map_err(configuration)?);
    let ledger = HttpLedger::of(&config.ledger).map_err(configuration)?;
    let api: Arc<dyn LedgerApi> = Arc::new(ledger.clone());
    let anchored = Anchored::wait(&api, &trust, &shutdown).await.map_err(log)?;
    let live = LiveTrust::start(api, trust.clone(), &anchored, clock.clone(), shutdown.clone());
    let key = SigningKey::from_seed(read_seed(&config.writer_key).map_err(configuration)?);
    let renewal = renewal(config, &key, &live, &clock, &shutdown)?;
    let ledger = ledger
        .with_writing_entrance(&config.ledger_writing, renewal.identity(), Arc::new(live.clone()))
        .map_err(configuration)?;
    let writer = Writer::start(
        WriterConfig {
            api: Arc::new(ledger),
            trust: trust.clone(),
            live: live.clone(),
            key: key.clone(),
            state_dir: config.data.clone(),
            clock: clock.clone(),
        },
        shutdown,
    )
    .map_err(configuration)?;
    // Whatever writes periods by the newest directory is identity.
    let identity = Peers::new(Arc::new(live.clone()), [Peer::WriterOf(Kind::Period)]);
    let identity = identity.client(renewal.identity()).map_err(configuration)?;
    let transport = Arc::new(Transport::mutual(renewal));
    let (notices, queues) = Notices::new();
    let broker = Arc::new(Broker {
        identity,
        connectors: Connectors::new(transport.clone(), key),
        transport,
        config: config.clone(),
        clock,
        live,
        trust,
        writer,
        journal,
        in_progress: Mutex::new(HashSet::new()),
        providers: Outstanding::new(MAX_OUTSTANDING),
        consumers: Outstanding::new(MAX_OUTSTANDING),
        waiting_providers: Outstanding::new(MAX_LATER),
        waiting_consumers: Outstanding::new(MAX_LATER),
        schedule: Schedule::default(),
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

/// Starts to keep the broker's certificate valid.
fn renewal(
    config: &Config,
    key: &SigningKey,
    live: &LiveTrust,
    clock: &Arc<dyn Clock>,
    shutdown: &Shutdown,
) -> Result<Renewal, Error> {
    let renewal = RenewalConfig {
        tls: config.tls.clone(),
        subject: Subject::Writer(key.id()),
        signer: key.clone().into(),
        directory: Arc::new(live.clone()),
        data: config.data.clone(),
        clock: clock.clone(),
    };
    Renewal::start(renewal, shutdown.clone()).map_err(configuration)
}

/// Counts what the journal has, queues the notices, fills the schedule, and returns the open exchanges.
pub(crate) async fn restore(broker: &Broker) -> Result<Vec<OpenExchange>, Error> {
    let (mut left_open, mut due) = (Vec::new(), broker.journal.due().await?);
    let mut page = broker.journal.page(None).await?;
    while let Some(last) = page.last().map(JournalEntry::exchange) {
        for entry in page {
            match entry {
                JournalEntry::Open(open) => {
                    let exchange = open.request.metadata.exchange;
                    if open.closing.is_some() {
                        due.remove(&exchange);
                    } else if due.contains_key(&exchange) {
                        broker.journal.remove(exchange).await?;
                        continue;
                    }
                    count_open(broker, &open);
                    left_open.push(*open);
                }
                JournalEntry::Closed(closed) => count_closed(broker, &closed),
                JournalEntry::Deferred(_) => {}
            }
        }
        page = broker.journal.page(Some(last)).await?;
    }
    for (exchange, row) in due {
        broker.waiting_providers.count(&row.provider);
        broker.waiting_consumers.count(&row.consumer);
        if row.preview {
            broker.previews.count(&row.consumer);
        }
        broker.schedule.set(exchange, row.due, row);
    }
    Ok(left_open)
}

fn count_open(broker: &Broker, open: &OpenExchange) {
    let metadata = &open.request.metadata;
    let count = |waited| {
        broker.providers(waited).count(&metadata.provider);
        broker.consumers(waited).count(&metadata.consumer);
    };
    if !open.has_waited() {
        count(false);
    }
    if !metadata.synchronous {
        count(true);
    }
    if open.preview {
        broker.previews.count(&metadata.consumer);
    }
}

fn count_closed(broker: &Broker, closed: &ClosedExchange) {
    if !closed.acknowledged {
        broker.consumers(closed.waited).count(&closed.consumer);
    }
    if closed.preview.is_some() {
        broker.previews.count(&closed.consumer);
    }
    if !closed.notified {
        broker.providers(closed.waited).count(&closed.provider);
        broker.notices.add(&closed.provider, closed.exchange);
    }
}
