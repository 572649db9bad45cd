//! Signed documents: the participants' directory and the Registerlandkarte. Each is a COSE_Sign1 under an authority's
//! key.
//!
//! The frame is that of an entry (`cose.rs`), with any deterministic CBOR as payload. The `external_aad` is
//! `einsicht/document/v1`, so a signature over a document is never valid for an entry. The SHA-256 of its signed
//! bytes names a document, and an entry carries that digest.

use thiserror::Error;
use tlog::Hash;

use crate::cose::{self, CoseError, Sign1};
use crate::key::{SigningKey, VerifyingKey};

const AAD: &[u8] = b"einsicht/document/v1";
/// The longest signed document, in bytes.
pub const MAX_DOCUMENT: usize = 16 * 1024 * 1024;

/// Why a document is not accepted. None of these goes away on a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DocumentError {
    /// The document is longer than [`MAX_DOCUMENT`].
    #[error("the document is too long")]
    TooLong,
    /// The COSE frame is wrong.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// The key is not that of a given authority.
    #[error("the document is signed by no known authority")]
    UnknownAuthority,
    /// The signature is not valid.
    #[error("the document's signature is wrong")]
    Signature,
}

/// A document with a verified signature by an authority.
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

    /// Reads a document and verifies its signature under the key that it names, which must be one of `authorities`.
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

    /// The signed payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The bytes of the signed document.
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
    fn only_documents_signed_by_an_authority_open() {
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

    /// A signature over an entry is not valid for a document with the same payload, and vice versa.
    #[test]
    fn document_and_entry_signatures_do_not_mix() {
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
