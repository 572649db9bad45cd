//! The configuration (JSON): the services, and the evidence that each needs.
//!
//! An authority writes down once what its procedure needs and on which law. The demonstration takes these texts from
//! its Registerlandkarte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use service::openid::LoginConfig;

/// The configuration. URLs have no trailing slash.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where browsers reach the services.
    pub public_url: String,
    /// Where the person sees what was recorded.
    pub cockpit: String,
    /// The OpenID provider at which people log in. Its tokens must say who they are (scopes `profile` and `address`).
    pub login: LoginConfig,
    /// The services.
    pub services: Vec<Service>,
}

/// An online service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name in addresses: lower-case letters.
    pub id: String,
    /// What is applied for: "Bewohnerparkausweis".
    pub title: String,
    /// The authority: "Stadt Rheinfurt".
    pub authority: String,
    /// What it is, in a sentence or two.
    pub about: String,
    /// The authority's connector.
    pub connector: String,
    /// File with the credential for the connector; absent if it demands none.
    #[serde(default)]
    pub credential: Option<PathBuf>,
    /// The handle that the connector records as the official: services have no official, so it names the procedure.
    pub official: String,
    /// The evidence that the procedure needs, at least one.
    pub needs: Vec<Need>,
}

/// Evidence that a procedure needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// What it is: "Derzeitige Anschrift".
    pub title: String,
    /// Which register has it: "Melderegister".
    pub register: String,
    /// The data that come with it.
    pub categories: Vec<String>,
    /// The laws that permit it.
    pub laws: Vec<Law>,
    /// What people call the fields of the evidence, by the names that the register has for them.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The evidence type, for the connector.
    pub evidence_type: String,
    /// The purpose, for the connector.
    pub purpose: String,
    /// Where the competent register is; without a place, `provider` is asked.
    #[serde(default)]
    pub place: Option<String>,
    /// The register's component.
    #[serde(default)]
    pub provider: Option<String>,
    /// Whether the procedure can wait up to 30 days for the register. The permission must demand no preview.
    #[serde(default)]
    pub asynchronous: bool,
}

/// A law, cited, and what it permits in the authority's own words.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Law {
    /// "§ 34 Absatz 1 BMG".
    pub citation: String,
    /// What it permits.
    pub permits: String,
}

impl Config {
    /// Makes relative paths start from `base`.
    #[must_use]
    pub fn resolved(mut self, base: &Path) -> Self {
        let resolve = |path: &PathBuf| service::config::resolve(base, path);
        self.login.client_secret = self.login.client_secret.as_ref().map(resolve);
        for service in &mut self.services {
            service.credential = service.credential.as_ref().map(resolve);
        }
        self
    }

    /// Where the OpenID provider sends the browser back to.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("{}/anmeldung/rueckkehr", self.public_url)
    }
}
