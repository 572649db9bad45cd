//! Signatures of participants and identity: Ed25519 (RFC 8032) over `context ‖ 0x00 ‖ deterministic CBOR`.
//!
//! The context names the kind of statement, so that a signature over one kind never verifies for another. Each
//! signature is verified singly and strictly: a key or nonce point of small order is refused.

use record::{SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::MessageError;

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

/// Signs `statement` under `context`.
pub fn sign<T: Serialize>(key: &SigningKey, context: &'static str, statement: &T) -> Signature {
    Signature(key.sign_context(context, &record::cbor::to_vec(statement)))
}

/// Verifies `signature` over `statement` under `context`; `what` names the signature in the error.
///
/// # Errors
/// [`MessageError::Signature`] when it does not verify.
pub fn verify<T: Serialize>(
    key: &VerifyingKey,
    context: &'static str,
    statement: &T,
    signature: &Signature,
    what: &'static str,
) -> Result<(), MessageError> {
    key.verify_context(context, &record::cbor::to_vec(statement), &signature.0)
        .map_err(|_| MessageError::Signature(what))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_signature_verifies_only_for_its_key_context_and_statement() {
        let key = SigningKey::from_seed([7; 32]);
        let public = key.public();
        let other = SigningKey::from_seed([8; 32]).public();
        let signature = sign(&key, "einsicht/a/v1", &"statement");
        verify(&public, "einsicht/a/v1", &"statement", &signature, "test").unwrap();
        let refused = Err(MessageError::Signature("test"));
        assert_eq!(
            verify(&public, "einsicht/b/v1", &"statement", &signature, "test"),
            refused
        );
        assert_eq!(
            verify(&public, "einsicht/a/v1", &"statements", &signature, "test"),
            refused
        );
        assert_eq!(
            verify(&other, "einsicht/a/v1", &"statement", &signature, "test"),
            refused
        );
        let mut changed = signature;
        changed.0[63] ^= 1;
        assert_eq!(
            verify(&public, "einsicht/a/v1", &"statement", &changed, "test"),
            refused
        );
    }

    #[test]
    fn a_weak_key_is_refused() {
        let mut identity_point = [0; 32];
        identity_point[0] = 1;
        assert!(VerifyingKey::from_bytes(&identity_point).is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = SigningKey::from_seed([7; 32]);
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.id()));
    }
}
