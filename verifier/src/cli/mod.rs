//! The command line.

mod audit;
mod verify;
mod witness;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tlog::Hash;
use tlog::policy::Policy;

/// Checks a transparency log of evidence exchanges without trusting it.
#[derive(Debug, Parser)]
#[command(
    name = "verifier",
    version,
    about,
    after_help = "Exit codes: 0 sound, 1 not sound, 2 usage, 3 unreachable"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a receipt (.tlog-proof), an opening of one entry or a bundle of all of them, offline
    Verify(verify::Verify),
    /// Check a whole log: every tile, root, signature, chain, map, document
    Audit(audit::Audit),
    /// Rebuild the periods' maps from the public log and compare every published root
    Map(audit::Audit),
    /// Serve the C2SP witness protocol
    Witness(witness::Witness),
}

impl Arguments {
    pub(crate) async fn run(self) -> Result<Verdict, Failure> {
        match self.command {
            Command::Verify(command) => command.run(),
            Command::Audit(command) => command.run(audit::Show::Everything).await,
            Command::Map(command) => command.run(audit::Show::Maps).await,
            Command::Witness(command) => command.run().await,
        }
    }
}

/// What was asked for is so, or is not.
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

/// No verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line, or a file on it, cannot be used.
    #[error("{0}")]
    Usage(String),
    /// What is to be checked cannot be read now.
    #[error("{0}")]
    Unreachable(String),
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> ExitCode {
        ExitCode::from(match failure {
            Failure::Usage(_) => 2,
            Failure::Unreachable(_) => 3,
        })
    }
}

/// The trust root, common to all checks.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TrustArguments {
    /// Policy file (c2sp.org/tlog-policy): log key, witnesses, quorum
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Hash of the genesis entry, 64 hexadecimal digits
    #[arg(long, value_name = "HASH")]
    genesis: Option<Hash>,
    /// Accept what the log alone has signed, without the witnesses' quorum
    #[arg(long)]
    allow_unwitnessed: bool,
}

impl TrustArguments {
    fn policy(&self) -> Result<Policy, Failure> {
        Policy::parse(&read(&self.policy)?).map_err(|error| usage(&self.policy, error))
    }
}

/// A file that the command line names.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| usage(path, error))
}

fn usage(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::Usage(format!("{}: {error}", path.display()))
}

fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Usage(error.to_string()))?;
    println!("{text}");
    Ok(())
}
