//! The command line.

mod audit;
mod outcome;
mod statement;
mod trust;
mod verify;
mod witness;

use clap::{Parser, Subcommand};

use self::outcome::{Failure, Verdict};

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
