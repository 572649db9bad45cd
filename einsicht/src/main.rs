//! `einsicht` runs all compartments in one program.
//!
//! * `einsicht demo --data DIR` sets up an invented world, runs every compartment in this process over loopback HTTP,
//!   makes some real exchanges, and keeps running. A restart on the same directory continues from the stored state.
//! * `einsicht run COMPARTMENT --config FILE --listen ADDRESS` runs one compartment as a separate process, with the
//!   same code and the same configuration file.

mod announce;
mod clock;
mod compartments;
mod demo;
mod past;
mod ports;
mod seed;
mod setup;
mod waiting;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use service::SystemClock;
use service::shutdown::Shutdown;

#[derive(Parser)]
#[command(
    version,
    about = "Einsicht: broker and transparency log of the German Once-Only system"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the demonstration: all compartments in this process, with invented people and real exchanges.
    Demo(demo::Options),
    /// Run one compartment.
    Run {
        /// The compartment.
        compartment: compartments::Compartment,
        /// Its configuration file (JSON).
        #[arg(long)]
        config: PathBuf,
        /// The addresses.
        #[command(flatten)]
        addresses: service::program::Addresses,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    service::telemetry::init();
    let _points = service::failpoints::init();
    match start(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::stderr!("einsicht: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(arguments: Arguments) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signals()?;
    match arguments.command {
        Command::Demo(options) => demo::run(&options, shutdown).await,
        Command::Run {
            compartment,
            config,
            addresses,
        } => {
            let listener = addresses.bind(&compartment.name(), &shutdown).await?;
            compartments::run(compartment, &config, (listener, None), shutdown, SystemClock::shared()).await
        }
    }
}
