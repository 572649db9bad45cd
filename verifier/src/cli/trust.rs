//! The trust root on the command line, and the files that it names.

use std::path::{Path, PathBuf};

use service::text_file;
use tlog::Hash;
use tlog::policy::Policy;

use super::outcome::Failure;

/// The trust root, which all checks share.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TrustArguments {
    /// Policy file (c2sp.org/tlog-policy): log key, witnesses, quorum
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Hash of the genesis entry, 64 hexadecimal digits
    #[arg(long, value_name = "HASH")]
    pub(crate) genesis: Option<Hash>,
    /// Accept a checkpoint that only the log has signed, without the witnesses' quorum
    #[arg(long)]
    pub(crate) allow_unwitnessed: bool,
}

impl TrustArguments {
    /// Reads the policy file.
    pub(crate) fn policy(&self) -> Result<Policy, Failure> {
        let text = text_file::read_lines(&self.policy).map_err(|error| usage(&self.policy, error))?;
        Policy::parse(&text).map_err(|error| usage(&self.policy, error))
    }
}

/// An error about a file that the command line names.
pub(crate) fn usage(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::Usage(format!("{}: {error}", path.display()))
}
