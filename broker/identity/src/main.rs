//! Identity as a process of its own: `identity --config FILE --listen ADDR`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use service::Shutdown;

#[derive(Parser)]
#[command(about = "Identity (IDA) of Einsicht: persons, labels, day keys")]
struct Arguments {
    /// The configuration file (JSON).
    #[arg(long)]
    config: PathBuf,
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:8300")]
    listen: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    service::telemetry::init();
    match start(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("identity: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let config: identity::Config = service::config::load(&arguments.config)?;
    let config = config.resolved(&service::config::base(&arguments.config));
    let listener = tokio::net::TcpListener::bind(&arguments.listen).await?;
    identity::run(config, listener, Shutdown::on_signals()?).await?;
    Ok(())
}
