//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use record::{LegalDay, ParticipantId};
use tlog::Hash;
use trust::{Key, TrustKind};

/// Shows and changes the directory and the Registerlandkarte of a log.
#[derive(Debug, Parser)]
#[command(
    name = "directory",
    version,
    about,
    after_help = "Exit codes: 0 done, 1 refused, 2 usage, 3 the log is unreachable or not witnessed"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print what is in force, or was in an earlier version, as JSON
    Show(Show),
    /// Print which key could fetch what on a day, from the log alone, as lines of JSON
    Rights(Rights),
    /// Make the next version from a file of changes, for authorities to approve
    Propose(Propose),
    /// Check a proposal against the log, print what it changes, and sign it with an authority's key
    Approve(Approve),
    /// Write a proposal with enough approvals into the log, with the operator's key
    Publish(Publish),
}

/// Which log, and why it is trusted.
#[derive(Debug, Args)]
pub(crate) struct LogArguments {
    /// Base URL of the ledger
    #[arg(long, value_name = "URL")]
    pub(crate) ledger: String,
    /// Policy file (c2sp.org/tlog-policy): log key, witnesses, quorum
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Hash of the genesis entry, 64 hexadecimal digits
    #[arg(long, value_name = "HASH")]
    pub(crate) genesis: Hash,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) log: LogArguments,
    /// What is shown: `directory` (authorities, writers, bodies, components, delegations) or `registry` (the
    /// permissions)
    #[arg(long, value_name = "KIND", default_value = "directory")]
    pub(crate) kind: TrustKind,
    /// An earlier version
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<u32>,
    /// Only the value of this key and its history, for example component/bund:kba:zfzr
    #[arg(value_name = "KEY")]
    pub(crate) key: Option<Key>,
}

/// Arguments of `rights`.
#[derive(Debug, Args)]
pub(crate) struct Rights {
    #[command(flatten)]
    pub(crate) log: LogArguments,
    /// The day in Germany, for example 2026-11-30
    #[arg(long, value_name = "DAY")]
    pub(crate) on: LegalDay,
    /// Only this component
    #[arg(long, value_name = "ID")]
    pub(crate) component: Option<ParticipantId>,
    /// Only this signing key, 64 hexadecimal digits
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<Hash>,
}

/// Arguments of `propose`.
#[derive(Debug, Args)]
pub(crate) struct Propose {
    #[command(flatten)]
    pub(crate) log: LogArguments,
    /// What is changed: `directory` or `registry`
    #[arg(long, value_name = "KIND", default_value = "directory")]
    pub(crate) kind: TrustKind,
    /// Why; this text is public and permanent
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// When the version takes effect, in POSIX seconds; the log admits it no earlier. Default: now
    #[arg(long, value_name = "SECONDS")]
    pub(crate) valid_from: Option<u64>,
    /// Key of the person or authority that proposes; it cannot approve
    #[arg(long, value_name = "FILE")]
    pub(crate) by: PathBuf,
    /// The file of changes (TOML, docs/directory.md)
    #[arg(value_name = "CHANGES")]
    pub(crate) changes: PathBuf,
    /// The proposal to write
    #[arg(value_name = "PROPOSAL")]
    pub(crate) proposal: PathBuf,
}

/// Arguments of `approve`.
#[derive(Debug, Args)]
pub(crate) struct Approve {
    #[command(flatten)]
    pub(crate) log: LogArguments,
    /// The authority's key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The proposal, which is replaced by the approved one
    #[arg(value_name = "PROPOSAL")]
    pub(crate) proposal: PathBuf,
}

/// Arguments of `publish`.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    pub(crate) log: LogArguments,
    /// The operator's key
    #[arg(long, value_name = "FILE")]
    pub(crate) operator_key: PathBuf,
    /// The proposal
    #[arg(value_name = "PROPOSAL")]
    pub(crate) proposal: PathBuf,
}
