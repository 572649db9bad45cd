//! `citizen-ui --config FILE --listen ADDRESS`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use service::Shutdown;
use tokio::net::TcpListener;

/// The Datenschutzcockpit.
#[derive(Parser)]
struct Arguments {
    /// Configuration file (JSON); relative paths in it start at its directory.
    #[arg(long)]
    config: PathBuf,
    /// Address to listen on.
    #[arg(long)]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> ExitCode {
    service::telemetry::init();
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let config: citizen_ui_server::Config = service::config::load(&arguments.config)?;
    let config = config.resolved(&service::config::base(&arguments.config));
    let listener = TcpListener::bind(arguments.listen).await?;
    citizen_ui_server::run(config, listener, Shutdown::on_signals()?).await?;
    Ok(())
}
