//! The errors with which the portal fails to start or stops.

use std::path::PathBuf;

use certificates::renewal::RenewalError;
use service::http::CallError;
use service::openid::LoginConfigError;
use service::secret::SecretError;

/// Why the portal cannot start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the configuration cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The trust policy or the genesis hash is malformed.
    #[error("trust policy {0} or the genesis hash is malformed")]
    Trust(PathBuf),
    /// A credential cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The portal cannot get certificates.
    #[error(transparent)]
    Certificates(#[from] RenewalError),
    /// The configuration of the login is invalid.
    #[error(transparent)]
    Login(#[from] LoginConfigError),
    /// The ledger's log is not the trusted one, or the portal was shut down before the ledger could be reached.
    #[error("the log: {0}")]
    Log(String),
    /// The HTTP client cannot be created.
    #[error(transparent)]
    Client(#[from] CallError),
    /// The listener fails.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
