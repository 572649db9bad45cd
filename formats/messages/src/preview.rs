//! The preview (Vorschau): the person's decision about delivered evidence, on its way into the log.
//!
//! ```text
//! consumer ── SignedDecision ──▶ broker ── OutcomeKeyRequest (phase preview) ─▶ identity
//! consumer ◀── PreviewNotice ──  broker
//! consumer ── Acknowledgement ─▶ broker
//! signature = sign("einsicht/preview/v1", PreviewStatement)         by the consumer
//! ```
//!
//! The consumer's connector hands evidence out only when the log has a `preview` entry whose record says that the
//! person accepted. The broker learns the decision and not who decided.

use record::{PartKey, PreviewDecision, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use uuid::Uuid;

use crate::error::MessageError;
use crate::sign::{self, Signature};

const CONTEXT: &str = "einsicht/preview/v1";

/// What the consumer states about a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewStatement {
    /// The exchange.
    pub exchange: Uuid,
    /// Index of its intent.
    pub intent: u64,
    /// Index of its outcome.
    pub outcome: u64,
    /// SHA-256 of the sealed answer with the evidence.
    #[serde(with = "record::bytes")]
    pub answer: Hash,
    /// The decision.
    pub decision: PreviewDecision,
}

/// Consumer's connector → broker, `POST /exchanges/{exchange}/preview`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedDecision {
    /// The signed statement.
    pub statement: PreviewStatement,
    /// By the consumer, context `einsicht/preview/v1`.
    pub signature: Signature,
}

impl SignedDecision {
    /// Signs a statement.
    pub fn sign(key: &SigningKey, statement: PreviewStatement) -> Self {
        let signature = sign::sign(key, CONTEXT, &statement);
        Self { statement, signature }
    }

    /// Verifies the consumer's signature.
    ///
    /// # Errors
    /// [`MessageError::Signature`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), MessageError> {
        sign::verify(key, CONTEXT, &self.statement, &self.signature, "the preview")
    }
}

/// Broker → consumer's connector: answer to [`SignedDecision`]. The decision is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreviewNotice {
    /// Receipt of the preview.
    #[serde(with = "record::bytes")]
    pub receipt: Vec<u8>,
    /// The preview's sealed record.
    #[serde(with = "record::bytes")]
    pub sealed_record: Vec<u8>,
    /// Key of its shared part.
    pub shared_key: PartKey,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_decision_verifies_only_as_it_was_signed() {
        let key = SigningKey::from_seed([3; 32]);
        let signed = SignedDecision::sign(
            &key,
            PreviewStatement {
                exchange: Uuid::from_u128(1),
                intent: 5,
                outcome: 7,
                answer: Hash([1; 32]),
                decision: PreviewDecision::Rejected,
            },
        );
        assert_eq!(signed.verify(&key.public()), Ok(()));
        let changes: [fn(&mut PreviewStatement); 5] = [
            |statement| statement.decision = PreviewDecision::Accepted,
            |statement| statement.exchange = Uuid::from_u128(2),
            |statement| statement.intent = 6,
            |statement| statement.outcome = 8,
            |statement| statement.answer = Hash([2; 32]),
        ];
        for change in changes {
            let mut forged = signed.clone();
            change(&mut forged.statement);
            assert!(forged.verify(&key.public()).is_err());
        }
        let bytes = record::cbor::to_vec(&signed);
        assert_eq!(record::cbor::from_slice::<SignedDecision>(&bytes).unwrap(), signed);
        assert!(signed.verify(&SigningKey::from_seed([4; 32]).public()).is_err());
    }
}
