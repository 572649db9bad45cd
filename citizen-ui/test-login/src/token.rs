//! The token endpoint: exchanges a code and its PKCE verifier (RFC 7636 §4.6) for an ID token.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreGenderClaim, CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm};
use openidconnect::{
    AccessToken, AddressClaim, AddressLocality, AddressPostalCode, Audience, AuthenticationContextClass,
    EmptyAdditionalClaims, EndUserBirthday, EndUserFamilyName, EndUserGivenName, EndUserName, EndUserUsername,
    IssuerUrl, LocalizedClaim, Nonce, StandardClaims, SubjectIdentifier,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::Person;
use crate::provider::{Grant, Provider, random_text};

/// How long an ID token is valid, in seconds. The portal uses it at once.
const TOKEN_LIFETIME: u64 = 300;

/// The form of a token request.
#[derive(Debug, Deserialize)]
pub(crate) struct TokenRequest {
    grant_type: String,
    code: String,
    redirect_uri: String,
    client_id: String,
    code_verifier: String,
}

pub(crate) async fn redeem(State(provider): State<Arc<Provider>>, Form(request): Form<TokenRequest>) -> Response {
    if request.grant_type != "authorization_code" {
        return refuse("unsupported_grant_type");
    }
    if provider.config.client(&request.client_id).is_none() {
        return refuse("invalid_client");
    }
    let Some(grant) = provider.redeem(&request.code) else {
        return refuse("invalid_grant");
    };
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(request.code_verifier.as_bytes()));
    let proved: bool = challenge.as_bytes().ct_eq(grant.code_challenge.as_bytes()).into();
    if !proved || grant.redirect_uri != request.redirect_uri || grant.client_id != request.client_id {
        return refuse("invalid_grant");
    }
    match tokens(&provider, &grant) {
        Ok(tokens) => ([(header::CACHE_CONTROL, "no-store")], Json(tokens)).into_response(),
        Err(reason) => {
            tracing::error!(reason, "cannot issue a token");
            refuse("server_error")
        }
    }
}

fn refuse(error: &'static str) -> Response {
    let body = Json(serde_json::json!({ "error": error }));
    (StatusCode::BAD_REQUEST, [(header::CACHE_CONTROL, "no-store")], body).into_response()
}

fn tokens(provider: &Provider, grant: &Grant) -> Result<serde_json::Value, String> {
    let access_token = AccessToken::new(random_text().map_err(|error| error.to_string())?);
    let id_token = CoreIdToken::new(
        claims(provider, grant)?,
        &provider.key,
        CoreJwsSigningAlgorithm::EdDsa,
        Some(&access_token),
        None,
    )
    .map_err(|error| error.to_string())?;
    Ok(serde_json::json!({
        "access_token": access_token.secret(),
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFETIME,
        "scope": "openid",
        "id_token": id_token.to_string(),
    }))
}

/// Adds who the person is (OpenID Connect Core 1.0 §5.1).
fn with_person(claims: StandardClaims<CoreGenderClaim>, person: &Person) -> StandardClaims<CoreGenderClaim> {
    let mut given = LocalizedClaim::new();
    given.insert(None, EndUserGivenName::new(person.given_name.clone()));
    let mut family = LocalizedClaim::new();
    family.insert(None, EndUserFamilyName::new(person.family_name.clone()));
    let address = AddressClaim {
        postal_code: Some(AddressPostalCode::new(person.postal_code.clone())),
        locality: Some(AddressLocality::new(person.locality.clone())),
        ..AddressClaim::default()
    };
    claims
        .set_given_name(Some(given))
        .set_family_name(Some(family))
        .set_birthdate(Some(EndUserBirthday::new(person.birthdate.clone())))
        .set_address(Some(address))
}

fn claims(provider: &Provider, grant: &Grant) -> Result<CoreIdTokenClaims, String> {
    let config = &provider.config;
    let user = config
        .users
        .get(grant.user)
        .ok_or("the user is not in the configuration")?;
    let time = |posix: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(posix);
    let now = provider.clock.now();
    let mut name = LocalizedClaim::new();
    name.insert(None, EndUserName::new(user.name.clone()));
    let mut standard = StandardClaims::new(SubjectIdentifier::new(user.sub.clone()))
        .set_name(Some(name))
        .set_preferred_username(Some(EndUserUsername::new(user.user.clone())));
    let client = config
        .client(&grant.client_id)
        .ok_or("the client is not in the configuration")?;
    if let Some(person) = user.person.as_ref().filter(|_| client.person) {
        standard = with_person(standard, person);
    }
    Ok(CoreIdTokenClaims::new(
        IssuerUrl::new(config.issuer.clone()).map_err(|error| error.to_string())?,
        vec![Audience::new(grant.client_id.clone())],
        time(now + TOKEN_LIFETIME).into(),
        time(now).into(),
        standard,
        EmptyAdditionalClaims {},
    )
    .set_nonce(Some(Nonce::new(grant.nonce.clone())))
    .set_auth_time(Some(time(grant.auth_time).into()))
    .set_auth_context_ref(Some(AuthenticationContextClass::new(config.acr.clone()))))
}
