//! One authority's connector as a process; see [`service::program`].

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    service::program::main(async |config: connector::Config, base, listener, shutdown| {
        connector::run(config.resolved(base), listener, shutdown).await
    })
    .await
}
