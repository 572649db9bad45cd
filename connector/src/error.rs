//! The error of a connector's start and end.

use ledger_client::anchor::AnchorError;

/// Why a connector does not start or ends. All are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key or credential file.
    #[error(transparent)]
    Secret(#[from] service::secret::SecretError),
    /// Policy file or genesis hash.
    #[error(transparent)]
    Trust(#[from] ledger_client::trust::TrustError),
    /// The log does not begin as the trust root says.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The Registerlandkarte of the log.
    #[error("the logged Registerlandkarte cannot be used: {0}")]
    Registerlandkarte(#[from] registerlandkarte::SnapshotError),
    /// The directory does not list this connector with these keys in this role.
    #[error("the directory does not list {0} as {1} with these keys")]
    Directory(record::ParticipantId, &'static str),
    /// The state file.
    #[error("the state cannot be kept: {0}")]
    State(String),
    /// The configuration contradicts itself.
    #[error("configuration: {0}")]
    Config(&'static str),
    /// The HTTP client or server.
    #[error("HTTP: {0}")]
    Http(String),
}
