//! Why a command has not done its work, as an exit code.
//!
//! Every command that asks a service or a log ends with the same codes, so that a script can tell a refusal, which the
//! next attempt will not change, from a service that was away:
//!
//! ```text
//! 0 done   1 refused   2 usage: the command line, or a file that it names   3 not reached
//! ```

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use thiserror::Error;

/// Why nothing was done.
#[derive(Debug, Error)]
pub enum Failure {
    /// What was asked for is not permitted, an answer is not what it must be, or the log contradicts itself.
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
    /// [`Failure::Refused`] with the text of an error.
    pub fn refused(reason: impl Display) -> Self {
        Self::Refused(reason.to_string())
    }

    /// [`Failure::Usage`] with the text of an error.
    pub fn usage(reason: impl Display) -> Self {
        Self::Usage(reason.to_string())
    }

    /// A file cannot be used.
    pub fn file(path: &Path, reason: impl Display) -> Self {
        Self::Usage(format!("{}: {reason}", path.display()))
    }
}

/// The result cannot be printed.
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
