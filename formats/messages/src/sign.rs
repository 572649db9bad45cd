//! Signatures of participants and identity: Ed25519 (RFC 8032) over `context ‖ 0x00 ‖ deterministic CBOR`.
//!
//! The context names what is signed, so that a signature over one kind of statement never counts for another. Each
//! signature is verified singly and strictly: a key or nonce point of small order is refused.

use record::{WriterKey, WriterSigningKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::MessageError;

/// A signature: 64 bytes, a CBOR byte string in messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signature(64 bytes)")
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        record::bytes::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        record::bytes::deserialize(deserializer).map(Self)
    }
}

/// A participant's or identity's secret signing key. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SigningKey(WriterSigningKey);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(redacted)")
    }
}

impl SigningKey {
    /// The key of a 32-byte seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(WriterSigningKey::from_seed(*seed))
    }

    /// The public key, as the directory lists it.
    pub fn public(&self) -> [u8; 32] {
        *self.0.public().as_bytes()
    }

    /// Signs `statement` in `context`.
    pub fn sign<T: Serialize>(&self, context: &'static str, statement: &T) -> Signature {
        Signature(self.0.sign_context(context, &record::cbor::to_vec(statement)))
    }
}

/// A participant's or identity's public signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(WriterKey);

impl From<WriterKey> for VerifyingKey {
    fn from(key: WriterKey) -> Self {
        Self(key)
    }
}

impl VerifyingKey {
    /// Reads a key as the directory lists it.
    ///
    /// # Errors
    /// When the bytes are no point of the curve, or one of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, MessageError> {
        WriterKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| MessageError::Malformed("public key"))
    }

    /// Verifies `signature` over `statement` in `context`; `what` names the signature in the error.
    ///
    /// # Errors
    /// [`MessageError::Signature`] when it does not verify.
    pub fn verify<T: Serialize>(
        &self,
        context: &'static str,
        statement: &T,
        signature: &Signature,
        what: &'static str,
    ) -> Result<(), MessageError> {
        self.0
            .verify_context(context, &record::cbor::to_vec(statement), &signature.0)
            .map_err(|_| MessageError::Signature(what))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_signature_counts_for_its_key_context_and_statement_only() {
        let key = SigningKey::from_seed(&[7; 32]);
        let public = VerifyingKey::from_bytes(&key.public()).unwrap();
        let other = VerifyingKey::from_bytes(&SigningKey::from_seed(&[8; 32]).public()).unwrap();
        let signature = key.sign("einsicht/a/v1", &"statement");
        public
            .verify("einsicht/a/v1", &"statement", &signature, "test")
            .unwrap();
        let refused = Err(MessageError::Signature("test"));
        assert_eq!(
            public.verify("einsicht/b/v1", &"statement", &signature, "test"),
            refused
        );
        assert_eq!(
            public.verify("einsicht/a/v1", &"statements", &signature, "test"),
            refused
        );
        assert_eq!(other.verify("einsicht/a/v1", &"statement", &signature, "test"), refused);
        let mut changed = signature;
        changed.0[63] ^= 1;
        assert_eq!(public.verify("einsicht/a/v1", &"statement", &changed, "test"), refused);
    }

    #[test]
    fn a_weak_key_is_refused() {
        let mut identity_point = [0; 32];
        identity_point[0] = 1;
        assert!(VerifyingKey::from_bytes(&identity_point).is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = SigningKey::from_seed(&[7; 32]);
        assert_eq!(format!("{key:?}"), "SigningKey(redacted)");
    }
}
