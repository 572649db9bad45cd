//! The broker as its own process; see [`service::program`].

use std::process::ExitCode;

use service::SystemClock;

#[tokio::main]
async fn main() -> ExitCode {
    service::program::main(async |config: broker::Config, base, listener, shutdown| {
        broker::run(config.resolved(base), listener, shutdown, SystemClock::shared()).await
    })
    .await
}
