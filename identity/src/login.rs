//! Verification of the OpenID Connect ID token. Identity verifies it itself and does not trust the cockpit.
//!
//! SPEC: OpenID Connect Core 1.0 §3.1.3.7. [`LoginVerifier`] checks the signature under the issuer's published keys,
//! the issuer, the audience (only the cockpit's client), the expiry, the nonce of this login, that the token was issued
//! in the last five minutes, and that the level of assurance (`acr`) is the one that the law requires (§ 10 (3) OZG:
//! "hoch"). Only asymmetric algorithms are accepted.
//!
//! The issuer's keys come from OpenID Connect discovery and are cached for ten minutes. A token that does not verify
//! under the cached keys triggers a new fetch, at most every ten seconds.
//!
//! No part of a token is logged. The library's error texts can quote claims, so only the kind of an error leaves this
//! module.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use openidconnect::core::{
    CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{ClaimsVerificationError, ClientId, HttpRequest, HttpResponse, IssuerUrl, Nonce};
use serde::{Deserialize, Serialize};
use service::{Clock, Problem};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Maximum age of a token, seconds.
const MAX_TOKEN_AGE: i64 = 300;
/// How far the issuer's clock may be ahead, seconds.
const MAX_CLOCK_SKEW: i64 = 30;
const KEY_CACHE_LIFETIME: Duration = Duration::from_secs(600);
const MIN_REFETCH_INTERVAL: Duration = Duration::from_secs(10);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

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

/// Why a login is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// The issuer's keys are unavailable. Retry.
    #[error("the issuer of logins is unavailable")]
    Issuer,
    /// The configuration's issuer is not a URL.
    #[error("the configured issuer is not a URL")]
    Config,
    /// The token is not accepted.
    #[error("the ID token is not accepted: {0}")]
    Refused(&'static str),
}

impl From<IdTokenError> for Problem {
    fn from(error: IdTokenError) -> Self {
        match error {
            IdTokenError::Issuer => Self::unavailable("issuer", 5, error.to_string()),
            IdTokenError::Config => Self::internal(),
            IdTokenError::Refused(_) => Self::forbidden("login", error.to_string()),
        }
    }
}

/// Verifies ID tokens.
#[derive(Debug)]
pub struct LoginVerifier {
    config: LoginConfig,
    issuer: IssuerUrl,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    keys: Mutex<Option<CachedKeys>>,
}

#[derive(Debug, Clone)]
struct CachedKeys {
    keys: CoreJsonWebKeySet,
    at: Instant,
}

impl LoginVerifier {
    /// Creates the verifier. No request is sent yet.
    ///
    /// # Errors
    /// [`IdTokenError::Config`] if the issuer is not a URL.
    pub fn new(config: LoginConfig, clock: Arc<dyn Clock>) -> Result<Self, IdTokenError> {
        let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|_| IdTokenError::Config)?;
        // The client follows no redirect, because a redirect could send the request for the issuer's keys to another
        // host.
        let http = service::http::client(|builder| builder.timeout(FETCH_TIMEOUT)).map_err(|_| IdTokenError::Config)?;
        Ok(Self {
            config,
            issuer,
            http,
            clock,
            keys: Mutex::new(None),
        })
    }

    /// Verifies a token and returns its subject (`sub`).
    ///
    /// # Errors
    /// [`IdTokenError`].
    pub async fn subject(&self, id_token: &str, nonce: &str) -> Result<String, IdTokenError> {
        let token = CoreIdToken::from_str(id_token).map_err(|_| IdTokenError::Refused("it is not a signed token"))?;
        let nonce = Nonce::new(nonce.to_owned());
        match self.verify(&token, &nonce, self.keys(KEY_CACHE_LIFETIME).await?) {
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let fresh = self.keys(MIN_REFETCH_INTERVAL).await?;
                self.verify(&token, &nonce, fresh).map_err(|error| refusal(&error))
            }
            verified => verified.map_err(|error| refusal(&error)),
        }
    }

    fn verify(
        &self,
        token: &CoreIdToken,
        nonce: &Nonce,
        keys: CoreJsonWebKeySet,
    ) -> Result<String, ClaimsVerificationError> {
        let now = self.clock.now();
        let seconds = i64::try_from(now).unwrap_or(i64::MAX);
        let acr = &self.config.acr;
        let client = ClientId::new(self.config.client_id.clone());
        let verifier = CoreIdTokenVerifier::new_public_client(client, self.issuer.clone(), keys)
            .set_allowed_algs([
                CoreJwsSigningAlgorithm::EdDsa,
                CoreJwsSigningAlgorithm::EcdsaP256Sha256,
                CoreJwsSigningAlgorithm::RsaSsaPssSha256,
                CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            ])
            .set_time_fn(move || (UNIX_EPOCH + Duration::from_secs(now)).into())
            .set_issue_time_verifier_fn(move |issued| {
                let age = seconds.saturating_sub(issued.timestamp());
                if (-MAX_CLOCK_SKEW..=MAX_TOKEN_AGE).contains(&age) {
                    Ok(())
                } else {
                    Err("issued too long ago".to_owned())
                }
            })
            .set_auth_context_verifier_fn(move |shown| match shown {
                Some(shown) if shown.as_str() == acr => Ok(()),
                _ => Err("level of assurance".to_owned()),
            });
        let claims = token.claims(&verifier, nonce)?;
        Ok(claims.subject().as_str().to_owned())
    }

    /// The issuer's keys. They are fetched if the cached ones are older than `keep`.
    async fn keys(&self, keep: Duration) -> Result<CoreJsonWebKeySet, IdTokenError> {
        let mut kept = self.keys.lock().await;
        if let Some(fetched) = kept.as_ref()
            && fetched.at.elapsed() < keep
        {
            return Ok(fetched.keys.clone());
        }
        let client = |request: HttpRequest| call(self.http.clone(), request);
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &client)
            .await
            .map_err(|_| {
                tracing::warn!("the keys of the issuer of logins cannot be fetched");
                IdTokenError::Issuer
            })?;
        let keys = metadata.jwks().clone();
        *kept = Some(CachedKeys {
            keys: keys.clone(),
            at: Instant::now(),
        });
        Ok(keys)
    }
}

/// Sends one HTTP request of the `openidconnect` library over identity's client.
async fn call(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let answer = http.execute(request.try_into()?).await?;
    let mut response = HttpResponse::new(Vec::new());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await?.to_vec();
    Ok(response)
}

/// Maps an error to its kind, without the values that it quotes.
fn refusal(error: &ClaimsVerificationError) -> IdTokenError {
    use ClaimsVerificationError as E;
    IdTokenError::Refused(match error {
        E::Expired(_) => "it has expired or was issued too long ago",
        E::InvalidAudience(_) => "its audience is another client",
        E::InvalidAuthContext(_) => "its level of assurance is not the required one",
        E::InvalidAuthTime(_) => "the login is too long ago",
        E::InvalidIssuer(_) => "another issuer issued it",
        E::InvalidNonce(_) => "its nonce is not that of this login",
        E::SignatureVerification(_) => "its signature does not verify",
        _ => "it is not valid",
    })
}
