//! COSE_Sign1 (RFC 9052 §4.2) in the single form that this system uses, read and written byte by byte.
//!
//! ```text
//! 18([ << {1: -8, 4: kid} >>, {}, payload, signature ])        kid = SHA-256 of the Ed25519 public key, 32 bytes
//! d2 84   58 26 a2 01 27 04 58 20 kid   a0   bstr(payload)   58 40 signature
//! ```
//!
//! The reader refuses every other header, order, algorithm, length or encoding, and detached payloads. A general COSE
//! library accepts several encodings of one signature and does not report which one it has read. A log must have
//! exactly one, or one signature would have two leaf hashes. (The tests read the same bytes with `coset`.)
//!
//! The signature covers `["Signature1", protected, external_aad, payload]`. The `external_aad` of an entry is empty
//! and that of a signed document is not, so a signature over one is never valid for the other.

use thiserror::Error;
use tlog::Hash;

use crate::cbor::{self, put_bytes, put_head};
use crate::id::WriterId;
use crate::key::{Claim, PreparedKey, SignatureError, SigningKey, VerifyingKey};

/// Tag 18 and an array of four.
const START: [u8; 2] = [0xd2, 0x84];
/// The protected header as a byte string, up to the kid: `{1: -8 (EdDSA), 4: h'…32 bytes…'}`.
const PROTECTED: [u8; 8] = [0x58, 0x26, 0xa2, 0x01, 0x27, 0x04, 0x58, 0x20];
/// The empty unprotected header.
const UNPROTECTED: [u8; 1] = [0xa0];
/// Head of the signature.
const SIGNATURE: [u8; 2] = [0x58, 0x40];

/// Why bytes are not a COSE_Sign1 of this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CoseError {
    /// The bytes do not begin with tag 18 and an array of four.
    #[error("not a tagged COSE_Sign1")]
    NotSign1,
    /// The algorithm is not EdDSA (-8), or there are other protected headers than algorithm and key id.
    #[error("the protected header is not {{1: -8, 4: kid of 32 bytes}}")]
    Protected,
    /// The unprotected header is not empty.
    #[error("the unprotected header is not empty")]
    Unprotected,
    /// The payload is not a byte string of definite length with the shortest head, or is longer than allowed.
    #[error("the payload is not a byte string of an allowed length")]
    Payload,
    /// The signature is not 64 bytes long, or bytes follow it.
    #[error("the signature is not the 64 last bytes")]
    Signature,
}

/// The parts of a COSE_Sign1, borrowed from its bytes.
pub(crate) struct Sign1<'a> {
    pub(crate) kid: WriterId,
    pub(crate) payload: &'a [u8],
    signature: [u8; 64],
}

impl<'a> Sign1<'a> {
    /// Reads exactly what [`sign`] writes and refuses everything else.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, CoseError> {
        let rest = bytes.strip_prefix(&START).ok_or(CoseError::NotSign1)?;
        let rest = rest.strip_prefix(&PROTECTED).ok_or(CoseError::Protected)?;
        let (kid, rest) = rest.split_first_chunk::<32>().ok_or(CoseError::Protected)?;
        let rest = rest.strip_prefix(&UNPROTECTED).ok_or(CoseError::Unprotected)?;
        let (payload, rest) = split_payload(rest).ok_or(CoseError::Payload)?;
        let rest = rest.strip_prefix(&SIGNATURE).ok_or(CoseError::Signature)?;
        let signature = rest.try_into().map_err(|_| CoseError::Signature)?;
        Ok(Self {
            kid: WriterId(Hash(*kid)),
            payload,
            signature,
        })
    }

    /// Verifies the signature. `key` must be the key that the header names.
    pub(crate) fn verify(&self, key: &VerifyingKey, external_aad: &[u8]) -> Result<(), SignatureError> {
        if key.id() != self.kid {
            return Err(SignatureError);
        }
        key.verify(&to_be_signed(&self.kid, external_aad, self.payload), &self.signature)
    }

    /// The claim to verify; `None` if `key` is not the key that the header names.
    pub(crate) fn claim<'k>(&self, key: &'k PreparedKey, external_aad: &[u8]) -> Option<Claim<'k>> {
        (key.id() == self.kid).then(|| Claim {
            key,
            message: to_be_signed(&self.kid, external_aad, self.payload),
            signature: self.signature,
        })
    }
}

fn split_payload(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (major, len, head_len) = cbor::head(bytes).ok()?;
    let end = head_len.checked_add(usize::try_from(len).ok()?)?;
    if major != 2 || end > bytes.len() {
        return None;
    }
    Some((&bytes[head_len..end], &bytes[end..]))
}

/// Signs `payload`.
pub(crate) fn sign(payload: &[u8], external_aad: &[u8], key: &SigningKey) -> Vec<u8> {
    let kid = key.id();
    let signature = key.sign_bytes(&to_be_signed(&kid, external_aad, payload));
    let mut out = Vec::with_capacity(payload.len() + 116);
    out.extend_from_slice(&START);
    out.extend_from_slice(&PROTECTED);
    out.extend_from_slice(kid.0.as_bytes());
    out.extend_from_slice(&UNPROTECTED);
    put_bytes(&mut out, payload);
    put_bytes(&mut out, &signature);
    out
}

/// SPEC: RFC 9052 §4.4, Sig_structure.
fn to_be_signed(kid: &WriterId, external_aad: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + external_aad.len() + 70);
    put_head(&mut out, 4, 4);
    put_head(&mut out, 3, 10);
    out.extend_from_slice(b"Signature1");
    out.extend_from_slice(&PROTECTED);
    out.extend_from_slice(kid.0.as_bytes());
    put_bytes(&mut out, external_aad);
    put_bytes(&mut out, payload);
    out
}
