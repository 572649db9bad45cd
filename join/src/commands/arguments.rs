//! The command line of registrars and bodies.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use tlog::Hash;

/// What registrars and bodies do.
#[derive(Debug, Subcommand)]
pub(crate) enum Registrars {
    /// A registrar: invite a component, and write the operator's link into a file
    Invite(Invite),
    /// A second registrar: check an invitation, open it, and write the body's code into a file
    Countersign(Countersign),
    /// A body: show the enrolment, or confirm it with the words that the operator has told you
    Confirm(Confirm),
    /// A registrar: check a confirmed enrolment, and make the file of changes for `directory propose`
    Changes(Changes),
    /// A registrar: check the components that ask for new keys, and make the file of changes for `directory propose`
    Rotations(Rotations),
    /// A registrar: print all enrolments as JSON, one a line
    List(Registrar),
    /// A registrar: end an enrolment that is not in the directory
    Withdraw(Withdraw),
}

/// Who acts, where, and why the log is trusted.
#[derive(Debug, Args)]
pub(crate) struct Registrar {
    /// Base URL of the join service
    #[arg(long, value_name = "URL")]
    pub(crate) service: String,
    /// Base URL of the ledger
    #[arg(long, value_name = "URL")]
    pub(crate) ledger: String,
    /// Policy file (c2sp.org/tlog-policy): log key, witnesses, quorum
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Hash of the genesis entry, 64 hexadecimal digits
    #[arg(long, value_name = "HASH")]
    pub(crate) genesis: Hash,
    /// The registrar's key: that of an authority that signs change sets
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

/// Arguments of `invite`.
#[derive(Debug, Args)]
pub(crate) struct Invite {
    #[command(flatten)]
    pub(crate) registrar: Registrar,
    /// Base URL of the broker, as the component reaches it
    #[arg(long, value_name = "URL")]
    pub(crate) broker: String,
    /// The certificate authorities (PEM), if the broker demands certificates
    #[arg(long, value_name = "FILE")]
    pub(crate) authorities: Option<PathBuf>,
    /// The network exchanges test messages, and no others
    #[arg(long)]
    pub(crate) test: bool,
    /// The component, and its body if it is new (TOML, docs/join.md)
    #[arg(value_name = "INVITATION")]
    pub(crate) invitation: PathBuf,
    /// The file to create for the link. It is secret: send it to the operator only
    #[arg(value_name = "LINK")]
    pub(crate) link: PathBuf,
}

/// Arguments of `countersign`.
#[derive(Debug, Args)]
pub(crate) struct Countersign {
    #[command(flatten)]
    pub(crate) registrar: Registrar,
    /// The enrolment, as `invite` and `list` print it
    #[arg(value_name = "ENROLMENT")]
    pub(crate) enrolment: Hash,
    /// The file to create for the code. It is secret: send it to the body only, by another way than the link
    #[arg(value_name = "CODE")]
    pub(crate) code: PathBuf,
}

/// Arguments of `confirm`.
#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// The code, or a file with it
    #[arg(value_name = "CODE")]
    pub(crate) code: String,
    /// The twelve words that the operator has told you. Without them, the enrolment is only shown
    #[arg(value_name = "WORD", num_args = 0..=12)]
    pub(crate) words: Vec<String>,
}

/// Arguments of `changes`.
#[derive(Debug, Args)]
pub(crate) struct Changes {
    #[command(flatten)]
    pub(crate) registrar: Registrar,
    /// The enrolment
    #[arg(value_name = "ENROLMENT")]
    pub(crate) enrolment: Hash,
    /// The file of changes to write (TOML)
    #[arg(value_name = "CHANGES")]
    pub(crate) changes: PathBuf,
}

/// Arguments of `rotations`.
#[derive(Debug, Args)]
pub(crate) struct Rotations {
    #[command(flatten)]
    pub(crate) registrar: Registrar,
    /// The file of changes to write (TOML)
    #[arg(value_name = "CHANGES")]
    pub(crate) changes: PathBuf,
}

/// Arguments of `withdraw`.
#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    #[command(flatten)]
    pub(crate) registrar: Registrar,
    /// The enrolment
    #[arg(value_name = "ENROLMENT")]
    pub(crate) enrolment: Hash,
}
