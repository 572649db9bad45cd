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
    /// The Registerlandkarte in the log cannot be used.
    #[error("the logged Registerlandkarte cannot be used: {0}")]
    Registerlandkarte(#[from] registerlandkarte::SnapshotError),
    /// The directory does not list this connector with these keys in this role.
    #[error("the directory does not list {0} as {1} with these keys")]
    Directory(record::ParticipantId, &'static str),
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
