//! The online services of the demonstration: a person applies for something, and has the evidence fetched.
//!
//! | module | concept |
//! | --- | --- |
//! | [`config`] | the services, and the evidence that each needs |
//! | [`error`] | why they cannot start or end |
//! | [`login`] | the login by OpenID Connect, which says who the person is |
//! | [`session`] | who is logged in, with their applications; in memory only |
//! | [`application`] | one application: how each piece of evidence stands |
//! | [`fetch`] | calls of the authority's connector |
//! | [`routes`] | the addresses and what they do |
//! | [`page`], [`pages`] | HTML |
//!
//! A service is what an authority builds on its connector. It knows no register, no broker and no log: it asks its
//! connector (`POST /evidence`), shows the preview where one is due, and sends the person's decision. It asks nothing
//! before the person has said so. Each request has an `Idempotency-Key` that follows from the session, the application
//! and the step, so that a repeated step has no second exchange ([`session`]).
//!
//! ```text
//! evidence:  open ─ fetch ─▶ asking ─▶ preview ─ accept ─▶ deciding ─▶ received
//!              │                │          └──── refuse ──▶ deciding ─▶ refused
//!              │                ├─▶ pending ─▶ received
//!              │                │      └─ withdraw ─▶ withdrawing ─▶ withdrawn (may upload)
//!              └─ upload ─▶ uploaded       └▶ nothing found, failed (both may upload)
//! ```
//!
//! A register that answers later makes the evidence *pending*, for up to 30 days. The person need not stay: the next
//! login finds the application again, and the page asks the connector how the request stands when it is shown.
//!
//! The pages need no script. A page that waits reloads itself, unless the person switches it off.
//! Nothing is stored on disk, because the demonstration has no procedure behind its form: a restart forgets every
//! application, and an uploaded file is read and thrown away.

mod application;
mod assets;
pub mod config;
mod document;
mod error;
mod fetch;
mod login;
mod page;
mod pages;
mod routes;
mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use service::Listener;
use service::clock::Clock;
use service::shutdown::Shutdown;

pub use config::Config;
pub use error::Error;

/// Serves the online services until shutdown is requested.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: Config, listener: Listener, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<(), Error> {
    let desk = Arc::new(routes::Desk::new(config, clock)?);
    service::listen::serve(listener, routes::routes(desk), shutdown).await?;
    Ok(())
}
