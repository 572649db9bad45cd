//! The authorization endpoint (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2).
//!
//! If the client or the redirect URI is wrong, the response is an error page and never a redirect, because a redirect
//! would go to an address that the client has not registered. Any other error is redirected to the client.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use crate::page;
use crate::provider::{Grant, Provider};
use crate::request::AuthorizationRequest;

/// How long a code can be redeemed, in seconds.
const CODE_LIFETIME: u64 = 60;

/// The form of the choice: the authorization request, and the chosen citizen.
#[derive(Debug, Deserialize)]
pub(crate) struct CitizenChoice {
    user: String,
    #[serde(flatten)]
    request: AuthorizationRequest,
}

enum AuthorizationError {
    /// The response is an error page.
    ShowPage(&'static str),
    /// The response redirects to the client with this `error`.
    Redirect(&'static str),
}

pub(crate) async fn show_choice(
    State(provider): State<Arc<Provider>>,
    Query(request): Query<AuthorizationRequest>,
) -> Response {
    match check(&provider, &request) {
        Ok(()) => page::page(&request.redirect_uri, page::choose(&provider.config.users, &request)),
        Err(error) => refuse(&provider, &request, &error),
    }
}

pub(crate) async fn issue_code(State(provider): State<Arc<Provider>>, Form(choice): Form<CitizenChoice>) -> Response {
    let request = &choice.request;
    if let Err(error) = check(&provider, request) {
        return refuse(&provider, request, &error);
    }
    let Some(user) = provider.config.users.iter().position(|user| user.user == choice.user) else {
        return refuse(&provider, request, &AuthorizationError::Redirect("access_denied"));
    };
    let now = provider.clock.now();
    let grant = Grant {
        client_id: request.client_id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        user,
        auth_time: now,
        expires: now + CODE_LIFETIME,
    };
    match provider.code(&grant) {
        Ok(code) => redirect(&provider, request, "code", &code),
        Err(_) => refuse(&provider, request, &AuthorizationError::Redirect("server_error")),
    }
}

fn check(provider: &Provider, request: &AuthorizationRequest) -> Result<(), AuthorizationError> {
    let client = provider.config.client(&request.client_id);
    let client = client.ok_or(AuthorizationError::ShowPage("unknown client"))?;
    if !client.redirect_uris.contains(&request.redirect_uri) {
        return Err(AuthorizationError::ShowPage("unknown redirect address"));
    }
    if request.response_type != "code" {
        return Err(AuthorizationError::Redirect("unsupported_response_type"));
    }
    if !request.scope.split(' ').any(|scope| scope == "openid") {
        return Err(AuthorizationError::Redirect("invalid_scope"));
    }
    // SPEC: RFC 7636 §4.2, a S256 challenge has 43 characters.
    if request.code_challenge_method != "S256" || request.code_challenge.len() != 43 || request.nonce.is_empty() {
        return Err(AuthorizationError::Redirect("invalid_request"));
    }
    Ok(())
}

fn refuse(provider: &Provider, request: &AuthorizationRequest, error: &AuthorizationError) -> Response {
    match error {
        AuthorizationError::ShowPage(reason) => (StatusCode::BAD_REQUEST, Html(page::error(reason))).into_response(),
        AuthorizationError::Redirect(error) => redirect(provider, request, "error", error),
    }
}

/// Redirects to the client. SPEC: RFC 9207 §2: every response has `iss`, errors too.
fn redirect(provider: &Provider, request: &AuthorizationRequest, name: &str, value: &str) -> Response {
    let Ok(mut url) = url::Url::parse(&request.redirect_uri) else {
        return (
            StatusCode::BAD_REQUEST,
            Html(page::error("the redirect address is no address")),
        )
            .into_response();
    };
    url.query_pairs_mut()
        .append_pair(name, value)
        .append_pair("state", &request.state)
        .append_pair("iss", &provider.config.issuer);
    (StatusCode::SEE_OTHER, [(header::LOCATION, url.to_string())]).into_response()
}
