//! Identity as a process of its own; see [`service::program`].

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    service::program::main(async |config: identity::Config, base, listener, shutdown| {
        identity::run(config.resolved(base), listener, shutdown).await
    })
    .await
}
