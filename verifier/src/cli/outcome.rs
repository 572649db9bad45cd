//! How a command ends, as an exit code.

use std::process::ExitCode;

use verifier::audit::SourceError;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Sound,
    NotSound,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> ExitCode {
        ExitCode::from(match verdict {
            Verdict::Sound => 0,
            Verdict::NotSound => 1,
        })
    }
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line is wrong, or a file that it names cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The result cannot be written to standard output.
    #[error("the result cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// The log to check cannot be read now.
    #[error("{0}")]
    Unreachable(String),
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Failure {
        match error {
            SourceError::Unreachable(_) => Failure::Unreachable(error.to_string()),
            SourceError::Unusable(_) => Failure::Usage(error.to_string()),
        }
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> ExitCode {
        ExitCode::from(match failure {
            Failure::Usage(_) | Failure::Output(_) => 2,
            Failure::Unreachable(_) => 3,
        })
    }
}

/// Prints a result as JSON.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Usage(error.to_string()))?;
    output::stdout!("{text}")?;
    Ok(())
}
