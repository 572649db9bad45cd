//! The HTTP server of every compartment.
//!
//! The server adds to the compartment's routes:
//!
//! * [`Limits`] on connections, requests, memory and time, so that no client can use up the process;
//! * a body limit of 8 MiB, which a route may replace with `axum::extract::DefaultBodyLimit`;
//! * one log event per request with method, path, status and duration, but never a query, a header or a body.
//!
//! | What a client does | What happens |
//! | --- | --- |
//! | completes no TLS handshake, where one is demanded | the connection is closed after 15 s |
//! | sends no complete request head, or keeps an idle connection | the connection is closed after 15 s |
//! | sends a body slower than 64 KiB/s, after the first 10 s | 408 |
//! | reads an answer slower than 16 KiB/s | the connection is closed |
//! | opens more connections than the listener has places for | the one that has waited longest is closed ([`crowd`]) |
//! | sends more requests or bytes at once than the limits allow | 503 with `Retry-After` |
//!
//! When [`Shutdown`] is requested, the server accepts no new requests, and waits up to ten seconds for those in
//! progress. Health and metrics are not served here but by [`crate::operations`].

mod body;
mod connection;
mod crowd;
mod server;
#[cfg(test)]
mod tests;
mod turn;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::Response;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower_http::trace::TraceLayer;

use crate::health::Health;
use crate::shutdown::Shutdown;
use crate::tls::{TlsError, TlsIdentity};
use body::Budget;
use crowd::Crowd;
pub use server::Limits;
use server::Server;
pub use turn::Turn;

/// The most bytes of a request's body, unless its route sets another limit.
pub const MAX_BODY: usize = 8 << 20;
/// How long requests in progress may take after shutdown is requested.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// The pause after an accept has failed, for example because no file descriptor is free.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// A bound address, and the health of the compartment that serves there.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    health: Health,
    tls: Option<Arc<ServerConfig>>,
}

impl Listener {
    /// A listener whose compartment reports to `health`.
    pub fn new(socket: TcpListener, health: Health) -> Self {
        Self {
            socket,
            health,
            tls: None,
        }
    }

    /// The same address with mutual TLS: clients without a valid certificate of a name that `admitted` accepts get a
    /// TLS alert. The handlers find the name as the extension [`crate::tls::PeerName`] of each request.
    ///
    /// # Errors
    /// As [`TlsIdentity::server`].
    pub fn secured(
        self,
        identity: &TlsIdentity,
        admitted: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        let tls = Some(identity.server(admitted)?);
        Ok(Self { tls, ..self })
    }

    /// The bound address.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Where the compartment reports what is wrong.
    pub fn health(&self) -> &Health {
        &self.health
    }
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self::new(socket, Health::default())
    }
}

/// Serves until shutdown is requested.
///
/// # Errors
/// None at present; a failed accept is logged and repeated.
pub async fn serve(listener: impl Into<Listener>, routes: Router, shutdown: Shutdown) -> std::io::Result<()> {
    serve_within(Limits::default(), listener, routes, shutdown).await
}

/// Like [`serve`], with other limits.
///
/// # Errors
/// As [`serve`].
pub async fn serve_within(
    limits: Limits,
    listener: impl Into<Listener>,
    routes: Router,
    shutdown: Shutdown,
) -> std::io::Result<()> {
    let Listener { socket, health, tls } = listener.into();
    let server = Arc::new(Server {
        routes: with_common_layers(routes),
        tls,
        limits,
        requests: Arc::new(Semaphore::new(limits.requests)),
        budget: Arc::new(Budget::new(limits.body_bytes)),
        crowd: Arc::new(Crowd::new(limits.connections)),
        shutdown: shutdown.clone(),
    });
    health.serves();
    let connections = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&socket) => accepted,
            () = shutdown.wait() => break,
        };
        let place = server.crowd.enter(peer.ip());
        connections.spawn(connection::serve(server.clone(), stream, place));
    }
    drop(socket);
    connections.close();
    if tokio::time::timeout(SHUTDOWN_GRACE, connections.wait()).await.is_err() {
        tracing::warn!("requests still in progress after {SHUTDOWN_GRACE:?} are cancelled");
    }
    Ok(())
}

async fn accept(socket: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                // Otherwise small answers wait for the peer's delayed acknowledgement.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

/// The compartment's routes with the common limit and logging.
fn with_common_layers(routes: Router) -> Router {
    let trace = TraceLayer::new_for_http()
        .make_span_with(|request: &Request| {
            tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
        })
        .on_request(())
        .on_body_chunk(())
        .on_eos(())
        // The handler that returns an error logs what an operator needs; a 503 during start-up is not an error.
        .on_failure(())
        .on_response(|response: &Response, latency: Duration, _: &tracing::Span| {
            let status = response.status().as_u16();
            crate::coarse::count("http_responses_total", "class", class(status));
            tracing::debug!(status, micros = latency.as_micros() as u64, "answered");
        });
    // One layer, because each layer costs a boxed service per request.
    routes.layer((trace, DefaultBodyLimit::max(MAX_BODY)))
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
