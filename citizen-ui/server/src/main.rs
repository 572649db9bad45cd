//! The Datenschutzcockpit as a separate process; see [`service::program`].

use std::process::ExitCode;

use service::SystemClock;

#[tokio::main]
async fn main() -> ExitCode {
    service::program::main(async |config: citizen_ui_server::Config, base, listener, shutdown| {
        citizen_ui_server::run(config.resolved(base), listener, shutdown, SystemClock::shared()).await
    })
    .await
}
