//! The broker (Vermittlungsstelle): authenticates, checks the abstract permission, records, routes.
//!
//! One request walks through types, and each can be made only from the one before:
//!
//! ```text
//! ExchangeRequest ─ authenticate ─▶ Authenticated ─ permit ─▶ Permitted ─ identity ─▶ Labelled
//!   ─ record ─▶ Recorded<Intent> ─ forward ─▶ Closing ─ record ─▶ Recorded<Outcome> ─ release ─▶ Completion
//! ```
//!
//! * [`authenticate`] – S1 and S2 are the consumer's, by the directory.
//! * [`permit`] – the Registerlandkarte has a rule. If not: a `denial` entry and one uniform refusal.
//! * [`records`] – what the sealed records say of this exchange.
//! * [`journal`] – what closing an exchange needs, durable before its intent is recorded.
//! * [`flow`] – the walk itself, and its continuation after a restart.
//! * [`notices`] – the provider's connector gets the outcome, until it has taken it.
//! * [`http`] – the interface.
//!
//! Invariants: nothing is forwarded without `Recorded<Intent>`, nothing is handed to the consumer without
//! `Recorded<Outcome>`; the broker holds no key that opens a request, an answer or the person part. A refusal tells the
//! requester nothing but that there was one; the reason stands in the record.

pub mod authenticate;
mod config;
pub mod flow;
mod http;
pub mod journal;
mod notices;
pub mod permit;
pub mod records;
mod start;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use service::clock::{Clock, SystemClock};
use service::shutdown::Shutdown;
use tokio::net::TcpListener;

pub use config::Config;

/// Why the broker cannot start or must end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the configuration is missing or wrong.
    #[error("configuration: {0}")]
    Configuration(String),
    /// The log cannot be reached or is not the one we trust.
    #[error("the log: {0}")]
    Log(String),
    /// The journal cannot be read or written; nothing may be forwarded without it.
    #[error("the journal: {0}")]
    Journal(#[from] journal::JournalError),
    /// The listener failed.
    #[error("listening: {0}")]
    Listen(#[from] std::io::Error),
}

/// Runs the broker until `shutdown`. Waits for the ledger to come up before it serves.
///
/// # Errors
/// [`Error`]; every one of them is for an operator to mend.
pub async fn run(config: Config, listener: TcpListener, shutdown: Shutdown) -> Result<(), Error> {
    run_with_clock(config, listener, shutdown, SystemClock::shared()).await
}

/// [`run`] by another clock, for simulations.
///
/// # Errors
/// As [`run`].
pub async fn run_with_clock(
    config: Config,
    listener: TcpListener,
    shutdown: Shutdown,
    clock: Arc<dyn Clock>,
) -> Result<(), Error> {
    let broker = start::broker(&config, shutdown.clone(), clock).await?;
    tokio::spawn(flow::resume(broker.clone()));
    tokio::spawn(notices::deliver(broker.clone(), shutdown.clone()));
    service::listen::serve(listener, http::routes(broker), shutdown).await?;
    Ok(())
}
