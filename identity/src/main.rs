//! Identity as a process of its own ([`service::program`]), and what an operator does with its state.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use identity::backup::{BackupError, Contents, backup, restore};
use service::program;

#[derive(Parser)]
#[command(version, about = "Identity: finds the person, evaluates labels, keeps day keys")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run.
    Serve(program::Serve),
    /// Copy the state, its secrets wrapped, to a new file. Identity must not be running.
    Backup {
        /// Identity's data directory.
        #[arg(long)]
        data: PathBuf,
        /// The new file.
        #[arg(long)]
        to: PathBuf,
    },
    /// Bring a backup into a data directory that has no state.
    Restore {
        /// The backup.
        #[arg(long)]
        from: PathBuf,
        /// Identity's data directory, with its wrapping keys and day keys from their replica.
        #[arg(long)]
        data: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(arguments) => {
            program::serve(arguments, async |config: identity::Config, base, listener, shutdown| {
                identity::run(config.resolved(base), listener, shutdown).await
            })
            .await
        }
        Command::Backup { data, to } => report("backed up", backup(&data, &to)),
        Command::Restore { from, data } => report("restored", restore(&from, &data)),
    }
}

fn report(done: &str, result: Result<Contents, BackupError>) -> ExitCode {
    match result {
        Ok(contents) => {
            println!("{done}: {} periods with a living secret", contents.living.len());
            for period in &contents.without_key {
                println!(
                    "wrapping key of period {} is missing here: bring the folder back from its replica",
                    period.0
                );
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("identity: {error}");
            ExitCode::FAILURE
        }
    }
}
