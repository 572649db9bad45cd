//! Accepts each signed request once: the nonces of the accepted ones are kept until the requests are too old.
//!
//! The caller checks the signature first, so that outsiders cannot fill the list. The list is in memory and lost in a
//! restart; the caller says what a request that is repeated then may do.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Why a request is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NonceRefused {
    /// The nonce was used before.
    #[error("the nonce was used before")]
    Used,
    /// Too many requests are not yet too old. Retryable.
    #[error("too many requests at once")]
    Full,
}

/// The nonces of the requests that were accepted lately, with the POSIX seconds at which they expire.
#[derive(Debug)]
pub struct Nonces {
    used: Mutex<HashMap<[u8; 16], u64>>,
    most: usize,
}

impl Nonces {
    /// An empty list, which keeps at most `most` nonces.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            used: Mutex::default(),
            most,
        }
    }

    /// Accepts a nonce that is new, and keeps it until the request expires.
    ///
    /// # Errors
    /// [`NonceRefused`].
    pub fn use_once(&self, nonce: [u8; 16], expires: u64, now: u64) -> Result<(), NonceRefused> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.contains_key(&nonce) {
            return Err(NonceRefused::Used);
        }
        if used.len() >= self.most {
            used.retain(|_, expires| *expires >= now);
        }
        if used.len() >= self.most {
            return Err(NonceRefused::Full);
        }
        used.insert(nonce, expires);
        Ok(())
    }

    /// How many nonces are kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}
