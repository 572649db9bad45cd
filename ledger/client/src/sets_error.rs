//! Why the newest change sets are not known.

use crate::api::ApiError;

/// Why the newest versions are not known.
#[derive(Debug, thiserror::Error)]
pub enum SetsError {
    /// The ledger is not reached, has no published checkpoint yet, or sends something that the log has not signed.
    /// Retryable.
    #[error("the newest directory and Registerlandkarte are not available: {0}")]
    NotYet(String),
    /// The log contradicts itself or its rules. Fatal until an operator acts.
    #[error("the log's change sets contradict its rules: {0}")]
    Wrong(String),
}

impl From<ApiError> for SetsError {
    fn from(error: ApiError) -> Self {
        not_yet(error)
    }
}

pub(crate) fn not_yet(reason: impl std::fmt::Display) -> SetsError {
    SetsError::NotYet(reason.to_string())
}

pub(crate) fn wrong(reason: impl std::fmt::Display) -> SetsError {
    SetsError::Wrong(reason.to_string())
}
