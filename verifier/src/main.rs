//! `verifier`: checks receipts, openings and whole logs, and serves as a witness. Trust comes from the policy file and
//! the genesis hash on the command line, never from a server.
//!
//! Exit codes: 0 sound, 1 not sound, 2 usage (including files on the command line, or an output, that cannot be used),
//! 3 unreachable.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::Arguments::parse().run().await {
        Ok(verdict) => verdict.into(),
        Err(failure) => {
            output::stderr!("verifier: {failure}");
            failure.into()
        }
    }
}
