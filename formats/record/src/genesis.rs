//! The genesis document: the keys and digests that the log's readers rely on.
//!
//! `operator` signs entry 0, which carries the SHA-256 of this document's plain CBOR. Entries 1 and 2 carry the first
//! change sets of the directory and the Registerlandkarte, with the digests named here. The **genesis hash** is the
//! leaf hash of entry 0. Every connector, cockpit and verifier receives it from outside the server, and it determines
//! everything else.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tlog::Hash;
use tlog::note::VerifierKey;

use crate::cbor::{self, CborError};
use crate::key::VerifyingKey;

/// The document that entry 0 names: the log's keys, its authorities and its first documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisDocument {
    /// The log's origin: the first line of its checkpoints.
    pub origin: String,
    /// The log's verifier keys (vkey text, c2sp.org/signed-note).
    pub log_keys: Vec<String>,
    /// The keys of the authorities that sign the first change sets of the directory and the Registerlandkarte.
    pub authorities: Vec<VerifyingKey>,
    /// How many of them must sign each.
    pub threshold: u8,
    /// The key that signs entry 0.
    pub operator: VerifyingKey,
    /// The digest of the signed header of the directory's first change set (entry 1).
    #[serde(with = "crate::bytes")]
    pub directory: Hash,
    /// The digest of the signed header of the Registerlandkarte's first change set (entry 2).
    #[serde(rename = "registry", with = "crate::bytes")]
    pub registerlandkarte: Hash,
}

/// Why bytes are not a genesis document. None of these goes away on a retry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// The bytes are not the deterministic CBOR of a genesis document.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// A log key cannot be read or has another origin, or there is none.
    #[error("the genesis document needs verifier keys of the log's own origin")]
    LogKeys,
    /// Fewer authorities are named than must sign, or nobody must sign.
    #[error("the genesis document names {authorities} authorities, of which {threshold} must sign")]
    Threshold {
        /// How many must sign.
        threshold: u8,
        /// How many are named.
        authorities: usize,
    },
}

impl GenesisDocument {
    /// Reads a genesis document.
    ///
    /// # Errors
    /// See [`GenesisError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, GenesisError> {
        let document: Self = cbor::from_slice(bytes)?;
        let (threshold, authorities) = (document.threshold, document.authorities.len());
        if threshold == 0 || usize::from(threshold) > authorities {
            return Err(GenesisError::Threshold { threshold, authorities });
        }
        document.verifier_keys()?;
        Ok(document)
    }

    /// The log's verifier keys.
    ///
    /// # Errors
    /// [`GenesisError::LogKeys`]
    pub fn verifier_keys(&self) -> Result<Vec<VerifierKey>, GenesisError> {
        let keys: Result<Vec<VerifierKey>, _> = self.log_keys.iter().map(|text| text.parse()).collect();
        let keys = keys.map_err(|_| GenesisError::LogKeys)?;
        let of_origin = keys.iter().all(|key| key.name().as_str() == self.origin);
        if keys.is_empty() || !of_origin {
            Err(GenesisError::LogKeys)
        } else {
            Ok(keys)
        }
    }

    /// The document's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::to_vec(self)
    }

    /// SHA-256 of the document's bytes, which entry 0 carries.
    #[must_use]
    pub fn digest(&self) -> Hash {
        Hash::of(&self.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::SigningKey;

    fn genesis() -> GenesisDocument {
        let key = tlog::note::SignerKey::for_notes("log.example/einsicht".parse().unwrap(), &[1; 32]);
        GenesisDocument {
            origin: "log.example/einsicht".into(),
            log_keys: vec![key.verifier_key().unwrap().to_string()],
            authorities: vec![SigningKey::from_seed([2; 32]).public()],
            threshold: 1,
            operator: SigningKey::from_seed([3; 32]).public(),
            directory: Hash([4; 32]),
            registerlandkarte: Hash([5; 32]),
        }
    }

    #[test]
    fn a_document_is_read_back() {
        let document = genesis();
        let bytes = document.to_bytes();
        assert_eq!(GenesisDocument::parse(&bytes).unwrap(), document);
        assert_eq!(document.digest(), Hash::of(&bytes));
        assert!(matches!(
            GenesisDocument::parse(&bytes[1..]),
            Err(GenesisError::Cbor(_))
        ));
    }

    #[test]
    fn incomplete_documents_are_refused() {
        for (threshold, authorities) in [(1, vec![]), (0, genesis().authorities), (2, genesis().authorities)] {
            let document = GenesisDocument {
                threshold,
                authorities,
                ..genesis()
            };
            let error = GenesisDocument::parse(&document.to_bytes());
            assert!(matches!(error, Err(GenesisError::Threshold { .. })), "{error:?}");
        }
        for log_keys in [vec![], vec!["log.example/einsicht+00000000+AAAA".to_owned()]] {
            let document = GenesisDocument { log_keys, ..genesis() };
            assert_eq!(GenesisDocument::parse(&document.to_bytes()), Err(GenesisError::LogKeys));
        }
        let foreign = GenesisDocument {
            origin: "other.example".into(),
            ..genesis()
        };
        assert_eq!(GenesisDocument::parse(&foreign.to_bytes()), Err(GenesisError::LogKeys));
    }
}
