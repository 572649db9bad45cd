//! Entries with their signature. An entry is signed by a writer's key or read from bytes; after that it is never
//! encoded again.

use core::fmt;

use tlog::Hash;

use super::{Body, Entry, EntryError, MAX_LEAF, wire};
use crate::cose::{self, Sign1};
use crate::id::Sequence;
use crate::key::{self, PreparedKey, SignatureError, SigningKey, VerifyingKey};
use crate::time::Timestamp;

/// An entry without its writer, which the signing key adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// Number in the writer's chain.
    pub sequence: Sequence,
    /// The leaf hash of the writer's previous entry; zero for the first.
    pub previous: Hash,
    /// The writer's clock.
    pub time: Timestamp,
    /// The content.
    pub body: Body,
}

impl SigningKey {
    /// Writes and signs an entry.
    ///
    /// # Errors
    /// [`EntryError`] when the entry breaks a rule of its kind. [`SignedEntry::parse`] would refuse it too.
    pub fn sign(&self, unsigned: Unsigned) -> Result<SignedEntry, EntryError> {
        let Unsigned {
            sequence,
            previous,
            time,
            body,
        } = unsigned;
        let entry = Entry {
            writer: self.id(),
            sequence,
            previous,
            time,
            body,
        };
        entry.check()?;
        Ok(SignedEntry::new(cose::sign(&wire::payload(&entry), &[], self), entry))
    }
}

/// A leaf: its bytes and their content. Its form has been checked; only [`SignedEntry::verify`] checks the signature.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedEntry {
    bytes: Vec<u8>,
    entry: Entry,
    leaf_hash: Hash,
}

impl SignedEntry {
    fn new(bytes: Vec<u8>, entry: Entry) -> Self {
        let leaf_hash = tlog::merkle::leaf_hash(&bytes);
        Self {
            bytes,
            entry,
            leaf_hash,
        }
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// [`EntryError`] for everything that [`SigningKey::sign`] would not have written.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, EntryError> {
        let bytes = bytes.into();
        if bytes.len() > MAX_LEAF {
            return Err(EntryError::TooLong);
        }
        let sign1 = Sign1::parse(&bytes)?;
        let entry = wire::parse(sign1.kid, sign1.payload)?;
        entry.check()?;
        Ok(Self::new(bytes, entry))
    }

    /// Verifies the signature. `key` must be the key that the entry names as its writer.
    ///
    /// # Errors
    /// [`SignatureError`]
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), SignatureError> {
        Sign1::parse(&self.bytes).map_err(|_| SignatureError)?.verify(key, &[])
    }

    /// The content.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The leaf's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256(0x00 ‖ bytes), RFC 6962 §2.1.
    #[must_use]
    pub const fn leaf_hash(&self) -> Hash {
        self.leaf_hash
    }

    /// The leaf's bytes, without copying.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Verifies the signatures of many entries, each independently, as [`SignedEntry::verify`] does. Returns the verdicts
/// in the order of the entries.
#[must_use]
pub fn verify_each<'a>(
    entries: impl IntoIterator<Item = (&'a SignedEntry, &'a PreparedKey)>,
) -> Vec<Result<(), SignatureError>> {
    let claims: Vec<_> = entries
        .into_iter()
        .map(|(entry, key)| Sign1::parse(&entry.bytes).ok()?.claim(key, &[]))
        .collect();
    key::verify_each(&claims)
}

impl fmt::Debug for SignedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedEntry")
            .field("leaf_hash", &self.leaf_hash)
            .field("entry", &self.entry)
            .finish_non_exhaustive()
    }
}
