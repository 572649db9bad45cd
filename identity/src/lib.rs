//! Identity (IDA): finds the person, evaluates labels, keeps day keys, opens a citizen's own records to the cockpit.
//!
//! It is the one compartment that knows persons, and it knows nothing of what is exchanged: no evidence type, no purpose, no
//! record. What it does, each with the rule that it keeps:
//!
//! | Module | Does | Rule |
//! | --- | --- | --- |
//! | [`persons`] | finds exactly one person, or nobody | § 6 IDNrG: unknown and blocked cannot be told apart |
//! | [`periods`] | keeps the VRF keys, begins periods | no label under a key that does not stand in the log |
//! | [`reserve`] | takes the next number | never a gap, never twice (design §5.4) |
//! | `catch_up` | finds in the log what a restored state lacks | a number that stands in the log is never handed out again |
//! | [`labels`] | answers the broker | durable before answered; same S1, same bytes; nobody looks like anybody |
//! | [`disclosure`] | answers the cockpit | no key without an `inspection` in the log |
//! | `complete` | finds all of a person, and proves it | as of what the witnesses have cosigned |
//! | [`login`] | verifies the ID token | by identity itself, not by the cockpit |
//! | [`state`], [`day_keys`] | what must not be forgotten, and what must be | the second is never backed up; a passed day's key is destroyed |
//! | [`periods`], [`wrapping`] | one VRF key a month, and when it goes | its secret is stored wrapped, the wrapping key elsewhere |
//! | [`log`], [`ledger`] | the log, followed and checked | the ledger is never asked about a label |
//!
//! Files in `data`: `state.redb`, `daykeys/`, `wrapping/`, and the writer's journal. All are readable for their owner only and hold
//! IDNrs or secrets; nothing of them ever appears in a log line, a metric, an error or an entry.

pub mod backup;
mod catch_up;
mod committer;
mod complete;
pub mod day_keys;
pub mod disclosure;
mod identity;
pub mod key_files;
pub mod labels;
pub mod ledger;
mod locks;
pub mod log;
pub mod login;
pub mod periods;
pub mod persons;
pub mod reserve;
mod routes;
mod start;
pub mod state;
mod token;
pub mod wrapping;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use record::TestNumbers;
use serde::{Deserialize, Serialize};
use service::Shutdown;
use tokio::net::TcpListener;

pub use committer::StoreError;
pub use identity::{Identity, Keys};
pub use login::LoginConfig;

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

/// Why identity ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting or key file is not usable: correct it and start again.
    #[error("configuration: {0}")]
    Configuration(String),
    /// The person registry is not usable.
    #[error(transparent)]
    Persons(#[from] persons::PersonsError),
    /// The state cannot be opened, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The day keys cannot be opened.
    #[error(transparent)]
    DayKeys(#[from] day_keys::DayKeyError),
    /// Our keys are not those that the directory lists for identity.
    #[error("the {0} key is not the one in the directory: take the right key file, or have the directory changed")]
    OtherKey(&'static str),
    /// State and log do not belong together, or the log does not allow what identity must write.
    #[error(transparent)]
    Periods(#[from] periods::PeriodError),
    /// The log is broken or does not begin as the genesis hash says. An operator must look before anything goes on.
    #[error("the log: {0}")]
    Log(String),
    /// The listener failed.
    #[error("serving: {0}")]
    Serve(#[from] std::io::Error),
}

/// Runs identity until the end is asked for.
///
/// # Errors
/// See [`enum@Error`]; each ends the process.
pub async fn run(config: Config, listener: TcpListener, shutdown: Shutdown) -> Result<(), Error> {
    start::run(config, listener, shutdown).await
}
