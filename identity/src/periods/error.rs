//! Why the periods cannot be kept.

use crate::committer::StoreError;
use crate::log::LogError;
use crate::wrapping::WrappingError;

/// Why the periods cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum PeriodError {
    /// The log begins a period whose secret is not here. Fatal: restore identity's state.
    #[error("the log has begun period {0}, and its secret is not in the state: restore the state of this identity")]
    SecretMissing(u32),
    /// The log's key of a period is not ours. Fatal: this state belongs to another log.
    #[error("the key of period {0} in the log is not the one in the state: the state belongs to another log")]
    OtherKey(u32),
    /// The entry was refused. Fatal: the directory must allow identity to write `period`.
    #[error("the begin of period {0} was refused: {1}")]
    Refused(u32, String),
    /// The log does not answer, or is broken.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A period's secret is here and its wrapping key is not. Fatal: bring the folder of wrapping keys back from its replica.
    #[error("the wrapping key of period {0} is missing: bring the folder of wrapping keys back from its replica")]
    WrappingKeyMissing(u32),
    /// The wrapping keys fail.
    #[error(transparent)]
    Wrapping(#[from] WrappingError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] service::secret::SecretError),
}

impl PeriodError {
    /// Whether trying again may help.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Log(LogError::Unavailable(_)))
    }
}
