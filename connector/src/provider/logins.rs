//! P10: the proof of a login is used once. The nonces of those that were used are recorded durably until the proofs are
//! too old to count.
//!
//! A nonce belongs to the intent that has used it: the same forward, repeated after an abrupt end of this connector,
//! may use it again. There are at most [`MAX_USED`]; with more, a forward with a login gets 503 `busy` until the oldest
//! have expired.

use std::sync::Arc;

use messages::{CheckName, LoginProof};
use record::Timestamp;
use serde::{Deserialize, Serialize};
use service::clock::CheckedClock;
use store::{Store, TableError};
use tokio::sync::Mutex;

use super::checks::CheckFailed;
use crate::state::{self, StateTable};

/// The most nonces that are kept: those of three hours with almost a hundred requests a second.
const MAX_USED: u64 = 1 << 20;
/// The most expired nonces that one sweep looks at.
const SWEEP: usize = 4096;

/// What is kept of a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsedLogin {
    /// Index of the intent that has used it.
    intent: u64,
    /// The last time at which the proof counts.
    expires: Timestamp,
}

/// Proof that the login of a forward was not used for another one, or that it has none. Only
/// [`UsedLogins::use_once`] makes one.
#[derive(Debug)]
pub(crate) struct LoginUnused(());

/// Why a login cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    /// It was used for another intent.
    #[error("the login was used before")]
    Used(CheckFailed),
    /// Too many are kept. Retryable.
    #[error("too many logins at once")]
    Full,
    /// The table cannot be read or written.
    #[error(transparent)]
    State(#[from] TableError),
}

/// The proofs that were used.
#[derive(Debug, Clone)]
pub(crate) struct UsedLogins {
    used: StateTable<UsedLogin>,
    /// Held between reading and writing, so that two intents cannot use one proof.
    turn: Arc<Mutex<()>>,
    /// Where the last sweep has stopped. Nonces are random, so old and new ones are mixed.
    swept: Arc<Mutex<Option<[u8; 16]>>>,
    most: u64,
}

impl UsedLogins {
    /// Opens the table of the state file.
    pub(crate) fn open(store: &Store) -> Result<Self, TableError> {
        Ok(Self {
            used: state::open_table(store, "logins")?,
            turn: Arc::default(),
            swept: Arc::default(),
            most: MAX_USED,
        })
    }

    /// Uses the proof of an intent; durable on return. The same intent may use it again.
    pub(crate) async fn use_once(&self, proof: Option<&LoginProof>, intent: u64) -> Result<LoginUnused, LoginError> {
        let Some(proof) = proof else {
            return Ok(LoginUnused(()));
        };
        let _turn = self.turn.lock().await;
        match self.used.get(proof.nonce).await? {
            Some(row) if row.intent == intent => return Ok(LoginUnused(())),
            Some(_) => {
                let used = CheckFailed::of(CheckName::P10)("the login was used for another exchange");
                return Err(LoginError::Used(used));
            }
            None => {}
        }
        if self.used.count().await? >= self.most {
            return Err(LoginError::Full);
        }
        let row = UsedLogin {
            intent,
            expires: proof.expires(),
        };
        self.used.put(proof.nonce, &row).await?;
        Ok(LoginUnused(()))
    }

    /// Forgets the proofs that are too old to count. While the clock is in doubt it forgets none: a clock that is hours
    /// ahead would let them be used again.
    pub(crate) async fn forget(&self, clock: &CheckedClock) -> Result<usize, TableError> {
        let Ok(now) = clock.check() else { return Ok(0) };
        self.sweep(Timestamp(now)).await
    }

    /// Looks at the next [`SWEEP`] nonces, and begins again after the last one.
    async fn sweep(&self, now: Timestamp) -> Result<usize, TableError> {
        let mut swept = self.swept.lock().await;
        let page = self.used.page(*swept, SWEEP).await?;
        *swept = page.last().filter(|_| page.len() == SWEEP).map(|(nonce, _)| *nonce);
        let mut forgotten = 0;
        for (nonce, row) in page {
            if now > row.expires {
                self.used.remove(nonce).await?;
                forgotten += 1;
            }
        }
        Ok(forgotten)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use record::Assurance;
    use tlog::Hash;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn open(directory: &std::path::Path) -> UsedLogins {
        UsedLogins::open(&state::open_file(directory).unwrap()).unwrap()
    }

    fn proof() -> LoginProof {
        LoginProof::new(Hash([1; 32]), Assurance::High, NOW).unwrap()
    }

    #[tokio::test]
    async fn a_login_is_used_once_and_again_by_the_same_intent_also_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (proof(), proof());
        {
            let logins = open(directory.path());
            logins.use_once(Some(&first), 7).await.unwrap();
            logins.use_once(Some(&second), 8).await.unwrap();
            logins.use_once(None, 9).await.unwrap();
        }
        let logins = open(directory.path());
        logins.use_once(Some(&first), 7).await.unwrap();
        for (used, intent) in [(&first, 8), (&second, 7)] {
            let refused = logins.use_once(Some(used), intent).await.unwrap_err();
            assert!(matches!(refused, LoginError::Used(failed) if failed.check == CheckName::P10));
        }
        // A login with another nonce is another one, although the token is the same.
        logins.use_once(Some(&proof()), 8).await.unwrap();
    }

    #[tokio::test]
    async fn logins_are_kept_while_they_count_and_their_number_is_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let logins = UsedLogins {
            most: 2,
            ..open(directory.path())
        };
        let kept = [proof(), proof()];
        for (intent, proof) in (1..).zip(&kept) {
            logins.use_once(Some(proof), intent).await.unwrap();
        }
        let full = logins.use_once(Some(&proof()), 3).await;
        assert!(matches!(full, Err(LoginError::Full)));
        logins.use_once(Some(&kept[0]), 1).await.unwrap();
        let expires = kept[0].expires();
        assert_eq!(logins.sweep(expires).await.unwrap(), 0);
        assert_eq!(logins.sweep(expires.after(1)).await.unwrap(), 2);
        logins.use_once(Some(&proof()), 3).await.unwrap();
    }
}
