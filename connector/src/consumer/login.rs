//! Evidence that waits for its person's decision, locked with the person's login.
//!
//! ```text
//! key    = HKDF-SHA256(IKM = login, salt = exchange id, info = "einsicht/preview-lock/v1", L = 32)
//! locked = ChaCha20-Poly1305(key, nonce = 0, answer key, aad = exchange id)
//! ```
//!
//! The connector keeps the sealed answer as it came from the provider, and its answer key only in this form. So neither
//! the connector's disk nor a caller without the login opens the evidence, also after a restart. The key encrypts once,
//! because the exchange id is unique; therefore the nonce may be fixed.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use messages::SealingKey;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

const INFO: &[u8] = b"einsicht/preview-lock/v1";
/// The length of a login value, in bytes. Fewer than 32 characters are too few to be unguessable.
const LENGTH: std::ops::RangeInclusive<usize> = 32..=2048;

/// What only the person's session at the online service has, and what the connector never stores: a session secret or
/// a login token. A caller with the same value is the same person for the connector.
#[derive(Clone)]
pub struct Login(Zeroizing<String>);

impl PartialEq for Login {
    /// For the mock. The connector compares no logins: it opens what was locked with one.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(redacted)")
    }
}

/// The text has not the length of a login value, or other characters than printable ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("login: 32 to 2048 printable ASCII characters that only this person's session has")]
pub struct LoginError;

impl std::str::FromStr for Login {
    type Err = LoginError;

    fn from_str(text: &str) -> Result<Self, LoginError> {
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if LENGTH.contains(&text.len()) && printable {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(LoginError)
        }
    }
}

impl<'de> Deserialize<'de> for Login {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An answer key that opens only with the login it was locked with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LockedKey(#[serde(with = "record::bytes")] Vec<u8>);

/// No cipher text could be made. Does not happen with inputs of these lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer key cannot be locked")]
pub(crate) struct LockError;

impl LockedKey {
    /// Locks the answer key of an exchange.
    pub(crate) fn lock(key: &SealingKey, login: &Login, exchange: Uuid) -> Result<Self, LockError> {
        let payload = Payload {
            msg: key.seed(),
            aad: exchange.as_bytes(),
        };
        let locked = cipher(login, exchange)?.encrypt(&Nonce::default(), payload);
        locked.map(Self).map_err(|_| LockError)
    }

    /// Opens the key; `None` with another login, or for another exchange.
    pub(crate) fn open(&self, login: &Login, exchange: Uuid) -> Option<SealingKey> {
        let payload = Payload {
            msg: &self.0,
            aad: exchange.as_bytes(),
        };
        let seed = cipher(login, exchange).ok()?.decrypt(&Nonce::default(), payload);
        let seed = Zeroizing::new(seed.ok()?);
        Some(SealingKey::from_seed(seed.as_slice().try_into().ok()?))
    }
}

fn cipher(login: &Login, exchange: Uuid) -> Result<ChaCha20Poly1305, LockError> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(exchange.as_bytes()), login.0.as_bytes())
        .expand(INFO, key.as_mut_slice())
        .map_err(|_| LockError)?;
    ChaCha20Poly1305::new_from_slice(key.as_slice()).map_err(|_| LockError)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_answer_key_opens_only_with_its_login_and_exchange() {
        let key = SealingKey::from_seed([7; 32]);
        let [mine, other]: [Login; 2] = ["m", "o"].map(|letter| letter.repeat(32).parse().unwrap());
        let [first, second] = [1, 2].map(Uuid::from_u128);
        let locked = LockedKey::lock(&key, &mine, first).unwrap();
        let opens = |login: &Login, exchange| {
            locked
                .open(login, exchange)
                .is_some_and(|opened| opened.seed() == key.seed())
        };
        assert!(opens(&mine, first));
        assert!(!opens(&other, first) && !opens(&mine, second));
        assert!(!locked.0.windows(8).any(|bytes| key.seed().starts_with(bytes)));
    }

    #[test]
    fn a_login_that_could_be_guessed_is_refused() {
        let parse = |text: &str| text.parse::<Login>().is_ok();
        assert!(parse(&"a".repeat(32)) && parse(&"~".repeat(2048)));
        assert!(!parse("") && !parse(&"a".repeat(31)) && !parse(&"a".repeat(2049)));
        assert!(!parse(&" ".repeat(40)) && !parse(&"ä".repeat(40)));
        assert!(
            !format!("{:?}", "a".repeat(32).parse::<Login>().unwrap()).contains('a'.to_string().repeat(3).as_str())
        );
    }
}
