//! The pages and files that a citizen sees.

use std::io::Read as _;

use axum::http::{StatusCode, header};
use citizen_ui::language::lang::Lang;
use citizen_ui::language::sentence::sentence;
use citizen_ui::pages::FILES;
use record::Receipt;
use tlog::policy::Policy;

use crate::HIGH;
use crate::backend::Mode;
use crate::world::World;
use fixtures::sample_log;

#[tokio::test]
async fn a_citizen_logs_in_and_sees_proved_accesses() {
    let world = World::new(2, HIGH).await;
    let logged_in = world.login("de").await;
    assert_eq!(
        (logged_in.status, logged_in.location().as_str()),
        (StatusCode::SEE_OTHER, "/de/uebersicht")
    );
    let set = logged_in.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax"), "{set}");
    let cookie = logged_in.cookie();

    let list = world.get("/de/abrufe", &cookie).await;
    assert_eq!(list.status, StatusCode::OK);
    assert_eq!(list.headers[header::CACHE_CONTROL], "no-store");
    let text = list.text();
    let (intent, outcome) = world.backend().exchanges[0];
    assert_eq!(text.matches("<li data-row=").count(), 2, "{text}");
    let read = list.read();
    for expected in [
        "Die Stadt Musterhausen hat beim Kraftfahrt-Bundesamt Ihre Unterlage „Zulassungsbescheinigung Teil I“ abgerufen.",
        "Weil: Antrag auf einen Bewohnerparkausweis",
        "Ihr eigener Besuch steht nicht in dieser Liste.",
        "Angemeldet: Emma Mustermann",
    ] {
        assert!(read.contains(expected), "{expected} is missing in {text}");
    }
    for expected in [&format!("data-row=\"{intent}\""), &format!("id=\"satz-{intent}\"")] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    assert!(!text.contains(sample_log::IDNR), "the page shows the IDNr");

    let mut files = Vec::new();
    for index in [intent, outcome.unwrap()] {
        let proof = world.get(&format!("/de/abrufe/{index}/oeffnung"), &cookie).await;
        assert_eq!(proof.status, StatusCode::OK);
        files.push(proof.body);
    }
    let proved = world.verifier().verify(&files, &[intent, outcome.unwrap()]).unwrap();
    assert!(proved.quorum);
    assert!(read.contains(&sentence(&proved.access, Lang::De).text().replace('&', "&amp;")));
}

#[tokio::test]
async fn the_detail_page_shows_the_record_and_offers_its_files() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("en").await.cookie();
    let (intent, outcome) = world.backend().exchanges[0];
    let page = world.get(&format!("/en/abrufe/{intent}"), &cookie).await.text();
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
    let receipt = world.get(&format!("/en/abrufe/{intent}/quittung"), &cookie).await;
    assert_eq!(
        receipt.headers[header::CONTENT_DISPOSITION],
        format!("attachment; filename=\"eintrag-{intent}.tlog-proof\"")
    );
    let verified = Receipt::parse(&receipt.body).unwrap().verify(&policy).unwrap();
    assert!(verified.quorum() && verified.index().get() == intent);
    let outcome = outcome.unwrap();
    let opening = world.get(&format!("/en/abrufe/{outcome}/oeffnung"), &cookie).await;
    assert_eq!(opening.headers[header::CONTENT_TYPE], "application/cbor");
    let opening = proof::opening::Opening::parse(&opening.body).unwrap();
    assert!(opening.verify(&policy, None).unwrap().person.is_some());
    for path in [
        "/en/abrufe/0",
        "/en/abrufe/x",
        "/en/abrufe/0/oeffnung",
        "/en/abrufe/0/quittung",
        "/en/nothing",
    ] {
        assert_eq!(world.get(path, &cookie).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_failure_of_ledger_or_identity_has_an_error_page() {
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
        assert_eq!(world.get("/de/abrufe", &cookie).await.status, StatusCode::UNAUTHORIZED);
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
async fn the_list_is_filtered_and_split_into_pages() {
    let world = World::new(26, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let rows = async |query: &str| {
        let text = world.get(&format!("/de/abrufe{query}"), &cookie).await.text();
        text.matches("<li data-row=").count()
    };
    assert_eq!(rows("").await, 25);
    assert_eq!(rows("?seite=2").await, 1);
    assert_eq!(
        rows("?seite=99").await,
        1,
        "a page number that is too high shows the last page"
    );
    assert_eq!(rows("?wer=Stadt+Musterhausen&seite=2&von=&bei=").await, 1);
    assert_eq!(rows("?wer=Niemand").await, 0);
    assert_eq!(rows("?ergebnis=abgelehnt").await, 0);
    assert_eq!(rows("?bis=1999-12-31").await, 0);
    assert_eq!(rows("?q=zulassung+PARK").await, 25);
    let filtered = world.get("/de/abrufe?bei=Kraftfahrt-Bundesamt", &cookie).await.text();
    assert!(
        filtered.contains("href=\"/de/abrufe?bei=Kraftfahrt-Bundesamt&amp;seite=2\""),
        "{filtered}"
    );
    let position = |text: &str, index: u64| text.find(&format!("data-row=\"{index}\""));
    let [newest, older] = [25, 24].map(|at| world.backend().exchanges[at].0);
    let list = world.get("/de/abrufe", &cookie).await.text();
    assert!(position(&list, newest).unwrap() < position(&list, older).unwrap());
    let oldest = world.get("/de/abrufe?sort=aelteste", &cookie).await.text();
    assert_eq!(position(&oldest, newest), None, "it is on the last page then");
    let visits = world.get("/de/besuche", &cookie).await.text();
    assert!(position(&visits, world.backend().inspection).is_some(), "{visits}");
}

/// Every page of a citizen exists in every language, needs the login, and says so in its own language.
#[tokio::test]
async fn a_citizens_pages_exist_in_every_language() {
    let world = World::new(2, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let index = world.backend().exchanges[0].0;
    for (lang, tag) in [("de", "de"), ("en", "en"), ("leicht", "de-simple")] {
        for path in [
            "/uebersicht".to_owned(),
            "/abrufe".to_owned(),
            "/besuche".to_owned(),
            format!("/abrufe/{index}"),
            format!("/abrufe/{index}/pruefung"),
            format!("/abrufe/{index}/fragen?was=auskunft"),
        ] {
            let address = format!("/{lang}{path}");
            let page = world.get(&address, &cookie).await;
            assert_eq!(page.status, StatusCode::OK, "{address}");
            let text = page.text();
            assert!(text.contains(&format!("<html lang=\"{tag}\">")), "{address}");
            assert!(text.contains("data-verdict=\"server\""), "{address}");
            assert_eq!(
                world.get(&address, "").await.status,
                StatusCode::UNAUTHORIZED,
                "{address}"
            );
        }
    }
    let public = world.get("/leicht/protokoll/zeugen", "").await;
    assert_eq!(
        public.location(),
        "/de/protokoll/zeugen",
        "easy language has no such page"
    );
    for path in [
        "/",
        "/registerlandkarte",
        "/protokoll",
        "/so-wird-geprueft",
        "/selbst-pruefen",
        "/was-wird-aufgezeichnet",
        "/hilfe",
        "/impressum",
        "/datenschutz",
        "/barrierefreiheit",
        "/gestaltung",
    ] {
        let page = world.get(&format!("/leicht{path}"), "").await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text().contains("<html lang=\"de-simple\">"), "{path}");
    }
    for path in ["/abrufe/0/pruefung", "/abrufe/0/fragen", "/abrufe/x/fragen"] {
        assert_eq!(
            world.get(&format!("/de{path}"), &cookie).await.status,
            StatusCode::NOT_FOUND
        );
    }
}

/// The letter has the address of the record, and the number only if the citizen wants it.
#[tokio::test]
async fn a_letter_goes_to_the_address_of_the_record() {
    let world = World::new(1, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let index = world.backend().exchanges[0].0;
    let letter = async |query: &str| {
        let path = format!("/de/abrufe/{index}/fragen?{query}");
        world.get(&path, &cookie).await.text()
    };
    let ask = letter("was=verstehen").await;
    assert!(ask.contains("mailto:poststelle@musterhausen.example?subject="), "{ask}");
    assert!(!ask.contains(sample_log::IDNR));
    let access = letter("was=auskunft&nummer=ja").await;
    assert!(
        access.contains("mailto:datenschutz@musterhausen.example?subject="),
        "{access}"
    );
    assert!(
        access.contains(&format!("Meine ID-Nummer: {}", sample_log::IDNR)),
        "{access}"
    );
}

#[tokio::test]
async fn public_pages_are_served_in_both_languages_with_strict_headers() {
    let world = World::new(1, HIGH).await;
    for lang in ["de", "en"] {
        for path in [
            "/",
            "/protokoll",
            "/was-wird-aufgezeichnet",
            "/so-wird-geprueft",
            "/selbst-pruefen",
            "/registerlandkarte",
            "/protokoll/zeugen",
            "/protokoll/loeschungen",
            "/protokoll/widersprueche",
            "/protokoll/eintrag",
            "/protokoll/eintrag/0",
            "/hilfe",
            "/impressum",
            "/datenschutz",
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
        log.contains("data-quorum=\"true\"") && log.contains("data-signed=\"false\""),
        "{log}"
    );
    let verify = world.get("/de/selbst-pruefen", "").await.text();
    assert!(verify.contains("verifier audit --log https://log.example --policy trust.policy --genesis"));
    let example = world.get("/de/so-wird-geprueft/beweis", "").await;
    assert_eq!(example.headers[header::CONTENT_TYPE], "application/cbor");
    assert!(citizen_ui::islands::prove_example(&example.body).is_ok());
    assert_eq!(world.get("/", "").await.location(), "/de/");
    assert_eq!(world.get("/de", "").await.location(), "/de/");
    assert_eq!(world.get("/fr/", "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn static_files_are_embedded_in_the_program() {
    let world = World::new(0, HIGH).await;
    for (path, media) in [
        (FILES[0].0, "text/css; charset=utf-8"),
        (FILES[1].0, "image/svg+xml"),
        ("/assets/fira-sans-5.3.0-latin-400.woff2", "font/woff2"),
        ("/assets/fira-sans-5.3.0-latin-ext-600.woff2", "font/woff2"),
    ] {
        let asset = world.get(path, "").await;
        assert_eq!(
            (asset.status, asset.headers[header::CONTENT_TYPE].to_str().unwrap()),
            (StatusCode::OK, media)
        );
        assert!(!asset.body.is_empty());
        let kept = asset.headers[header::CACHE_CONTROL].to_str().unwrap();
        assert!(kept.contains("immutable"), "{path}: {kept}");
    }
    let css = world.get(FILES[0].0, "").await.text();
    assert!(
        css.contains(".kern-alert") && css.contains(".ec-page"),
        "both style sheets"
    );
    let urls = css.split("url(\"").skip(1).filter_map(|rest| rest.split('"').next());
    for font in urls.filter(|url| !url.starts_with("data:")) {
        assert_eq!(world.get(font, "").await.status, StatusCode::OK, "{font}");
    }
}

#[tokio::test]
async fn the_style_sheet_is_sent_compressed_on_request() {
    let world = World::new(0, HIGH).await;
    let path = FILES[0].0;
    let plain = world.get(path, "").await;
    for (accept, encoding) in [
        ("gzip", "gzip"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=0.1, identity;q=0", "gzip"),
        ("br;q=0.5, identity;q=0.1", "br"),
        ("gzip;q=0", ""),
        ("zstd", ""),
    ] {
        let got = world.get_with(path, "", &[("accept-encoding", accept)]).await;
        let encoded = got.headers.get(header::CONTENT_ENCODING);
        assert_eq!(
            encoded.map_or("", |value| value.to_str().unwrap()),
            encoding,
            "{path} {accept}"
        );
        let mut body = Vec::new();
        match encoding {
            "gzip" => flate2::read::GzDecoder::new(&got.body[..])
                .read_to_end(&mut body)
                .unwrap(),
            "br" => brotli::Decompressor::new(&got.body[..], 4096)
                .read_to_end(&mut body)
                .unwrap(),
            _ => (&got.body[..]).read_to_end(&mut body).unwrap(),
        };
        assert!(encoding.is_empty() || got.body.len() * 2 < plain.body.len(), "{path}");
        assert!(body == plain.body, "{path} {accept}");
        assert_eq!(got.headers[header::VARY], "accept-encoding");
        assert_eq!(got.headers[header::CONTENT_LENGTH], got.body.len().to_string());
        assert_eq!(got.headers[header::CACHE_CONTROL], plain.headers[header::CACHE_CONTROL]);
    }
    let none = world.get_with(path, "", &[("accept-encoding", "*;q=0")]).await;
    assert_eq!((none.status, none.body.len()), (StatusCode::NOT_ACCEPTABLE, 0));
}

/// Their compressed length could reveal what is on them.
#[tokio::test]
async fn pages_and_downloads_are_never_compressed() {
    let world = World::new(3, HIGH).await;
    let cookie = world.login("de").await.cookie();
    let detail = format!("/de/abrufe/{}", world.backend().exchanges[0].0);
    for path in [
        "/de/",
        "/de/protokoll",
        "/de/abrufe",
        "/de/abrufe/buendel",
        &detail,
        "/assets/fira-sans-5.3.0-latin-400.woff2",
    ] {
        let page = world.get_with(path, &cookie, &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.headers.contains_key(header::CONTENT_ENCODING), "{path}");
    }
}

/// Without a connector of its own, the portal can ask nobody.
#[tokio::test]
async fn a_portal_without_a_connector_asks_no_register() {
    let world = World::new(1, HIGH).await;
    for path in ["/de/meine-daten", "/de/meine-daten/antwort"] {
        assert_eq!(world.get(path, "").await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let login = world.login_at("/de/anmelden?weiter=/meine-daten").await;
    assert_eq!(login.location().as_str(), "/de/meine-daten");
    let cookie = login.cookie();
    let page = world.get("/de/meine-daten", &cookie).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("Hier ist noch kein Register angeschlossen."));
    let same_origin = [("sec-fetch-site", "same-origin")];
    let form = "register=bund%3Akba%3Azfzr";
    let asked = world.post("/de/meine-daten/antwort", &cookie, form, &same_origin).await;
    assert_eq!(
        (asked.status, asked.location().as_str()),
        (StatusCode::SEE_OTHER, "/de/meine-daten")
    );
    let elsewhere = [("sec-fetch-site", "cross-site")];
    let forged = world.post("/de/meine-daten/antwort", &cookie, form, &elsewhere).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
}
