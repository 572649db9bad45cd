//! Login and logout, and the logins that are refused.

use std::sync::atomic::Ordering;

use axum::http::{StatusCode, header};
use service::{Clock as _, ManualClock, SystemClock};

use crate::HIGH;
use crate::backend::Mode;
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
        world.get("/de/abrufe", &cookie).await.status,
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
    for path in ["/de/abrufe".to_owned(), format!("/de/abrufe/{intent}/oeffnung")] {
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
async fn forged_callbacks_are_refused_and_change_no_cookie() {
    let world = World::new(1, HIGH).await;
    let (cookie, callback) = world.choose("de").await;
    let (other_cookie, _) = world.choose("de").await;
    let refused = async |path: &str, cookie: &str| {
        let answer = world.get(path, cookie).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!answer.headers.contains_key(header::SET_COOKIE), "{path}");
    };
    refused(&callback, "").await;
    refused(&callback, &other_cookie).await;
    refused("/anmeldung/rueckkehr", &cookie).await;
    refused("/anmeldung/rueckkehr?state=a&state=b", &cookie).await;
    let (cookie, callback) = world.choose("de").await;
    let other_issuer = callback.replace("iss=http%3A%2F%2F", "iss=http%3A%2F%2Fx");
    let answer = world.get(&other_issuer, &cookie).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(world.backend().tokens.is_empty());

    let (cookie, callback) = world.choose("de").await;
    assert_eq!(world.get(&callback, &cookie).await.status, StatusCode::SEE_OTHER);
    let again = world.get(&callback, &cookie).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN, "the code has been redeemed");
    assert_eq!(world.backend().tokens.len(), 1);
}

/// A callback that fits no pending login is what the back button sends, or a page of an attacker.
#[tokio::test]
async fn a_stray_callback_leaves_the_session_alone() {
    let world = World::new(1, HIGH).await;
    let session = world.login("de").await.cookie();
    let (_, of_another_browser) = world.choose("de").await;
    for path in [
        "/anmeldung/rueckkehr",
        "/anmeldung/rueckkehr?code=x&state=y",
        &of_another_browser,
    ] {
        let answer = world.get(path, &session).await;
        assert_eq!(
            (answer.status, answer.location().as_str()),
            (StatusCode::SEE_OTHER, "/de/uebersicht")
        );
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
    assert_eq!(world.get("/de/abrufe", &session).await.status, StatusCode::OK);
    assert_eq!(world.backend().tokens.len(), 1);
}

/// A page that needs a login is shown after it, and a link to the login leads to no other place.
#[tokio::test]
async fn a_login_returns_to_the_page_that_needed_it() {
    let world = World::new(1, HIGH).await;
    let intent = world.backend().exchanges[0].0;
    let page = format!("/de/abrufe/{intent}");
    let refused = world.get(&page, "").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let link = format!("/de/anmelden?weiter=%2Fabrufe%2F{intent}");
    assert!(
        refused.text().contains(&format!("href=\"{link}\"")),
        "{}",
        refused.text()
    );
    assert_eq!(world.login_at(&link).await.location(), page);
    let query = "/de/anmelden?weiter=%2Fabrufe%3Fseite%3D2%26x%3D%0D%0Ay";
    assert_eq!(world.login_at(query).await.location(), "/de/abrufe?seite=2");
    for elsewhere in [
        "//example.org/",
        "https://example.org/",
        "/../abrufe",
        "/abmelden",
        "@example.org",
    ] {
        let answer = world.login_at(&format!("/de/anmelden?weiter={elsewhere}")).await;
        assert_eq!(
            answer.location(),
            format!("/de{}", citizen_ui::pages::FIRST_PAGE),
            "{elsewhere}"
        );
    }
}

/// The script of a page asks when the session ends, which does not prolong it, and prolongs it on demand.
#[tokio::test]
async fn a_session_is_prolonged_on_demand_and_ends_in_all_tabs() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let state = world.get("/de/sitzung", &cookie).await;
    assert_eq!(state.status, StatusCode::OK);
    for member in ["\"seconds\":", "\"idleEnd\":", "\"end\":", "\"text\":\"Sie werden um "] {
        assert!(state.text().contains(member), "{}", state.text());
    }
    let same_site = [("sec-fetch-site", "same-origin")];
    assert_eq!(
        world.post("/de/sitzung", &cookie, "", &same_site).await.status,
        StatusCode::OK
    );
    let foreign = [("sec-fetch-site", "cross-site")];
    assert_eq!(
        world.post("/de/sitzung", &cookie, "", &foreign).await.status,
        StatusCode::FORBIDDEN
    );
    world.post("/de/abmelden", &cookie, "", &same_site).await;
    assert_eq!(world.get("/de/sitzung", &cookie).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        world.post("/de/sitzung", &cookie, "", &same_site).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn an_old_address_redirects_to_the_new_one() {
    let world = World::new(1, HIGH).await;
    for (old, new) in [
        ("/de/zugriffe", "/de/abrufe"),
        ("/en/zugriffe?seite=2", "/en/abrufe?seite=2"),
        ("/de/zugriffe/7", "/de/abrufe/7"),
        ("/de/zugriffe/7/quittung", "/de/abrufe/7/quittung"),
    ] {
        let answer = world.get(old, "").await;
        assert_eq!(
            (answer.status, answer.location().as_str()),
            (StatusCode::PERMANENT_REDIRECT, new)
        );
    }
}

#[tokio::test]
async fn beginning_a_login_does_not_end_the_session() {
    let world = World::new(1, HIGH).await;
    let session = world.login("de").await.cookie();
    let begun = world.get("/de/anmelden", &session).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER);
    assert!(
        begun
            .headers
            .get_all(header::SET_COOKIE)
            .iter()
            .all(|set| !set.as_bytes().starts_with(b"einsicht="))
    );
    assert_eq!(world.get("/de/abrufe", &session).await.status, StatusCode::OK);
}

#[tokio::test]
async fn two_tabs_log_in_independently() {
    let world = World::new(1, HIGH).await;
    let (first, first_callback) = world.choose("de").await;
    let (second, second_callback) = world.choose_as("emma", "en", &first).await;
    let both = format!("{first}; {second}");
    let one = world.get(&second_callback, &both).await;
    assert_eq!(one.location(), "/en/uebersicht");
    let other = world.get(&first_callback, &format!("{first}; {}", one.cookie())).await;
    assert_eq!(other.location(), "/de/uebersicht");
    assert_eq!(world.get("/de/abrufe", &other.cookie()).await.status, StatusCode::OK);
    assert_eq!(
        world.get("/de/abrufe", &one.cookie()).await.status,
        StatusCode::UNAUTHORIZED,
        "the browser has one session, the one of its last login"
    );
}

#[tokio::test]
async fn cancelling_at_the_provider_is_an_ordinary_page() {
    let world = World::new(1, HIGH).await;
    let session = world.login("de").await.cookie();
    let (login, callback) = world.choose_as("", "de", &session).await;
    let cancelled = world.get(&callback, &format!("{session}; {login}")).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    let text = cancelled.text();
    assert!(text.contains("Sie haben die Anmeldung abgebrochen"), "{text}");
    assert!(
        cancelled.read().contains("Angemeldet: Emma Mustermann"),
        "the session continues: {text}"
    );
    let removal = cancelled.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        removal.starts_with("einsicht-login-") && removal.contains("Max-Age=0"),
        "{removal}"
    );
    assert_eq!(world.get("/de/abrufe", &session).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_clock_is_not_shown_as_a_refusal() {
    for ahead in [-3_600, 3_600] {
        let clock = ManualClock::new(SystemClock.now().checked_add_signed(ahead).unwrap());
        let world = World::at(1, HIGH, clock).await;
        let answer = world.login("de").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.text().contains("Der Fehler liegt bei uns und nicht bei Ihnen"));
        assert!(world.backend().tokens.is_empty());
    }
    let world = World::new(1, HIGH).await;
    world.set(Mode::IdentityClock);
    let answer = world.login("en").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("clocks"));
}

/// 20 001 is one more than the sessions that the portal keeps.
#[tokio::test]
async fn logins_that_are_only_begun_cost_the_server_nothing() {
    let world = World::new(1, HIGH).await;
    let mut cookie = String::new();
    for _ in 0..20_001 {
        let begun = world.get("/de/anmelden", "").await;
        assert_eq!(begun.status, StatusCode::SEE_OTHER);
        cookie = begun.cookie();
    }
    let calls = world.provider_calls.load(Ordering::SeqCst);
    assert_eq!(calls, 2, "metadata and keys are fetched once");
    assert!(cookie.len() < 400, "{} bytes", cookie.len());
    assert_eq!(world.login("de").await.location(), "/de/uebersicht");
}

#[tokio::test]
async fn the_page_about_the_log_does_not_ask_the_ledger_each_time() {
    let world = World::new(1, HIGH).await;
    for _ in 0..200 {
        assert_eq!(world.get("/de/protokoll", "").await.status, StatusCode::OK);
    }
    let checkpoints = world.backend().checkpoints;
    assert!(checkpoints < 200, "{checkpoints} calls");
}
