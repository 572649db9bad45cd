//! Calls that a provider's connector collects, because the broker cannot reach it: in a sealed network every
//! connection begins inside.
//!
//! ```text
//! connector ── Collection ───▶ broker        waits until there is a call
//! connector ◀─ CollectedCall ─ broker        what the broker would have sent to the connector
//! connector ── CallAnswer ───▶ broker        what the connector would have answered
//!
//! signature = sign("einsicht/collection/v1", CollectionStatement)     by the component
//! signature = sign("einsicht/call-answer/v1", AnswerStatement)        by the component
//! ```
//!
//! A collected call has the credential of a call that is sent ([`CallCredential`](crate::CallCredential)), and the
//! connector checks it in the same way. A process that answers in the broker's place can therefore make it do nothing.
//! The statement of an answer covers the status too, because a status can say that the register was not asked.

use record::{ParticipantId, SigningKey, Timestamp, VerifyingKey};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use uuid::Uuid;

use crate::call::{CALL_VALIDITY, CallKind};
use crate::digest::sha256_of;
use crate::error::MessageError;
use crate::sign::{self, Signature};

const COLLECTION_CONTEXT: &str = "einsicht/collection/v1";
const ANSWER_CONTEXT: &str = "einsicht/call-answer/v1";

/// What a component signs to collect one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionStatement {
    /// The component whose call it is.
    pub component: ParticipantId,
    /// When it was signed.
    pub sent: Timestamp,
    /// For how many seconds the request may wait for a call; the broker lets it wait for
    /// [`crate::limits::MAX_COLLECTION_SECONDS`] at most.
    pub wait: u64,
    /// Random; the broker accepts it once.
    #[serde(with = "record::bytes")]
    pub nonce: [u8; 16],
}

/// Provider's connector → broker, `POST /calls`: asks for one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// The signed statement.
    pub statement: CollectionStatement,
    /// By the component, context `einsicht/collection/v1`.
    pub signature: Signature,
}

impl Collection {
    /// Signs a request for one call that waits for so many seconds.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn sign(key: &SigningKey, component: ParticipantId, now: Timestamp, wait: u64) -> Result<Self, MessageError> {
        let statement = CollectionStatement {
            component,
            sent: now,
            wait,
            nonce: record::random::random()?,
        };
        let signature = sign::sign(key, COLLECTION_CONTEXT, &statement);
        Ok(Self { statement, signature })
    }

    /// Verifies that the component with this key signed it, [`CALL_VALIDITY`] seconds ago at most. The nonce is for the
    /// broker to check.
    ///
    /// # Errors
    /// [`MessageError::Signature`], [`MessageError::Expired`].
    pub fn verify(&self, key: &VerifyingKey, now: Timestamp) -> Result<(), MessageError> {
        sign::verify(
            key,
            COLLECTION_CONTEXT,
            &self.statement,
            &self.signature,
            "the collection",
        )?;
        if self.statement.sent.distance(now) > CALL_VALIDITY {
            return Err(MessageError::Expired);
        }
        Ok(())
    }
}

/// Broker → provider's connector: one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectedCall {
    /// Names the call in its answer. Random, and known to the collector alone.
    pub id: Uuid,
    /// What the call asks for.
    pub kind: CallKind,
    /// The call's `Authorization`: the header of its [`CallCredential`](crate::CallCredential).
    pub authorization: String,
    /// The body.
    #[serde(with = "record::bytes")]
    pub body: Vec<u8>,
}

/// What a component signs about its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallAnswerStatement {
    /// The component that answers.
    pub component: ParticipantId,
    /// The call.
    pub call: Uuid,
    /// The status, as of HTTP.
    pub status: u16,
    /// After how many seconds the call can be repeated, as in `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// SHA-256 of the body.
    #[serde(with = "record::bytes")]
    pub body: Hash,
}

/// Provider's connector → broker, `POST /calls/{id}/answer`: what it answers to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallAnswer {
    /// The signed statement.
    pub statement: CallAnswerStatement,
    /// The body, at most [`crate::limits::MAX_CALL_ANSWER_BODY`] bytes.
    #[serde(with = "record::bytes")]
    pub body: Vec<u8>,
    /// By the component, context `einsicht/call-answer/v1`.
    pub signature: Signature,
}

impl CallAnswer {
    /// Signs the answer of `component` to `call`.
    pub fn sign(
        key: &SigningKey,
        (component, call): (ParticipantId, Uuid),
        (status, retry_after): (u16, Option<u32>),
        body: Vec<u8>,
    ) -> Self {
        let statement = CallAnswerStatement {
            component,
            call,
            status,
            retry_after,
            body: sha256_of(&[&body]),
        };
        let signature = sign::sign(key, ANSWER_CONTEXT, &statement);
        Self {
            statement,
            body,
            signature,
        }
    }

    /// Verifies the component's signature and the body's digest.
    ///
    /// # Errors
    /// [`MessageError::Signature`], [`MessageError::Mismatch`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), MessageError> {
        sign::verify(
            key,
            ANSWER_CONTEXT,
            &self.statement,
            &self.signature,
            "the answer to a call",
        )?;
        if sha256_of(&[&self.body]) != self.statement.body {
            return Err(MessageError::Mismatch("the body is not the signed one"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed([seed; 32])
    }

    fn me() -> ParticipantId {
        ParticipantId::new("kba").unwrap()
    }

    #[test]
    fn a_collection_counts_for_a_minute_under_its_components_key() {
        let collection = Collection::sign(&key(1), me(), NOW, 25).unwrap();
        let verify = |collection: &Collection, seed: u8, now| collection.verify(&key(seed).public(), now);
        assert_eq!(verify(&collection, 1, NOW.after(60)), Ok(()));
        assert_eq!(verify(&collection, 1, NOW.after(61)), Err(MessageError::Expired));
        assert_eq!(verify(&collection, 1, NOW.before(61)), Err(MessageError::Expired));
        let signature = Err(MessageError::Signature("the collection"));
        assert_eq!(verify(&collection, 2, NOW), signature);
        let mut changed = collection.clone();
        changed.statement.component = ParticipantId::new("other").unwrap();
        assert_eq!(verify(&changed, 1, NOW), signature);
        changed = collection.clone();
        changed.statement.nonce[0] ^= 1;
        assert_eq!(verify(&changed, 1, NOW), signature);
    }

    #[test]
    fn an_answer_counts_for_its_call_status_and_body_alone() {
        let call = Uuid::from_bytes([7; 16]);
        let answer = CallAnswer::sign(&key(1), (me(), call), (503, Some(1)), b"body".to_vec());
        assert_eq!(answer.verify(&key(1).public()), Ok(()));
        assert!(answer.verify(&key(2).public()).is_err());
        for change in [
            |answer: &mut CallAnswer| answer.statement.call = Uuid::from_bytes([8; 16]),
            |answer: &mut CallAnswer| answer.statement.component = ParticipantId::new("other").unwrap(),
            |answer: &mut CallAnswer| answer.statement.status = 200,
            |answer: &mut CallAnswer| answer.statement.retry_after = None,
            |answer: &mut CallAnswer| answer.statement.body = Hash([0; 32]),
            |answer: &mut CallAnswer| answer.body.push(0),
        ] {
            let mut changed = answer.clone();
            change(&mut changed);
            assert!(changed.verify(&key(1).public()).is_err(), "{changed:?}");
        }
    }
}
