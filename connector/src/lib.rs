//! The Sicherer Anschlussknoten (SAK) beside each authority: the end point of the encryption, and the place where nothing
//! is believed that is not proved.
//!
//! One crate, two roles; an authority that asks and is asked runs two connectors (TR-03190).
//!
//! | | [`consumer`] | [`provider`] |
//! | --- | --- | --- |
//! | serves | `POST /evidence` (JSON) to its authority's own systems | `POST /forward`, `POST /outcome` (CBOR) to the broker |
//! | builds | XNachweis 0101, sealed person and request, S1, S2 | XNachweis 0102 or 0103, sealed, signed |
//! | checks | C1 receipts, C2 record against its own request, C3 provider's signature | P1 … P9 |
//! | then only | opens the answer | asks the register |
//!
//! # What holds
//!
//! * A provider's connector asks the register only with a [`provider::Checked`] exchange in its hands, and only the nine
//!   checks make one, each consuming the result of the one before. A consumer's connector opens an answer only with an
//!   [`consumer::Accepted`] one. Leaving a check out does not compile.
//! * Before either acts on a receipt, it notes the checkpoint durably ([`ledger_client::CheckpointWatch::rely`]); within
//!   60 s a quorum of witnesses must have signed a successor, or nothing new is served: retryable (`503`), until one comes.
//!   If one contradicts what was relied on, the connector stops until an operator acts.
//! * What fails is told to nobody in detail: the consumer's authority gets one uniform refusal, the broker a signed refusal
//!   with the check's name, the operator an alarm without personal data.
//!
//! State: `state.redb` in its directory (journal of a consumer, served intents of a provider), and the watch's own file.

pub mod config;
pub mod consumer;
pub mod provider;

mod alarm;
mod common;
mod context;
mod error;
mod evidence;
mod record_check;
mod starting;
mod store;

#[cfg(test)]
mod fixture;

use std::sync::{Arc, OnceLock};

use axum::Router;
use ledger_client::anchor::AnchorError;
use service::{Clock, Shutdown, SystemClock};
use tokio::net::TcpListener;

use starting::Starting;

pub use common::Common;
pub use config::{Config, ConsumerConfig, ProviderConfig, Role};
pub use context::CheckContext;
pub use error::Error;

/// Serves until `shutdown`.
///
/// It answers `503` until the ledger is there and its beginning is the one the trust root names.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: Config, listener: TcpListener, shutdown: Shutdown) -> Result<(), Error> {
    run_with_clock(config, listener, shutdown, SystemClock::shared()).await
}

/// As [`run`], with the time from `clock`.
///
/// # Errors
/// See [`Error`].
pub async fn run_with_clock(
    config: Config,
    listener: TcpListener,
    shutdown: Shutdown,
    clock: Arc<dyn Clock>,
) -> Result<(), Error> {
    let address = listener.local_addr().map_err(|error| Error::Http(error.to_string()))?;
    tracing::info!(%address, participant = %config.participant, "connector serves");
    match &config.role {
        Role::Consumer(role) => {
            let guard = consumer::Guard::new(role, address)?;
            let cell = Arc::new(OnceLock::new());
            let routes = consumer::routes(Starting(cell.clone()), guard);
            let start = consumer::Consumer::start(&config, role, shutdown.clone(), clock);
            serve(listener, routes, shutdown.clone(), start, &cell).await
        }
        Role::Provider(role) => {
            let cell = Arc::new(OnceLock::new());
            let routes = provider::routes(Starting(cell.clone()));
            let start = provider::Provider::start(&config, role, shutdown.clone(), clock);
            serve(listener, routes, shutdown.clone(), start, &cell).await
        }
    }
}

/// Serves from the first moment, and starts beside it.
async fn serve<T>(
    listener: TcpListener,
    routes: Router,
    shutdown: Shutdown,
    start: impl Future<Output = Result<T, Error>>,
    cell: &OnceLock<T>,
) -> Result<(), Error> {
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
