//! A signed header: the document that a `directory` or `registry` entry of the log names by its digest.
//!
//! ```text
//! [ header: bytes, [ [ key id, signature ], … ] ]        signatures ascending by key id, each key once
//! signed bytes = "einsicht/change-set/v1" ‖ 0x00 ‖ header
//! ```
//!
//! Several authorities sign the same bytes, each at its own place and time, and the publisher puts their signatures
//! together. The header contains kind, log origin and version, so a signature is valid for one place in one sequence
//! of one log. The context makes it invalid for an entry, a message or any other document. The frame is smaller than
//! COSE_Sign, needs no second structure to be signed, and has one encoding.

use record::cbor;
use record::{SigningKey, VerifyingKey, WriterId};
use serde::{Deserialize, Serialize};
use tlog::Hash;

use crate::error::SetParseError;
use crate::header::SetHeader;
use crate::limits::{MAX_HEADER, MAX_SIGNATURES};

/// The context of the signatures.
pub const CONTEXT: &str = "einsicht/change-set/v1";

/// An authority's signature over a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSignature {
    /// SHA-256 of the authority's public key.
    pub authority: WriterId,
    /// The signature.
    pub signature: [u8; 64],
}

impl SetSignature {
    /// Signs a header.
    #[must_use]
    pub fn sign(header: &SetHeader, key: &SigningKey) -> Self {
        Self {
            authority: key.id(),
            signature: key.sign_context(CONTEXT, &header.to_bytes()),
        }
    }
}

/// A header with at least one signature. Reading verifies no signature; [`crate::Authorities::verify`] does.
#[derive(Debug, Clone)]
pub struct SignedHeader {
    header: SetHeader,
    header_bytes: Vec<u8>,
    signatures: Vec<SetSignature>,
    bytes: Vec<u8>,
    /// Whether every signature is valid under the key whose id it names. An id is the digest of its key, so this does
    /// not depend on who is an authority.
    verified: bool,
}

impl PartialEq for SignedHeader {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for SignedHeader {}

#[derive(Serialize, Deserialize)]
struct Wire(
    #[serde(with = "record::bytes")] Vec<u8>,
    Vec<(WriterId, record::bytes::Form<[u8; 64]>)>,
);

impl SignedHeader {
    /// Puts a header and its signatures together. The order of the signatures does not matter.
    ///
    /// # Errors
    /// [`SetParseError::Signatures`] when there are none or more than [`MAX_SIGNATURES`], or two by one key.
    pub fn new(header: SetHeader, mut signatures: Vec<SetSignature>) -> Result<Self, SetParseError> {
        signatures.sort_unstable_by_key(|signature| signature.authority);
        check_signatures(&signatures)?;
        let header_bytes = header.to_bytes();
        let on_wire = signatures
            .iter()
            .map(|signature| (signature.authority, record::bytes::Form(signature.signature)));
        let bytes = cbor::to_vec(&Wire(header_bytes.clone(), on_wire.collect()));
        Ok(Self {
            header,
            header_bytes,
            signatures,
            bytes,
            verified: false,
        })
    }

    /// Reads a signed header.
    ///
    /// # Errors
    /// See [`SetParseError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SetParseError> {
        if bytes.len() > MAX_HEADER {
            return Err(SetParseError::HeaderTooLong);
        }
        let Wire(header_bytes, signatures) = cbor::from_slice(bytes)?;
        let signatures: Vec<SetSignature> = signatures
            .into_iter()
            .map(|(authority, signature)| SetSignature {
                authority,
                signature: signature.0,
            })
            .collect();
        check_signatures(&signatures)?;
        Ok(Self {
            header: SetHeader::parse(&header_bytes)?,
            header_bytes,
            signatures,
            bytes: bytes.to_vec(),
            verified: false,
        })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &SetHeader {
        &self.header
    }

    /// The signatures, ascending by key id.
    #[must_use]
    pub fn signatures(&self) -> &[SetSignature] {
        &self.signatures
    }

    /// The document's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the document's bytes, which the entry carries.
    #[must_use]
    pub fn digest(&self) -> Hash {
        Hash::of(&self.bytes)
    }

    /// Verifies the signatures with keys that are found by their ids, and remembers it if all are valid.
    pub(crate) fn verify_ahead<'a>(&mut self, key: impl Fn(&WriterId) -> Option<&'a VerifyingKey>) {
        let mut signatures = self.signatures.iter();
        self.verified = signatures.all(|signature| {
            let key = key(&signature.authority);
            key.is_some_and(|key| self.is_signed_by(key, signature))
        });
    }

    /// Whether a signature over this header is valid under the key whose id it names.
    pub(crate) fn is_signed_by(&self, key: &VerifyingKey, signature: &SetSignature) -> bool {
        let valid = || key.verify_context(CONTEXT, &self.header_bytes, &signature.signature);
        self.verified || valid().is_ok()
    }
}

/// Checks number and order, which is ascending without repetition.
fn check_signatures(signatures: &[SetSignature]) -> Result<(), SetParseError> {
    let ascending = signatures.windows(2).all(|pair| pair[0].authority < pair[1].authority);
    if ascending && (1..=MAX_SIGNATURES).contains(&signatures.len()) {
        Ok(())
    } else {
        Err(SetParseError::Signatures)
    }
}
