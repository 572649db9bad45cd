//! The errors with which the test login fails to start or stops.

/// Why the test login does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was given another address than loopback.
    #[error("the test login lets anybody in and may listen on loopback only, not on {0}")]
    NotLoopback(std::net::SocketAddr),
    /// No key could be made.
    #[error("cannot make a signing key: {0}")]
    Key(String),
    /// The listener fails.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
