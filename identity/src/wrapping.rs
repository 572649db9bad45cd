//! Wrapping keys, which encrypt the periods' secrets. Each is in a file of its own ([`crate::key_files`]).
//!
//! ```text
//! wrapping/<period>.key     ten digits
//! wrapped = nonce[12] ‖ ChaCha20-Poly1305(wrapping key, nonce, aad, seed[32])
//! aad     = "einsicht/period-secret/v1" ‖ u32 period
//! ```
//!
//! The state and its backups contain period secrets only in wrapped form. The folder of wrapping keys is replicated but
//! never backed up. A backup alone therefore opens nothing, and destroying one file destroys that period's secret in
//! every backup (design §5.2).

use std::path::Path;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use record::Period;
use service::secret::{SecretError, random};
use zeroize::Zeroizing;

use crate::key_files::{KeyFileError, KeyFolder};

const INFO: &[u8] = b"einsicht/period-secret/v1";
const NONCE_LEN: usize = 12;

/// Why a secret cannot be wrapped, unwrapped or destroyed.
#[derive(Debug, thiserror::Error)]
pub enum WrappingError {
    /// A key file cannot be read, written or destroyed.
    #[error(transparent)]
    Files(#[from] KeyFileError),
    /// No random bytes are available.
    #[error(transparent)]
    Random(#[from] SecretError),
    /// The secret was wrapped under another key, or has been altered.
    #[error(
        "the secret of period {0} does not open under its wrapping key: state and wrapping keys do not belong together"
    )]
    Other(u32),
}

/// The folder of wrapping keys.
#[derive(Debug, Clone)]
pub struct WrappingKeys {
    folder: KeyFolder,
}

/// One wrapping key. `Debug` does not print it.
pub struct WrappingKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WrappingKey(redacted)")
    }
}

impl WrappingKeys {
    /// Opens the folder, or creates it.
    ///
    /// # Errors
    /// [`WrappingError::Files`] if the folder cannot be read or created.
    pub fn open(folder: &Path) -> Result<Self, WrappingError> {
        let folder = KeyFolder::open(folder)?;
        Ok(Self { folder })
    }

    /// A period's key. `None` if the key was never created, if it was destroyed, or if this is the wrong folder.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub fn get(&self, period: Period) -> Result<Option<WrappingKey>, WrappingError> {
        Ok(self.folder.get(&name(period))?.map(WrappingKey))
    }

    /// A period's key, created if it does not exist. The key is on disk before this returns.
    ///
    /// # Errors
    /// If the file cannot be read or created.
    pub fn make(&self, period: Period) -> Result<WrappingKey, WrappingError> {
        Ok(WrappingKey(self.folder.make(&name(period))?))
    }

    /// Destroys a period's key. Does nothing if the key does not exist.
    ///
    /// # Errors
    /// If the file cannot be destroyed. It may still exist, so retry.
    pub fn destroy(&self, period: Period) -> Result<(), WrappingError> {
        Ok(self.folder.destroy(&name(period))?)
    }
}

fn name(period: Period) -> String {
    format!("{:010}", period.0)
}

impl WrappingKey {
    /// Encrypts a period's seed.
    ///
    /// # Errors
    /// If no random bytes are available.
    pub fn wrap(&self, period: Period, seed: &[u8; 32]) -> Result<Vec<u8>, WrappingError> {
        let random = random()?;
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&random[..NONCE_LEN]);
        let aad = aad(period);
        let sealed = self
            .cipher()
            .encrypt(&Nonce::from(nonce), Payload { msg: seed, aad: &aad });
        let sealed = sealed.map_err(|_| WrappingError::Other(period.0))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts a period's seed.
    ///
    /// # Errors
    /// [`WrappingError::Other`].
    pub fn unwrap(&self, period: Period, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, WrappingError> {
        let other = || WrappingError::Other(period.0);
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>().ok_or_else(other)?;
        let aad = aad(period);
        let opened = self
            .cipher()
            .decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &aad });
        let opened = Zeroizing::new(opened.map_err(|_| other())?);
        let seed = opened.as_slice().try_into().map_err(|_| other())?;
        Ok(Zeroizing::new(seed))
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

fn aad(period: Period) -> Vec<u8> {
    [INFO, &period.0.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_opens_under_its_own_key_and_period_only() {
        let folder = tempfile::tempdir().unwrap();
        let keys = WrappingKeys::open(&folder.path().join("wrapping")).unwrap();
        let (one, two) = (keys.make(Period(1)).unwrap(), keys.make(Period(2)).unwrap());
        let wrapped = one.wrap(Period(1), &[7; 32]).unwrap();
        assert_eq!(*one.unwrap(Period(1), &wrapped).unwrap(), [7; 32]);
        assert!(one.unwrap(Period(2), &wrapped).is_err());
        assert!(two.unwrap(Period(1), &wrapped).is_err());
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert!(one.unwrap(Period(1), &changed).is_err(), "byte {at}");
            assert!(one.unwrap(Period(1), &wrapped[..at]).is_err(), "cut at {at}");
        }
        let again = WrappingKeys::open(&folder.path().join("wrapping")).unwrap();
        let one = again.get(Period(1)).unwrap().unwrap();
        assert_eq!(*one.unwrap(Period(1), &wrapped).unwrap(), [7; 32]);
    }
}
