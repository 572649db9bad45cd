//! The connector's configuration file (JSON).

use std::path::{Path, PathBuf};

use record::ParticipantId;
use serde::{Deserialize, Serialize};

/// Configuration. [`Config::resolved`] makes relative paths start from the configuration file. URLs have no trailing
/// slash.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The participant whose connector this is.
    pub participant: ParticipantId,
    /// The connector's own directory: `state.redb` and the file of the checkpoint watch.
    pub data: PathBuf,
    /// The ledger's base URL.
    pub ledger: String,
    /// The trust policy (c2sp.org/tlog-policy), from outside the ledger.
    pub policy: PathBuf,
    /// The hash of the genesis entry (64 hexadecimal digits), from outside the ledger.
    pub genesis: String,
    /// Seed file of the key that signs S1 and S2, or the answers; the directory lists its public key.
    pub signing_key: PathBuf,
    /// Seed file of the HPKE key that requests are sealed to; the directory lists its public key.
    pub sealing_key: PathBuf,
    /// Whether this system exchanges XNachweis test messages, and no others. SPEC: XNachweis 1.2: a message marked as
    /// test must not run in production.
    #[serde(default)]
    pub test: bool,
    /// Consumer or provider. An authority that is both runs two connectors (TR-03190).
    pub role: Role,
}

/// The role of a connector.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Requests evidence from providers.
    Consumer(ConsumerConfig),
    /// Answers requests with evidence from its register.
    Provider(ProviderConfig),
}

/// Configuration of a consumer's connector.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsumerConfig {
    /// The broker's base URL.
    pub broker: String,
    /// SHA-256 (64 hexadecimal digits) of the credential that the authority's own systems present. Without one, the
    /// connector listens on the loopback interface only.
    #[serde(default)]
    pub credential_digest: Option<String>,
    /// Longest duration of an exchange, in seconds.
    #[serde(default = "deadline_seconds")]
    pub deadline_seconds: u64,
}

/// Configuration of a provider's connector.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The register's base URL.
    pub register: String,
    /// File of the credential that the register requires.
    pub register_credential: PathBuf,
    /// Timeout of a request to the register, in seconds.
    #[serde(default = "register_seconds")]
    pub register_seconds: u64,
}

fn deadline_seconds() -> u64 {
    30
}

fn register_seconds() -> u64 {
    10
}

impl Config {
    /// Makes relative paths start from `base`.
    #[must_use]
    pub fn resolved(self, base: &Path) -> Self {
        let resolve = |path: &Path| service::config::resolve(base, path);
        let role = match self.role {
            Role::Provider(provider) => Role::Provider(ProviderConfig {
                register_credential: resolve(&provider.register_credential),
                ..provider
            }),
            consumer @ Role::Consumer(_) => consumer,
        };
        Self {
            data: resolve(&self.data),
            policy: resolve(&self.policy),
            signing_key: resolve(&self.signing_key),
            sealing_key: resolve(&self.sealing_key),
            role,
            ..self
        }
    }
}
