//! `landkarte`: checks, compares, explains and converts the files of the Registerlandkarte.
//!
//! Exit codes: 0 no findings, permitted, or no difference; 1 findings, not permitted, or a difference; 2 usage
//! (including files that cannot be read or written).

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::Arguments::parse().run() {
        Ok(verdict) => verdict.into(),
        Err(failure) => {
            output::stderr!("landkarte: {failure}");
            ExitCode::from(2)
        }
    }
}
