//! Key files and bearer credentials.
//!
//! A seed file has 64 lower-case hexadecimal digits (32 bytes) and a line feed. Only its owner may read it; a file
//! that others may read is refused. A credential is 32 random bytes in the same form, sent as
//! `Authorization: Bearer <hex>`. A server keeps either the credential or only its SHA-256, and compares in constant
//! time.

use std::io;
use std::path::{Path, PathBuf};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::durable::{self, Exposed};
use crate::problem::Problem;
use crate::text_file;

/// Why a secret cannot be read or created.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read, or exists already and cannot be created.
    #[error("secret file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Others may read the file.
    #[error(transparent)]
    Exposed(Exposed),
    /// The content does not have the form of a secret.
    #[error("secret file {0} does not have 64 hexadecimal digits")]
    Malformed(PathBuf),
    /// The operating system returns no random bytes.
    #[error("no random bytes from the operating system")]
    Random,
}

/// Returns 32 bytes from the operating system's random generator.
pub fn random() -> Result<[u8; 32], SecretError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| SecretError::Random)?;
    Ok(bytes)
}

/// Reads a seed file.
pub fn read_seed(path: &Path) -> Result<[u8; 32], SecretError> {
    let text = read_private(path)?;
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim_end_matches('\n'), &mut seed)
        .map_err(|_| SecretError::Malformed(path.to_path_buf()))?;
    Ok(seed)
}

/// Creates a seed file from random bytes; fails if the file exists.
pub fn create_seed(path: &Path) -> Result<[u8; 32], SecretError> {
    let seed = random()?;
    let text = Zeroizing::new(format!("{}\n", hex::encode(seed)));
    durable::create_private(path, text.as_bytes()).map_err(|source| io_error(path, source))?;
    Ok(seed)
}

/// Reads a seed file, or makes it if there is none. It is written aside and then renamed, so a crash leaves no half of
/// it. Two processes must not make the same file.
pub fn make_seed(path: &Path) -> Result<[u8; 32], SecretError> {
    if !path.exists() {
        let text = Zeroizing::new(format!("{}\n", *Credential::from_bytes(random()?).to_hex()));
        durable::write_private(path, text.as_bytes()).map_err(|source| io_error(path, source))?;
    }
    read_seed(path)
}

/// Reads a text file that only its owner may read.
pub fn read_private(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let bytes = durable::read_private(path).map_err(|source| io_error(path, source))?;
    text_file::check_lines(&bytes).map_err(|source| io_error(path, source))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| io_error(path, io::ErrorKind::InvalidData.into()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn io_error(path: &Path, source: io::Error) -> SecretError {
    source.downcast().map_or_else(
        |source| SecretError::Io {
            path: path.to_path_buf(),
            source,
        },
        SecretError::Exposed,
    )
}

/// A bearer credential.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Credential([u8; 32]);

impl Credential {
    /// A credential of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A credential of 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
    }

    /// Reads a credential from a seed file.
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        read_seed(path).map(Self)
    }

    /// Creates a credential in a new seed file.
    pub fn create(path: &Path) -> Result<Self, SecretError> {
        create_seed(path).map(Self)
    }

    /// SHA-256 of the 32 bytes, which a server may keep instead of the credential.
    pub fn digest(&self) -> CredentialDigest {
        CredentialDigest(Sha256::digest(self.0).into())
    }

    /// The credential as 64 hexadecimal digits, as sent.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0))
    }

    /// The credential of a request.
    pub fn of_request(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        Self::from_hex(value.strip_prefix("Bearer ")?)
    }

    /// Refuses a request without this credential: problem 401.
    pub fn require(&self, headers: &HeaderMap) -> Result<(), Problem> {
        self.digest().require(headers)
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// SHA-256 of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialDigest(pub [u8; 32]);

impl CredentialDigest {
    /// A digest of 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
    }

    /// Refuses a request without the credential of this digest: problem 401.
    pub fn require(&self, headers: &HeaderMap) -> Result<(), Problem> {
        Self::require_any(std::slice::from_ref(self), headers)
    }

    /// Refuses a request without a credential of one of these digests: problem 401.
    pub fn require_any(allowed: &[Self], headers: &HeaderMap) -> Result<(), Problem> {
        let shown = Credential::of_request(headers)
            .ok_or_else(Problem::unauthorized)?
            .digest();
        let fits = allowed
            .iter()
            .fold(subtle::Choice::from(0), |fits, one| fits | one.0.ct_eq(&shown.0));
        if bool::from(fits) {
            Ok(())
        } else {
            Err(Problem::unauthorized())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_seed_is_created_once_and_read_only_if_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("seed");
        let seed = create_seed(&path).unwrap();
        assert_eq!(read_seed(&path).unwrap(), seed);
        assert!(matches!(create_seed(&path), Err(SecretError::Io { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(read_seed(&path), Err(SecretError::Exposed(_))));
    }

    #[test]
    fn only_the_expected_bearer_credential_is_accepted() {
        let credential = Credential::from_bytes([7; 32]);
        let mut headers = HeaderMap::new();
        assert_eq!(credential.require(&headers).unwrap_err().status, 401);
        for (value, passes) in [
            (format!("Bearer {}", "07".repeat(32)), true),
            (format!("Bearer {}", "08".repeat(32)), false),
            (format!("bearer {}", "07".repeat(32)), false),
            ("Bearer 07".to_owned(), false),
        ] {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            assert_eq!(credential.require(&headers).is_ok(), passes, "{value}");
        }
        assert_eq!(format!("{credential:?}"), "Credential(…)");
    }
}
