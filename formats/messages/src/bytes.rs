//! Salted digests and randomness.

use sha2::{Digest as _, Sha256};
use tlog::Hash;

/// SHA-256 over the concatenation of `parts`: salted digests are `sha256_of(&[salt, content])`.
pub fn sha256_of(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// `N` bytes from the operating system's generator.
///
/// # Errors
/// When the operating system has no randomness to give; nothing may be sealed or sent then.
pub fn random<const N: usize>() -> Result<[u8; N], crate::seal::SealError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| crate::seal::SealError::Randomness)?;
    Ok(bytes)
}
