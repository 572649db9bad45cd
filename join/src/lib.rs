//! The join service: keeps enrolments, and issues TLS certificates.
//!
//! It follows the directory as broker and connectors do. It takes the steps by which a component comes into the
//! directory ([`enrolments`]), and issues a certificate to every active component and every writer that asks for one
//! with the key that the directory lists ([`certificates::Admission`]). It also keeps the new keys that listed
//! components ask for, until the directory lists them ([`rotations`]). It decides nothing: the authorities decide
//! whom the directory lists, and its peers what the bearer of a certificate may do.
//!
//! `POST /certificates` takes a request in CBOR and returns the certificate chain in PEM, or
//!
//! | Status | Why |
//! | --- | --- |
//! | `400` | the request or its CSR is malformed, or the clocks differ |
//! | `403` | the directory does not list the subject with the key that signed, or gives it other names |
//! | `409` | the request was used before |
//! | `503` | not now: the directory is not confirmed, not as new as the requester's, or lets another authority issue |
//!
//! The listener is open to all and needs no TLS: a component that asks for its first certificate has none to present.
//! Requests and steps have no secret, and both sides check what they get.

mod config;
mod engines;
mod enrolments;
mod error;
mod http;
mod points;
mod rotations;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use certificates::Admission;
use ledger_client::{Anchored, HttpLedger, LedgerApi, LiveTrust, Trust};
use service::{Clock, Listener, Shutdown, durable};

pub use config::{AuthorityConfig, Config};
use engines::Engines;
use enrolments::Enrolments;
pub use error::Error;
use http::Issuer;
use rotations::Rotations;

/// Issues certificates until `shutdown`. Waits for the ledger before it serves.
///
/// # Errors
/// [`Error`]; all of these need an operator.
pub async fn run(config: Config, listener: Listener, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<(), Error> {
    durable::private_directory(&config.data).map_err(|error| Error::Data(config.data.clone(), error))?;
    let engines = Engines::open(&config.authorities)?;
    let trust = Arc::new(Trust::load(&config.policy, &config.genesis)?);
    let api = HttpLedger::new(&config.ledger).map_err(|error| Error::Log(error.to_string()))?;
    let api: Arc<dyn LedgerApi> = Arc::new(api);
    let anchored = Anchored::wait(&api, &trust, &shutdown).await;
    let anchored = anchored.map_err(|error| Error::Log(error.to_string()))?;
    let live = LiveTrust::start(api, trust.clone(), &anchored, clock.clone(), shutdown.clone());
    let enrolments = Enrolments::open(&config.data, trust.genesis, live.clone(), clock.clone())?;
    let rotations = Rotations::open(&config.data, trust.genesis, live.clone(), clock.clone())?;
    listener.health().check({
        let live = live.clone();
        move || live.health()
    });
    service::operations::install_metrics();
    metrics::describe_counter!(http::CERTIFICATES, "Requests for certificates, by result");
    metrics::describe_counter!(enrolments::STEPS, "Steps of enrolments, by step and result");
    let issuer = Issuer {
        admission: Admission::default(),
        engines,
        hosts: config.hosts,
        live,
        clock,
    };
    let routes = http::routes(Arc::new(issuer))
        .merge(enrolments::routes(enrolments))
        .merge(rotations::routes(rotations));
    service::listen::serve(listener, routes, shutdown).await?;
    Ok(())
}
