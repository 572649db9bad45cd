//! The state of the provider: configuration, signing key, and the codes that have been redeemed.
//!
//! A code is the sealed grant itself, so an authorization request stores nothing. The provider remembers the codes that
//! were redeemed until they expire, because a code may be used only once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use openidconnect::JsonWebKeyId;
use openidconnect::core::CoreEdDsaPrivateSigningKey;
use serde::{Deserialize, Serialize};
use service::Clock;
use service::sealed::{SealError, Sealer};
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::error::Error;

/// The most redeemed codes that are remembered. The oldest ones make room, and expire within a minute anyway.
const MAX_REDEEMED: usize = 10_000;
/// The context in which grants are sealed.
const CODE: &str = "code";

/// The state that all handlers share, behind an `Arc`.
pub(crate) struct Provider {
    pub(crate) config: Config,
    pub(crate) key: CoreEdDsaPrivateSigningKey,
    sealer: Sealer,
    /// SHA-256 of each redeemed code, and when it expires.
    redeemed: Mutex<HashMap<[u8; 32], u64>>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Provider {
    pub(crate) fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let seed = service::secret::random().map_err(|error| Error::Key(error.to_string()))?;
        let pem = SigningKey::from_bytes(&seed)
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|error| Error::Key(error.to_string()))?;
        let kid = random_text().map_err(|error| Error::Key(error.to_string()))?;
        let key =
            CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(kid))).map_err(Error::Key)?;
        Ok(Self {
            config,
            key,
            sealer: Sealer::new().map_err(|error| Error::Key(error.to_string()))?,
            redeemed: Mutex::default(),
            clock,
        })
    }

    /// The code of a grant.
    pub(crate) fn code(&self, grant: &Grant) -> Result<String, SealError> {
        self.sealer.seal(CODE, grant)
    }

    /// The grant of a code that has neither expired nor been redeemed. The code counts as redeemed from now on, even
    /// if a later check fails.
    pub(crate) fn redeem(&self, code: &str) -> Option<Grant> {
        let grant: Grant = self.sealer.open(CODE, code)?;
        let now = self.clock.now();
        if grant.expires < now {
            return None;
        }
        let mut redeemed = self.redeemed.lock().unwrap_or_else(PoisonError::into_inner);
        redeemed.retain(|_, expires| *expires >= now);
        if redeemed.len() >= MAX_REDEEMED {
            let oldest = redeemed.iter().min_by_key(|(_, expires)| **expires);
            let oldest = oldest.map(|(digest, _)| *digest);
            oldest.map(|digest| redeemed.remove(&digest));
        }
        let first = redeemed.insert(Sha256::digest(code).into(), grant.expires).is_none();
        first.then_some(grant)
    }
}

/// The authorization that a code grants.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: String,
    pub(crate) nonce: String,
    /// Position of the citizen in [`Config::users`].
    pub(crate) user: usize,
    pub(crate) auth_time: u64,
    pub(crate) expires: u64,
}

/// 256 random bits in hexadecimal digits.
pub(crate) fn random_text() -> Result<String, service::secret::SecretError> {
    service::secret::random().map(hex::encode)
}
