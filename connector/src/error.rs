//! The error of a connector's start and end.

use ledger_client::anchor::AnchorError;

/// Why a connector does not start, or stops. All of these need an operator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key or credential file is missing, unreadable or malformed.
    #[error(transparent)]
    Secret(#[from] service::secret::SecretError),
    /// The policy file or the genesis hash cannot be used.
    #[error(transparent)]
    Trust(#[from] ledger_client::trust::TrustError),
    /// The log does not begin with the entries that the trust root names.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The state file cannot be opened, read or written.
    #[error("the state file failed: {0}")]
    State(String),
    /// The configuration contradicts itself.
    #[error("configuration: {0}")]
    Config(&'static str),
    /// The HTTP client or server failed.
    #[error("HTTP: {0}")]
    Http(String),
}
