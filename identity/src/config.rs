//! Identity's configuration file.

use std::path::{Path, PathBuf};

use record::TestNumbers;
use serde::{Deserialize, Serialize};

use crate::login::LoginConfig;

/// The configuration file (JSON). Relative paths start from the file ([`Config::resolved`]); URLs have no trailing slash.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Identity's own directory.
    pub data: PathBuf,
    /// The person registry ([`persons`]).
    pub persons: PathBuf,
    /// Whether test numbers (leading 0) are persons: refused in production, needed in tests and demonstrations.
    pub test_numbers: TestNumbers,
    /// The ledger's base URL.
    pub ledger: String,
    /// The trust policy (c2sp.org/tlog-policy), from outside the ledger.
    pub policy: PathBuf,
    /// The hash of the genesis entry, from outside the ledger.
    pub genesis: String,
    /// Seed of the key that signs our entries.
    pub writer_key: PathBuf,
    /// Seed of the key that signs provider parts.
    pub signing_key: PathBuf,
    /// Seed of the key that person parts are sealed to.
    pub sealing_key: PathBuf,
    /// SHA-256 of the broker's bearer credential, hex.
    pub broker_credential: String,
    /// SHA-256 of the cockpit's bearer credential, hex.
    pub portal_credential: String,
    /// Whose logins count.
    pub login: LoginConfig,
    /// Under which name the cockpit's inspections are recorded, at most 128 bytes.
    #[serde(default = "reader")]
    pub reader: String,
    /// How long a request waits for a person's last label before it is refused, retryably.
    #[serde(default = "wait_seconds")]
    pub wait_seconds: u64,
}

impl Config {
    /// Makes relative paths start from `base`.
    #[must_use]
    pub fn resolved(mut self, base: &Path) -> Self {
        let paths = [&mut self.data, &mut self.persons, &mut self.policy];
        let keys = [&mut self.writer_key, &mut self.signing_key, &mut self.sealing_key];
        for path in paths.into_iter().chain(keys) {
            *path = service::config::resolve(base, path);
        }
        self
    }
}

fn reader() -> String {
    "Datenschutzcockpit".into()
}

fn wait_seconds() -> u64 {
    4
}
