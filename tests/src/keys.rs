//! The keys of a demonstration, as the operators of its compartments have them. A test that lies in the place of a
//! compartment signs with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use identity::state::IdentityState;
use identity::wrapping::WrappingKeys;
use messages::SealingKey;
use record::{Period, SigningKey};
use service::secret::{Credential, read_private, read_seed};
use tlog::note;
use tlog::vrf::SecretKey;

/// The VRF secrets of the periods.
pub type Secrets = BTreeMap<Period, SecretKey>;

/// Reads keys below a demonstration's folder.
#[derive(Clone, Debug)]
pub struct Keys(PathBuf);

impl Keys {
    /// The keys below `data`.
    pub fn of(data: &Path) -> Self {
        Self(data.to_path_buf())
    }

    /// A key that signs messages: `identity/signing.key`.
    pub fn signing(&self, path: &str) -> Result<SigningKey> {
        Ok(SigningKey::from_seed(read_seed(&self.0.join(path))?))
    }

    /// A key that messages are sealed to: `connector-kba/sealing.key`.
    pub fn sealing(&self, path: &str) -> Result<SealingKey> {
        Ok(SealingKey::from_seed(read_seed(&self.0.join(path))?))
    }

    /// A key that signs entries: `broker/writer.key`.
    pub fn writer(&self, path: &str) -> Result<SigningKey> {
        Ok(SigningKey::from_seed(read_seed(&self.0.join(path))?))
    }

    /// A bearer credential as it is sent: `broker/identity.credential`.
    pub fn bearer(&self, path: &str) -> Result<String> {
        let credential = Credential::read(&self.0.join(path))?;
        Ok(format!("Bearer {}", credential.to_hex().as_str()))
    }

    /// The key that signs checkpoints.
    pub fn log(&self) -> Result<note::SignerKey> {
        Ok(read_private(&self.0.join("ledger/log.key"))?.trim_end().parse()?)
    }

    /// The key of a witness: `witness-1`.
    pub fn witness(&self, name: &str) -> Result<note::SignerKey> {
        Ok(verifier::witness::load_signer(&self.0.join(name).join("witness.key"))?)
    }

    /// The periods' VRF secrets. Identity must not be running, because its state can be open in one process only.
    pub fn periods(&self) -> Result<Secrets> {
        let folder = self.0.join("identity");
        let keys = WrappingKeys::open(&folder.join("wrapping"))?;
        let mut secrets = Secrets::new();
        for (period, row) in IdentityState::open(&folder.join("state.redb"))?.periods()? {
            let wrapped = row.wrapped.context("a period of a new log has its secret")?;
            let key = keys.get(period)?.context("and its wrapping key")?;
            secrets.insert(period, SecretKey::from_seed(&*key.unwrap(period, &wrapped)?)?);
        }
        Ok(secrets)
    }
}
