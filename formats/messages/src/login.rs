//! The proof that a person had logged in when evidence about them was requested.
//!
//! It travels inside the sealed request, so that the provider alone reads it: the broker learns neither that there is
//! one nor which. S2 covers it with the sealed request, and the sealing binds it to S1. It does not prove the login by
//! itself: the consumer vouches for it with its signature, and the digest lets supervision compare it with the token
//! that the consumer keeps. Each proof is used once; the provider's connector remembers its nonce until it is too old.

use record::random::{RandomnessError, random};
use record::{Assurance, Timestamp};
use serde::{Deserialize, Serialize};
use tlog::Hash;

use crate::limits::{MAX_LOGIN_AHEAD, MAX_LOGIN_SECONDS};

/// Where a permission demands that the person is present, the least level of assurance of the login.
pub const PRESENCE: Assurance = Assurance::Substantial;

/// Proof of a login. `Debug` shows no digest and no nonce.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginProof {
    /// SHA-256 of the identity token.
    #[serde(with = "record::bytes")]
    pub token: Hash,
    /// Level of assurance of the login.
    pub assurance: Assurance,
    /// When the person logged in.
    pub at: Timestamp,
    /// Random. No two requests have the same.
    #[serde(with = "record::bytes")]
    pub nonce: [u8; 16],
}

impl std::fmt::Debug for LoginProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LoginProof({:?} at {}, token redacted)", self.assurance, self.at)
    }
}

/// Why a login does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefused {
    /// The login was too long ago.
    #[error("the login was too long ago")]
    Old,
    /// The login is in the future.
    #[error("the login is in the future")]
    Future,
    /// The login's level of assurance is below [`PRESENCE`].
    #[error("the login's level of assurance is too low")]
    Low,
}

impl LoginProof {
    /// The proof of a login, with a nonce of its own.
    ///
    /// # Errors
    /// When the operating system has no randomness.
    pub fn new(token: Hash, assurance: Assurance, at: Timestamp) -> Result<Self, RandomnessError> {
        Ok(Self {
            token,
            assurance,
            at,
            nonce: random()?,
        })
    }

    /// Checks that the login is at most [`MAX_LOGIN_SECONDS`] old, and of the level that presence demands.
    ///
    /// # Errors
    /// The first of [`LoginRefused`] that applies.
    pub fn check(&self, now: Timestamp) -> Result<(), LoginRefused> {
        if self.at > now.after(MAX_LOGIN_AHEAD) {
            Err(LoginRefused::Future)
        } else if now > self.expires() {
            Err(LoginRefused::Old)
        } else if self.assurance < PRESENCE {
            Err(LoginRefused::Low)
        } else {
            Ok(())
        }
    }

    /// The last time at which the proof counts.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.at.after(MAX_LOGIN_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_login_counts_for_three_hours_and_from_substantial_upwards() {
        let at = Timestamp(1_800_000_000);
        let proof = |assurance| LoginProof::new(Hash([1; 32]), assurance, at).unwrap();
        let high = proof(Assurance::High);
        assert_eq!(high.check(at.before(MAX_LOGIN_AHEAD + 1)), Err(LoginRefused::Future));
        assert_eq!(high.check(at.before(MAX_LOGIN_AHEAD)), Ok(()));
        assert_eq!(high.check(at.after(MAX_LOGIN_SECONDS)), Ok(()));
        assert_eq!(high.check(at.after(MAX_LOGIN_SECONDS + 1)), Err(LoginRefused::Old));
        assert_eq!(proof(Assurance::Substantial).check(at), Ok(()));
        assert_eq!(proof(Assurance::Low).check(at), Err(LoginRefused::Low));
    }

    #[test]
    fn two_proofs_of_one_login_differ_and_show_no_token() {
        let make = || LoginProof::new(Hash([0xab; 32]), Assurance::High, Timestamp(7)).unwrap();
        assert_ne!(make().nonce, make().nonce);
        assert!(!format!("{:?}", make()).contains("abab"));
    }
}
