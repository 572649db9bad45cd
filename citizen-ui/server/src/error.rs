//! The errors with which the portal fails to start or stops.

use std::path::PathBuf;

use service::http::CallError;
use service::secret::SecretError;

/// Why the portal does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the configuration cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The trust policy or the genesis hash is not of its form.
    #[error("trust policy {0} or the genesis hash is not of its form")]
    Trust(PathBuf),
    /// A credential cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The login's configuration is not usable.
    #[error("login: {0}")]
    Login(String),
    /// No HTTP client.
    #[error(transparent)]
    Client(#[from] CallError),
    /// The listener fails.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
