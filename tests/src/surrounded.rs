//! A broker with an intermediary on every side, so that the test can lie to every other party in the broker's place.

use std::path::Path;

use anyhow::Result;

use crate::intermediary::Intermediary;
use crate::keys::Keys;
use crate::processes::Processes;

/// The processes, and the intermediaries between the broker and each of the others.
pub struct Surrounded {
    /// All processes of the demonstration, running.
    pub processes: Processes,
    /// Between Rheinfurt's connector and the broker.
    pub consumer: Intermediary,
    /// Between the broker and the KBA's connector.
    pub provider: Intermediary,
    /// Between the broker and identity.
    pub identity: Intermediary,
    /// Between the broker and the ledger.
    pub ledger: Intermediary,
}

impl Surrounded {
    /// Seeds a demonstration and starts its processes around the broker. `before` runs in between and may read state
    /// that running processes lock.
    pub fn start(data: &Path, base: &str, before: impl FnOnce(&Processes) -> Result<()>) -> Result<Self> {
        let mut processes = Processes::seed(data, base)?;
        before(&processes)?;
        let consumer = Intermediary::before(&processes.info.broker)?;
        let provider = Intermediary::before(&processes.info.connectors["kba"])?;
        provider.sign_calls(Keys::of(data).writer("broker/writer.key")?);
        let identity = Intermediary::before(&processes.info.identity)?;
        let ledger = Intermediary::before(&processes.info.ledger)?;
        processes.configure("connector-rheinfurt", |config| {
            config["role"]["consumer"]["broker"] = consumer.url.clone().into();
        })?;
        processes.configure("broker", |config| {
            config["routes"]["bund:kba:zfzr"] = provider.url.clone().into();
            config["identity"] = identity.url.clone().into();
            config["ledger"] = ledger.url.clone().into();
        })?;
        processes.start_all()?;
        processes.all_healthy()?;
        processes.ask_until_delivered()?;
        Ok(Self {
            processes,
            consumer,
            provider,
            identity,
            ledger,
        })
    }
}
