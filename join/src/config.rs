//! The configuration file of the join service.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use certificates::Host;
use serde::{Deserialize, Serialize};

/// JSON. Relative paths start at the directory of the configuration file ([`Config::resolved`]).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The process's own directory, with `enrolments.redb`.
    pub data: PathBuf,
    /// The ledger's base URL, without a slash at the end.
    pub ledger: String,
    /// The trust policy (c2sp.org/tlog-policy), from outside the ledger.
    pub policy: PathBuf,
    /// The hash of the genesis entry, from outside the ledger.
    pub genesis: String,
    /// File with the key of the certificate authority (PEM), made by `join create-authority`.
    pub authority_key: PathBuf,
    /// File with the certificate of the authority (PEM).
    pub authority_certificate: PathBuf,
    /// The hosts of the writers' servers, by the name of the writer in the directory. The directory itself says where
    /// components are reached.
    #[serde(default)]
    pub hosts: BTreeMap<String, Vec<Host>>,
}

impl Config {
    /// Makes relative paths start from `base`.
    #[must_use]
    pub fn resolved(mut self, base: &Path) -> Self {
        for path in [
            &mut self.data,
            &mut self.policy,
            &mut self.authority_key,
            &mut self.authority_certificate,
        ] {
            *path = service::config::resolve(base, path);
        }
        self
    }
}
