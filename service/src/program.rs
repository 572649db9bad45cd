//! The program around a compartment: `PROGRAM --config FILE --listen ADDRESS`.
//!
//! Reads the configuration, binds the address, runs until SIGINT or SIGTERM. Exit code 0 for a clean end, 1 for an error, 2 for
//! wrong usage.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser};
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;

use crate::{Shutdown, config, telemetry};

/// A compartment of Einsicht.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    serve: Serve,
}

/// What it takes to serve: for programs that have other commands too.
#[derive(Args)]
pub struct Serve {
    /// Configuration file (JSON); relative paths in it start at its directory.
    #[arg(long)]
    config: PathBuf,
    /// Address to listen on.
    #[arg(long)]
    listen: SocketAddr,
}

/// Runs a compartment as the whole program. `run` gets the configuration, the directory that its relative paths start from, the
/// listener and the signal to end.
pub async fn main<C, E>(run: impl AsyncFnOnce(C, &Path, TcpListener, Shutdown) -> Result<(), E>) -> ExitCode
where
    C: DeserializeOwned,
    E: std::error::Error + 'static,
{
    serve(Arguments::parse().serve, run).await
}

/// Like [`main`], with the arguments parsed.
pub async fn serve<C, E>(
    arguments: Serve,
    run: impl AsyncFnOnce(C, &Path, TcpListener, Shutdown) -> Result<(), E>,
) -> ExitCode
where
    C: DeserializeOwned,
    E: std::error::Error + 'static,
{
    telemetry::init();
    match start(arguments, run).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "ends");
            ExitCode::FAILURE
        }
    }
}

async fn start<C, E>(
    arguments: Serve,
    run: impl AsyncFnOnce(C, &Path, TcpListener, Shutdown) -> Result<(), E>,
) -> Result<(), Box<dyn std::error::Error>>
where
    C: DeserializeOwned,
    E: std::error::Error + 'static,
{
    let configuration = config::load(&arguments.config)?;
    let listener = TcpListener::bind(arguments.listen).await?;
    let base = config::base(&arguments.config);
    run(configuration, &base, listener, Shutdown::on_signals()?).await?;
    Ok(())
}
