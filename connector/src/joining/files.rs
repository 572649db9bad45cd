//! The folder of a connector that joins.
//!
//! ```text
//! signing.key, sealing.key    made once, mode 0600
//! trust.policy                the log and its witnesses, from the invitation
//! authorities.pem             the certificate authorities, from the invitation, where TLS is used
//! config.json                 made once; the operator may change it
//! join.lock                   locked while a command works in the folder
//! ```

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use store::StoreConfig;

use certificates::TlsConfig;
use enrolment::Invitation;
use messages::SealingKey;
use record::{ParticipantId, SigningKey};
use service::config::ConfigError;
use service::durable;
use service::secret::{self, SecretError};

use crate::config::{Config, Role};

const SIGNING_KEY: &str = "signing.key";
const SEALING_KEY: &str = "sealing.key";
const POLICY: &str = "trust.policy";
const AUTHORITIES: &str = "authorities.pem";
const CONFIG: &str = "config.json";
const LOCK: &str = "join.lock";

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or the folder cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// A key cannot be made or read.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// Another command works in the folder.
    #[error("another command works in {0}: wait for its end")]
    Busy(PathBuf),
    /// The configuration is not readable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder belongs to another component or another log.
    #[error("{0} is the folder of the component {1} in another enrolment: choose an empty one with --folder")]
    Other(PathBuf, ParticipantId),
}

/// The keys of a component.
pub(super) struct ComponentKeys {
    pub(super) signing: SigningKey,
    pub(super) sealing: SealingKey,
}

/// A folder that no other command uses meanwhile.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, FolderError> {
        let failed = |error| FolderError::File(path.to_path_buf(), error);
        durable::private_directory(path).map_err(failed)?;
        let lock = durable::open_private(&path.join(LOCK)).map_err(failed)?;
        lock.try_lock().map_err(|_| FolderError::Busy(path.to_path_buf()))?;
        Ok(Self {
            path: path.to_path_buf(),
            _lock: lock,
        })
    }

    /// The keys, which are made if there are none. A folder with the configuration of another component is refused
    /// before that.
    pub(super) fn keys(&self, component: &ParticipantId) -> Result<ComponentKeys, FolderError> {
        if let Some(config) = self.read_config()?
            && config.participant != *component
        {
            return Err(FolderError::Other(self.path.clone(), config.participant));
        }
        Ok(ComponentKeys {
            signing: SigningKey::from_seed(secret::make_seed(&self.path.join(SIGNING_KEY))?),
            sealing: SealingKey::from_seed(secret::make_seed(&self.path.join(SEALING_KEY))?),
        })
    }

    /// Writes what the invitation says, and the configuration if there is none.
    pub(super) fn settle(&self, invited: &Invitation, config: &Config) -> Result<(), FolderError> {
        let before = self.read_config()?;
        if let Some(before) = &before
            && before.genesis != config.genesis
        {
            return Err(FolderError::Other(self.path.clone(), before.participant.clone()));
        }
        self.write(POLICY, invited.network.policy.as_bytes())?;
        if let Some(authorities) = &invited.network.authorities {
            self.write(AUTHORITIES, authorities.as_bytes())?;
        }
        if before.is_some() {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(config).map_err(|error| self.failed(CONFIG, error.into()))?;
        self.write(CONFIG, &text)
    }

    /// The path of the trust policy.
    pub(super) fn policy(&self) -> PathBuf {
        self.path.join(POLICY)
    }

    fn read_config(&self) -> Result<Option<Config>, FolderError> {
        let path = self.path.join(CONFIG);
        if path.exists() {
            Ok(Some(service::config::load(&path)?))
        } else {
            Ok(None)
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        durable::write_atomic(&self.path.join(name), bytes).map_err(|error| self.failed(name, error))
    }

    fn failed(&self, name: &str, error: io::Error) -> FolderError {
        FolderError::File(self.path.join(name), error)
    }
}

/// The configuration of a component that joins by the service at this URL.
pub(super) fn config(invited: &Invitation, service: &str, role: Role) -> Config {
    let network = &invited.network;
    Config {
        participant: invited.seat.id.clone(),
        data: ".".into(),
        store: StoreConfig::Redb,
        ledger: network.ledger.as_str().into(),
        policy: POLICY.into(),
        genesis: network.genesis.to_string(),
        signing_key: SIGNING_KEY.into(),
        sealing_key: SEALING_KEY.into(),
        tls: network.authorities.is_some().then(|| TlsConfig {
            issuer: service.to_owned(),
            authorities: AUTHORITIES.into(),
            hosts: Vec::new(),
        }),
        test: network.test,
        role,
    }
}
