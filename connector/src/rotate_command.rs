//! `connector rotate`: makes the component's next keys, and asks the join service for them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use connector::Config;
use connector::joining::JoinError;
use connector::keys::{NextKeysError, make_next};
use enrolment::{Rotation, RotationStatement};
use output::Failure;
use service::http::Client;
use tlog::Hash;

#[derive(Args)]
pub(crate) struct Rotate {
    /// The connector's configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Base URL of the join service; without it, the one that issues the connector's certificates
    #[arg(long, value_name = "URL")]
    service: Option<String>,
}

/// Runs the command. Exit codes: 0 asked for, 1 refused, 2 usage, 3 not reached.
pub(crate) async fn run(arguments: &Rotate) -> ExitCode {
    match rotate(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::stderr!("connector: {failure}");
            failure.into()
        }
    }
}

async fn rotate(arguments: &Rotate) -> Result<(), Failure> {
    let loaded: Config = service::config::load(&arguments.config).map_err(Failure::usage)?;
    let config = loaded.resolved(&service::config::base(&arguments.config));
    let issuer = config.tls.as_ref().map(|tls| &tls.issuer);
    let no_service = || Failure::Usage("the configuration names no join service: give it with --service".into());
    let url = arguments.service.as_ref().or(issuer).ok_or_else(no_service)?;
    let genesis: Hash = config.genesis.parse().map_err(Failure::usage)?;
    let next = make_next(&config).map_err(|error| match error {
        NextKeysError::Key(error) => Failure::usage(error),
        error @ NextKeysError::Previous(_) => Failure::refused(error),
    })?;
    let statement = RotationStatement {
        genesis,
        component: config.participant.clone(),
        present: next.present.public(),
        signing_key: next.signing.public(),
        sealing_key: next.sealing.public().0,
    };
    output::stdout!("component  {}", statement.component)?;
    output::stdout!("signing    {}", hex::encode(statement.signing_key.as_bytes()))?;
    output::stdout!("sealing    {}", hex::encode(statement.sealing_key))?;
    let rotation = Rotation::new(statement, &next.signing, &next.present);
    let client = Client::new().map_err(JoinError::from)?;
    let address = format!("{}/rotations", url.trim_end_matches('/'));
    client
        .post_cbor(&address, rotation.to_bytes())
        .await
        .map_err(JoinError::from)?;
    output::stdout!("asked for  at {url}")?;
    output::stdout!("           The connector uses the keys when the directory lists them; it need not be restarted.")?;
    Ok(())
}
