//! The commands of registrars and bodies.
//!
//! ```text
//! join invite         a registrar invites a component, and gets the operator's link
//! join countersign    a second registrar checks and opens the invitation, and gets the body's code
//! join confirm        the body shows the enrolment, or confirms it with the words that the operator has told it
//! join changes        makes the file of changes for `directory propose` from a confirmed enrolment
//! join rotations      makes the file of changes for the components that ask for new keys
//! join list           all enrolments, as JSON
//! join withdraw       a registrar ends an enrolment
//! ```
//!
//! Trust comes from the policy file and the genesis hash on the command line, not from the service: `countersign` and
//! `changes` check every signature of what it returns. Exit codes: 0 done, 1 refused, 2 usage, 3 not reached.

pub(crate) mod arguments;
mod changes;
mod confirm;
mod countersign;
mod describe;
mod invite;
mod list;
mod registrar;
mod remote;
mod rotations;
mod withdraw;

use std::process::ExitCode;

use arguments::Registrars;

/// Runs a command.
pub(crate) async fn run(command: &Registrars) -> ExitCode {
    let done = match command {
        Registrars::Invite(arguments) => invite::run(arguments).await,
        Registrars::Countersign(arguments) => countersign::run(arguments).await,
        Registrars::Confirm(arguments) => confirm::run(arguments).await,
        Registrars::Changes(arguments) => changes::run(arguments).await,
        Registrars::Rotations(arguments) => rotations::run(arguments).await,
        Registrars::List(arguments) => list::run(arguments).await,
        Registrars::Withdraw(arguments) => withdraw::run(arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::stderr!("join: {failure}");
            failure.into()
        }
    }
}
