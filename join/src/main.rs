//! The command line: runs the join service ([`service::program`]), creates a certificate authority, and does what
//! registrars and bodies do ([`commands`]).

mod commands;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use certificates::{Authority, AuthorityError};
use clap::{Parser, Subcommand};
use commands::arguments::Registrars;
use record::Timestamp;
use service::{Clock as _, SystemClock, program};

#[derive(Parser)]
#[command(
    version,
    about = "Keeps enrolments of components, and issues TLS certificates to those that the directory lists",
    after_help = "Exit codes: 0 done, 1 refused, 2 usage, 3 the service or the log is not reached"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the join service.
    Serve(program::Serve),
    /// Create a certificate authority: its key, and its certificate, which every process must trust.
    CreateAuthority {
        /// The file to create for the key (PEM). Only its owner may read it.
        #[arg(long)]
        key: PathBuf,
        /// The file to create for the certificate (PEM).
        #[arg(long)]
        certificate: PathBuf,
        /// The name of the authority, for people.
        #[arg(long, default_value = "Einsicht")]
        name: String,
    },
    #[command(flatten)]
    Registrars(Registrars),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(arguments) => {
            program::serve(arguments, async |config: join::Config, base, listener, shutdown| {
                join::run(config.resolved(base), listener, shutdown, SystemClock::shared()).await
            })
            .await
        }
        Command::Registrars(command) => commands::run(&command).await,
        Command::CreateAuthority { key, certificate, name } => match create(&key, &certificate, &name) {
            Ok(Ok(())) => ExitCode::SUCCESS,
            Ok(Err(_)) => ExitCode::FAILURE,
            Err(error) => {
                output::stderr!("join: {error}");
                ExitCode::FAILURE
            }
        },
    }
}

fn create(key: &Path, certificate: &Path, name: &str) -> Result<std::io::Result<()>, AuthorityError> {
    Authority::create(key, certificate, name, Timestamp(SystemClock.now()))?;
    Ok(output::stdout!(
        "created: {} and {}",
        key.display(),
        certificate.display()
    ))
}
