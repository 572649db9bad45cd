//! The errors with which the test login fails to start or stops.

/// Why the test login cannot start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The listener's address is not on loopback.
    #[error("the test login accepts anybody, so it must listen on loopback, not on {0}")]
    NotLoopback(std::net::SocketAddr),
    /// The signing key cannot be generated.
    #[error("cannot generate a signing key: {0}")]
    Key(String),
    /// The listener fails.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
