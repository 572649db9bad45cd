//! The marked test login: an OpenID provider for demonstrations and tests.
//!
//! It is real on the wire (discovery, authorization code flow with PKCE S256, ID tokens signed with a fresh Ed25519 key,
//! `iss` in the answer as RFC 9207 wants) and not real in one thing: nobody proves who they are, one chooses an invented citizen
//! from a list. Every page says so. The process binds to loopback only, whatever it is given.
//!
//! | Endpoint | |
//! | --- | --- |
//! | `GET /.well-known/openid-configuration`, `GET /jwks` | discovery |
//! | `GET /authorize` | checks the request, shows the invented citizens |
//! | `POST /authorize` | the choice: redirects with a code, good once, for a minute |
//! | `POST /token` | code and PKCE verifier against an ID token |
//!
//! Clients are public (no secret): PKCE binds the code to the browser's session at the portal.

mod authorize;
mod page;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKeySet};
use openidconnect::{JsonWebKeyId, PrivateSigningKey};
use serde::{Deserialize, Serialize};
use service::{Clock, Shutdown};
use tokio::net::TcpListener;

pub(crate) use authorize::Grant;

/// The level of assurance that identity demands: eIDAS "high".
pub const ACR_HIGH: &str = "http://eidas.europa.eu/LoA/high";

/// The configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Own base URL without a trailing slash; the `iss` of every token.
    pub issuer: String,
    /// The invented citizens.
    pub users: Vec<User>,
    /// The one client.
    pub client_id: String,
    /// Where answers may go, compared character by character.
    pub redirect_uris: Vec<String>,
    /// What tokens claim as `acr`.
    #[serde(default = "acr_high")]
    pub acr: String,
}

fn acr_high() -> String {
    ACR_HIGH.to_owned()
}

/// An invented citizen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// `sub` of the tokens: what identity knows the person by.
    pub sub: String,
    /// Short name: what a script posts as `user`.
    pub user: String,
    /// Shown name.
    pub name: String,
}

/// Why the test login does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was given another address than loopback.
    #[error("the test login lets anybody in and may listen on loopback only, not on {0}")]
    NotLoopback(std::net::SocketAddr),
    /// No key could be made.
    #[error("cannot make a signing key: {0}")]
    Key(String),
    /// The listener fails.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Everything the handlers share.
pub(crate) struct Provider {
    config: Config,
    key: CoreEdDsaPrivateSigningKey,
    /// Codes handed out and not redeemed.
    grants: Mutex<HashMap<String, Grant>>,
    clock: Arc<dyn Clock>,
}

impl Provider {
    fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
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

    fn grants(&self) -> std::sync::MutexGuard<'_, HashMap<String, Grant>> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves until the end is asked for.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: Config, listener: TcpListener, shutdown: Shutdown) -> Result<(), Error> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(Error::NotLoopback(address));
    }
    tracing::warn!(%address, "TEST LOGIN: anybody may log in as any invented citizen");
    let routes = routes(config, Arc::new(service::SystemClock))?;
    service::listen::serve(listener, routes, shutdown).await?;
    Ok(())
}

/// The routes alone, for tests and for embedding.
///
/// # Errors
/// [`Error::Key`].
pub fn routes(config: Config, clock: Arc<dyn Clock>) -> Result<Router, Error> {
    let provider = Arc::new(Provider::new(config, clock)?);
    Ok(Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/authorize", get(authorize::choose).post(authorize::chosen))
        .route("/token", post(token::redeem))
        .route("/style.css", get(page::style))
        .with_state(provider))
}

async fn discovery(State(provider): State<Arc<Provider>>) -> impl IntoResponse {
    let issuer = &provider.config.issuer;
    Json(serde_json::json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": [provider.config.acr],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "name", "preferred_username"],
        "scopes_supported": ["openid", "profile"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn jwks(State(provider): State<Arc<Provider>>) -> impl IntoResponse {
    Json(CoreJsonWebKeySet::new(vec![provider.key.as_verification_key()]))
}

/// 256 random bits in hexadecimal digits.
fn random_text() -> Result<String, service::secret::SecretError> {
    service::secret::random().map(hex::encode)
}
