//! The Merkle prefix tree (MPT): a map from keys to values whose content determines its root, with proofs of presence
//! and absence. The format is that of torchwood/mpt.
//!
//! The tree is a path-compressed binary trie: it has an inner node for a prefix P exactly when keys with P‖0 and with
//! P‖1 exist. So its shape depends on the *set* of keys only, never on the order of insertion.
//!
//! ```text
//! empty          = SHA-256("")
//! leaf(k, v)     = SHA-256(0x00 ‖ uvarint(len k) ‖ k ‖ uvarint(len v) ‖ v)
//! inner(b, l, r) = SHA-256(0x01 ‖ uvarint(b) ‖ l ‖ r)      b: first bit where the halves differ, 0 = top bit
//! bit(k, n)      = bit n of k ‖ 0x00 ‖ 0xFF 0xFF …         (matters for keys of different lengths only)
//! ```
//!
//! A **proof** is a path, from the leaf up: `( uvarint(b) ‖ sibling[32] )*` with strictly decreasing b.
//!
//! * present: the path of the key;
//! * absent, empty tree: no bytes;
//! * absent: `uvarint(len k') ‖ k' ‖ uvarint(len v') ‖ v'` and the path of k', another key that has the bits of
//!   the absent key at every b of the path. The absent key could not be in any other place.
//!
//! One proof about many keys contains each hash once ([`prove_lookups`]).
//!
//! uvarint is LEB128 in its shortest form. Keys and values have at most 1024 bytes. Trailing bytes are refused.
//!
//! [`Map`] keeps keys of 32 bytes and values of 40 bytes in memory and needs 116 bytes per key. The verifying functions
//! accept keys of any length. [`Map::root`] and [`Map::prove`] compute the hashes, once for everything inserted since
//! the last call. [`MapBuilder`] builds a map from keys in ascending order, as a process reads them back after a
//! restart.

mod builder;
mod lookup;
mod trie;
mod verify;

pub use builder::{MapBuilder, OutOfOrder};
pub use lookup::{prove_lookups, verify_lookups};
pub use trie::{DuplicateKey, Map};
pub use verify::{MapError, verify_absent, verify_present};

use sha2::{Digest as _, Sha256};

use crate::Hash;
use crate::encoding::EncodingError;
use crate::merkle::Index;

/// The root of the empty map, SHA-256 of the empty string.
pub const EMPTY_ROOT: Hash = crate::merkle::EMPTY_ROOT;

/// The most bytes of a key or a value.
pub const MAX_BYTES: usize = 1024;

/// A key of [`Map`]: a label.
pub type Key = [u8; 32];

/// A value of [`Map`]: the entry that has the label. Its encoding is `u64 index ‖ leaf hash`, 40 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Value {
    /// Index of the entry.
    pub index: Index,
    /// Leaf hash of the entry.
    pub leaf: Hash,
}

impl Value {
    /// The 40 bytes that the map commits to.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 40] {
        let mut bytes = [0; 40];
        bytes[..8].copy_from_slice(&self.index.get().to_be_bytes());
        bytes[8..].copy_from_slice(&self.leaf.0);
        bytes
    }

    /// Reads what [`Value::to_bytes`] writes.
    ///
    /// # Errors
    /// [`EncodingError::Length`] for other lengths, [`EncodingError::Decimal`] for an index of 2^63 or more.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EncodingError> {
        let wrong_length = EncodingError::Length {
            expected: 40,
            found: bytes.len(),
        };
        let (index, leaf) = bytes.split_first_chunk::<8>().ok_or(wrong_length)?;
        Ok(Self {
            index: Index::new(u64::from_be_bytes(*index)).map_err(|_| EncodingError::Decimal)?,
            leaf: leaf.try_into().map(Hash).map_err(|_| wrong_length)?,
        })
    }
}

/// A proof about one key, made by [`Map::prove`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapProof {
    /// The key is in the map: its value, and the bytes for [`verify_present`].
    Present(Value, Vec<u8>),
    /// The key is not in the map: the bytes for [`verify_absent`].
    Absent(Vec<u8>),
}

impl MapProof {
    /// The proof's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Present(_, bytes) | Self::Absent(bytes) => bytes,
        }
    }
}

/// Hash of a leaf with a key and a value of any length.
#[must_use]
pub fn leaf(key: &[u8], value: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    for part in [key, value] {
        let (length, used) = uvarint(part.len() as u64);
        hasher.update(&length[..used]);
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// [`leaf`] for the fixed lengths of [`Map`], hashed in one call.
fn leaf_of(key: &Key, value: Value) -> Hash {
    let mut bytes = [0; 75];
    bytes[1] = 32;
    bytes[2..34].copy_from_slice(key);
    bytes[34] = 40;
    bytes[35..].copy_from_slice(&value.to_bytes());
    Hash::of(&bytes)
}

/// Hash of an inner node whose two halves first differ in `bit`.
#[must_use]
pub fn inner(bit: u32, left: &Hash, right: &Hash) -> Hash {
    let (number, used) = uvarint(u64::from(bit));
    let mut bytes = [0; 1 + 10 + 64];
    bytes[0] = 1;
    bytes[1..=used].copy_from_slice(&number[..used]);
    bytes[1 + used..][..32].copy_from_slice(&left.0);
    bytes[33 + used..][..32].copy_from_slice(&right.0);
    Hash::of(&bytes[..65 + used])
}

/// Bit `n` of a key that is followed by one byte 0x00 and then by bytes 0xFF without end.
#[must_use]
pub fn bit(key: &[u8], n: u32) -> bool {
    let at = usize::try_from(n / 8).unwrap_or(usize::MAX);
    match key.get(at) {
        Some(byte) => byte >> (7 - n % 8) & 1 == 1,
        None => at != key.len(),
    }
}

/// Encodes a number as LEB128: the buffer, and how many of its bytes are used.
fn uvarint(mut number: u64) -> ([u8; 10], usize) {
    let mut buffer = [0; 10];
    let mut used = 0;
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        buffer[used] = if number == 0 { low } else { low | 0x80 };
        used += 1;
        if number == 0 {
            return (buffer, used);
        }
    }
}
