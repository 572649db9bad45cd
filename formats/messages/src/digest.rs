//! SHA-256 digests over concatenated parts.

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
