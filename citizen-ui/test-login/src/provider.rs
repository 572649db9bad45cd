//! The state of the provider: configuration, signing key, and the codes that have not been redeemed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use openidconnect::JsonWebKeyId;
use openidconnect::core::CoreEdDsaPrivateSigningKey;
use service::Clock;

use crate::config::Config;
use crate::error::Error;

/// The state that all handlers share, behind an `Arc`.
pub(crate) struct Provider {
    pub(crate) config: Config,
    pub(crate) key: CoreEdDsaPrivateSigningKey,
    /// Issued codes that have not been redeemed.
    grants: Mutex<HashMap<String, Grant>>,
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
            grants: Mutex::default(),
            clock,
        })
    }

    pub(crate) fn grants(&self) -> std::sync::MutexGuard<'_, HashMap<String, Grant>> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The authorization that a code grants.
#[derive(Debug)]
pub(crate) struct Grant {
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
