//! The connector's configuration file (JSON).

use std::path::{Path, PathBuf};

use certificates::TlsConfig;
use ledger_client::LedgerAddresses;
use messages::limits::{MAX_DEADLINE_SECONDS, MAX_PREVIEW_SECONDS, MAX_REGISTER_SECONDS};
use record::ParticipantId;
use serde::{Deserialize, Serialize};
use store::StoreConfig;
use trust::Component;

use crate::error::Error;
use crate::scan::ScanConfig;

/// Configuration. [`Config::resolved`] makes relative paths start from the configuration file. URLs have no trailing
/// slash.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The participant whose connector this is.
    pub participant: ParticipantId,
    /// The connector's own directory: `state.redb` and the file of the checkpoint watch.
    pub data: PathBuf,
    /// Where its state is; the file of the checkpoint watch stays in `data`.
    #[serde(default, skip_serializing_if = "StoreConfig::is_default")]
    pub store: StoreConfig,
    /// The ledger's base URL, or a list of those of several ledgers of one log.
    pub ledger: LedgerAddresses,
    /// The trust policy (c2sp.org/tlog-policy), from outside the ledger.
    pub policy: PathBuf,
    /// The hash of the genesis entry (64 hexadecimal digits), from outside the ledger.
    pub genesis: String,
    /// Seed file of the key that signs S1 and S2, or the answers; the directory lists its public key.
    pub signing_key: PathBuf,
    /// Seed file of the HPKE key that requests are sealed to; the directory lists its public key.
    pub sealing_key: PathBuf,
    /// How the connector gets its certificates. With them it and the broker use mutual TLS; without them, plain HTTP.
    #[serde(default)]
    pub tls: Option<TlsConfig>,
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

impl Role {
    /// The role's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Consumer(_) => "consumer",
            Self::Provider(_) => "provider",
        }
    }

    /// Whether a component may have the role now.
    pub(crate) fn is_open_to(&self, component: &Component) -> bool {
        match self {
            Self::Consumer(_) => component.may_request(),
            Self::Provider(_) => component.may_provide(),
        }
    }
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
    /// How long a caller waits for an exchange, in seconds; at most [`MAX_DEADLINE_SECONDS`].
    #[serde(default = "deadline_seconds")]
    pub deadline_seconds: u64,
    /// How long a person may take for the decision at a preview, in seconds; at most [`MAX_PREVIEW_SECONDS`].
    #[serde(default = "preview_seconds")]
    pub preview_seconds: u64,
    /// URL of the authority's own system, which is called when the answer of an asynchronous request is here. Without
    /// one, that system asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<String>,
}

/// Configuration of a provider's connector.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The register's base URL.
    pub register: String,
    /// File of the credential that the register requires.
    pub register_credential: PathBuf,
    /// Timeout of a request to the register, in seconds; at most [`MAX_REGISTER_SECONDS`], which is less than a broker
    /// waits for the answer.
    #[serde(default = "register_seconds")]
    pub register_seconds: u64,
    /// The scanner that every evidence must pass. Without one, evidence is not scanned.
    #[serde(default)]
    pub scanner: Option<ScanConfig>,
    /// Base URL of the broker from which the connector collects its calls, because the broker cannot reach it. The
    /// directory lists the component without an endpoint then, and the listener serves no calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collects_from: Option<String>,
}

impl ConsumerConfig {
    /// The configuration with a broker and otherwise the defaults.
    #[must_use]
    pub(crate) fn at(broker: &str) -> Self {
        Self {
            broker: broker.to_owned(),
            credential_digest: None,
            deadline_seconds: deadline_seconds(),
            preview_seconds: preview_seconds(),
            callback: None,
        }
    }
}

impl ProviderConfig {
    /// The configuration with a register and otherwise the defaults.
    #[must_use]
    pub(crate) fn of(register: &str, register_credential: PathBuf) -> Self {
        Self {
            register: register.to_owned(),
            register_credential,
            register_seconds: register_seconds(),
            scanner: None,
            collects_from: None,
        }
    }
}

fn is_http(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
}

fn deadline_seconds() -> u64 {
    30
}

fn preview_seconds() -> u64 {
    1800
}

fn register_seconds() -> u64 {
    10
}

impl Config {
    /// Checks the limits of time against those of the other parties of an exchange.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn check(&self) -> Result<(), Error> {
        match &self.role {
            Role::Consumer(role) if !(1..=MAX_DEADLINE_SECONDS).contains(&role.deadline_seconds) => {
                Err(Error::Config("deadline_seconds must be from 1 to 60"))
            }
            Role::Consumer(role) if !(1..=MAX_PREVIEW_SECONDS).contains(&role.preview_seconds) => {
                Err(Error::Config("preview_seconds must be from 1 to 86400"))
            }
            Role::Consumer(role) if !role.callback.as_deref().is_none_or(is_http) => {
                Err(Error::Config("callback must be the URL of the authority's own system"))
            }
            Role::Provider(role) if !(1..=MAX_REGISTER_SECONDS).contains(&role.register_seconds) => {
                Err(Error::Config("register_seconds must be from 1 to 20"))
            }
            Role::Provider(role) if !role.scanner.as_ref().is_none_or(ScanConfig::is_sound) => {
                Err(Error::Config("scanner: seconds must be from 1 to 20"))
            }
            Role::Provider(role) if !role.collects_from.as_deref().is_none_or(is_http) => {
                Err(Error::Config("collects_from must be the broker's base URL"))
            }
            _ => Ok(()),
        }
    }

    /// Makes relative paths start from `base`.
    #[must_use]
    pub fn resolved(self, base: &Path) -> Self {
        let resolve = |path: &Path| service::config::resolve(base, path);
        let role = match self.role {
            Role::Provider(provider) => Role::Provider(ProviderConfig {
                register_credential: resolve(&provider.register_credential),
                scanner: provider.scanner.map(|scanner| ScanConfig {
                    socket: resolve(&scanner.socket),
                    ..scanner
                }),
                ..provider
            }),
            consumer @ Role::Consumer(_) => consumer,
        };
        Self {
            data: resolve(&self.data),
            store: self.store.resolved(base),
            policy: resolve(&self.policy),
            signing_key: resolve(&self.signing_key),
            sealing_key: resolve(&self.sealing_key),
            tls: self.tls.map(|tls| tls.resolved(base)),
            role,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    impl Config {
        pub(crate) fn example(role: Role) -> Self {
            Self {
                participant: "kba".parse().unwrap(),
                data: PathBuf::new(),
                store: StoreConfig::Redb,
                ledger: "http://ledger.example".into(),
                policy: PathBuf::new(),
                genesis: String::new(),
                signing_key: PathBuf::new(),
                sealing_key: PathBuf::new(),
                tls: None,
                test: true,
                role,
            }
        }
    }

    fn accepted(role: Role) -> bool {
        Config::example(role).check().is_ok()
    }

    #[test]
    fn limits_of_time_that_would_race_are_refused() {
        let consumer_with = |deadline_seconds, preview_seconds| {
            accepted(Role::Consumer(ConsumerConfig {
                broker: String::new(),
                credential_digest: None,
                deadline_seconds,
                preview_seconds,
                callback: None,
            }))
        };
        let consumer = |deadline_seconds| consumer_with(deadline_seconds, 1800);
        let called = |url: &str| {
            accepted(Role::Consumer(ConsumerConfig {
                broker: String::new(),
                credential_digest: None,
                deadline_seconds: 30,
                preview_seconds: 1800,
                callback: Some(url.to_owned()),
            }))
        };
        assert!(called("https://antrag.example/da") && !called("antrag.example"));
        assert!(!consumer_with(30, 0) && consumer_with(30, 86_400) && !consumer_with(30, 86_401));
        let provider = |register_seconds| {
            accepted(Role::Provider(ProviderConfig {
                register: String::new(),
                register_credential: PathBuf::new(),
                register_seconds,
                scanner: None,
                collects_from: None,
            }))
        };
        assert!(!consumer(0) && consumer(1) && consumer(60) && !consumer(61));
        let scanned = |seconds| {
            accepted(Role::Provider(ProviderConfig {
                register: String::new(),
                register_credential: PathBuf::new(),
                register_seconds: 10,
                scanner: Some(ScanConfig {
                    socket: PathBuf::new(),
                    seconds,
                }),
                collects_from: None,
            }))
        };
        assert!(!scanned(0) && scanned(1) && scanned(20) && !scanned(21));
        let collecting = |url: &str| {
            accepted(Role::Provider(ProviderConfig {
                collects_from: Some(url.to_owned()),
                ..ProviderConfig::of("", PathBuf::new())
            }))
        };
        assert!(collecting("https://vermittlung.example") && !collecting("vermittlung.example"));
        assert!(!provider(0) && provider(1) && provider(20) && !provider(21));
    }
}
