//! The command line: runs identity ([`service::program`]), and backs up and restores its state.

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
    /// Run identity.
    Serve(program::Serve),
    /// Copy the state, with its secrets wrapped, to a new file. Identity must not be running.
    Backup {
        /// Identity's data directory.
        #[arg(long)]
        data: PathBuf,
        /// The file to create. It must not exist.
        #[arg(long)]
        to: PathBuf,
    },
    /// Restore a backup into a data directory that has no state.
    Restore {
        /// The backup file.
        #[arg(long)]
        from: PathBuf,
        /// Identity's data directory. Restore its wrapping keys and day keys from their replica first.
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
            println!("{done}: {} periods with a secret", contents.living.len());
            for period in &contents.without_key {
                println!(
                    "the wrapping key of period {} is missing: restore the folder of wrapping keys from its replica",
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
