//! The log that is read and written.

use std::path::Path;

use ledger_client::{Anchored, HttpLedger, Trust};
use output::Failure;
use record::{SigningKey, Timestamp};
use service::clock::Clock as _;
use service::{SystemClock, secret};

use crate::arguments::LogArguments;

/// A log with its newest published versions.
pub(crate) struct Log {
    pub(crate) api: HttpLedger,
    pub(crate) trust: Trust,
    pub(crate) anchored: Anchored,
}

impl Log {
    /// Reads and checks the log's change sets.
    pub(crate) async fn read(arguments: &LogArguments) -> Result<Self, Failure> {
        let trust = Trust::load(&arguments.policy, &arguments.genesis.to_string());
        let trust = trust.map_err(|error| Failure::Usage(error.to_string()))?;
        let api = HttpLedger::new(&arguments.ledger).map_err(|error| Failure::Usage(error.to_string()))?;
        let anchored = Anchored::fetch(&api, &trust).await?;
        Ok(Self { api, trust, anchored })
    }
}

/// The key whose seed is in a file.
pub(crate) fn key(path: &Path) -> Result<SigningKey, Failure> {
    let seed = secret::read_seed(path).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(SigningKey::from_seed(seed))
}

/// This machine's time.
pub(crate) fn now() -> Timestamp {
    Timestamp(SystemClock.now())
}
