//! The command line.

mod check;
mod convert;
mod diff;
mod explain;
mod outcome;

use clap::{Parser, Subcommand};

use self::outcome::{Failure, Verdict, print_json};

/// Checks, compares, explains and converts the files of the Registerlandkarte.
#[derive(Debug, Parser)]
#[command(
    name = "landkarte",
    version,
    about,
    after_help = "Exit codes: 0 no findings, permitted, or no difference; 1 findings, not permitted, or a difference; 2 usage"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check files: print every error with file, line and column
    Check(check::Check),
    /// Print what NEW permits and OLD does not, and the reverse
    Diff(diff::Diff),
    /// Say whether a body may fetch evidence, by which rule and on which norm, or why not
    Explain(explain::Explain),
    /// Write all tables as CSV files or as JSON
    Export(convert::Export),
    /// Turn exported CSV files, after they were edited, or a data schema of FIM into TOML
    Import(convert::Import),
    /// Print the JSON Schema of the files
    Schema,
}

impl Arguments {
    pub(crate) fn run(self) -> Result<Verdict, Failure> {
        match self.command {
            Command::Check(command) => command.run(),
            Command::Diff(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Export(command) => command.run(),
            Command::Import(command) => command.run(),
            Command::Schema => {
                print_json(&landkarte::schema::json_schema())?;
                Ok(Verdict::Good)
            }
        }
    }
}
