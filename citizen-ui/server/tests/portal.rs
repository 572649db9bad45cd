//! The portal against a real login and a small, real log: what a citizen sees, and what happens when something is wrong.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../verifier/tests/support/mod.rs"]
mod support;
mod world;

use axum::http::{StatusCode, header};
use citizen_ui::access::Access;
use citizen_ui::lang::Lang;
use citizen_ui::prove::Failure;
use citizen_ui::sentence::sentence;
use record::Receipt;
use tlog::policy::Policy;
use world::{Mode, World};

const HIGH: &str = test_login::ACR_HIGH;

#[tokio::test]
async fn a_citizen_logs_in_and_sees_proved_accesses() {
    let world = World::new(2, HIGH).await;
    let logged_in = world.login("de").await;
    assert_eq!(
        (logged_in.status, logged_in.location().as_str()),
        (StatusCode::SEE_OTHER, "/de/zugriffe")
    );
    let set = logged_in.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    let cookie = logged_in.cookie();

    let list = world.get("/de/zugriffe", &cookie).await;
    assert_eq!(list.status, StatusCode::OK);
    assert_eq!(list.headers[header::CACHE_CONTROL], "no-store");
    let text = list.text();
    let (intent, outcome) = world.backend().exchanges[0];
    assert_eq!(text.matches("<tr data-row=").count(), 3, "{text}");
    for expected in [
        "hat am ",
        "beim Kraftfahrt-Bundesamt Ihre Daten „Zulassungsbescheinigung Teil I“ (Fahrzeug, Halter) abgerufen.",
        "Angemeldet: Emma Mustermann",
        &format!("data-row=\"{intent}\" data-proof=\"unchecked\""),
        &format!("id=\"satz-{intent}\""),
    ] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    assert!(!text.contains(support::IDNR), "the number stays in the session");

    let mut files = Vec::new();
    for index in [intent, outcome.unwrap()] {
        let proof = world.get(&format!("/de/zugriffe/{index}/nachweis"), &cookie).await;
        assert_eq!(proof.status, StatusCode::OK);
        files.push(proof.body);
    }
    let proved = world.prover().prove(&files, &[intent, outcome.unwrap()]).unwrap();
    assert!(proved.quorum);
    assert!(text.contains(&sentence(&proved.access, Lang::De).text().replace('&', "&amp;")));
}

#[tokio::test]
async fn the_detail_page_and_its_files() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("en").await.cookie();
    let (intent, outcome) = world.backend().exchanges[0];
    let page = world.get(&format!("/en/zugriffe/{intent}"), &cookie).await.text();
    for expected in [
        "Stadt Musterhausen",
        "bewohnerparken@1",
        "§ 45 Abs. 1b StVO",
        "no reason",
        "To be erased after",
        "lang=\"de\"",
    ] {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    let policy = Policy::parse(world.backend().log.policy().as_bytes()).unwrap();
    let receipt = world.get(&format!("/en/zugriffe/{intent}/quittung"), &cookie).await;
    assert_eq!(
        receipt.headers[header::CONTENT_DISPOSITION],
        format!("attachment; filename=\"eintrag-{intent}.tlog-proof\"")
    );
    let verified = Receipt::parse(&receipt.body).unwrap().verify(&policy).unwrap();
    assert!(verified.quorum() && verified.index().get() == intent);
    let outcome = outcome.unwrap();
    let opening = world.get(&format!("/en/zugriffe/{outcome}/oeffnung"), &cookie).await;
    assert_eq!(opening.headers[header::CONTENT_TYPE], "application/cbor");
    let opening = verifier::opening::Opening::parse(&opening.body).unwrap();
    assert!(opening.verify(&policy, None).unwrap().person.is_some());
    for path in [
        "/en/zugriffe/0",
        "/en/zugriffe/x",
        "/en/zugriffe/0/nachweis",
        "/en/zugriffe/0/quittung",
        "/en/nothing",
    ] {
        assert_eq!(world.get(path, &cookie).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn without_javascript_the_server_checks() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let intent = world.backend().exchanges[0].0;
    let form = format!("eintraege={intent}%2C999&zurueck=%2Fzugriffe%3Fart%3Dabruf");
    let done = world
        .post(
            "/de/zugriffe/pruefen",
            &cookie,
            &form,
            &[("sec-fetch-site", "same-origin")],
        )
        .await;
    assert_eq!(
        (done.status, done.location().as_str()),
        (StatusCode::SEE_OTHER, "/de/zugriffe?art=abruf")
    );
    let list = world.get("/de/zugriffe?art=abruf", &cookie).await.text();
    assert!(
        list.contains(&format!("data-row=\"{intent}\" data-proof=\"server\"")),
        "{list}"
    );
    assert!(list.contains("vom Server geprüft"));

    let elsewhere = format!("eintraege={intent}&zurueck=https%3A%2F%2Fevil.example");
    let done = world.post("/de/zugriffe/pruefen", &cookie, &elsewhere, &[]).await;
    assert_eq!(done.location(), "/de/zugriffe");
}

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
        "still logged in"
    );
}

#[tokio::test]
async fn after_logout_nothing_is_left() {
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
    assert!(world.backend().tokens.is_empty(), "identity was not even asked");
}

#[tokio::test]
async fn identity_gets_the_token_and_the_nonce_of_this_login() {
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

#[tokio::test]
async fn what_does_not_verify_is_shown_as_not_proved() {
    for mode in [Mode::TamperedRecords, Mode::WrongNumber] {
        let world = World::new(2, HIGH).await;
        world.set(mode);
        let cookie = world.login("de").await.cookie();
        let list = world.get("/de/zugriffe", &cookie).await.text();
        let (intent, outcome) = world.backend().exchanges[0];
        assert!(list.contains("id=\"nicht-geoeffnet\""), "{list}");
        let expected = format!(
            "Eintrag {intent}, {}: Der Nachweis passt nicht zum Protokoll.",
            outcome.unwrap()
        );
        assert!(list.contains(&expected), "{expected} is missing in {list}");
        assert!(!list.contains("hat am"), "nothing unproved is told");
    }
}

#[tokio::test]
async fn a_changed_or_swapped_proof_is_never_a_full_proof() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let (intent, outcome) = world.backend().exchanges[0];
    let proof = world
        .get(&format!("/de/zugriffe/{intent}/nachweis"), &cookie)
        .await
        .body;
    for position in (0..proof.len()).step_by(211) {
        let mut changed = proof.clone();
        changed[position] ^= 1;
        // A witness's name that is no longer known makes its line one to be ignored: then the quorum is missing.
        let result = world.prover().prove(&[changed], &[intent]);
        assert!(
            result.is_err() || result.is_ok_and(|proved| !proved.quorum),
            "byte {position}"
        );
    }
    let alone = world.prover().prove(std::slice::from_ref(&proof), &[intent]).unwrap();
    assert!(matches!(alone.access, Access::Exchange(exchange) if exchange.outcome.is_none()));
    let swapped = world
        .prover()
        .prove(&[proof.clone(), proof], &[intent, outcome.unwrap()]);
    assert_eq!(swapped.unwrap_err(), Failure::Entry);
}

#[tokio::test]
async fn missing_witnesses_are_said() {
    let world = World::new(1, HIGH).await;
    world.set(Mode::Unwitnessed);
    let cookie = world.login("de").await.cookie();
    let intent = world.backend().exchanges[0].0;
    world
        .post(
            "/de/zugriffe/pruefen",
            &cookie,
            &format!("eintraege={intent}&zurueck=/zugriffe"),
            &[],
        )
        .await;
    let list = world.get("/de/zugriffe", &cookie).await.text();
    assert!(
        list.contains("Die Zeugen haben diesen Stand noch nicht bestätigt."),
        "{list}"
    );
    assert!(
        world
            .get("/de/protokoll", "")
            .await
            .text()
            .contains("es fehlen noch Zeugen")
    );

    world.set(Mode::Sound);
    world
        .post(
            "/de/zugriffe/pruefen",
            &cookie,
            &format!("eintraege={intent}&zurueck=/zugriffe"),
            &[],
        )
        .await;
    let list = world.get("/de/zugriffe", &cookie).await.text();
    assert!(
        !list.contains("noch nicht bestätigt"),
        "the receipts were fetched again: {list}"
    );
}

#[tokio::test]
async fn when_others_fail_the_portal_says_so() {
    let world = World::new(1, HIGH).await;
    for (mode, status, words) in [
        (
            Mode::LedgerDown,
            StatusCode::SERVICE_UNAVAILABLE,
            "Das Protokoll ist gerade nicht erreichbar",
        ),
        (
            Mode::IdentityRefuses,
            StatusCode::FORBIDDEN,
            "Ihre Einträge konnten nicht geöffnet werden",
        ),
        (
            Mode::WrongInspection,
            StatusCode::INTERNAL_SERVER_ERROR,
            "Hier ist etwas schiefgegangen",
        ),
    ] {
        world.set(mode);
        let answer = world.login("de").await;
        assert_eq!(answer.status, status, "{mode:?}");
        assert!(answer.text().contains(words), "{mode:?}");
        let cookie = answer.cookie();
        assert_eq!(
            world.get("/de/zugriffe", &cookie).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    world.set(Mode::LedgerDown);
    assert!(
        world
            .get("/de/protokoll", "")
            .await
            .text()
            .contains("data-log=\"unreachable\"")
    );
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let world = World::new(26, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let rows = async |query: &str| {
        let text = world.get(&format!("/de/zugriffe{query}"), &cookie).await.text();
        text.matches("<tr data-row=").count()
    };
    assert_eq!(rows("").await, 25);
    assert_eq!(rows("?seite=2").await, 2);
    assert_eq!(rows("?seite=99").await, 2, "the last page");
    assert_eq!(rows("?art=einsicht").await, 1);
    assert_eq!(rows("?art=abruf&seite=2&jahr=&behoerde=").await, 1);
    assert_eq!(rows("?behoerde=Kraftfahrt-Bundesamt&seite=2").await, 1);
    assert_eq!(rows("?behoerde=Niemand").await, 0);
    assert_eq!(rows("?jahr=1999").await, 0);
    let second = world
        .get("/de/zugriffe?behoerde=Kraftfahrt-Bundesamt", &cookie)
        .await
        .text();
    assert!(
        second.contains("href=\"/de/zugriffe?behoerde=Kraftfahrt-Bundesamt&amp;seite=2\""),
        "{second}"
    );
    let newest = world.backend().inspection;
    let first = world.get("/de/zugriffe", &cookie).await.text();
    let position = |index: u64| first.find(&format!("data-row=\"{index}\"")).unwrap();
    assert!(position(newest) < position(world.backend().exchanges[25].0));
}

#[tokio::test]
async fn public_pages_in_both_languages_with_strict_headers() {
    let world = World::new(1, HIGH).await;
    for lang in ["de", "en"] {
        for path in [
            "/",
            "/protokoll",
            "/was-wird-aufgezeichnet",
            "/selbst-pruefen",
            "/barrierefreiheit",
            "/gestaltung",
            "/abgemeldet",
        ] {
            let page = world.get(&format!("/{lang}{path}"), "").await;
            assert_eq!(page.status, StatusCode::OK, "{lang}{path}");
            let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && policy.contains("trusted-types 'none'"));
            assert!(
                !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
                "{policy}"
            );
            assert_eq!(page.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert!(page.text().contains(&format!("<html lang=\"{lang}\">")));
        }
    }
    let log = world.get("/de/protokoll", "").await.text();
    assert!(
        log.contains("data-quorum=\"true\"") && log.contains("data-witness=\"w2\" data-signed=\"false\""),
        "{log}"
    );
    let verify = world.get("/de/selbst-pruefen", "").await.text();
    assert!(verify.contains("verifier audit --log https://log.example --policy trust.policy --genesis"));
    assert_eq!(world.get("/", "").await.location(), "/de/");
    assert_eq!(world.get("/de", "").await.location(), "/de/");
    assert_eq!(world.get("/fr/", "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn assets_are_part_of_the_program() {
    let world = World::new(0, HIGH).await;
    for (path, media) in [
        ("/assets/kern.css", "text/css; charset=utf-8"),
        ("/assets/portal.css", "text/css; charset=utf-8"),
        ("/assets/islands.js", "text/javascript; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
        ("/assets/fira-sans-latin-400.woff2", "font/woff2"),
        ("/assets/fira-sans-latin-ext-600.woff2", "font/woff2"),
    ] {
        let asset = world.get(path, "").await;
        assert_eq!(
            (asset.status, asset.headers[header::CONTENT_TYPE].to_str().unwrap()),
            (StatusCode::OK, media)
        );
        assert!(!asset.body.is_empty());
    }
    let css = world.get("/assets/portal.css", "").await.text();
    for font in css.split("url(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert_eq!(world.get(font, "").await.status, StatusCode::OK, "{font}");
    }
}

/// What the page says of completeness: the value of `data-complete`, and the page.
async fn completeness(world: &World, lang: &str) -> (String, String, String) {
    let cookie = world.login(lang).await.cookie();
    let page = world.get(&format!("/{lang}/zugriffe"), &cookie).await.text();
    let (_, rest) = page.split_once("data-complete=\"").unwrap();
    (rest.split('"').next().unwrap().to_owned(), page.clone(), cookie)
}

/// What nobody can read any more is listed, proved, and part of "all".
#[tokio::test]
async fn what_has_expired_is_listed_as_erased_and_counts() {
    let world = World::new(2, HIGH).await;
    {
        let mut backend = world.backend();
        backend.mode = Mode::Expired;
        let last = record::RetentionClass::IdnrG2y.expiry(record::Timestamp(backend.log.now));
        backend.log.now = (u64::from(last.0) + 1) * 86_400;
        backend.log.map();
    }
    let (complete, page, cookie) = completeness(&world, "de").await;
    assert_eq!(complete, "server", "{page}");
    assert!(page.contains("Das sind alle: 2 Abrufe, 1 Einsicht."), "{page}");
    assert!(!page.contains("nicht-geoeffnet"), "{page}");
    let erased = "Wer das war, wo, warum und mit welchem Ergebnis, ist gelöscht";
    // Once as text, once for the browser's program.
    assert_eq!(page.matches(erased).count(), 2 * 2, "{page}");
    let first = world.backend().exchanges[0].0;
    let detail = world.get(&format!("/de/zugriffe/{first}"), &cookie).await.text();
    assert!(
        detail.contains(erased) && detail.contains("Gelöscht nach dem"),
        "{detail}"
    );
    let file = world.get(&format!("/de/zugriffe/{first}/oeffnung"), &cookie).await.body;
    let policy = tlog::policy::Policy::parse(world.backend().log.policy().as_bytes()).unwrap();
    let proved = verifier::opening::Opening::parse(&file)
        .unwrap()
        .verify(&policy, None)
        .unwrap();
    assert!(proved.shared.is_none() && proved.person.is_some());
}

#[tokio::test]
async fn these_are_all_and_the_bundle_proves_it() {
    let world = World::new(2, HIGH).await;
    let (state, page, cookie) = completeness(&world, "de").await;
    assert_eq!(state, "server", "{page}");
    assert!(page.contains("Das sind alle: 2 Abrufe, 1 Einsicht. Stand: "), "{page}");
    assert!(page.contains("Das hat der Server geprüft."), "{page}");
    let file = world.get("/de/zugriffe/buendel", &cookie).await;
    assert_eq!(
        file.headers[header::CONTENT_DISPOSITION],
        "attachment; filename=\"eintraege.bundle\""
    );
    let (policy, genesis) = {
        let backend = world.backend();
        (
            Policy::parse(backend.log.policy().as_bytes()).unwrap(),
            backend.log.genesis(),
        )
    };
    let complete = verifier::bundle::Bundle::parse(&file.body).unwrap();
    let complete = complete.verify(&policy, Some(&genesis)).unwrap();
    assert_eq!(
        (complete.exchanges, complete.inspections, complete.quorum),
        (2, 1, true)
    );
    let (_, page, _) = completeness(&world, "en").await;
    assert!(
        page.contains("These are all: 2 requests, 1 inspection. As of "),
        "{page}"
    );
}

/// What the browser says too: it runs the same check on the same file.
#[tokio::test]
async fn a_withheld_entry_is_no_complete_list() {
    for (mode, expected, reason) in [
        (
            Mode::Withheld,
            "failed",
            "Im Protokoll steht ein Eintrag über Sie, der hier fehlt.",
        ),
        (Mode::Unlisted, "failed", "Der Nachweis konnte nicht geladen werden."),
        (
            Mode::Unwitnessed,
            "failed",
            "Die Zeugen haben diesen Eintrag nicht bestätigt.",
        ),
        (
            Mode::TamperedRecords,
            "failed",
            "Der Nachweis passt nicht zum Protokoll.",
        ),
        (
            Mode::Unpublished,
            "absent",
            "Die Zeugen haben den Stand des Protokolls noch nicht bestätigt.",
        ),
    ] {
        let world = World::new(2, HIGH).await;
        world.set(mode);
        let (state, page, cookie) = completeness(&world, "de").await;
        assert_eq!(state, expected, "{mode:?}: {page}");
        assert!(
            page.contains(reason) && !page.contains("Das sind alle"),
            "{mode:?}: {page}"
        );
        if mode == Mode::Withheld {
            let trust = {
                let backend = world.backend();
                citizen_ui::prove::TrustText {
                    policy: backend.log.policy(),
                    genesis: backend.log.genesis().to_string(),
                }
            };
            let file = world.get("/de/zugriffe/buendel", &cookie).await.body;
            let checked = citizen_ui::complete::check(&file, &[], &trust.parse().unwrap());
            assert_eq!(checked, Err(Failure::Hidden));
        }
    }
}

/// A list that has less than the bundle, or what is not in it, is not the list of all.
#[tokio::test]
async fn the_list_is_compared_with_the_bundle() {
    let world = World::new(2, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let file = world.get("/de/zugriffe/buendel", &cookie).await.body;
    let (trust, listed, size) = {
        let backend = world.backend();
        let trust = citizen_ui::prove::TrustText {
            policy: backend.log.policy(),
            genesis: backend.log.genesis().to_string(),
        };
        let listed = [backend.exchanges[0].0, backend.exchanges[1].0, backend.inspection];
        (trust.parse().unwrap(), listed, backend.log.size().get())
    };
    let check = |listed: &[u64]| citizen_ui::complete::check(&file, listed, &trust);
    let claim = check(&listed).unwrap();
    assert_eq!(
        (claim.exchanges, claim.inspections, claim.unused, claim.later),
        (2, 1, 0, 0)
    );
    assert_eq!(check(&listed[1..]), Err(Failure::Hidden));
    assert_eq!(check(&[&listed[..], &[0]].concat()), Err(Failure::Entry));
    assert_eq!(check(&[&listed[..], &[size]].concat()).unwrap().later, 1);
    let mut changed = file.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    assert_eq!(
        citizen_ui::complete::check(&changed, &listed, &trust),
        Err(Failure::Form)
    );
}
