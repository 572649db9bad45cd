//! `directory`: shows the directory and the Registerlandkarte of a log, and changes them.
//!
//! ```text
//! directory show       what is in force, or was in a version; the history of one value
//! directory rights     which key could fetch what on a day
//! directory propose    makes the next version from a file of changes        changes.toml -> proposal.json
//! directory approve    an authority checks the proposal and signs it         proposal.json -> proposal.json
//! directory publish    the operator writes the signed change set into the log
//! ```
//!
//! No single person can publish: a change set needs the signatures of as many authorities as the directory in force
//! demands, and the tool refuses the approval of the one that has proposed. The log, every follower and every auditor
//! check the signatures again.
//!
//! Trust comes from the policy file and the genesis hash on the command line. Exit codes: 0 done, 1 refused, 2 usage,
//! 3 the log is unreachable or not witnessed.

mod approve;
mod arguments;
mod changes;
mod fields;
mod log;
mod proposal;
mod propose;
mod publish;
mod rights;
mod show;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Show(arguments) => show::run(&arguments).await,
        Command::Rights(arguments) => rights::run(&arguments).await,
        Command::Propose(arguments) => propose::run(&arguments).await,
        Command::Approve(arguments) => approve::run(&arguments).await,
        Command::Publish(arguments) => publish::run(&arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::stderr!("directory: {failure}");
            failure.into()
        }
    }
}
