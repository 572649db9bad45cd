//! The program around a compartment: `PROGRAM --config FILE --listen ADDRESS [--operations ADDRESS]`.
//!
//! The program reads the configuration, binds the addresses, and runs until SIGINT or SIGTERM. Its exit code is 0 after
//! a shutdown, 1 after an error, and 2 for wrong usage.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser};
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;

use crate::config;
use crate::health::Health;
use crate::listen::Listener;
use crate::operations::{self, Operations, OperationsError};
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
#[derive(Args, Debug)]
pub struct Serve {
    /// Configuration file (JSON); relative paths in it start at its directory.
    #[arg(long)]
    pub config: PathBuf,
    /// The addresses.
    #[command(flatten)]
    pub addresses: Addresses,
}

/// The addresses of a process.
#[derive(Args, Debug)]
pub struct Addresses {
    /// Address to listen on.
    #[arg(long)]
    pub listen: SocketAddr,
    /// The operator's listener.
    #[command(flatten)]
    pub operations: operations::Arguments,
}

impl Addresses {
    /// Binds both listeners, serves the operator's one, and returns the other one.
    ///
    /// # Errors
    /// If an address cannot be bound, or may not be used for the operator.
    pub async fn bind(&self, name: &str, shutdown: &Shutdown) -> Result<Listener, OperationsError> {
        let operations = Operations::bind(&self.operations).await?;
        let socket = TcpListener::bind(self.listen).await;
        let socket = socket.map_err(|error| OperationsError::Bind(self.listen, error))?;
        let health = Health::default();
        operations.serve(vec![(name.to_owned(), health.clone())], shutdown.clone());
        Ok(Listener::new(socket, health))
    }
}

/// Runs a compartment as the whole program. `run` gets the configuration, the directory where its relative paths
/// start, the listener and the shutdown.
pub async fn main<C, E>(run: impl AsyncFnOnce(C, &Path, Listener, Shutdown) -> Result<(), E>) -> ExitCode
where
    C: DeserializeOwned,
    E: std::error::Error + 'static,
{
    serve(Arguments::parse().serve, run).await
}

/// Like [`main`], with parsed arguments.
pub async fn serve<C, E>(
    arguments: Serve,
    run: impl AsyncFnOnce(C, &Path, Listener, Shutdown) -> Result<(), E>,
) -> ExitCode
where
    C: DeserializeOwned,
    E: std::error::Error + 'static,
{
    telemetry::init();
    ended(start(arguments, run).await)
}

/// Like [`serve`], for a program without a configuration.
pub async fn serve_without_config<E>(
    addresses: Addresses,
    run: impl AsyncFnOnce(Listener, Shutdown) -> Result<(), E>,
) -> ExitCode
where
    E: std::error::Error + 'static,
{
    telemetry::init();
    let served = async {
        let shutdown = Shutdown::on_signals()?;
        let listener = addresses.bind(&name(), &shutdown).await?;
        run(listener, shutdown).await?;
        Ok::<(), Box<dyn std::error::Error>>(())
    };
    ended(served.await)
}

fn ended(result: Result<(), Box<dyn std::error::Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the program ends with an error");
            ExitCode::FAILURE
        }
    }
}

async fn start<C, E>(
    arguments: Serve,
    run: impl AsyncFnOnce(C, &Path, Listener, Shutdown) -> Result<(), E>,
) -> Result<(), Box<dyn std::error::Error>>
where
    C: DeserializeOwned,
    E: std::error::Error + 'static,
{
    let configuration = config::load(&arguments.config)?;
    let shutdown = Shutdown::on_signals()?;
    let listener = arguments.addresses.bind(&name(), &shutdown).await?;
    let base = config::base(&arguments.config);
    run(configuration, &base, listener, shutdown).await?;
    Ok(())
}

/// The name of this program, for the answer of `GET /health`.
fn name() -> String {
    let path = std::env::args_os().next().map(PathBuf::from);
    let name = path.as_deref().and_then(Path::file_name);
    name.map_or_else(|| "process".into(), |name| name.to_string_lossy().into_owned())
}
