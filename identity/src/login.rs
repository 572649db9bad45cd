//! Verification of the OpenID Connect ID token. Identity verifies it itself and does not trust the cockpit.
//!
//! [`LoginVerifier`] checks the signature under the issuer's published keys, the issuer, the audience (only the
//! cockpit's client), the expiry, the nonce of this login, that the token was issued in the last five minutes, and that
//! the level of assurance (`acr`) is the one that the law requires (§ 10 (3) OZG: "hoch"). How it does that, and how
//! long keys are cached, is in [`service::openid`].
//!
//! No part of a token is logged, and no error quotes a claim.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use service::openid::{Expected, IdTokenError, Provider, ProviderError};
use service::{Clock, Problem};

/// The issuer and the level of assurance that a login must have.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginConfig {
    /// The issuer's URL, exactly as in its tokens.
    pub issuer: String,
    /// The cockpit's client id, which is the required audience.
    pub client_id: String,
    /// The required level of assurance (`acr`).
    pub acr: String,
}

/// Verifies ID tokens.
#[derive(Debug)]
pub struct LoginVerifier {
    config: LoginConfig,
    provider: Provider,
    clock: Arc<dyn Clock>,
}

impl LoginVerifier {
    /// Creates the verifier. No request is sent yet.
    ///
    /// # Errors
    /// [`ProviderError`] if the HTTP client cannot be built.
    pub fn new(config: LoginConfig, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        Ok(Self {
            provider: Provider::new(&config.issuer)?,
            config,
            clock,
        })
    }

    /// Verifies a token and returns its subject (`sub`).
    ///
    /// # Errors
    /// A [`Problem`]: 503 if the issuer's keys are not available; 403 `login-time` for a token that is refused by its
    /// times alone, which the portal shows as a wrong clock; otherwise 403 `login`.
    pub async fn subject(&self, id_token: &str, nonce: &str) -> Result<String, Problem> {
        let expected = Expected {
            client_id: &self.config.client_id,
            nonce,
            acr: &self.config.acr,
            access_token: None,
            now: self.clock.now(),
        };
        let verified = self.provider.verify(id_token, &expected).await;
        verified.map(|token| token.subject).map_err(|error| problem(&error))
    }
}

fn problem(error: &IdTokenError) -> Problem {
    match error {
        IdTokenError::Provider(error) => {
            tracing::warn!(%error, "the keys of the issuer of logins cannot be fetched");
            Problem::unavailable("issuer", 5, "the issuer of logins is unavailable")
        }
        IdTokenError::Time => Problem::forbidden("login-time", error.to_string()),
        IdTokenError::Signature | IdTokenError::Assurance | IdTokenError::Refused(_) => {
            Problem::forbidden("login", error.to_string())
        }
    }
}
