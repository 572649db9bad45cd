//! The errors of periods.

use crate::committer::StoreError;
use crate::log::LogError;
use crate::wrapping::WrappingError;

/// Why the periods cannot be maintained.
#[derive(Debug, thiserror::Error)]
pub enum PeriodError {
    /// The log has begun a period whose secret is not in the state. Fatal: restore the state of this identity.
    #[error("the log has begun period {0}, and its secret is not in the state: restore the state of this identity")]
    SecretMissing(u32),
    /// The log has another key for a period than the state. Fatal: this state belongs to another log.
    #[error("the key of period {0} in the log is not the one in the state: the state belongs to another log")]
    OtherKey(u32),
    /// The ledger refused the entry. The directory must allow identity to write `period`, and both clocks must be
    /// right. Retryable: the current period continues until then.
    #[error("the ledger refused the `begin` entry of period {0}: {1}")]
    Refused(u32, String),
    /// The log is unavailable or broken.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The state has a period's secret, but its wrapping key is missing. Fatal: restore the folder of wrapping keys.
    #[error("the wrapping key of period {0} is missing: restore the folder of wrapping keys from its replica")]
    WrappingKeyMissing(u32),
    /// The wrapping keys cannot be read or written.
    #[error(transparent)]
    Wrapping(#[from] WrappingError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes are available.
    #[error(transparent)]
    Random(#[from] service::secret::SecretError),
}

impl PeriodError {
    /// Whether a retry may help.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Log(LogError::Unavailable(_)) | Self::Refused(..))
    }
}
