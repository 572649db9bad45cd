//! Every compartment by name: its configuration file read, its `run` called.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;
use service::config::{base, load};
use service::shutdown::Shutdown;
use tokio::net::TcpListener;

/// A compartment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compartment {
    /// The transparency log.
    Ledger,
    /// Routing and recording.
    Broker,
    /// Persons, labels, day keys.
    Identity,
    /// Beside an authority: a consumer's or a provider's.
    Connector,
    /// A reference data provider.
    Register,
    /// The Datenschutzcockpit.
    Portal,
    /// The demonstration's login. Never for production.
    TestLogin,
}

/// Runs a compartment until `shutdown`. Relative paths in its configuration start at the file's directory.
pub(crate) async fn run(name: Compartment, config: &Path, listener: TcpListener, shutdown: Shutdown) -> Result<()> {
    let at = base(config);
    match name {
        Compartment::Ledger => ledger::run(load::<ledger::Config>(config)?.resolved(&at), listener, shutdown).await?,
        Compartment::Broker => broker::run(load::<broker::Config>(config)?.resolved(&at), listener, shutdown).await?,
        Compartment::Identity => {
            identity::run(load::<identity::Config>(config)?.resolved(&at), listener, shutdown).await?
        }
        Compartment::Connector => {
            connector::run(load::<connector::Config>(config)?.resolved(&at), listener, shutdown).await?
        }
        Compartment::Register => {
            register::run(load::<register::Config>(config)?.resolved(&at), listener, shutdown).await?
        }
        Compartment::Portal => {
            citizen_ui_server::run(
                load::<citizen_ui_server::Config>(config)?.resolved(&at),
                listener,
                shutdown,
            )
            .await?;
        }
        Compartment::TestLogin => test_login::run(load::<test_login::Config>(config)?, listener, shutdown).await?,
    }
    Ok(())
}
