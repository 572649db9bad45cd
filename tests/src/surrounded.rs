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
        let info = &processes.info;
        let between = |caller, server, target: &str| Intermediary::between(data, caller, (server, target));
        let consumer = between("connector-rheinfurt", "broker", &info.broker)?;
        let provider = between("broker", "connector-kba", &info.connectors["kba"])?;
        provider.sign_calls(Keys::of(data).writer("broker/writer.key")?);
        let identity = between("broker", "identity", &info.identity)?;
        let ledger = Intermediary::before_ledger(data, "broker", &info.ledger)?;
        processes.configure("connector-rheinfurt", |config| {
            config["role"]["consumer"]["broker"] = consumer.url.clone().into();
        })?;
        processes.configure("broker", |config| {
            config["routes"]["bund:kba:zfzr"] = provider.url.clone().into();
            config["identity"] = identity.url.clone().into();
            config["ledger"] = ledger.url.clone().into();
            config["ledger_writing"] = ledger.writing.clone().into();
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
