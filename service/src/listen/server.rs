//! What all connections of a listener share.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls::ServerConfig;
use tokio::sync::Semaphore;

use super::body::Budget;
use super::crowd::Crowd;
use crate::shutdown::Shutdown;

/// What one listener serves at the same time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections.
    pub connections: usize,
    /// Requests that a handler works on.
    pub requests: usize,
    /// Bytes of the bodies of these requests. One peer may use half of them.
    pub body_bytes: usize,
    /// How long a connection may wait for a request, and how long a client may take for a quarter of a MiB of an
    /// answer.
    pub idle: Duration,
    /// How long the first bytes of a body may take; see [`body`] for the rest.
    pub body_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            requests: 512,
            body_bytes: 64 << 20,
            idle: Duration::from_secs(15),
            body_grace: Duration::from_secs(10),
        }
    }
}

/// What all connections of a listener share.
pub(super) struct Server {
    pub(super) routes: Router,
    /// The configuration of TLS, if the listener is secured.
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) limits: Limits,
    pub(super) requests: Arc<Semaphore>,
    pub(super) budget: Arc<Budget>,
    pub(super) crowd: Arc<Crowd>,
    pub(super) shutdown: Shutdown,
}
