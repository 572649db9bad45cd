//! The reference Data Provider as a process; see [`service::program`].

use std::process::ExitCode;

use service::SystemClock;

#[tokio::main]
async fn main() -> ExitCode {
    service::program::main(async |config: register::Config, base, listener, shutdown| {
        register::run(config.resolved(base), listener, shutdown, SystemClock::shared()).await
    })
    .await
}
