//! The command line: runs one authority's connector ([`service::program`]), or its mock ([`connector::mock`]).

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use connector::mock::{self, Answers};
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
    /// Serve the interface of a consumer's connector with canned answers. Needs nothing else running.
    Mock {
        /// The addresses. They must be on the loopback interface.
        #[command(flatten)]
        addresses: Addresses,
        /// A file of answers (JSON), in place of those that come with the program.
        #[arg(long)]
        answers: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(arguments) => {
            program::serve(
                arguments,
                async |config: connector::Config, base, listener, shutdown| {
                    connector::run(config.resolved(base), listener, shutdown).await
                },
            )
            .await
        }
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
