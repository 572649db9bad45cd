//! The configuration file of the join service.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use certificates::Host;
use serde::{Deserialize, Serialize};

/// The files of one certificate authority.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityConfig {
    /// Its key (PEM).
    pub key: PathBuf,
    /// Its certificate (PEM).
    pub certificate: PathBuf,
}

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
    /// The certificate authorities, made by `join create-authority`. The directory says which of them issues; while
    /// it says nothing, the first one does.
    pub authorities: Vec<AuthorityConfig>,
    /// The hosts of the writers' servers, by the name of the writer in the directory. The directory itself says where
    /// components are reached.
    #[serde(default)]
    pub hosts: BTreeMap<String, Vec<Host>>,
}

impl Config {
    /// Makes relative paths start from `base`.
    #[must_use]
    pub fn resolved(mut self, base: &Path) -> Self {
        let files = self
            .authorities
            .iter_mut()
            .flat_map(|files| [&mut files.key, &mut files.certificate]);
        for path in [&mut self.data, &mut self.policy].into_iter().chain(files) {
            *path = service::config::resolve(base, path);
        }
        self
    }
}
