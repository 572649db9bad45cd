//! `connector --config FILE --listen ADDR`: one authority's connector as a process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Connector (Sicherer Anschlussknoten) of one authority, as consumer or provider.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Configuration file (JSON).
    #[arg(long)]
    config: PathBuf,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> ExitCode {
    service::telemetry::init();
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "connector ends");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let config: connector::Config = service::config::load(&arguments.config)?;
    let config = config.resolved(&service::config::base(&arguments.config));
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
    let shutdown = service::Shutdown::on_signals()?;
    Ok(connector::run(config, listener, shutdown).await?)
}
