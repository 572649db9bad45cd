//! The command line: runs identity ([`service::program`]), and backs up and restores its state.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use identity::backup::{BackupError, Contents, backup, restore};
use service::{SystemClock, program};

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
                identity::run(config.resolved(base), listener, shutdown, SystemClock::shared()).await
            })
            .await
        }
        Command::Backup { data, to } => ended(backup(&data, &to).map(|contents| report("backed up", &contents))),
        Command::Restore { from, data } => ended(restore(&from, &data).map(|contents| report("restored", &contents))),
    }
}

fn report(done: &str, contents: &Contents) -> io::Result<()> {
    output::stdout!("{done}: {} periods with a secret", contents.living.len())?;
    for period in &contents.without_key {
        output::stdout!(
            "the wrapping key of period {} is missing: restore the folder of wrapping keys from its replica",
            period.0
        )?;
    }
    Ok(())
}

fn ended(result: Result<io::Result<()>, BackupError>) -> ExitCode {
    let result = match result {
        Ok(reported) => reported.map_err(|error| format!("done, but the report cannot be written: {error}")),
        Err(error) => Err(error.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::stderr!("identity: {error}");
            ExitCode::FAILURE
        }
    }
}
