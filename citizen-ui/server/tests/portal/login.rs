//! Login and logout, and the logins that are refused.

use axum::http::{StatusCode, header};

use crate::HIGH;
use crate::world::World;

#[tokio::test]
async fn a_form_from_another_site_is_refused() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let refused = world
        .post("/de/abmelden", &cookie, "", &[("sec-fetch-site", "cross-site")])
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        world.get("/de/zugriffe", &cookie).await.status,
        StatusCode::OK,
        "the session is still open"
    );
}

#[tokio::test]
async fn logout_ends_the_session() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let intent = world.backend().exchanges[0].0;
    let out = world
        .post("/de/abmelden", &cookie, "", &[("sec-fetch-site", "same-origin")])
        .await;
    assert_eq!(
        (out.status, out.location().as_str()),
        (StatusCode::SEE_OTHER, "/de/abgemeldet")
    );
    assert!(out.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    for path in ["/de/zugriffe".to_owned(), format!("/de/zugriffe/{intent}/nachweis")] {
        let answer = world.get(&path, &cookie).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.text().contains("Bitte melden Sie sich an"));
    }
}

#[tokio::test]
async fn a_login_of_a_lower_level_opens_nothing() {
    let world = World::new(1, "http://eidas.europa.eu/LoA/substantial").await;
    let answer = world.login("de").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text().contains("nicht sicher genug"));
    assert!(world.backend().tokens.is_empty(), "identity received a request");
}

#[tokio::test]
async fn identity_receives_the_token_and_the_nonce_of_the_login() {
    let world = World::new(1, HIGH).await;
    world.login("de").await;
    let backend = world.backend();
    assert_eq!(backend.tokens.len(), 1);
    assert_eq!(backend.tokens[0].id_token.split('.').count(), 3);
    assert!(!backend.tokens[0].nonce.is_empty());
}

#[tokio::test]
async fn forged_callbacks_are_refused() {
    let world = World::new(1, HIGH).await;
    let (cookie, callback) = world.choose("de").await;
    let (other_cookie, _) = world.choose("de").await;
    let refused = async |path: &str, cookie: &str| {
        let answer = world.get(path, cookie).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(
            !answer.headers[header::SET_COOKIE]
                .to_str()
                .unwrap()
                .contains("einsicht=0")
        );
    };
    refused(&callback, "").await;
    refused(&callback, &other_cookie).await;
    refused("/anmeldung/rueckkehr", &cookie).await;
    let (cookie, callback) = world.choose("de").await;
    let other_issuer = callback.replace("iss=http%3A%2F%2F", "iss=http%3A%2F%2Fx");
    refused(&other_issuer, &cookie).await;
    assert!(world.backend().tokens.is_empty());

    let (cookie, callback) = world.choose("de").await;
    assert_eq!(world.get(&callback, &cookie).await.status, StatusCode::SEE_OTHER);
    refused(&callback, &cookie).await;
}
