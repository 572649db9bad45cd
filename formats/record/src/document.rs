//! Signed documents: the participants' directory and the Registerlandkarte, each a COSE_Sign1 by an authority's key.
//!
//! The frame is that of an entry (`cose.rs`), with any deterministic CBOR as payload and the `external_aad`
//! `einsicht/document/v1`, so that a signature over a document is never one over an entry. A document is named by the SHA-256
//! of its signed bytes; an entry carries that digest.

use thiserror::Error;
use tlog::Hash;

use crate::cose::{self, CoseError, Sign1};
use crate::key::{SigningKey, VerifyingKey};

const AAD: &[u8] = b"einsicht/document/v1";
/// The longest signed document, in bytes.
pub const MAX_DOCUMENT: usize = 16 * 1024 * 1024;

/// Why a document is not accepted. All of these are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DocumentError {
    /// Longer than [`MAX_DOCUMENT`].
    #[error("the document is too long")]
    TooLong,
    /// The COSE frame is wrong.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// None of the given authorities' keys.
    #[error("the document is signed by no known authority")]
    UnknownAuthority,
    /// The signature does not fit.
    #[error("the document's signature is wrong")]
    Signature,
}

/// A document whose authority's signature has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedDocument {
    bytes: Vec<u8>,
    payload: Vec<u8>,
}

impl SignedDocument {
    /// Signs a payload.
    #[must_use]
    pub fn sign(payload: Vec<u8>, authority: &SigningKey) -> Self {
        Self {
            bytes: cose::sign(&payload, AAD, authority),
            payload,
        }
    }

    /// Reads a document and verifies it under the one of `authorities` that it names.
    ///
    /// # Errors
    /// See [`DocumentError`].
    pub fn open(bytes: &[u8], authorities: &[VerifyingKey]) -> Result<Self, DocumentError> {
        if bytes.len() > MAX_DOCUMENT {
            return Err(DocumentError::TooLong);
        }
        let sign1 = Sign1::parse(bytes)?;
        let key = authorities
            .iter()
            .find(|key| key.id() == sign1.kid)
            .ok_or(DocumentError::UnknownAuthority)?;
        sign1.verify(key, AAD).map_err(|_| DocumentError::Signature)?;
        Ok(Self {
            bytes: bytes.to_vec(),
            payload: sign1.payload.to_vec(),
        })
    }

    /// What was signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signed document.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the signed document.
    #[must_use]
    pub fn digest(&self) -> Hash {
        Hash::of(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::{Body, DocumentKind, Sequence, SignedEntry, Timestamp, Unsigned};

    #[test]
    fn only_authorities_sign() {
        let (authority, other) = (SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32]));
        let document = SignedDocument::sign(vec![0xa0], &authority);
        let keys = [other.public(), authority.public()];
        let opened = SignedDocument::open(document.bytes(), &keys).unwrap();
        assert_eq!(opened, document);
        assert_eq!(opened.payload(), [0xa0]);
        assert_eq!(opened.digest(), Hash::of(document.bytes()));
        assert_eq!(
            SignedDocument::open(document.bytes(), &keys[..1]),
            Err(DocumentError::UnknownAuthority)
        );
        for at in 0..document.bytes().len() {
            let mut changed = document.bytes().to_vec();
            changed[at] ^= 1;
            assert!(SignedDocument::open(&changed, &keys).is_err(), "byte {at}");
        }
    }

    /// A signature over an entry's payload is none over a document with the same payload, and the other way round.
    #[test]
    fn documents_are_no_entries() {
        let key = SigningKey::from_seed([1; 32]);
        let body = Body::Document {
            kind: DocumentKind::Directory,
            digest: Hash([3; 32]),
        };
        let unsigned = Unsigned {
            sequence: Sequence::FIRST,
            previous: Hash([0; 32]),
            time: Timestamp(1),
            body,
        };
        let entry = key.sign(unsigned).unwrap();
        assert_eq!(
            SignedDocument::open(entry.bytes(), &[key.public()]),
            Err(DocumentError::Signature)
        );
        let payload = Sign1::parse(entry.bytes()).unwrap().payload.to_vec();
        let document = SignedDocument::sign(payload, &key);
        let as_entry = SignedEntry::parse(document.bytes()).unwrap();
        assert!(as_entry.verify(&key.public()).is_err());
    }
}
