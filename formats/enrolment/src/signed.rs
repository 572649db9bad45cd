//! Statements with their signatures.

use record::{SigningKey, VerifyingKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest signed statement, in bytes.
pub const MAX_STATEMENT: usize = 32 * 1024;

/// What is signed under a context of its own, so that a signature counts for no other kind of statement.
pub trait Statement: Serialize {
    /// The context.
    const CONTEXT: &'static str;
}

/// A statement with a signature: Ed25519 over `context ‖ 0x00 ‖ deterministic CBOR`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    /// The statement.
    pub statement: T,
    /// The signature.
    #[serde(with = "record::bytes")]
    pub signature: [u8; 64],
}

/// The bytes are not the statement that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed: {0}")]
pub struct Malformed(pub String);

impl<T: Statement> Signed<T> {
    /// Signs a statement.
    #[must_use]
    pub fn sign(statement: T, key: &SigningKey) -> Self {
        let signature = key.sign_context(T::CONTEXT, &record::cbor::to_vec(&statement));
        Self { statement, signature }
    }

    /// Whether this key has signed the statement.
    #[must_use]
    pub fn is_by(&self, key: &VerifyingKey) -> bool {
        let signed = record::cbor::to_vec(&self.statement);
        key.verify_context(T::CONTEXT, &signed, &self.signature).is_ok()
    }
}

impl<T: Serialize + DeserializeOwned> Signed<T> {
    /// The bytes that are sent.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        record::cbor::to_vec(self)
    }

    /// Reads a signed statement. It does not verify the signature.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_STATEMENT {
            return Err(Malformed(format!("more than {MAX_STATEMENT} bytes")));
        }
        record::cbor::from_slice(bytes).map_err(|error| Malformed(error.to_string()))
    }
}
