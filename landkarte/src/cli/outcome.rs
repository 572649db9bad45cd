//! How a command ends, and what all of them need.

use std::path::PathBuf;
use std::process::ExitCode;

use landkarte::content::{self, ReadError};
use landkarte::sentences::count;
use registerlandkarte::{Registerlandkarte, Tables};

/// The result of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No findings, permitted, or no difference.
    Good,
    /// Findings, not permitted, or a difference.
    Bad,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> ExitCode {
        ExitCode::from(match verdict {
            Verdict::Good => 0,
            Verdict::Bad => 1,
        })
    }
}

/// Why a command has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file or folder cannot be written.
    #[error("{0}: {1}")]
    Write(String, std::io::Error),
    /// The result cannot be written to standard output.
    #[error("the result cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// A table cannot be written as CSV.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// The result cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
}

/// Reads and checks files. If something is wrong, prints it and returns `None`.
pub(crate) fn tables(paths: &[PathBuf]) -> Result<Option<Tables>, Failure> {
    match content::read(&content::load(paths)?) {
        Ok(tables) => Ok(Some(tables)),
        Err(findings) => {
            for finding in &findings {
                output::stdout!("{finding}")?;
            }
            output::stderr!("landkarte: {}", count(findings.len(), "error"));
            Ok(None)
        }
    }
}

/// Reads and checks files, and makes a relation of them.
pub(crate) fn relation(paths: &[PathBuf]) -> Result<Option<Registerlandkarte>, Failure> {
    let Some(tables) = tables(paths)? else { return Ok(None) };
    // The tables have just been checked.
    let relation = Registerlandkarte::new(tables).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::Usage(problems.join("\n"))
    })?;
    Ok(Some(relation))
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    output::stdout!("{}", serde_json::to_string_pretty(value)?)?;
    Ok(())
}
