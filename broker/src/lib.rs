//! The broker (Vermittlungsstelle): authenticates, checks the abstract permission, records, routes.
//!
//! A request passes through types, each of which can only be made from the one before:
//!
//! ```text
//! ExchangeRequest - authenticate -> Authenticated - permit -> Permitted - identity -> OpenExchange
//!   - record -> Recorded<Intent> - forward -> Ending - record -> Recorded<Outcome> - release -> Completion
//!                                          -> Deferral, then later again
//! ```
//!
//! * [`authenticate`] – checks that S1 and S2 are the consumer's, with the directory's key.
//! * [`permit`] – looks for a rule in the Registerlandkarte. Without one: a `denial` entry and one uniform refusal.
//! * [`records`] – composes and seals the records of an exchange.
//! * [`journal`] – keeps what closing an exchange needs, durable before its intent is recorded.
//! * [`flow`] – runs an exchange, and continues open ones after a restart.
//! * [`notices`] – delivers the outcome to the provider's connector and retries until it is accepted.
//! * [`ceilings`] – counts what each component begins, against the ceilings in the directory.
//! * [`circuit`] – begins no exchange with a provider that does not answer.
//! * [`outstanding`] – bounds the exchanges of one participant that are open, not acknowledged or not delivered.
//! * [`schedule`] – says when a provider that has deferred its answer is asked again.
//! * [`expiry`] – drops completions that their consumer never acknowledges.
//! * [`collection`] – keeps the calls of connectors that the broker cannot reach, until they collect them.
//! * [`http`] – the interface.
//! * [`transport`] – mutual TLS with the connectors.
//!
//! # Directory and Registerlandkarte
//!
//! Both change while the broker runs ([`ledger_client::LiveTrust`]). A new exchange takes the newest confirmed history
//! and decides by it to the end. What has been recorded is judged by the version in force at its index; no request is
//! forwarded to a component that the newest directory does not list.
//!
//! # Invariants
//!
//! The broker forwards nothing without a `Recorded<Intent>` and releases nothing to the consumer without
//! a `Recorded<Outcome>`. It holds no key that opens a request, an answer or the person part. A refusal does not tell
//! the requester its reason; the sealed record has the reason.

pub mod authenticate;
pub mod broker;
mod ceilings;
mod circuit;
mod collection;
mod config;
mod connectors;
mod error;
mod expiry;
pub mod flow;
mod http;
pub mod journal;
mod metrics;
mod notices;
pub mod outstanding;
pub mod permit;
mod problems;
mod queues;
pub mod records;
mod retry;
mod schedule;
mod start;
#[cfg(test)]
mod tests;
mod transport;

use std::sync::Arc;

use service::Listener;
use service::clock::Clock;
use service::shutdown::Shutdown;

pub use config::Config;
pub use error::Error;

/// Runs the broker until `shutdown`. Waits for the ledger before it serves.
///
/// # Errors
/// [`Error`]; all of these need an operator.
pub async fn run(config: Config, listener: Listener, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<(), Error> {
    let start::Started {
        broker,
        queues,
        left_open,
    } = start::start(&config, shutdown.clone(), clock).await?;
    service::operations::install_metrics();
    metrics::describe();
    tokio::spawn(flow::resume(broker.clone(), left_open));
    notices::deliver(&broker, queues, &shutdown);
    tokio::spawn(flow::deferred::ask_again(broker.clone(), shutdown.clone()));
    tokio::spawn(expiry::expire(broker.clone(), shutdown.clone()));
    tokio::spawn({
        let (broker, shutdown) = (broker.clone(), shutdown.clone());
        async move {
            shutdown.wait().await;
            broker.connectors.mailboxes.end();
        }
    });
    listener.health().check({
        let broker = broker.clone();
        move || broker.health()
    });
    let listener = broker.transport.secure(listener, &broker.live)?;
    let taken_over = broker.journal.taken_over();
    tokio::select! {
        served = service::listen::serve(listener, http::routes(broker), shutdown) => Ok(served?),
        error = taken_over => Err(error.into()),
    }
}
