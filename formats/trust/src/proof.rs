//! One value, or its absence, with a proof under the root of a version.

use record::cbor::{self, CborError};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tlog::Hash;
use tlog::map::{MapError, MapProof, verify_absent, verify_present};

use crate::key::Key;
use crate::kind::Version;
use crate::limits::MAX_PROOF;
use crate::stored::in_map;
use crate::trust_map::TrustMap;
use crate::value::{Value, ValueError};

/// A key's value in one version, or its absence, with the proof. The root comes from a signed header whose entry is
/// proved to be in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueProof {
    /// The key.
    key: Key,
    /// The value; `None` if there is none.
    value: Option<Bytes>,
    /// The path in the authenticated map.
    #[serde(with = "record::bytes")]
    path: Vec<u8>,
}

/// A value as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bytes {
    /// The version whose set put the value.
    version: Version,
    /// The value's CBOR.
    #[serde(with = "record::bytes")]
    bytes: Vec<u8>,
}

/// What a proof proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedValue {
    /// The version whose set put the value.
    pub version: Version,
    /// The value.
    pub value: Value,
}

/// Why a proof does not hold. None of these goes away on a retry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofError {
    /// The bytes are longer than [`MAX_PROOF`].
    #[error("the proof is too long")]
    TooLong,
    /// The bytes are not the deterministic CBOR of a proof.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// The proof is about another key.
    #[error("the proof is about {0}")]
    OtherKey(Key),
    /// The path does not lead to the root.
    #[error(transparent)]
    Map(#[from] MapError),
    /// The value is proved, but it cannot be read.
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl TrustMap {
    /// Proves the value of a key, or that this version has none.
    #[must_use]
    pub fn prove(&self, key: &Key) -> ValueProof {
        let stored = self.get(key);
        let value = stored.map(|stored| Bytes {
            version: stored.version(),
            bytes: stored.value().to_bytes(),
        });
        let (MapProof::Present(_, path) | MapProof::Absent(path)) = self.trie().prove(&key.in_map());
        ValueProof {
            key: key.clone(),
            value,
            path,
        }
    }
}

impl ValueProof {
    /// Reads a proof.
    ///
    /// # Errors
    /// [`ProofError::TooLong`], [`ProofError::Cbor`]
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > MAX_PROOF {
            return Err(ProofError::TooLong);
        }
        Ok(cbor::from_slice(bytes)?)
    }

    /// The proof's CBOR.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(self)
    }

    /// The key that the proof is about.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// Verifies the proof under a root and returns the value of `key`, or `None` when the version has none.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub fn verify(&self, key: &Key, root: &Hash) -> Result<Option<ProvedValue>, ProofError> {
        self.verify_with(key, root, Value::parse)
    }

    /// The same for the value of a key that decides who may write and sign ([`Value::parse_right`]).
    ///
    /// # Errors
    /// See [`ProofError`].
    pub fn verify_right(&self, key: &Key, root: &Hash) -> Result<Option<ProvedValue>, ProofError> {
        self.verify_with(key, root, Value::parse_right)
    }

    fn verify_with(
        &self,
        key: &Key,
        root: &Hash,
        parse: fn(&Key, &[u8]) -> Result<Value, ValueError>,
    ) -> Result<Option<ProvedValue>, ProofError> {
        if self.key != *key {
            return Err(ProofError::OtherKey(self.key.clone()));
        }
        let Some(Bytes { version, bytes }) = &self.value else {
            verify_absent(root, &key.in_map(), &self.path)?;
            return Ok(None);
        };
        let proved = in_map(*version, Hash::of(bytes));
        verify_present(root, &key.in_map(), &proved.to_bytes(), &self.path)?;
        Ok(Some(ProvedValue {
            version: *version,
            value: parse(key, bytes)?,
        }))
    }
}
