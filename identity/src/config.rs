//! Identity's configuration file.

use std::path::{Path, PathBuf};

use certificates::TlsConfig;
use ledger_client::LedgerAddresses;
use record::{ParticipantId, TestNumbers};
use serde::{Deserialize, Serialize};

use crate::login::LoginConfig;

/// The configuration file (JSON). [`Config::resolved`] resolves relative paths against the file's directory. URLs have
/// no trailing slash.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Identity's own directory.
    pub data: PathBuf,
    /// The store of the population, which `identity import` fills ([`crate::persons`]).
    pub persons: PathBuf,
    /// Whether test numbers (leading 0) are valid. Production refuses them; tests and demonstrations need them.
    pub test_numbers: TestNumbers,
    /// The ledger's base URL, or a list of those of several ledgers of one log.
    pub ledger: LedgerAddresses,
    /// The base URL of the ledger's writing entrance, or a list of those of several ledgers.
    pub ledger_writing: LedgerAddresses,
    /// How identity gets its certificates. The listener uses mutual TLS: whatever writes intents by the newest
    /// directory is the broker, and `cockpit` is the cockpit.
    pub tls: TlsConfig,
    /// The trust policy (c2sp.org/tlog-policy), obtained independently of the ledger.
    pub policy: PathBuf,
    /// The hash of the genesis entry, obtained independently of the ledger.
    pub genesis: String,
    /// Seed of the key that signs identity's entries.
    pub writer_key: PathBuf,
    /// Seed of the key that signs provider parts.
    pub signing_key: PathBuf,
    /// Seed of the key that person parts are sealed to.
    pub sealing_key: PathBuf,
    /// The cockpit's component in the directory.
    pub cockpit: ParticipantId,
    /// The issuer and the level of assurance that a login must have.
    pub login: LoginConfig,
    /// The name under which the cockpit's inspections are recorded, at most 128 bytes.
    #[serde(default = "reader")]
    pub reader: String,
    /// How long, in seconds, a request waits for the person's last label before it receives a retryable refusal.
    #[serde(default = "wait_seconds")]
    pub wait_seconds: u64,
}

impl Config {
    /// Resolves relative paths against `base`.
    #[must_use]
    pub fn resolved(mut self, base: &Path) -> Self {
        let paths = [&mut self.data, &mut self.persons, &mut self.policy];
        let keys = [&mut self.writer_key, &mut self.signing_key, &mut self.sealing_key];
        for path in paths.into_iter().chain(keys) {
            *path = service::config::resolve(base, path);
        }
        self.tls = self.tls.resolved(base);
        self
    }
}

fn reader() -> String {
    "Datenschutzcockpit".into()
}

fn wait_seconds() -> u64 {
    4
}
