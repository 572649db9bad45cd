//! Why a command has not done its work, as an exit code.

use std::path::Path;
use std::process::ExitCode;

use enrolment::Refused;
use ledger_client::anchor::AnchorError;
use service::http::CallError;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was asked for is not permitted, or an answer is not what it must be.
    #[error("{0}")]
    Refused(String),
    /// The command line is wrong, or a file that it names cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The service or the log cannot be reached now.
    #[error("{0}")]
    Unreachable(String),
}

impl Failure {
    pub(crate) fn usage(reason: impl std::fmt::Display) -> Self {
        Self::Usage(reason.to_string())
    }

    /// A file cannot be used.
    pub(crate) fn file(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Usage(format!("{}: {reason}", path.display()))
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused.to_string())
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Refused(problem) if !error.retryable() => Self::Refused(problem.detail.clone()),
            CallError::Invalid(_) => Self::Refused(error.to_string()),
            _ => Self::Unreachable(format!("the join service: {error}")),
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
