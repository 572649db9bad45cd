//! The protocol of the test login: keys, choice of a citizen, code and token, and the requests that it refuses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::BodyExt;
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{ClientId, IssuerUrl, Nonce};
use service::{ManualClock, Shutdown, SystemClock};
use sha2::{Digest, Sha256};
use test_login::{ACR_HIGH, Client, Config, Error, Person, User};
use tokio::net::TcpListener;
use tower::ServiceExt;

const ISSUER: &str = "http://127.0.0.1:7000";
const BACK: &str = "http://127.0.0.1:7001/back";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn config() -> Config {
    let user = |name: &str| User {
        sub: format!("sub-{name}"),
        user: name.into(),
        name: format!("{name} <Muster>"),
        person: Some(Person {
            given_name: name.into(),
            family_name: "Muster".into(),
            birthdate: "1964-08-12".into(),
            postal_code: "73614".into(),
            locality: "Rheinfurt".into(),
        }),
    };
    Config {
        issuer: ISSUER.into(),
        users: vec![user("emma"), user("jan")],
        clients: [("cockpit", false), ("antrag", true)]
            .map(|(client_id, person)| Client {
                client_id: client_id.into(),
                redirect_uris: vec![BACK.into()],
                person,
            })
            .into(),
        acr: ACR_HIGH.into(),
    }
}

fn provider() -> Router {
    test_login::routes(config(), Arc::new(SystemClock)).unwrap()
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

fn request(change: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let mut pairs = vec![
        ("client_id", "cockpit"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid profile"),
        ("state", "st&te"),
        ("nonce", "n0nce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in change {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

async fn send(routes: &Router, method: &str, path: &str, form: Option<&str>) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(path);
    if form.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    let body = Body::from(form.unwrap_or_default().to_owned());
    let response = routes.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

/// Chooses a citizen. Returns the query parameters of the redirect.
async fn choose(routes: &Router, user: &str) -> Vec<(String, String)> {
    choose_for(routes, "cockpit", user).await
}

async fn choose_for(routes: &Router, client: &str, user: &str) -> Vec<(String, String)> {
    let form = format!("{}&user={user}", request(&[("client_id", client)]));
    let (status, headers, _) = send(routes, "POST", "/authorize", Some(&form)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let location = url::Url::parse(headers[header::LOCATION].to_str().unwrap()).unwrap();
    assert!(location.as_str().starts_with(BACK));
    location.query_pairs().into_owned().collect()
}

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
        .unwrap()
}

async fn redeem(routes: &Router, code: &str, verifier: &str) -> (StatusCode, serde_json::Value) {
    redeem_for(routes, "cockpit", code, verifier).await
}

async fn redeem_for(routes: &Router, client: &str, code: &str, verifier: &str) -> (StatusCode, serde_json::Value) {
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={}&client_id={client}&code_verifier={verifier}",
        BACK.replace(':', "%3A").replace('/', "%2F")
    );
    let (status, _, body) = send(routes, "POST", "/token", Some(&form)).await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn a_code_is_exchanged_for_a_token_that_verifies() {
    let routes = provider();
    let answer = choose(&routes, "jan").await;
    assert_eq!((value(&answer, "state"), value(&answer, "iss")), ("st&te", ISSUER));
    let (status, tokens) = redeem(&routes, value(&answer, "code"), VERIFIER).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    let (_, _, keys) = send(&routes, "GET", "/jwks", None).await;
    let keys: CoreJsonWebKeySet = serde_json::from_str(&keys).unwrap();
    let verifier = CoreIdTokenVerifier::new_public_client(
        ClientId::new("cockpit".into()),
        IssuerUrl::new(ISSUER.into()).unwrap(),
        keys,
    )
    .set_allowed_algs([CoreJwsSigningAlgorithm::EdDsa]);
    let token = CoreIdToken::from_str(tokens["id_token"].as_str().unwrap()).unwrap();
    let claims = token.claims(&verifier, &Nonce::new("n0nce".into())).unwrap();
    assert_eq!(claims.subject().as_str(), "sub-jan");
    assert_eq!(claims.auth_context_ref().unwrap().as_str(), ACR_HIGH);
    assert!(claims.auth_time().is_some() && claims.access_token_hash().is_some());
    assert!(token.claims(&verifier, &Nonce::new("other".into())).is_err());
}

/// The claims of a client's token, unverified.
async fn claims_for(routes: &Router, client: &str) -> serde_json::Value {
    let code = value(&choose_for(routes, client, "emma").await, "code").to_owned();
    let (status, tokens) = redeem_for(routes, client, &code, VERIFIER).await;
    assert_eq!(status, StatusCode::OK);
    let token = tokens["id_token"].as_str().unwrap();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

#[tokio::test]
async fn only_a_client_that_needs_it_learns_who_the_person_is() {
    let routes = provider();
    let claims = claims_for(&routes, "antrag").await;
    assert_eq!(
        (&claims["given_name"], &claims["birthdate"]),
        (&"emma".into(), &"1964-08-12".into())
    );
    assert_eq!(claims["address"]["locality"], "Rheinfurt");
    let claims = claims_for(&routes, "cockpit").await;
    assert!(claims["given_name"].is_null() && claims["address"].is_null());
    let code = value(&choose_for(&routes, "cockpit", "emma").await, "code").to_owned();
    assert_eq!(
        redeem_for(&routes, "antrag", &code, VERIFIER).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_code_is_valid_once_for_a_minute_and_with_its_verifier_only() {
    let clock = ManualClock::new(1_000);
    let routes = test_login::routes(config(), clock.clone()).unwrap();
    let code = value(&choose(&routes, "emma").await, "code").to_owned();
    assert_eq!(
        redeem(&routes, &code, "wrong-verifier").await.0,
        StatusCode::BAD_REQUEST
    );
    let (status, body) = redeem(&routes, &code, VERIFIER).await;
    assert_eq!(
        (status, body["error"].as_str().unwrap()),
        (StatusCode::BAD_REQUEST, "invalid_grant"),
        "the code has been used"
    );
    let code = value(&choose(&routes, "emma").await, "code").to_owned();
    clock.advance(61);
    assert_eq!(
        redeem(&routes, &code, VERIFIER).await.0,
        StatusCode::BAD_REQUEST,
        "the code has expired"
    );
    let code = value(&choose(&routes, "emma").await, "code").to_owned();
    assert_eq!(redeem(&routes, &code, VERIFIER).await.0, StatusCode::OK);
    assert_eq!(
        redeem(&routes, &code, VERIFIER).await.0,
        StatusCode::BAD_REQUEST,
        "the code has been used"
    );
}

#[tokio::test]
async fn codes_that_are_not_redeemed_do_not_keep_others_from_logging_in() {
    let routes = provider();
    let first = value(&choose(&routes, "jan").await, "code").to_owned();
    for _ in 0..2_000 {
        choose(&routes, "emma").await;
    }
    assert_eq!(redeem(&routes, &first, VERIFIER).await.0, StatusCode::OK);
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let routes = provider();
    for change in [("client_id", "other"), ("redirect_uri", "http://127.0.0.1:7001/back/x")] {
        let (status, headers, _) = send(&routes, "GET", &format!("/authorize?{}", request(&[change])), None).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{change:?}");
        assert!(
            !headers.contains_key(header::LOCATION),
            "the error is redirected: {change:?}"
        );
    }
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("scope", "profile"), "invalid_scope"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("nonce", ""), "invalid_request"),
    ] {
        let (status, headers, _) = send(&routes, "GET", &format!("/authorize?{}", request(&[change])), None).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{change:?}");
        assert!(
            headers[header::LOCATION]
                .to_str()
                .unwrap()
                .contains(&format!("error={error}"))
        );
    }
    let unknown = choose(&routes, "unknown").await;
    assert_eq!(value(&unknown, "error"), "access_denied");
}

#[tokio::test]
async fn the_page_says_that_the_login_is_not_real() {
    let (status, headers, page) = send(&provider(), "GET", &format!("/authorize?{}", request(&[])), None).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("keine echte Anmeldung") && page.contains("data-user=\"emma\""));
    assert!(
        page.contains("emma &lt;Muster&gt;") && page.contains("value=\"st&amp;te\""),
        "{page}"
    );
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("form-action 'self' http://127.0.0.1:7001;"),
        "{policy}"
    );
}

#[tokio::test]
async fn an_address_that_is_not_loopback_is_refused() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let refused = test_login::run(config(), listener.into(), Shutdown::new(), SystemClock::shared()).await;
    assert!(matches!(refused, Err(Error::NotLoopback(_))));
}
