//! The errors with which the services fail to start or end.

use service::http::CallError;
use service::openid::LoginConfigError;
use service::secret::SecretError;

/// Why the online services cannot start or end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration of the login is not usable.
    #[error(transparent)]
    Login(#[from] LoginConfigError),
    /// The operating system returns no random bytes, or a credential cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Client(#[from] CallError),
    /// The listener failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
