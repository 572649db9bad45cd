//! The pages that need no login.

use std::collections::BTreeSet;

use axum::http::{StatusCode, header};
use fixtures::sample_log::SampleLog;
use fixtures::values;
use tlog::merkle::Index;
use trust::{Operation, TrustKind, Value};

use citizen_ui::language::lang::Lang;

use crate::HIGH;
use crate::backend::Mode;
use crate::world::World;

fn put(value: &Value) -> Operation {
    Operation::put(value).unwrap()
}

/// Adds a permission to the Registerlandkarte of the running log, and waits until the portal shows it.
async fn permit(world: &World) {
    {
        let mut backend = world.backend();
        let evidence = values::evidence("anschrift", "Derzeitige Anschrift", &["Straße", "Ort"]);
        let rule = values::rule("wohnen", "anschrift", "wohngeld", "=Antrag; auf Wohngeld");
        let operations = vec![
            put(&Value::Evidence(Box::new(evidence))),
            put(&Value::Permission(rule.into())),
        ];
        backend.log.change(TrustKind::Registerlandkarte, operations);
        backend.log.map();
    }
    until(world, "/de/registerlandkarte", "data-permission=\"wohnen@1\"").await;
}

/// Waits until a page has a text, and returns the page.
async fn until(world: &World, path: &str, text: &str) -> String {
    loop {
        let page = world.get(path, "").await.text();
        if page.contains(text) {
            return page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_registerlandkarte_is_shown_as_of_a_day_with_the_history_of_a_permission() {
    let world = World::new(0, HIGH).await;
    permit(&world).await;
    let entry = world.backend().log.newest().registerlandkarte;
    let list = world.get("/de/registerlandkarte?q=Wohngeld", "").await.text();
    assert!(
        list.contains(&format!("href=\"/de/protokoll/eintrag/{entry}\"")),
        "{list}"
    );
    let before = world.get("/de/registerlandkarte?stand=2026-09-01", "").await;
    assert_eq!(before.status, StatusCode::OK);
    assert!(
        before.text().contains("seit dem 21.09.2026 im Protokoll"),
        "{}",
        before.text()
    );
    let permission = world.get("/de/registerlandkarte/erlaubnis/wohnen", "").await.text();
    assert!(permission.contains("Erlaubnis 1 eingetragen"), "{permission}");
    for path in [
        "erlaubnis/niemand",
        "register/niemand",
        "behoerde/niemand",
        "behoerdenart/niemand",
    ] {
        let page = world.get(&format!("/de/registerlandkarte/{path}"), "").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    let json: serde_json::Value = {
        let file = world.get("/de/registerlandkarte.json?q=wohngeld", "").await;
        assert_eq!(file.headers[header::CONTENT_TYPE], "application/json");
        serde_json::from_slice(&file.body).unwrap()
    };
    assert_eq!(json["permissions"][0]["id"], "wohnen");
    assert_eq!(json["source"]["entry"], entry.get());
    assert_eq!(
        json["notice"],
        "Dies ist eine Lesart der Gesetze und keine Rechtsberatung."
    );
    let csv = world.get("/de/registerlandkarte.csv", "").await;
    let mut rows = csv::ReaderBuilder::new().delimiter(b';').from_reader(&csv.body[..]);
    let rows: Vec<csv::StringRecord> = rows.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(
        (rows.len(), &rows[0][0], &rows[0][5]),
        (1, "wohnen@1", "'=Antrag; auf Wohngeld")
    );
}

#[tokio::test]
async fn the_log_is_counted_and_its_entries_can_be_looked_up() {
    let world = World::new(3, HIGH).await;
    let size = world.backend().log.size();
    let page = until(&world, "/de/protokoll", "data-number=\"abrufe\">3<").await;
    for expected in [
        &format!("data-number=\"eintraege\">{size}<"),
        "data-number=\"besuche\">1<",
        "data-number=\"offen\">0<",
        "data-quorum=\"true\"",
        "<bdi data-witness=\"w2\">w2</bdi>",
        "Bisher: keine",
    ] {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    let (intent, _) = world.backend().exchanges[0];
    let found = world.get(&format!("/de/protokoll/eintrag?nr={intent}"), "").await;
    assert_eq!(found.location(), format!("/de/protokoll/eintrag/{intent}"));
    let entry = world.get(&found.location(), "").await.text();
    assert!(
        entry.contains("Dieser Eintrag steht im Protokoll") && entry.contains("der Vermittlungsstelle"),
        "{entry}"
    );
    let receipt = world
        .get(&format!("/de/protokoll/eintrag/{intent}.tlog-proof"), "")
        .await;
    assert_eq!(
        receipt.headers[header::CONTENT_DISPOSITION],
        format!("attachment; filename=\"eintrag-{intent}.tlog-proof\"")
    );
    let pasted = receipt.text().replace('\n', "\r\n");
    let form = |text: &str| {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("beleg", text)
            .finish()
    };
    let shown = world.post("/de/protokoll/eintrag", "", &form(&pasted), &[]).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text());
    assert!(shown.text().contains(&format!("data-entry=\"{intent}\"")));
    for (text, code) in [("nonsense".to_owned(), "no-receipt"), (changed(&pasted), "refused")] {
        let refused = world.post("/de/protokoll/eintrag", "", &form(&text), &[]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            refused.text().contains(&format!("data-lookup=\"{code}\"")),
            "{code}: {}",
            refused.text()
        );
    }
    for path in ["/de/protokoll/eintrag/999999", "/de/protokoll/eintrag/x"] {
        assert_eq!(world.get(path, "").await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// A receipt with another hash on its path.
fn changed(receipt: &str) -> String {
    let lines: Vec<&str> = receipt.split("\r\n").collect();
    let at = lines
        .iter()
        .position(|line| line.len() == 44 && line.ends_with('='))
        .unwrap();
    let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    let first = if lines[at].starts_with('A') { "B" } else { "A" };
    lines[at].replace_range(..1, first);
    lines.join("\n")
}

/// A checkpoint of a log with the same keys and another history.
fn forked(entries: usize) -> String {
    let mut log = SampleLog::new();
    for _ in 0..entries {
        log.denial();
    }
    log.checkpoint(2)
}

#[tokio::test]
async fn a_visitor_can_show_that_the_log_has_two_histories() {
    let world = World::new(3, HIGH).await;
    until(&world, "/de/protokoll", "data-number=\"abrufe\">3<").await;
    let before = SampleLog::new().checkpoint(2);
    let now = world.backend().log.checkpoint(2);
    let form = |text: &str| {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("fassung", text)
            .finish()
    };
    let path = "/de/protokoll/widersprueche";
    let compare = async |text: &str| world.post(path, "", &form(text), &[]).await.text();
    for (text, code) in [
        (now.replace('\n', "\r\n"), "same"),
        (before, "grown"),
        (forked(90), "newer"),
        (now.replace("log.example", "lug.example"), "unsigned"),
    ] {
        let page = compare(&text).await;
        assert!(page.contains(&format!("data-compared=\"{code}\"")), "{code}: {page}");
    }
    assert!(world.get(path, "").await.text().contains("Die Liste ist leer"));
    let fork = forked(2);
    for _ in 0..2 {
        let page = compare(&fork).await;
        assert!(page.contains("data-compared=\"contradicts\""), "{page}");
    }
    let page = world.get(path, "").await.text();
    assert!(
        page.contains("Einer, seit dem") && page.contains(fork.lines().nth(2).unwrap()),
        "{page}"
    );
    assert!(
        world
            .get("/de/protokoll", "")
            .await
            .text()
            .contains("Es gibt einen Widerspruch")
    );
}

#[tokio::test]
async fn a_log_that_is_rewritten_while_the_portal_watches_is_an_alarm() {
    let world = World::new(1, HIGH).await;
    until(&world, "/de/protokoll", "data-number=\"abrufe\">1<").await;
    {
        let mut backend = world.backend();
        let mut other = SampleLog::new();
        while other.size() <= backend.log.size() {
            other.denial();
        }
        other.map();
        backend.log = other;
    }
    let page = until(&world, "/de/protokoll/widersprueche", "Einer, seit dem").await;
    assert!(page.contains("kern-alert--danger"));
}

#[tokio::test]
async fn bytes_that_the_log_has_not_signed_are_no_contradiction() {
    let world = World::new(1, HIGH).await;
    until(&world, "/de/protokoll", "data-number=\"abrufe\">1<").await;
    world.set(Mode::WrongBundles);
    let size = {
        let mut backend = world.backend();
        backend.log.exchange();
        backend.log.map();
        backend.log.size()
    };
    let page = until(&world, "/de/protokoll", &format!("data-number=\"eintraege\">{size}<")).await;
    assert!(
        page.contains("Unser Server zählt noch") && page.contains("Bisher: keine"),
        "{page}"
    );
    world.set(Mode::Sound);
    until(&world, "/de/protokoll", "data-number=\"abrufe\">2<").await;
}

#[tokio::test]
async fn a_device_gets_the_checkpoint_with_the_proof_that_the_log_has_grown() {
    let world = World::new(2, HIGH).await;
    let answer = world.get("/de/protokoll/fassung?ab=5", "").await;
    let proof: citizen_ui::islands::LogProof = record::cbor::from_slice(&answer.body).unwrap();
    let mut log = SampleLog::new();
    let (before, root) = (log.size(), log.tree.root());
    assert_eq!(before.get(), 5);
    let now = world.backend().log.size();
    let newest = world.backend().log.tree.root();
    tlog::merkle::verify_consistency(before, &root, now, &newest, &proof.consistency.unwrap().hashes).unwrap();
    log.map();
    assert!(Index::new(5).is_ok_and(|index| now.contains(index)));
}

/// The links and sources of a page of this portal.
fn links(page: &str) -> BTreeSet<String> {
    let parts = [" href=\"", " src=\""]
        .into_iter()
        .flat_map(|name| page.split(name).skip(1));
    let targets = parts.filter_map(|rest| rest.split('"').next());
    let here = targets.filter(|target| target.starts_with('/'));
    here.map(|target| target.replace("&amp;", "&")).collect()
}

/// Follows every link from the start pages on.
#[tokio::test]
async fn no_link_of_a_public_page_is_dead_and_every_page_is_strict() {
    let world = World::new(2, HIGH).await;
    permit(&world).await;
    let mut known = BTreeSet::from(["/de/".to_owned(), "/en/".to_owned()]);
    let mut waiting: Vec<String> = known.iter().cloned().collect();
    while let Some(path) = waiting.pop() {
        let page = world.get(&path, "").await;
        let expected = if path.ends_with("/anmelden") {
            StatusCode::SEE_OTHER
        } else {
            StatusCode::OK
        };
        assert_eq!(page.status, expected, "{path}");
        strict(&path, &page.headers);
        if path.ends_with("/anmelden") {
            continue;
        }
        assert!(!page.headers.contains_key(header::SET_COOKIE), "{path}");
        let is_page = page.headers[header::CONTENT_TYPE] == "text/html; charset=utf-8";
        let text = if is_page { page.text() } else { continue };
        let lang = path.split('/').nth(1).and_then(Lang::of_segment).unwrap();
        assert!(
            text.starts_with(&format!("<!DOCTYPE html><html lang=\"{}\">", lang.tag())),
            "{path}"
        );
        for link in links(&text) {
            if known.insert(link.clone()) {
                waiting.push(link);
            }
        }
    }
    for visited in [
        "/de/registerlandkarte/behoerde/stelle",
        "/en/protokoll/eintrag/0",
        "/de/impressum",
        "/en/hilfe",
    ] {
        assert!(known.contains(visited), "{visited} cannot be reached: {known:?}");
    }
}

fn strict(path: &str, headers: &axum::http::HeaderMap) {
    let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("trusted-types 'none'"),
        "{path}"
    );
    assert!(
        !policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"),
        "{path}"
    );
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
    assert_eq!(headers[header::REFERRER_POLICY], "same-origin", "{path}");
    assert!(headers.contains_key("permissions-policy"), "{path}");
}
