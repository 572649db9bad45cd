//! Runs a compartment by its name, with its configuration file.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use clap::ValueEnum;
use service::config::{base, load};
use service::shutdown::Shutdown;
use service::{Clock, Listener};
use tokio::net::TcpListener;

/// A compartment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compartment {
    /// The transparency log.
    Ledger,
    /// The broker, which routes and records exchanges.
    Broker,
    /// Identity, which keeps persons, labels and day keys.
    Identity,
    /// The issuer of TLS certificates.
    Join,
    /// The connector beside a consumer or a provider.
    Connector,
    /// A reference data provider.
    Register,
    /// The citizens' portal (Datenschutzcockpit).
    Portal,
    /// The demonstration's online services.
    Antrag,
    /// The demonstration's login, which must never run in production.
    TestLogin,
}

impl Compartment {
    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Runs a compartment until shutdown is requested. Relative paths in its configuration are resolved against the file's
/// directory. `writing` is the listener of the ledger's writing entrance, if it is bound already.
pub(crate) async fn run(
    name: Compartment,
    config: &Path,
    (listener, writing): (Listener, Option<TcpListener>),
    shutdown: Shutdown,
    clock: Arc<dyn Clock>,
) -> Result<()> {
    let at = base(config);
    match name {
        Compartment::Ledger => {
            let config = load::<ledger::Config>(config)?.resolved(&at);
            match writing {
                None => ledger::run(config, listener, shutdown, clock).await?,
                bound => ledger::run_at(config, (listener, bound), shutdown, clock).await?,
            }
        }
        Compartment::Broker => {
            broker::run(load::<broker::Config>(config)?.resolved(&at), listener, shutdown, clock).await?
        }
        Compartment::Identity => {
            identity::run(
                load::<identity::Config>(config)?.resolved(&at),
                listener,
                shutdown,
                clock,
            )
            .await?
        }
        Compartment::Join => join::run(load::<join::Config>(config)?.resolved(&at), listener, shutdown, clock).await?,
        Compartment::Connector => {
            connector::run(
                load::<connector::Config>(config)?.resolved(&at),
                listener,
                shutdown,
                clock,
            )
            .await?
        }
        Compartment::Register => {
            register::run(
                load::<register::Config>(config)?.resolved(&at),
                listener,
                shutdown,
                clock,
            )
            .await?
        }
        Compartment::Portal => {
            citizen_ui_server::run(
                load::<citizen_ui_server::Config>(config)?.resolved(&at),
                listener,
                shutdown,
                clock,
            )
            .await?;
        }
        Compartment::Antrag => {
            antrag::run(load::<antrag::Config>(config)?.resolved(&at), listener, shutdown, clock).await?
        }
        Compartment::TestLogin => {
            test_login::run(load::<test_login::Config>(config)?, listener, shutdown, clock).await?
        }
    }
    Ok(())
}
