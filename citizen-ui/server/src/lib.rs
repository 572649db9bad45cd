//! The server of the Datenschutzcockpit.
//!
//! ```text
//! browser ── login ─▶ OpenID provider           (code flow, PKCE)
//! portal  ── ID token ─▶ identity               (which verifies it itself, records the inspection, opens the labels)
//! portal  ── index ─▶ ledger                    (sealed record, receipt)
//! portal  ── pages ─▶ browser                   (and for each row the opening file, which the browser verifies)
//! ```
//!
//! Nothing about a citizen is stored on disk, cached or logged: what a login opens lives in the memory of its session and goes
//! with it ([`session`]). Everything shown has passed the same checks here that the browser repeats ([`citizen_ui::proof::verify`]).
//!
//! | Module | |
//! | --- | --- |
//! | [`config`], [`error`] | configuration; why the portal does not run |
//! | [`portal`] | what all handlers share |
//! | [`session`] | sessions and their cookie |
//! | [`login`] | the relying party |
//! | [`ledger`] | records, receipts, checkpoints, the log's beginning |
//! | [`citizen`] | one citizen's opened entries |
//! | [`page`] | what a handler knows of a request: language, session, frame |
//! | [`routes`], [`accesses`], [`account`] | the handlers |
//! | [`headers`], [`assets`] | security headers, styles and fonts |

mod accesses;
mod account;
mod assets;
mod citizen;
mod config;
mod error;
mod headers;
mod ledger;
mod login;
mod page;
mod portal;
mod routes;
mod session;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use service::{Clock, Shutdown, SystemClock};
use tokio::net::TcpListener;

pub use config::{Config, LoginConfig, SessionLimits};
pub use error::Error;
use portal::Portal;

/// How often ended sessions are removed from memory.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Serves until the end is asked for.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: Config, listener: TcpListener, shutdown: Shutdown) -> Result<(), Error> {
    let portal = Arc::new(Portal::new(config, Arc::new(SystemClock))?);
    tokio::spawn(sweep(Arc::clone(&portal), shutdown.clone()));
    service::listen::serve(listener, routes::routes(portal), shutdown).await?;
    Ok(())
}

/// The routes alone, for tests and for embedding; ended sessions are then removed only when they are asked for.
///
/// # Errors
/// See [`Error`].
pub fn router(config: Config, clock: Arc<dyn Clock>) -> Result<Router, Error> {
    Ok(routes::routes(Arc::new(Portal::new(config, clock)?)))
}

async fn sweep(portal: Arc<Portal>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(SWEEP_INTERVAL) => portal.sessions.sweep(),
        }
    }
}
