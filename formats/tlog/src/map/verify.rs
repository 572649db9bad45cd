//! Verifies map proofs, for keys of any length.

use super::{EMPTY_ROOT, MAX_BYTES, bit, inner, leaf};
use crate::Hash;

/// Why a map proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// The bytes are not a proof: they are cut off, a number is not in its shortest form, the bits do not decrease, or
    /// a key or value is too long.
    #[error("the map proof is malformed")]
    Malformed,
    /// The leaf shown as evidence of an absence is the key itself.
    #[error("the map proof shows the key, it does not prove its absence")]
    KeyPresent,
    /// The leaf shown as evidence of an absence is in another place than the key would be.
    #[error("the map proof is about another place than the key's")]
    OtherPlace,
    /// The path does not lead to the root.
    #[error("the map proof does not lead to the root")]
    RootMismatch,
}

/// Verifies that the map with `root` has `value` for `key`.
///
/// # Errors
/// [`MapError`] when the proof does not hold.
pub fn verify_present(root: &Hash, key: &[u8], value: &[u8], proof: &[u8]) -> Result<(), MapError> {
    if key.len() > MAX_BYTES || value.len() > MAX_BYTES {
        return Err(MapError::Malformed);
    }
    walk(root, [key, key], leaf(key, value), Reader(proof))
}

/// Verifies that the map with `root` does not have `key`.
///
/// # Errors
/// [`MapError`] when the proof does not hold.
pub fn verify_absent(root: &Hash, key: &[u8], proof: &[u8]) -> Result<(), MapError> {
    if key.len() > MAX_BYTES {
        return Err(MapError::Malformed);
    }
    if proof.is_empty() {
        return if *root == EMPTY_ROOT {
            Ok(())
        } else {
            Err(MapError::RootMismatch)
        };
    }
    let mut reader = Reader(proof);
    let other_key = reader.bytes()?;
    let other_value = reader.bytes()?;
    if other_key == key {
        return Err(MapError::KeyPresent);
    }
    walk(root, [key, other_key], leaf(other_key, other_value), reader)
}

/// Follows the path of the second key up to the root. The first key must have the same bit at every step.
fn walk(root: &Hash, [key, leaf_key]: [&[u8]; 2], from: Hash, mut path: Reader<'_>) -> Result<(), MapError> {
    let mut hash = from;
    let mut below = None;
    while !path.0.is_empty() {
        let at = u32::try_from(path.number()?).map_err(|_| MapError::Malformed)?;
        // SPEC: bits strictly decrease from leaf to root.
        if below.is_some_and(|below| at >= below) {
            return Err(MapError::Malformed);
        }
        below = Some(at);
        let sibling = Hash(*path.array()?);
        let side = bit(leaf_key, at);
        if bit(key, at) != side {
            return Err(MapError::OtherPlace);
        }
        hash = if side {
            inner(at, &sibling, &hash)
        } else {
            inner(at, &hash, &sibling)
        };
    }
    if hash == *root {
        Ok(())
    } else {
        Err(MapError::RootMismatch)
    }
}

/// The unread rest of a proof.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], MapError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(MapError::Malformed)?;
        self.0 = rest;
        Ok(array)
    }

    /// Reads a uvarint of at most five bytes (35 bits) in its shortest form. Bits and lengths need fewer.
    pub(super) fn number(&mut self) -> Result<u64, MapError> {
        let mut number = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = *self.array()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                let shortest = byte != 0 || shift == 0;
                return if shortest { Ok(number) } else { Err(MapError::Malformed) };
            }
        }
        Err(MapError::Malformed)
    }

    /// Reads a length of at most [`MAX_BYTES`] and as many bytes.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], MapError> {
        let length = usize::try_from(self.number()?).map_err(|_| MapError::Malformed)?;
        if length > MAX_BYTES {
            return Err(MapError::Malformed);
        }
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(MapError::Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }
}
