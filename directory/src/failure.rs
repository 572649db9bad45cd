//! Why a command has not done its work, as an exit code.

use std::path::Path;
use std::process::ExitCode;

use ledger_client::anchor::AnchorError;
use ledger_client::publish::PublishError;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was asked for is not permitted, or the log contradicts itself.
    #[error("{0}")]
    Refused(String),
    /// The command line is wrong, or a file that it names cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The log cannot be read or written now.
    #[error("{0}")]
    Unreachable(String),
}

impl Failure {
    pub(crate) fn refused(reason: impl std::fmt::Display) -> Self {
        Self::Refused(reason.to_string())
    }

    /// A file cannot be used.
    pub(crate) fn file(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Usage(format!("{}: {reason}", path.display()))
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Refused(reason) => Self::Refused(reason),
            PublishError::Unreachable(reason) => Self::Unreachable(reason),
        }
    }
}

impl From<AnchorError> for Failure {
    fn from(error: AnchorError) -> Self {
        match error {
            AnchorError::NotYet(_) | AnchorError::Ended => Self::Unreachable(error.to_string()),
            AnchorError::Wrong(_) => Self::Refused(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Usage(format!("the result cannot be written: {error}"))
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> ExitCode {
        ExitCode::from(match failure {
            Failure::Refused(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Unreachable(_) => 3,
        })
    }
}
