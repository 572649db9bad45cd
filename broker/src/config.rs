//! The broker's configuration file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use certificates::TlsConfig;
use ledger_client::LedgerAddresses;
use messages::limits::{MAX_GIVE_UP_SECONDS, MIN_FORWARD_SECONDS};
use record::ParticipantId;
use serde::{Deserialize, Serialize};
use store::StoreConfig;

/// JSON. Relative paths start at the directory of the configuration file ([`Config::resolved`]); URLs have no
/// trailing slash.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The broker's own directory: its journal, unless `store` says otherwise, and its writer's journal.
    pub data: PathBuf,
    /// Where its journal is.
    #[serde(default, skip_serializing_if = "StoreConfig::is_default")]
    pub store: StoreConfig,
    /// The ledger's base URL, or a list of those of several ledgers of one log.
    pub ledger: LedgerAddresses,
    /// The base URL of the ledger's writing entrance, or a list of those of several ledgers.
    pub ledger_writing: LedgerAddresses,
    /// The identity compartment's base URL.
    pub identity: String,
    /// Connection data (Verbindungsdaten): the base URLs of participants' connectors, where it is not the endpoint of
    /// the directory.
    #[serde(default)]
    pub routes: BTreeMap<ParticipantId, String>,
    /// The trust policy (c2sp.org/tlog-policy), from outside the ledger.
    pub policy: PathBuf,
    /// The hash of the genesis entry, from outside the ledger.
    pub genesis: String,
    /// Seed file of the key that signs the broker's entries.
    pub writer_key: PathBuf,
    /// How the broker gets its certificates. The listener and the calls to connectors and identity use mutual TLS, so
    /// all their URLs must be `https`.
    pub tls: TlsConfig,
    /// How many seconds the broker waits for the answer to one forward, before it sends the forward again. At least
    /// [`MIN_FORWARD_SECONDS`], which is longer than a provider's connector waits for its register.
    #[serde(default = "forward_seconds")]
    pub forward_seconds: u64,
    /// After how many seconds without a certain answer the broker records that none arrived. At most
    /// [`MAX_GIVE_UP_SECONDS`], because a provider's connector keeps its answer longer than that.
    #[serde(default = "give_up_seconds")]
    pub give_up_seconds: u64,
}

fn forward_seconds() -> u64 {
    25
}

fn give_up_seconds() -> u64 {
    MAX_GIVE_UP_SECONDS
}

impl Config {
    /// Checks the fields against each other.
    ///
    /// # Errors
    /// The name of the field that is out of its range, with the range, or of one that is missing.
    pub fn check(&self) -> Result<(), String> {
        if !(MIN_FORWARD_SECONDS..=600).contains(&self.forward_seconds) {
            return Err(format!("forward_seconds must be from {MIN_FORWARD_SECONDS} to 600"));
        }
        if !(2 * self.forward_seconds..=MAX_GIVE_UP_SECONDS).contains(&self.give_up_seconds) {
            return Err(format!(
                "give_up_seconds must be from twice forward_seconds to {MAX_GIVE_UP_SECONDS}"
            ));
        }
        Ok(())
    }

    /// Makes relative paths start from `base`.
    #[must_use]
    pub fn resolved(mut self, base: &Path) -> Self {
        for path in [&mut self.data, &mut self.policy, &mut self.writer_key] {
            *path = service::config::resolve(base, path);
        }
        self.store = self.store.resolved(base);
        self.tls = self.tls.resolved(base);
        self
    }
}
