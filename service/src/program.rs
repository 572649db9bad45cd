//! The program around a compartment: `PROGRAM --config FILE --listen ADDRESS`.
//!
//! The program reads the configuration, binds the address, and runs until SIGINT or SIGTERM. Its exit code is 0 after
//! a shutdown, 1 after an error, and 2 for wrong usage.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser};
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;

use crate::config;
use crate::shutdown::Shutdown;
use crate::telemetry;

/// A compartment of Einsicht.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    serve: Serve,
}

/// Arguments for serving, also for programs with further commands.
#[derive(Args)]
pub struct Serve {
    /// Configuration file (JSON); relative paths in it start at its directory.
    #[arg(long)]
    config: PathBuf,
    /// Address to listen on.
    #[arg(long)]
    listen: SocketAddr,
}

/// Runs a compartment as the whole program. `run` gets the configuration, the directory where its relative paths
/// start, the listener and the shutdown.
pub async fn main<C, E>(run: impl AsyncFnOnce(C, &Path, TcpListener, Shutdown) -> Result<(), E>) -> ExitCode
where
    C: DeserializeOwned,
    E: std::error::Error + 'static,
{
    serve(Arguments::parse().serve, run).await
}

/// Like [`main`], with parsed arguments.
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
            tracing::error!(%error, "the program ends with an error");
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
