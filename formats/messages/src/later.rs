//! Evidence that is available later: a provider that has accepted a forward, and names the time of its answer.
//!
//! ```text
//! sealed_answer = as of a reply, with XNachweis 0102 and `ResponseAvailableDateTime`
//! signature     = sign("einsicht/deferral/v1", DeferralStatement)     by the provider
//! withdrawal    = sign("einsicht/withdrawal/v1", exchange)            by the consumer
//! ```
//!
//! A deferral is no outcome. The intent stays open, and the broker sends the same forward again at the time that the
//! deferral names, until there is a [`Reply`] or [`crate::limits::MAX_LATER_SECONDS`] have passed since the intent.
//! Only an exchange whose metadata say that it is not synchronous can be deferred. The consumer asks later by sending
//! the same [`crate::ExchangeRequest`] again.

use record::{SigningKey, Timestamp, VerifyingKey};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use uuid::Uuid;

use crate::answer::{Completion, Reply};
use crate::digest::sha256_of;
use crate::error::MessageError;
use crate::sign::{self, Signature};

const DEFERRAL_CONTEXT: &str = "einsicht/deferral/v1";
const WITHDRAWAL_CONTEXT: &str = "einsicht/withdrawal/v1";

/// The statement that the provider signs about evidence for later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeferralStatement {
    /// Id of the message that is answered later.
    pub message: Uuid,
    /// Index of the intent that the provider relied on.
    pub intent: u64,
    /// The time from which the provider can be asked again.
    pub available: Timestamp,
    /// SHA-256 of the sealed answer.
    #[serde(with = "record::bytes")]
    pub sealed_answer: Hash,
}

/// Provider's connector → broker: the answer to a [`crate::Forward`] is available later. With status 202.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deferral {
    /// The signed statement.
    pub statement: DeferralStatement,
    /// [`crate::AnswerContent`] with the time, sealed to the consumer's answer key.
    #[serde(with = "record::bytes")]
    pub sealed_answer: Vec<u8>,
    /// By the provider, context `einsicht/deferral/v1`.
    pub signature: Signature,
}

impl Deferral {
    /// Signs the time from which the answer to this message and intent is available.
    pub fn sign(
        key: &SigningKey,
        (message, intent): (Uuid, u64),
        available: Timestamp,
        sealed_answer: Vec<u8>,
    ) -> Self {
        let statement = DeferralStatement {
            message,
            intent,
            available,
            sealed_answer: sha256_of(&[&sealed_answer]),
        };
        let signature = sign::sign(key, DEFERRAL_CONTEXT, &statement);
        Self {
            statement,
            sealed_answer,
            signature,
        }
    }

    /// Verifies the provider's signature and the sealed answer's digest.
    ///
    /// # Errors
    /// [`MessageError::Signature`], [`MessageError::Mismatch`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), MessageError> {
        sign::verify(key, DEFERRAL_CONTEXT, &self.statement, &self.signature, "the deferral")?;
        if sha256_of(&[&self.sealed_answer]) != self.statement.sealed_answer {
            return Err(MessageError::Mismatch("the sealed answer is not the signed one"));
        }
        Ok(())
    }
}

/// What a provider's connector answers to a [`crate::Forward`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardAnswer {
    /// The answer, which ends the exchange.
    Reply(Reply),
    /// The answer is available later.
    Deferral(Deferral),
}

impl ForwardAnswer {
    /// Reads either. `None` if it is neither.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let reply = record::cbor::from_slice(bytes).map(Self::Reply);
        reply
            .or_else(|_| record::cbor::from_slice(bytes).map(Self::Deferral))
            .ok()
    }
}

/// Broker → consumer's connector: the exchange is recorded and stays open. With status 202.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deferred {
    /// Receipt of the intent.
    #[serde(with = "record::bytes")]
    pub intent_receipt: Vec<u8>,
    /// What the provider has signed.
    pub deferral: Deferral,
}

/// What the broker answers to a [`crate::ExchangeRequest`].
#[derive(Debug, Clone)]
pub enum ExchangeAnswer {
    /// The exchange is closed.
    Completed(Box<Completion>),
    /// It stays open.
    Deferred(Box<Deferred>),
}

impl ExchangeAnswer {
    /// Reads either. `None` if it is neither.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let completed = record::cbor::from_slice(bytes).map(Self::Completed);
        completed
            .or_else(|_| record::cbor::from_slice(bytes).map(Self::Deferred))
            .ok()
    }
}

/// Consumer's connector → broker, `POST /exchanges/{exchange}/withdrawal`: the consumer wants no answer any more. The
/// broker answers with the [`Completion`]; if the exchange had ended before, that is how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// The exchange.
    pub exchange: Uuid,
    /// By the consumer, context `einsicht/withdrawal/v1`.
    pub signature: Signature,
}

impl Withdrawal {
    /// Signs for this exchange.
    pub fn sign(key: &SigningKey, exchange: Uuid) -> Self {
        let signature = sign::sign(key, WITHDRAWAL_CONTEXT, &exchange);
        Self { exchange, signature }
    }

    /// Verifies the consumer's signature.
    ///
    /// # Errors
    /// [`MessageError::Signature`].
    pub fn verify(&self, key: &VerifyingKey) -> Result<(), MessageError> {
        sign::verify(
            key,
            WITHDRAWAL_CONTEXT,
            &self.exchange,
            &self.signature,
            "the withdrawal",
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::answer::AnswerResult;

    #[test]
    fn a_deferral_and_a_withdrawal_hold_for_what_was_signed_alone() {
        let (key, other) = (SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32]));
        let about = (Uuid::from_u128(1), 7);
        let signed = Deferral::sign(&key, about, Timestamp(9), vec![1, 2]);
        assert!(signed.verify(&key.public()).is_ok() && signed.verify(&other.public()).is_err());
        for change in [
            |deferral: &mut Deferral| deferral.statement.available = Timestamp(10),
            |deferral: &mut Deferral| deferral.statement.intent = 8,
            |deferral: &mut Deferral| deferral.sealed_answer = vec![3],
        ] {
            let mut changed = signed.clone();
            change(&mut changed);
            assert!(changed.verify(&key.public()).is_err());
        }
        let mut withdrawal = Withdrawal::sign(&key, Uuid::from_u128(1));
        assert!(withdrawal.verify(&key.public()).is_ok());
        withdrawal.exchange = Uuid::from_u128(2);
        assert!(withdrawal.verify(&key.public()).is_err());
    }

    #[test]
    fn a_reply_and_a_deferral_are_told_apart() {
        let key = SigningKey::from_seed([1; 32]);
        let reply = Reply::sign(&key, (Uuid::nil(), 1), AnswerResult::NothingFound, vec![1]);
        let deferral = Deferral::sign(&key, (Uuid::nil(), 1), Timestamp(9), vec![1]);
        let parsed = ForwardAnswer::parse(&record::cbor::to_vec(&reply)).unwrap();
        assert_eq!(parsed, ForwardAnswer::Reply(reply));
        let parsed = ForwardAnswer::parse(&record::cbor::to_vec(&deferral)).unwrap();
        assert_eq!(parsed, ForwardAnswer::Deferral(deferral));
        assert_eq!(ForwardAnswer::parse(b"neither"), None);
    }
}
