//! Ed25519 keys of writers, authorities and participants.
//!
//! All signatures follow RFC 8032, and each is verified individually and strictly. Reading refuses a weak key (small
//! order) and a key in a non-canonical encoding. Under a weak key one signature is valid for many messages, and two
//! encodings of one key would be two identities.
//!
//! Outside COSE the signed bytes are `context ‖ 0x00 ‖ message`, so that a signature made for one purpose is
//! invalid for every other ([`SigningKey::sign_context`]).
//!
//! A [`PreparedKey`] speeds up the verification of many signatures under few keys.

mod prepared;

use core::fmt;
use std::sync::LazyLock;

use curve25519_dalek::constants::EIGHT_TORSION;
use ed25519_dalek::{Signature, Signer as _, Verifier as _};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use tlog::Hash;
use zeroize::Zeroizing;

use crate::bytes::ByteForm as _;
use crate::id::WriterId;
pub use prepared::PreparedKey;
pub(crate) use prepared::{Claim, verify_each};

/// Why a public key is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The bytes are not the canonical encoding of a point on the curve.
    #[error("the bytes are not an Ed25519 public key")]
    Invalid,
    /// The key has small order, so a signature under it proves nothing.
    #[error("the Ed25519 public key is weak")]
    Weak,
}

/// A signature is not valid for the key and the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the signature is not valid for the key and the message")]
pub struct SignatureError;

/// A public key that has been checked.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Reads a key from 32 bytes (RFC 8032 §5.1.2) and checks it.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Invalid)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyError::Invalid);
        }
        Ok(Self(key))
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// SHA-256 of the 32 bytes.
    #[must_use]
    pub fn id(&self) -> WriterId {
        WriterId(Hash::of(self.0.as_bytes()))
    }

    /// Verifies a signature over `message`, without a context.
    ///
    /// # Errors
    /// [`SignatureError`]
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
        // This equals `verify_strict`, because the key is not weak. A valid R is in its canonical encoding, so
        // comparing bytes is enough to detect small order. That avoids decompressing R, which takes a fifth of the
        // time.
        let signature = Signature::from_bytes(signature);
        if has_small_order(signature.r_bytes()) {
            return Err(SignatureError);
        }
        self.0.verify(message, &signature).map_err(|_| SignatureError)
    }

    /// Verifies a signature made by [`SigningKey::sign_context`].
    ///
    /// # Errors
    /// [`SignatureError`]
    pub fn verify_context(&self, context: &str, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
        self.verify(&in_context(context, message), signature)
    }
}

/// Whether `point` is the canonical encoding of one of the eight points of small order.
fn has_small_order(point: &[u8; 32]) -> bool {
    static ENCODINGS: LazyLock<[[u8; 32]; 8]> =
        LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress().to_bytes()));
    ENCODINGS.contains(point)
}

/// Encodes the key as a byte string of 32 bytes (hexadecimal in JSON). Reading checks the key.
impl Serialize for VerifyingKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_bytes().write(serializer)
    }
}

impl<'de> Deserialize<'de> for VerifyingKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_bytes(&<[u8; 32]>::read(deserializer)?).map_err(D::Error::custom)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", hex::encode(self.as_bytes()))
    }
}

/// A secret key, wiped when dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Derives the key from a 32-byte seed (RFC 8032 §5.1.5).
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&Zeroizing::new(seed)))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    /// SHA-256 of the public key.
    #[must_use]
    pub fn id(&self) -> WriterId {
        self.public().id()
    }

    pub(crate) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    /// Signs `context ‖ 0x00 ‖ message`. A context is a text without zero bytes, such as `einsicht/s1/v1`.
    #[must_use]
    pub fn sign_context(&self, context: &str, message: &[u8]) -> [u8; 64] {
        self.sign_bytes(&in_context(context, message))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.id())
    }
}

fn in_context(context: &str, message: &[u8]) -> Vec<u8> {
    [context.as_bytes(), &[0], message].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::cbor;

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    /// RFC 8032 §7.1, TEST 2.
    #[test]
    fn signing_matches_rfc_8032_test_2() {
        let key = SigningKey::from_seed(bytes(
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        ));
        let public = bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        assert_eq!(key.public().as_bytes(), &public);
        let signature = key.sign_bytes(&[0x72]);
        assert_eq!(
            hex::encode(signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        assert_eq!(key.public().verify(&[0x72], &signature), Ok(()));
        assert_eq!(key.public().verify(&[0x73], &signature), Err(SignatureError));
        assert_eq!(key.id(), WriterId(Hash::of(&public)));
    }

    /// Tries the eight points of small order and three non-canonical encodings.
    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let small_order = [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        ];
        for text in small_order {
            assert_eq!(VerifyingKey::from_bytes(&bytes(text)), Err(KeyError::Weak), "{text}");
        }
        let not_canonical = [
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "f1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ];
        for text in not_canonical {
            assert!(VerifyingKey::from_bytes(&bytes(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_are_checked_when_read() {
        let key = SigningKey::from_seed([7; 32]).public();
        assert_eq!(cbor::from_slice::<VerifyingKey>(&cbor::to_vec(&key)).unwrap(), key);
        assert_eq!(
            serde_json::to_string(&key).unwrap(),
            format!("\"{}\"", hex::encode(key.as_bytes()))
        );
        let weak = [vec![0x58, 0x20], vec![0; 32]].concat();
        assert_eq!(
            cbor::from_slice::<VerifyingKey>(&weak),
            Err(cbor::CborError::Shape(KeyError::Weak.to_string()))
        );
    }

    #[test]
    fn a_signature_is_valid_in_one_context_only() {
        let key = SigningKey::from_seed([7; 32]);
        let signature = key.sign_context("einsicht/s1/v1", b"message");
        assert_eq!(
            key.public().verify_context("einsicht/s1/v1", b"message", &signature),
            Ok(())
        );
        assert!(
            key.public()
                .verify_context("einsicht/s2/v1", b"message", &signature)
                .is_err()
        );
        assert!(
            key.public()
                .verify_context("einsicht/s1/v1", b"massage", &signature)
                .is_err()
        );
        assert!(
            SigningKey::from_seed([8; 32])
                .public()
                .verify_context("einsicht/s1/v1", b"message", &signature)
                .is_err()
        );
        assert!(!format!("{key:?}").contains("0707"));
    }
}
