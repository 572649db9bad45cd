//! The server of the Datenschutzcockpit.
//!
//! ```text
//! browser ── login ─▶ OpenID provider    (code flow, PKCE)
//! portal  ── ID token ─▶ identity        (verifies it too, records the inspection, discloses entries and keys)
//! portal  ── indices ─▶ ledger           (returns entries, sealed records and receipts)
//! portal  ── pages ─▶ browser            (asks once for the proof, and compares the page with it)
//! ```
//!
//! The portal never writes anything about a citizen to disk, to a cache or to its log. The entries that a login opens
//! are in the memory of its session and are dropped with it ([`session`]). A login that has begun is in the browser
//! ([`service::openid::PendingLogins`]). Everything that a page shows has passed the
//! checks that the browser repeats ([`citizen_ui::proof`]).
//!
//! | Module | |
//! | --- | --- |
//! | [`config`], [`error`] | configuration; errors of the whole service |
//! | [`portal`] | the state that all handlers share |
//! | [`session`] | sessions |
//! | [`upstream`] | how the portal authenticates to identity and the ledger |
//! | [`ledger`] | client for records, receipts and checkpoints |
//! | [`anchor`] | the writers' rights, with the directory's versions while the portal runs |
//! | [`consistency`] | the proof that the log has only grown |
//! | [`citizen`], [`materials`] | the opened entries of one citizen; what they are opened with |
//! | [`page`] | what handlers extract from a request: language, session, frame |
//! | [`routes`], [`accesses`], [`account`] | the handlers |
//! | [`own_data`], [`own_requests`] | registers tell what they have about the citizen; the connector for that |
//! | [`export`] | the files that a citizen takes home |
//! | [`public`] | the pages that need no login |
//! | [`csv_file`], [`download`] | tables as CSV; responses that a browser stores |
//! | [`headers`], [`assets`] | security headers; static files |

mod accesses;
mod account;
mod anchor;
mod assets;
mod citizen;
mod config;
mod consistency;
mod csv_file;
mod download;
mod error;
mod export;
mod headers;
mod ledger;
mod materials;
mod own_data;
mod own_requests;
mod page;
mod portal;
mod public;
mod routes;
mod security_contact;
mod session;
mod upstream;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use service::Listener;
use service::{Clock, Shutdown};

pub use config::{ComponentConfig, Config, OperatorConfig, OwnRequestsConfig, SessionLimits};
pub use error::Error;
use portal::Portal;
pub use security_contact::SecurityContact;
use upstream::Transport;

/// How often ended sessions are dropped from memory.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Serves the portal until shutdown is requested. Waits for the ledger before it serves.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: Config, listener: Listener, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<(), Error> {
    let portal = Arc::new(Portal::start(config, Transport::Mutual, clock, &shutdown).await?);
    tokio::spawn(sweep(Arc::clone(&portal), shutdown.clone()));
    if let Some(renewal) = portal.renewal.clone() {
        listener.health().check(move || renewal.health());
    }
    service::listen::serve(listener, routes::routes(portal), shutdown).await?;
    Ok(())
}

/// Returns the routes alone, for tests in one process: identity and records are reached over plain HTTP. The routes
/// follow the log until `shutdown`. An ended session is then dropped only when a request names it or the session map is
/// full.
///
/// # Errors
/// See [`Error`].
pub async fn router(config: Config, clock: Arc<dyn Clock>, shutdown: &Shutdown) -> Result<Router, Error> {
    let portal = Portal::start(config, Transport::Plain, clock, shutdown).await?;
    Ok(routes::routes(Arc::new(portal)))
}

async fn sweep(portal: Arc<Portal>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(SWEEP_INTERVAL) => portal.sessions.sweep(),
        }
    }
}
