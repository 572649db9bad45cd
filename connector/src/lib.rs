//! The Sicherer Anschlussknoten (SAK) beside each authority: the end point of the encryption, where every message is
//! checked before anything acts on it.
//!
//! One crate has two roles. An authority that is both consumer and provider runs two connectors (TR-03190).
//!
//! | | [`consumer`] | [`provider`] |
//! | --- | --- | --- |
//! | serves | `POST /evidence` (JSON) to its authority's systems | `POST /forward`, `/outcome` (CBOR) to the broker |
//! | builds | XNachweis 0101, sealed person and request, S1, S2 | XNachweis 0102 or 0103, sealed, signed |
//! | checks | C1 receipts, C2 record against its own request, C3 provider's signature | P1 … P9 |
//! | only after that | opens the answer | asks the register |
//!
//! [`openapi`] describes the consumer's interface, and [`mock`] serves it without anything else.
//!
//! # Invariants
//!
//! * A provider's connector asks the register only with a [`provider::Checked`] exchange, and only the checks P1 to P8
//!   make one. A consumer's connector opens an answer only through [`consumer::Accepted`], which only C1 to C3 make.
//!   Leaving a check out does not compile.
//! * Before either role acts on a receipt, it records the checkpoint durably
//!   ([`ledger_client::CheckpointWatch::rely`]). Within 60 s a quorum of witnesses must have signed a successor.
//!   Otherwise the connector refuses new exchanges with a retryable `503` until one comes. If a successor contradicts
//!   a recorded checkpoint, the connector stops until an operator acts.
//! * Directory and Registerlandkarte are those in force: a new request takes the newest confirmed ones, and what is in
//!   the log is judged by those of its index. An exchange may rely on a version for 60 s after it was superseded. While
//!   the newest version is not confirmed, or does not list this connector with its keys, new exchanges get `503`
//!   (`directory-unconfirmed`, `not-listed`).
//! * Only the operator sees the reason of a failure, in an alarm without personal data. The consumer's authority
//!   receives one uniform refusal, and the broker a signed refusal that names the check.
//!
//! State: `state.redb` in the connector's directory (a consumer's journal and what it waits for, a provider's served
//! intents), the file of the checkpoint watch, and the authority's own protocol ([`protocol`]).

pub mod config;
pub mod consumer;
pub mod doctor;
pub mod joining;
pub mod keys;
pub mod mock;
pub mod openapi;
pub mod protocol;
pub mod provider;

mod alarm;
mod common;
mod context;
mod error;
mod evidence;
mod metrics_help;
mod record_check;
pub mod scan;
mod starting;
mod state;

#[cfg(test)]
mod fixture;

use std::sync::{Arc, OnceLock};

use axum::Router;
use ledger_client::anchor::AnchorError;
use service::Listener;
use service::{Clock, Impairment, Shutdown};

use starting::Starting;

pub use common::Common;
pub use config::{Config, ConsumerConfig, ProviderConfig, Role};
pub use context::{CheckContext, LiveContext};
pub use error::Error;

/// Serves until `shutdown` is requested.
///
/// Requests are answered with `503` until the ledger is reachable and its first entries match the trust root.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: Config, listener: Listener, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<(), Error> {
    config.check()?;
    let address = listener.local_addr().map_err(|error| Error::Http(error.to_string()))?;
    tracing::info!(%address, participant = %config.participant, "connector serves");
    metrics_help::describe();
    match &config.role {
        Role::Consumer(role) => {
            let guard = consumer::interface::Guard::new(role, address)?;
            let cell = Arc::new(OnceLock::new());
            let routes = consumer::interface::routes(Starting(cell.clone()), guard).merge(openapi::routes());
            let start = consumer::Consumer::start(&config, role, shutdown.clone(), clock);
            serve(listener, routes, shutdown.clone(), start, &cell, |role| {
                role.common().health()
            })
            .await
        }
        Role::Provider(role) => {
            let cell = Arc::new(OnceLock::new());
            let ending = shutdown.clone();
            let start = async {
                let provider = provider::Provider::start(&config, role, ending.clone(), clock).await?;
                if let Some(broker) = &role.collects_from {
                    provider::collector::start(&provider, broker, &ending)?;
                }
                Ok(provider)
            };
            let health = |role: &Arc<provider::Provider>| role.health();
            if role.collects_from.is_some() {
                return serve(listener, Router::new(), shutdown.clone(), start, &cell, health).await;
            }
            let routes = provider::interface::routes(Starting(cell.clone()));
            if config.tls.is_some() {
                return serve_secured(listener, routes, shutdown, start, &cell).await;
            }
            serve(listener, routes, shutdown.clone(), start, &cell, health).await
        }
    }
}

/// Serves with mutual TLS, once the directory is known: it says who may call.
async fn serve_secured(
    listener: Listener,
    routes: Router,
    shutdown: Shutdown,
    start: impl Future<Output = Result<Arc<provider::Provider>, Error>>,
    cell: &Arc<OnceLock<Arc<provider::Provider>>>,
) -> Result<(), Error> {
    let provider = match start.await {
        Err(Error::Anchor(AnchorError::Ended)) => return Ok(()),
        started => started?,
    };
    let _ = cell.set(provider.clone());
    let listener = provider.common().secured(listener)?;
    listener.health().check(move || provider.health());
    let served = service::listen::serve(listener, routes, shutdown).await;
    served.map_err(|error| Error::Http(error.to_string()))
}

/// Serves at once and starts the role concurrently, so that health checks and callers get an answer while the ledger
/// is unreachable.
async fn serve<T: Send + Sync + 'static>(
    listener: Listener,
    routes: Router,
    shutdown: Shutdown,
    start: impl Future<Output = Result<T, Error>>,
    cell: &Arc<OnceLock<T>>,
    health: fn(&T) -> Result<(), Impairment>,
) -> Result<(), Error> {
    let starting = cell.clone();
    listener.health().check(move || match starting.get() {
        Some(role) => health(role),
        None => Err(Impairment::Starting("the ledger is not reachable".into())),
    });
    let started = async {
        match start.await {
            Ok(started) => {
                let _ = cell.set(started);
                std::future::pending().await
            }
            Err(Error::Anchor(AnchorError::Ended)) => std::future::pending().await,
            Err(error) => error,
        }
    };
    tokio::select! {
        result = service::listen::serve(listener, routes, shutdown) => {
            result.map_err(|error| Error::Http(error.to_string()))
        }
        error = started => Err(error),
    }
}
