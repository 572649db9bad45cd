//! The marked test login: an OpenID provider for demonstrations and tests.
//!
//! The protocol is real: discovery, authorization code flow with PKCE S256, ID tokens signed with a fresh Ed25519 key,
//! and `iss` in the authorization response (RFC 9207). The authentication is not: the user chooses an invented citizen
//! from a list. Every page says so, and the server refuses to listen on any address but loopback.
//!
//! | Endpoint | Purpose |
//! | --- | --- |
//! | `GET /.well-known/openid-configuration`, `GET /jwks` | discovery |
//! | `GET /authorize` | checks the request, shows the invented citizens |
//! | `POST /authorize` | issues a code for the chosen citizen, valid once and for a minute, or a refusal |
//! | `POST /token` | exchanges code and PKCE verifier for an ID token |
//!
//! The client is public (it has no secret). PKCE binds the code to the browser's session at the portal.

mod authorize;
mod config;
mod error;
mod page;
mod provider;
mod request;
mod token;

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use openidconnect::PrivateSigningKey;
use openidconnect::core::CoreJsonWebKeySet;
use service::Listener;
use service::{Clock, Shutdown};

pub use config::{ACR_HIGH, Client, Config, Person, User};
pub use error::Error;
use provider::Provider;

/// Serves the test login until shutdown is requested.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: Config, listener: Listener, shutdown: Shutdown, clock: Arc<dyn Clock>) -> Result<(), Error> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(Error::NotLoopback(address));
    }
    tracing::warn!(%address, "TEST LOGIN: anybody may log in as any invented citizen");
    let routes = routes(config, clock)?;
    service::listen::serve(listener, routes, shutdown).await?;
    Ok(())
}

/// Returns the routes alone, for tests and for embedding.
///
/// # Errors
/// [`Error::Key`].
pub fn routes(config: Config, clock: Arc<dyn Clock>) -> Result<Router, Error> {
    let provider = Arc::new(Provider::new(config, clock)?);
    Ok(Router::new()
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/authorize", get(authorize::show_choice).post(authorize::issue_code))
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
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "name", "preferred_username", "given_name", "family_name", "birthdate", "address"],
        "scopes_supported": ["openid", "profile", "address"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn jwks(State(provider): State<Arc<Provider>>) -> impl IntoResponse {
    Json(CoreJsonWebKeySet::new(vec![provider.key.as_verification_key()]))
}
