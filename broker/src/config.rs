//! The broker's configuration file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use record::ParticipantId;
use serde::{Deserialize, Serialize};

/// JSON. Relative paths start at the directory of the configuration file ([`Config::resolved`]); URLs have no
/// trailing slash.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The broker's own directory: its journal and its writer's journal.
    pub data: PathBuf,
    /// The ledger's base URL.
    pub ledger: String,
    /// The identity compartment's base URL.
    pub identity: String,
    /// Connection data (Verbindungsdaten): the base URL of each participant's connector.
    pub routes: BTreeMap<ParticipantId, String>,
    /// The trust policy (c2sp.org/tlog-policy), from outside the ledger.
    pub policy: PathBuf,
    /// The hash of the genesis entry, from outside the ledger.
    pub genesis: String,
    /// Seed file of the key that signs the broker's entries.
    pub writer_key: PathBuf,
    /// File of the credential that authenticates the broker to identity.
    pub identity_credential: PathBuf,
    /// How many seconds a provider may take before the exchange is closed as timed out.
    #[serde(default = "forward_seconds")]
    pub forward_seconds: u64,
}

fn forward_seconds() -> u64 {
    20
}

impl Config {
    /// Makes relative paths start from `base`.
    #[must_use]
    pub fn resolved(mut self, base: &Path) -> Self {
        for path in [
            &mut self.data,
            &mut self.policy,
            &mut self.writer_key,
            &mut self.identity_credential,
        ] {
            *path = service::config::resolve(base, path);
        }
        self
    }
}
