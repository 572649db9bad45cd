//! The configuration of the portal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use certificates::TlsConfig;
use citizen_ui::pages::Operator;
use record::ParticipantId;
use serde::{Deserialize, Serialize};
use service::openid::LoginConfig;

use crate::security_contact::SecurityContact;

/// The path, below the portal's public URL, to which the OpenID provider sends the browser back.
pub(crate) const CALLBACK_PATH: &str = "/anmeldung/rueckkehr";

/// The configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// URL of the portal for browsers, without a trailing slash. With `https`, cookies are `Secure`.
    pub public_url: String,
    /// Base URL of the ledger.
    pub ledger: String,
    /// Public base URL of the ledger, for the page about verifying; `ledger` if absent.
    #[serde(default)]
    pub ledger_public: Option<String>,
    /// Base URL of identity, with `https`.
    pub identity: String,
    /// The portal as a component, which reaches identity and the ledger's records by mutual TLS.
    pub component: ComponentConfig,
    /// File with the trust policy (c2sp.org/tlog-policy).
    pub policy: PathBuf,
    /// Leaf hash of entry 0 in 64 hexadecimal digits.
    pub genesis: String,
    /// The OpenID provider.
    pub login: LoginConfig,
    /// Text of the yellow bar on every page; if absent, "Demonstrator – keine offizielle Website, …".
    #[serde(default)]
    pub banner: Option<String>,
    /// When a session ends.
    #[serde(default)]
    pub sessions: SessionLimits,
    /// Who operates the portal, for imprint, privacy statement and help.
    #[serde(default)]
    pub operator: Option<OperatorConfig>,
    /// Who runs each witness of the policy, by its name there.
    #[serde(default)]
    pub witness_operators: BTreeMap<String, String>,
    /// How citizens can ask registers what they have about them; without it, no register can be asked.
    #[serde(default)]
    pub own_requests: Option<OwnRequestsConfig>,
    /// Where to report a vulnerability; without it there is no `security.txt`.
    #[serde(default)]
    pub security_contact: Option<SecurityContact>,
    /// Where else the policy and the genesis hash are published, in words.
    #[serde(default)]
    pub keys_published: Vec<String>,
    /// The verifier that the portal offers for download.
    #[serde(default)]
    pub verifier: Option<PathBuf>,
}

/// The portal as a component in the directory. It needs neither the role of a consumer nor that of a provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentConfig {
    /// Its id.
    pub id: ParticipantId,
    /// Seed file of its signing key, with which it asks for certificates.
    pub signing_key: PathBuf,
    /// The portal's own directory, for its certificate.
    pub data: PathBuf,
    /// How it gets its certificates.
    pub tls: TlsConfig,
    /// Base URL of the ledger's writing entrance, which shows records.
    pub ledger_writing: String,
}

impl ComponentConfig {
    fn resolved(self, base: &Path) -> Self {
        Self {
            signing_key: service::config::resolve(base, &self.signing_key),
            data: service::config::resolve(base, &self.data),
            tls: self.tls.resolved(base),
            ..self
        }
    }
}

/// The portal's own connector, through which it asks registers for citizens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnRequestsConfig {
    /// The connector's base URL.
    pub connector: String,
    /// File of the credential that the connector demands.
    pub credential: PathBuf,
    /// The component in the directory that the connector belongs to.
    pub participant: ParticipantId,
}

/// Who operates the portal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorConfig {
    /// The name.
    pub name: String,
    /// The postal address.
    pub address: String,
    /// Where to ask: the address of a function, never of a person.
    pub contact: String,
    /// The data-protection officer: the address of the function.
    pub data_protection: String,
    /// The supervisory authority.
    pub supervision: String,
}

impl OperatorConfig {
    pub(crate) fn to_operator(&self) -> Operator {
        Operator {
            name: self.name.clone(),
            address: self.address.clone(),
            contact: self.contact.clone(),
            data_protection: self.data_protection.clone(),
            supervision: self.supervision.clone(),
        }
    }
}

impl Config {
    /// Makes relative paths start at `base`, the directory of the configuration file.
    pub fn resolved(mut self, base: &Path) -> Self {
        let resolve = |path: &Path| service::config::resolve(base, path);
        self.component = self.component.resolved(base);
        self.policy = resolve(&self.policy);
        self.verifier = self.verifier.as_deref().map(resolve);
        if let Some(own) = &mut self.own_requests {
            own.credential = resolve(&own.credential);
        }
        self.login.client_secret = self.login.client_secret.as_deref().map(resolve);
        self
    }

    /// The redirect URI, which must be registered at the OpenID provider.
    pub fn redirect_uri(&self) -> String {
        format!("{}{}", self.public_url, CALLBACK_PATH)
    }
}

/// When a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionLimits {
    /// Seconds after the login at which the session ends in any case.
    pub longest: u64,
    /// Seconds after the last page at which an idle session ends.
    pub idle: u64,
}

impl Default for SessionLimits {
    /// The limits for services at the level of assurance "high": 30 minutes, and 5 minutes of idleness.
    fn default() -> Self {
        Self {
            longest: 1_800,
            idle: 300,
        }
    }
}
