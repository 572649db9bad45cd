//! The configuration of `ledger serve`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use record::SigningKey;
use serde::Deserialize;
use service::config::resolve;
use service::secret::{CredentialDigest, SecretError, read_private, read_seed};
use service::{Clock, SystemClock};
use tlog::Hash;
use tlog::note::{KeyError, NameError, SignerKey, VerifierKey};
use tlog::policy::{Policy, PolicyParseError};

use crate::address::LedgerAddress;
use crate::engine::publication::{FailMode, QuorumLossPolicy};
use crate::engine::signer::{LogKey, NoteKey, Signer, SignerError, Validity};
use crate::engine::witnessing::WitnessIntervals;
use crate::rules;
use crate::store::postgres::PostgresConfig;
use crate::writing::WritingConfig;

/// The configuration, a JSON file. Relative paths are relative to the file's directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The data directory. RocksDB's store is in its subdirectory `store`.
    pub data: PathBuf,
    /// Where the log is stored. Without it, in RocksDB.
    #[serde(default)]
    pub store: StoreConfig,
    /// Where writers reach this ledger, if it is one of several on the same database: the others send writers to it
    /// while it writes to the log.
    #[serde(default)]
    pub address: Option<LedgerAddress>,
    /// The log's origin: the first line of its checkpoints.
    pub origin: String,
    /// The log's keys. All valid keys sign each checkpoint. There are several while a key is being changed.
    pub log_keys: Vec<LogKeyConfig>,
    /// Seed file of the writer key for `map` entries.
    pub writer_key: PathBuf,
    /// The witness policy (tlog-policy). Without one, every head is published as it is.
    #[serde(default)]
    pub policy: Option<PathBuf>,
    /// Leaf hash of the genesis entry, 64 hexadecimal digits.
    pub genesis: String,
    /// The writing entrance. With it, the public entrance takes no entries but the operator's, and shows no records.
    #[serde(default)]
    pub writing: Option<WritingConfig>,
    /// SHA-256 of each credential that may read records, 64 hexadecimal digits each. Not with a writing entrance.
    #[serde(default)]
    pub records_credentials: Vec<String>,
    /// The largest allowed difference between an entry's time and the ledger's clock.
    #[serde(default = "default_skew")]
    pub skew_seconds: u64,
    /// The delay between an entry and the `map` entry that covers it. Together with the time of a commit, at most 1000.
    #[serde(default = "default_map_after")]
    pub map_after_ms: u64,
    /// The minimum time between two requests to a witness.
    #[serde(default = "default_interval")]
    pub witness_interval_ms: u64,
    /// The maximum time between two requests to a witness.
    #[serde(default = "default_refresh")]
    pub witness_refresh_seconds: u64,
    /// What happens while the witnesses' quorum is lost: `open`, `degrade` or `closed`.
    #[serde(default)]
    pub witness_fail: FailMode,
    /// How long rounds must fail before the quorum counts as lost.
    #[serde(default = "default_out")]
    pub witness_out_seconds: u64,
    /// The size of the queue: approximately the number of entries that may wait. Large entries count as several.
    #[serde(default = "default_queue")]
    pub queue: usize,
}

/// Where the log is stored: `{"engine": "rocks"}` or `{"engine": "postgres", "hosts": […], …}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(tag = "engine", rename_all = "lowercase", deny_unknown_fields)]
pub enum StoreConfig {
    /// RocksDB in the data directory.
    #[default]
    Rocks,
    /// A PostgreSQL cluster with synchronous replication.
    Postgres(PostgresConfig),
}

/// One key of the log: `{"file": …}` or `{"pkcs11": {"module": …, "token": …, "label": …, "pin_file": …}}`,
/// with its validity.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogKeyConfig {
    /// File with the key as `PRIVATE+KEY+…` (signed-note), readable by its owner only. The key's name must be the
    /// origin.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// A key in a hardware security module.
    #[cfg(feature = "pkcs11")]
    #[serde(default)]
    pub pkcs11: Option<crate::pkcs11::KeyLocation>,
    /// The first time at which the key signs (RFC 3339); without it, the key signs at once.
    #[serde(default)]
    pub not_before: Option<String>,
    /// The time from which the key no longer signs (RFC 3339); without it, the key does not expire.
    #[serde(default)]
    pub not_after: Option<String>,
}

fn default_skew() -> u64 {
    300
}

fn default_map_after() -> u64 {
    800
}

fn default_interval() -> u64 {
    400
}

fn default_refresh() -> u64 {
    20
}

fn default_out() -> u64 {
    QuorumLossPolicy::default().after.as_secs()
}

fn default_queue() -> usize {
    crate::engine::Limits::default().queue
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key file cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A log key file has no private key.
    #[error("the log key in {0} is not a signed-note private key: {1}")]
    LogKey(PathBuf, KeyError),
    /// The log's keys cannot sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A log key has no location, or two.
    #[error("each of `log_keys` must have either `file` or `pkcs11`")]
    KeyLocation,
    /// The origin is not a valid key name.
    #[error("the origin cannot be the name of a key: {0}")]
    Name(#[from] NameError),
    /// A time of a key's validity is invalid.
    #[error("`{0}` is not a time like 2027-01-31T00:00:00Z")]
    Time(String),
    /// The key belongs to another log.
    #[error("the log key is named {key}, but the origin is {origin}: they must be the same")]
    Origin {
        /// Name of the key.
        key: String,
        /// Configured origin.
        origin: String,
    },
    /// The policy file cannot be read.
    #[error("cannot read the policy {0}: {1}")]
    PolicyFile(PathBuf, std::io::Error),
    /// The policy is invalid.
    #[error("the policy {0} is not valid: {1}")]
    Policy(PathBuf, PolicyParseError),
    /// The store is a database, and no policy with witnesses protects the log against an old copy of it.
    #[error(
        "a log in PostgreSQL needs a `policy` with a quorum of witnesses: only they notice that an old copy of the database was restored or promoted"
    )]
    Witnesses,
    /// Credentials have no use beside a writing entrance.
    #[error("with `writing`, its `records` name the components that may read records: remove `records_credentials`")]
    Credentials,
    /// A value is not 64 hexadecimal digits.
    #[error("`{0}` must be 64 lower-case hexadecimal digits")]
    Hex(&'static str),
}

impl Config {
    /// Resolves relative paths.
    pub fn resolved(mut self, base: &Path) -> Self {
        let files = self.log_keys.iter_mut().flat_map(LogKeyConfig::files);
        for path in [&mut self.data, &mut self.writer_key]
            .into_iter()
            .chain(&mut self.policy)
            .chain(files)
        {
            *path = resolve(base, path);
        }
        if let StoreConfig::Postgres(store) = self.store {
            self.store = StoreConfig::Postgres(store.resolved(base));
        }
        self.writing = self.writing.map(|writing| writing.resolved(base));
        self
    }

    /// The log's verifier keys, as a policy lists them in its `log` lines.
    ///
    /// # Errors
    /// [`ConfigError`] for a key that cannot be used.
    pub fn verifier_keys(&self) -> Result<Vec<VerifierKey>, ConfigError> {
        Ok(self.signer(SystemClock::shared())?.verifiers().to_vec())
    }

    pub(crate) fn signer(&self, clock: Arc<dyn Clock>) -> Result<Signer, ConfigError> {
        let keys = self.log_keys.iter().map(|key| key.open(&self.origin));
        let signer = Signer::of(keys.collect::<Result<_, _>>()?, clock)?;
        if signer.origin().as_str() != self.origin {
            let key = signer.origin().to_string();
            return Err(ConfigError::Origin {
                key,
                origin: self.origin.clone(),
            });
        }
        Ok(signer)
    }

    pub(crate) fn policy(&self) -> Result<Option<Policy>, ConfigError> {
        let policy = self.read_policy()?;
        let witnessed = policy.as_ref().is_some_and(Policy::needs_witnesses);
        if matches!(self.store, StoreConfig::Postgres(_)) && !witnessed {
            return Err(ConfigError::Witnesses);
        }
        Ok(policy)
    }

    fn read_policy(&self) -> Result<Option<Policy>, ConfigError> {
        let Some(path) = &self.policy else { return Ok(None) };
        let bytes =
            service::text_file::read_lines(path).map_err(|error| ConfigError::PolicyFile(path.clone(), error))?;
        Policy::parse(&bytes)
            .map(Some)
            .map_err(|error| ConfigError::Policy(path.clone(), error))
    }

    pub(crate) fn rules(&self) -> Result<rules::RulesConfig, ConfigError> {
        let genesis: Hash = self.genesis.parse().map_err(|_| ConfigError::Hex("genesis"))?;
        Ok(rules::RulesConfig {
            genesis,
            origin: self.origin.clone(),
            writer: SigningKey::from_seed(read_seed(&self.writer_key)?),
            skew: self.skew_seconds,
            map_after: Duration::from_millis(self.map_after_ms),
        })
    }

    pub(crate) fn credentials(&self) -> Result<Vec<CredentialDigest>, ConfigError> {
        if self.writing.is_some() && !self.records_credentials.is_empty() {
            return Err(ConfigError::Credentials);
        }
        let digests = self
            .records_credentials
            .iter()
            .map(|text| CredentialDigest::from_hex(text));
        digests
            .collect::<Option<_>>()
            .ok_or(ConfigError::Hex("records_credentials"))
    }

    pub(crate) fn on_failure(&self) -> QuorumLossPolicy {
        QuorumLossPolicy {
            fail: self.witness_fail,
            after: Duration::from_secs(self.witness_out_seconds),
        }
    }

    pub(crate) fn pace(&self) -> WitnessIntervals {
        WitnessIntervals {
            interval: Duration::from_millis(self.witness_interval_ms),
            refresh: Duration::from_secs(self.witness_refresh_seconds),
        }
    }
}

impl LogKeyConfig {
    fn files(&mut self) -> Vec<&mut PathBuf> {
        let mut files: Vec<&mut PathBuf> = self.file.iter_mut().collect();
        #[cfg(feature = "pkcs11")]
        files.extend(self.pkcs11.iter_mut().map(|location| &mut location.pin_file));
        files
    }

    fn open(&self, origin: &str) -> Result<LogKey, ConfigError> {
        let validity = Validity {
            not_before: self.not_before.as_deref().map_or(Ok(0), time)?,
            not_after: self.not_after.as_deref().map_or(Ok(u64::MAX), time)?,
        };
        match (&self.file, self.module_key(origin)?) {
            (Some(path), None) => Ok(LogKey::software(read_key(path)?, validity)?),
            (None, Some(key)) => Ok(LogKey::new(key, validity)),
            _ => Err(ConfigError::KeyLocation),
        }
    }

    #[cfg(feature = "pkcs11")]
    fn module_key(&self, origin: &str) -> Result<Option<Box<dyn NoteKey>>, ConfigError> {
        let Some(location) = &self.pkcs11 else { return Ok(None) };
        let key = crate::pkcs11::ModuleKey::open(location, origin.parse()?)?;
        Ok(Some(Box::new(key)))
    }

    #[cfg(not(feature = "pkcs11"))]
    fn module_key(&self, _origin: &str) -> Result<Option<Box<dyn NoteKey>>, ConfigError> {
        Ok(None)
    }
}

fn read_key(path: &Path) -> Result<SignerKey, ConfigError> {
    let text = read_private(path)?;
    let key = text.trim_end().parse();
    key.map_err(|error| ConfigError::LogKey(path.to_owned(), error))
}

fn time(text: &str) -> Result<u64, ConfigError> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    let seconds = time.ok().and_then(|time| u64::try_from(time.as_second()).ok());
    seconds.ok_or_else(|| ConfigError::Time(text.to_owned()))
}
