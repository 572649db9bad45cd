//! The configuration of the portal.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The path, below the portal's public URL, to which the OpenID provider sends the browser back.
pub(crate) const CALLBACK_PATH: &str = "/anmeldung/rueckkehr";

/// The configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where browsers reach the portal, without a trailing slash. `https` makes cookies `Secure`.
    pub public_url: String,
    /// The ledger's base URL.
    pub ledger: String,
    /// The ledger's base URL for everybody, as shown on the page about verifying; `ledger` if absent.
    #[serde(default)]
    pub ledger_public: Option<String>,
    /// Seed file of the bearer credential for sealed records.
    pub ledger_credential: PathBuf,
    /// Identity's base URL.
    pub identity: String,
    /// Seed file of the bearer credential for disclosures.
    pub identity_credential: PathBuf,
    /// The trust policy (c2sp.org/tlog-policy).
    pub policy: PathBuf,
    /// The genesis hash, 64 hexadecimal digits.
    pub genesis: String,
    /// The OpenID provider.
    pub login: LoginConfig,
    /// Words of the yellow bar on every page; absent: "Demonstrator – keine offizielle Website, …".
    #[serde(default)]
    pub banner: Option<String>,
    /// When a session ends.
    #[serde(default)]
    pub sessions: SessionLimits,
}

/// The OpenID provider that citizens log in at.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginConfig {
    /// Its issuer URL.
    pub issuer: String,
    /// Our client id there.
    pub client_id: String,
    /// Private file with our client secret; absent for a public client.
    #[serde(default)]
    pub client_secret: Option<PathBuf>,
    /// The level of assurance that a token must claim (`acr`).
    pub acr: String,
}

impl Config {
    /// Makes relative paths start at `base`, the directory of the configuration file.
    pub fn resolved(mut self, base: &Path) -> Self {
        let resolve = |path: &Path| service::config::resolve(base, path);
        self.ledger_credential = resolve(&self.ledger_credential);
        self.identity_credential = resolve(&self.identity_credential);
        self.policy = resolve(&self.policy);
        self.login.client_secret = self.login.client_secret.as_deref().map(resolve);
        self
    }

    /// Where the provider sends browsers back to: to be registered there.
    pub fn redirect_uri(&self) -> String {
        format!("{}{}", self.public_url, CALLBACK_PATH)
    }
}

/// When a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionLimits {
    /// Seconds after the login, whatever is done.
    pub longest: u64,
    /// Seconds after the last page.
    pub idle: u64,
}

impl Default for SessionLimits {
    /// What is asked of services of level "high": 30 minutes, 5 without action.
    fn default() -> Self {
        Self {
            longest: 1_800,
            idle: 300,
        }
    }
}
