//! The command line: joins a component ([`connector::joining`]), runs one authority's connector
//! ([`service::program`]), tries what it needs ([`connector::doctor`]), serves its mock ([`connector::mock`]), or
//! describes its interface ([`connector::openapi`]).

mod join_command;
mod protocol_command;
mod rotate_command;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use connector::doctor::{self, DryRun};
use connector::mock::{self, Answers};
use record::{Ars, ParticipantId};
use service::SystemClock;
use service::program::{self, Addresses};

#[derive(Parser)]
#[command(version, about = "The Sicherer Anschlussknoten beside an authority")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a connector.
    Serve(program::Serve),
    /// Join with a registrar's link: make keys and configuration, apply, show the words that your body compares, and
    /// wait until the directory lists the component. After an interruption the same command continues.
    Join(join_command::Join),
    /// Make the component's next keys, and ask the registrars to have them listed. The running connector uses them
    /// then. After an interruption the same command continues.
    Rotate(rotate_command::Rotate),
    /// Try what a connector needs, and say what to do about what it lacks. Writes nothing; may run beside the
    /// connector.
    Doctor {
        /// The connector's configuration file.
        #[arg(long)]
        config: PathBuf,
        /// An exchange to try against the permissions, without making it.
        #[command(flatten)]
        dry_run: Option<DryRunArguments>,
    },
    /// Serve the interface of a consumer's connector with canned answers. Needs nothing else running.
    Mock {
        /// The addresses. They must be on the loopback interface.
        #[command(flatten)]
        addresses: Addresses,
        /// A file of answers (JSON), in place of those that come with the program.
        #[arg(long)]
        answers: Option<PathBuf>,
    },
    /// Search, show and export the authority's own protocol of its transmissions (§ 9 IDNrG). Writes nothing; may run
    /// beside the connector.
    Protocol(protocol_command::Protocol),
    /// Print the description of the interface (OpenAPI).
    Openapi,
}

/// The exchange of a dry run.
#[derive(Args)]
#[group(requires_all = ["provider", "evidence_type", "purpose"])]
struct DryRunArguments {
    /// The provider's component.
    #[arg(long, required = false)]
    provider: ParticipantId,
    /// The evidence type.
    #[arg(long, required = false)]
    evidence_type: String,
    /// The purpose code.
    #[arg(long, required = false)]
    purpose: String,
    /// It is about a legal person.
    #[arg(long)]
    legal: bool,
    /// It uses the IDNr.
    #[arg(long)]
    idnr: bool,
    /// The place of the person (Amtlicher Regionalschlüssel).
    #[arg(long)]
    place: Option<Ars>,
}

impl From<DryRunArguments> for DryRun {
    fn from(arguments: DryRunArguments) -> Self {
        let DryRunArguments {
            provider,
            evidence_type,
            purpose,
            legal,
            idnr,
            place,
        } = arguments;
        Self {
            provider,
            evidence_type,
            purpose,
            legal,
            idnr,
            place,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(arguments) => {
            program::serve(
                arguments,
                async |config: connector::Config, base, listener, shutdown| {
                    connector::run(config.resolved(base), listener, shutdown, SystemClock::shared()).await
                },
            )
            .await
        }
        Command::Join(arguments) => join_command::run(&arguments).await,
        Command::Rotate(arguments) => rotate_command::run(&arguments).await,
        Command::Doctor { config, dry_run } => {
            let loaded: Result<connector::Config, _> = service::config::load(&config);
            let config = match loaded {
                Ok(loaded) => loaded.resolved(&service::config::base(&config)),
                Err(error) => return usage(&error.to_string()),
            };
            let dry_run = dry_run.map(DryRun::from);
            let report = doctor::examine(&config, dry_run.as_ref(), &SystemClock).await;
            for finding in &report.0 {
                if output::stdout!("{finding}").is_err() {
                    return usage("the output cannot be written");
                }
            }
            if report.is_sound() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Command::Protocol(arguments) => protocol_command::run(arguments),
        Command::Openapi => match output::stdout!("{}", connector::openapi::TEXT.trim_end()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => usage("the output cannot be written"),
        },
        Command::Mock { addresses, answers } => {
            let answers = answers.map_or_else(Answers::shipped, |path| Answers::load(&path));
            let answers = match answers {
                Ok(answers) if addresses.listen.ip().is_loopback() => answers,
                Ok(_) => return usage("the mock has no credential: it listens on a loopback address only"),
                Err(error) => return usage(&error.to_string()),
            };
            program::serve_without_config(addresses, async |listener, shutdown| {
                mock::run(answers, listener, shutdown).await
            })
            .await
        }
    }
}

fn usage(error: &str) -> ExitCode {
    output::stderr!("connector: {error}");
    ExitCode::from(2)
}
