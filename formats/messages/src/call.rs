//! The signature of a call: the broker's calls to a connector carry it as their `Authorization`.
//!
//! ```text
//! Authorization: Einsicht-Call base64url(CBOR CallCredential)
//! signature = sign("einsicht/call/v1", CallStatement)          by a writer of the directory
//! ```
//!
//! The caller is authenticated by the header, before a byte of the body is read. The statement binds the call to one
//! recipient, one kind of call, one body and one minute. The nonce lets the recipient refuse the same call a second
//! time. The key is the one that signs the caller's entries: the writer that may write intents may forward, and the
//! writer that may write outcomes may deliver them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use record::{Kind, ParticipantId, SigningKey, Timestamp, WriterId};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use trust::TrustMap;

use crate::digest::sha256_of;
use crate::error::MessageError;
use crate::sign::{self, Signature};

const CONTEXT: &str = "einsicht/call/v1";
const SCHEME: &str = "Einsicht-Call ";
/// The most characters of the header's value.
const MAX_HEADER: usize = 1024;

/// A call is accepted for this many seconds before and after it was signed.
pub const CALL_VALIDITY: u64 = 60;

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// `POST /forward`.
    Forward,
    /// `POST /outcome`.
    Outcome,
}

impl CallKind {
    /// The path of the call.
    pub fn path(self) -> &'static str {
        match self {
            Self::Forward => "/forward",
            Self::Outcome => "/outcome",
        }
    }

    /// The kind of entry that the caller must be allowed to write.
    fn right(self) -> Kind {
        match self {
            Self::Forward => Kind::Intent,
            Self::Outcome => Kind::Outcome,
        }
    }
}

/// What the caller signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallStatement {
    /// What the call asks for.
    pub kind: CallKind,
    /// The participant whose connector is called.
    pub to: ParticipantId,
    /// When it was signed.
    pub sent: Timestamp,
    /// Random; the recipient accepts it once.
    #[serde(with = "record::bytes")]
    pub nonce: [u8; 16],
    /// SHA-256 of the body.
    #[serde(with = "record::bytes")]
    pub body: Hash,
}

/// The credential of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallCredential {
    /// The signed statement.
    pub statement: CallStatement,
    /// The caller.
    pub writer: WriterId,
    /// By the caller, context `einsicht/call/v1`.
    pub signature: Signature,
}

impl CallCredential {
    /// Signs a call with this body.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn sign(
        key: &SigningKey,
        kind: CallKind,
        to: ParticipantId,
        now: Timestamp,
        body: &[u8],
    ) -> Result<Self, MessageError> {
        let statement = CallStatement {
            kind,
            to,
            sent: now,
            nonce: record::random::random()?,
            body: sha256_of(&[body]),
        };
        let signature = sign::sign(key, CONTEXT, &statement);
        Ok(Self {
            statement,
            writer: key.id(),
            signature,
        })
    }

    /// The value of the `Authorization` header.
    pub fn to_header(&self) -> String {
        format!("{SCHEME}{}", URL_SAFE_NO_PAD.encode(record::cbor::to_vec(self)))
    }

    /// Reads the value of the `Authorization` header.
    ///
    /// # Errors
    /// [`MessageError::Malformed`].
    pub fn from_header(value: &str) -> Result<Self, MessageError> {
        let malformed = || MessageError::Malformed("the credential of a call");
        if value.len() > MAX_HEADER {
            return Err(malformed());
        }
        let encoded = value.strip_prefix(SCHEME).ok_or_else(malformed)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| malformed())?;
        record::cbor::from_slice(&bytes).map_err(|_| malformed())
    }

    /// Verifies that a writer with the right to this kind of call signed it, for this recipient, a minute ago at most.
    /// The body and the nonce are for the recipient to check.
    ///
    /// # Errors
    /// [`MessageError::Signature`], [`MessageError::Mismatch`], [`MessageError::Expired`].
    pub fn verify(
        &self,
        directory: &TrustMap,
        kind: CallKind,
        me: &ParticipantId,
        now: Timestamp,
    ) -> Result<(), MessageError> {
        let statement = &self.statement;
        if statement.kind != kind || statement.to != *me {
            return Err(MessageError::Mismatch("the call is for another recipient or purpose"));
        }
        if statement.sent.distance(now) > CALL_VALIDITY {
            return Err(MessageError::Expired);
        }
        let grant = directory
            .writer(&self.writer)
            .filter(|grant| grant.kinds.contains(&kind.right()))
            .ok_or(MessageError::Signature("the call"))?;
        sign::verify(&grant.key, CONTEXT, statement, &self.signature, "the call")
    }

    /// Whether the statement covers this body.
    pub fn covers(&self, body: &[u8]) -> bool {
        self.statement.body == sha256_of(&[body])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use fixtures::{Founders, grant};
    use tlog::note::SignerKey;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed([seed; 32])
    }

    fn me() -> ParticipantId {
        ParticipantId::new("kba").unwrap()
    }

    fn directory() -> TrustMap {
        let log = SignerKey::for_notes("log.example".parse().unwrap(), &[5; 32]);
        let founders = Founders {
            origin: "log.example",
            log: &log,
            operator: &key(6),
            authority: &key(7),
            identity: &key(3),
        };
        let writers = vec![
            grant("broker", &key(1), &[Kind::Intent, Kind::Outcome]),
            grant("identity", &key(2), &[Kind::Void]),
        ];
        let founding = founders.found(writers, Timestamp(0)).unwrap();
        founding.history.state().directory().clone()
    }

    fn call(seed: u8) -> CallCredential {
        CallCredential::sign(&key(seed), CallKind::Forward, me(), NOW, b"body").unwrap()
    }

    #[test]
    fn a_call_of_the_broker_is_accepted_through_its_header() {
        let read = CallCredential::from_header(&call(1).to_header()).unwrap();
        assert_eq!(read.verify(&directory(), CallKind::Forward, &me(), NOW), Ok(()));
        assert!(read.covers(b"body") && !read.covers(b"other"));
        assert_ne!(call(1).statement.nonce, call(1).statement.nonce);
    }

    #[test]
    fn a_call_of_another_writer_purpose_recipient_or_time_is_refused() {
        let verify = |call: &CallCredential, kind, to: &ParticipantId, now| call.verify(&directory(), kind, to, now);
        let signature = Err(MessageError::Signature("the call"));
        assert_eq!(verify(&call(2), CallKind::Forward, &me(), NOW), signature, "no right");
        assert_eq!(verify(&call(9), CallKind::Forward, &me(), NOW), signature, "unknown");
        let good = call(1);
        let other = ParticipantId::new("other").unwrap();
        assert!(verify(&good, CallKind::Outcome, &me(), NOW).is_err());
        assert!(verify(&good, CallKind::Forward, &other, NOW).is_err());
        for (now, accepted) in [(59, true), (60, true), (61, false)] {
            assert_eq!(
                verify(&good, CallKind::Forward, &me(), NOW.after(now)).is_ok(),
                accepted
            );
            assert_eq!(
                verify(&good, CallKind::Forward, &me(), NOW.before(now)).is_ok(),
                accepted
            );
        }
        let mut changed = good.clone();
        changed.statement.nonce[0] ^= 1;
        assert_eq!(verify(&changed, CallKind::Forward, &me(), NOW), signature);
    }

    #[test]
    fn a_header_of_another_form_is_refused() {
        let good = call(1).to_header();
        let long = format!("{good}{}", "A".repeat(MAX_HEADER));
        for bad in [
            "",
            "Bearer 00",
            "Einsicht-Call ",
            "Einsicht-Call !",
            &good[..good.len() - 4],
            &long,
        ] {
            assert!(CallCredential::from_header(bad).is_err(), "{bad}");
        }
    }
}
