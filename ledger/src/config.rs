//! The configuration of `ledger serve`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use record::WriterSigningKey;
use serde::Deserialize;
use service::config::resolve;
use service::secret::{CredentialDigest, SecretError, read_private, read_seed};
use tlog::Hash;
use tlog::note::{KeyError, SigningKey};
use tlog::policy::{Policy, PolicyParseError};

use crate::engine::publication::Pace;
use crate::engine::snapshot::{Signer, SignerError};
use crate::rules;

/// JSON; relative paths start at the configuration file's directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Data directory; the store lies in `store` below it.
    pub data: PathBuf,
    /// The log's origin: the first line of its checkpoints.
    pub origin: String,
    /// File with the log's key as `PRIVATE+KEY+…` (signed-note), readable by its owner alone. Its name is the origin.
    pub log_key: PathBuf,
    /// Seed file of the writer key for `map` entries.
    pub writer_key: PathBuf,
    /// The witness policy (tlog-policy); without one every head is published as it is.
    #[serde(default)]
    pub policy: Option<PathBuf>,
    /// Leaf hash of the genesis entry, 64 hexadecimal digits.
    pub genesis: String,
    /// SHA-256 of the credentials that may read records, 64 hexadecimal digits each.
    #[serde(default)]
    pub records_credentials: Vec<String>,
    /// How far an entry's time may be from the ledger's clock.
    #[serde(default = "default_skew")]
    pub skew_seconds: u64,
    /// How long after an entry the next `map` entry follows, at most 1000 together with a commit.
    #[serde(default = "default_map_after")]
    pub map_after_ms: u64,
    /// At least this long between two requests to a witness.
    #[serde(default = "default_interval")]
    pub witness_interval_ms: u64,
    /// At most this long without a request to a witness.
    #[serde(default = "default_refresh")]
    pub witness_refresh_seconds: u64,
    /// How much may wait: about the number of entries, larger ones count for more.
    #[serde(default = "default_queue")]
    pub queue: usize,
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

fn default_queue() -> usize {
    crate::engine::Limits::default().queue
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key file.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The log's key.
    #[error("the log key in {0} is not a signed-note private key: {1}")]
    LogKey(PathBuf, KeyError),
    /// The log's key cannot sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The key is another log's.
    #[error("the log key is named {key}, but the origin is {origin}: they must be the same")]
    Origin {
        /// Name of the key.
        key: String,
        /// Configured origin.
        origin: String,
    },
    /// The policy file.
    #[error("cannot read the policy {0}: {1}")]
    PolicyFile(PathBuf, std::io::Error),
    /// The policy.
    #[error("the policy {0} is not valid: {1}")]
    Policy(PathBuf, PolicyParseError),
    /// Not 64 hexadecimal digits.
    #[error("`{0}` must be 64 lower-case hexadecimal digits")]
    Hex(&'static str),
}

impl Config {
    /// Resolves relative paths.
    pub fn resolved(mut self, base: &Path) -> Self {
        for path in [&mut self.data, &mut self.log_key, &mut self.writer_key]
            .into_iter()
            .chain(&mut self.policy)
        {
            *path = resolve(base, path);
        }
        self
    }

    pub(crate) fn signer(&self) -> Result<Signer, ConfigError> {
        let text = read_private(&self.log_key)?;
        let key: SigningKey = text
            .trim_end()
            .parse()
            .map_err(|error| ConfigError::LogKey(self.log_key.clone(), error))?;
        let signer = Signer::new(key)?;
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
        let Some(path) = &self.policy else { return Ok(None) };
        let bytes = std::fs::read(path).map_err(|error| ConfigError::PolicyFile(path.clone(), error))?;
        Policy::parse(&bytes)
            .map(Some)
            .map_err(|error| ConfigError::Policy(path.clone(), error))
    }

    pub(crate) fn rules(&self) -> Result<rules::Settings, ConfigError> {
        let genesis: Hash = self.genesis.parse().map_err(|_| ConfigError::Hex("genesis"))?;
        Ok(rules::Settings {
            genesis,
            origin: self.origin.clone(),
            writer: WriterSigningKey::from_seed(read_seed(&self.writer_key)?),
            skew: self.skew_seconds,
            map_after: Duration::from_millis(self.map_after_ms),
        })
    }

    pub(crate) fn credentials(&self) -> Result<Vec<CredentialDigest>, ConfigError> {
        let digests = self
            .records_credentials
            .iter()
            .map(|text| CredentialDigest::from_hex(text));
        digests
            .collect::<Option<_>>()
            .ok_or(ConfigError::Hex("records_credentials"))
    }

    pub(crate) fn pace(&self) -> Pace {
        Pace {
            interval: Duration::from_millis(self.witness_interval_ms),
            refresh: Duration::from_secs(self.witness_refresh_seconds),
        }
    }
}
