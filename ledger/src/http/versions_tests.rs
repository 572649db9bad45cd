//! The directory and the Registerlandkarte as JSON.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use fixtures::grant;
use record::{Kind, Receipt, SigningKey};
use serde_json::{Value as Json, json};
use tlog::cosignature::cosign;
use tlog::note::{Note, SignerKey};
use trust::limits::MAX_PAGE_SETS;
use trust::{
    Body, BodyRole, Forms, Key, Level, Operation, SetPage, SignedHeader, TrustKind, TrustState, Value, ValueProof,
};

use super::testing::*;
use crate::http::Shared;
use crate::rules::testing::*;
use crate::store::memory::MemoryStore;

const DIRECTORY: TrustKind = TrustKind::Directory;

fn town(number: u32, name: &str) -> Value {
    Value::Body(Box::new(Body {
        id: format!("land:ort-{number:04}").parse().unwrap(),
        name: name.parse().unwrap(),
        level: Level::Municipal,
        ars: "053150000000".parse().unwrap(),
        classes: [].into(),
        roles: [BodyRole::Responsible].into(),
        contact: "klaerung@ort.example".parse().unwrap(),
        data_protection: "datenschutz@ort.example".parse().unwrap(),
        forms: Forms {
            subject: "die Stadt ~".parse().unwrap(),
            at: "bei der Stadt ~".parse().unwrap(),
        },
    }))
}

fn put(value: &Value) -> Operation {
    Operation::put(value).unwrap()
}

/// A log, and the operator that changes its directory.
struct Changed {
    server: Server,
    operator: TimedWriter,
    state: TrustState,
}

impl Changed {
    async fn new(world: World) -> Self {
        let (shared, _) = world.started(Arc::new(MemoryStore::new())).await;
        Self {
            server: Server::of(shared).await,
            operator: world.operator(),
            state: world.state,
        }
    }

    /// Publishes a set; returns the index of its entry.
    async fn change(&mut self, kind: TrustKind, operations: Vec<Operation>) -> u64 {
        let draft = World::draft(&self.state, kind, operations);
        let set = draft.sign(&[&SigningKey::from_seed([AUTHORITY; 32])]).unwrap();
        self.state = self.state.apply(kind, &set).unwrap();
        let raw = World::set(&mut self.operator, &set);
        submit(&self.server.shared, vec![raw]).await.remove(0).unwrap()
    }

    async fn get(&self, path: &str) -> Json {
        let got = self.server.get(&format!("/trust/{path}")).await;
        assert_eq!(
            (got.status, got.header("content-type")),
            (200, "application/json"),
            "{path}"
        );
        serde_json::from_slice(&got.body).unwrap()
    }

    async fn status(&self, path: &str) -> (u16, String) {
        self.server.get(&format!("/trust/{path}")).await.problem()
    }

    /// The log of the tests below: three towns join, one is renamed, one leaves.
    async fn towns() -> Self {
        let mut log = Self::new(World::new()).await;
        let towns = [town(1, "Rheinfurt"), town(2, "Köln am Berg"), town(3, "Bergdorf")];
        log.change(DIRECTORY, towns.iter().map(put).collect()).await;
        log.change(DIRECTORY, vec![put(&town(2, "Kölnberg"))]).await;
        let end = Operation::end("body/land:ort-0001".parse().unwrap());
        log.change(DIRECTORY, vec![end]).await;
        log
    }
}

fn keys(list: &Json) -> Vec<&str> {
    let values = list["values"].as_array().unwrap().iter();
    values.map(|value| value["key"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_version_names_its_entry_reason_and_root() {
    let log = Changed::towns().await;
    let newest = log.get("directory").await;
    assert_eq!(
        (&newest["version"], &newest["entry"], &newest["reason"]),
        (&json!(4), &json!(6), &json!("Änderung"))
    );
    assert_eq!(newest["root"], json!(log.state.directory().root().to_string()));
    assert_eq!(newest["valid_from"], json!(NOW));
    assert_eq!(log.get("directory/4").await, newest);
    assert_eq!(log.get("registry").await["version"], 1);
    let cached = log.server.get("/trust/directory/1").await;
    assert!(cached.header("cache-control").contains("immutable"));
    let again = [("if-none-match", cached.header("etag"))];
    let again = log
        .server
        .request(axum::http::Method::GET, "/trust/directory/1", &again, Vec::new())
        .await;
    assert_eq!(again.status, 304);
    assert!(log.server.get("/trust/directory").await.header("cache-control") == "no-store");
    for path in [
        "directory/0",
        "directory/5",
        "directory/01",
        "directory/x",
        "map/1",
        "map",
        "directory/4294967296",
    ] {
        assert_eq!(log.status(path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn values_are_listed_by_prefix_and_page_as_they_were_in_a_version() {
    let log = Changed::towns().await;
    let towns = log.get("directory/4/values?prefix=body/land:").await;
    assert_eq!(keys(&towns), ["body/land:ort-0002", "body/land:ort-0003"]);
    assert_eq!(
        (&towns["values"][0]["since"], &towns["values"][0]["value"]["name"]),
        (&json!(3), &json!("Kölnberg"))
    );
    assert_eq!(towns["next"], Json::Null);
    let before = log.get("directory/2/values?prefix=body/land:").await;
    assert_eq!(keys(&before).len(), 3);
    assert_eq!(before["values"][1]["value"]["name"], "Köln am Berg");
    // A writer's key is hexadecimal.
    let writer = log.get("directory/1/values?prefix=writer/broker").await;
    let key = SigningKey::from_seed([BROKER; 32]).public();
    assert_eq!(writer["values"][0]["value"]["key"], hex::encode(key.as_bytes()));
    // The pages together are the whole.
    let all = log.get("directory/4/values?limit=100").await;
    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let page = log.get(&format!("directory/4/values?limit=2&after={after}")).await;
        paged.extend(page["values"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(&paged, all["values"].as_array().unwrap());
    assert_eq!(paged.len(), log.state.directory().len());
    for query in ["limit=0", "limit=101", "limit=x", "section=body", "q=x"] {
        let path = format!("directory/4/values?{query}");
        assert_eq!(log.status(&path).await, (400, "query".into()), "{query}");
    }
}

/// The proof, the header and the entry's receipt lead from a value to the witnessed log.
#[tokio::test]
async fn a_value_is_served_with_its_proof() {
    let log = Changed::towns().await;
    for (version, key, name) in [
        (4, "body/land:ort-0002", json!("Kölnberg")),
        (2, "body/land:ort-0002", json!("Köln am Berg")),
        (4, "body/land:ort-0001", Json::Null),
        (1, "body/land:ort-0001", Json::Null),
    ] {
        let shown = log.get(&format!("directory/{version}/values/{key}")).await;
        assert_eq!(shown["value"]["name"], name, "{version} {key}");
        let bytes = |field: &str| hex::decode(shown[field].as_str().unwrap()).unwrap();
        let header = SignedHeader::parse(&bytes("header")).unwrap();
        assert_eq!((header.header().kind, header.header().version.0), (DIRECTORY, version));
        let receipt = log
            .server
            .get(&format!("/entries/{}/receipt?witnessed", shown["entry"]))
            .await;
        let receipt = Receipt::parse(&receipt.body).unwrap().verify(&policy()).unwrap();
        assert_eq!(receipt.entry().entry().body.document(), Some(header.digest()));
        let (key, root): (Key, _) = (key.parse().unwrap(), header.header().root);
        let proved = ValueProof::parse(&bytes("proof")).unwrap().verify(&key, &root).unwrap();
        assert_eq!(
            proved.as_ref().map(|proved| proved.version.0),
            shown["since"].as_u64().map(|since| since as u32)
        );
        let proved = proved.map_or(Json::Null, |proved| super::readable::json(&proved.value.to_bytes()));
        assert_eq!(proved, shown["value"]);
    }
    assert_eq!(log.get("directory/4/values/threshold").await["value"], 1);
    for path in [
        "directory/4/values/permission/a@1",
        "directory/4/values/body/",
        "registry/1/values/threshold",
    ] {
        assert_eq!(log.status(path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn the_history_of_a_value_names_each_version_that_put_or_ended_it() {
    let mut log = Changed::towns().await;
    let history = log.get("directory/4/history/body/land:ort-0001").await;
    let change = |at: usize| {
        let change = &history["changes"][at];
        (
            change["version"].clone(),
            change["entry"].clone(),
            change["value"]["name"].clone(),
        )
    };
    assert_eq!(change(0), (json!(4), json!(6), Json::Null));
    assert_eq!(change(1), (json!(2), json!(4), json!("Rheinfurt")));
    assert_eq!(history["changes"].as_array().unwrap().len(), 2);
    assert_eq!(history["changes"][0]["reason"], "Änderung");
    // An earlier version does not know what came later.
    let then = log.get("directory/2/history/body/land:ort-0002").await;
    assert_eq!(then["changes"].as_array().unwrap().len(), 1);
    assert_eq!(log.status("directory/1/history/body/land:ort-0002").await.0, 404);
    assert_eq!(log.status("directory/4/history/body/land:ort-0009").await.0, 404);
    assert_eq!(
        log.status("directory/4/history/body/land:ort-0001?before=x").await.0,
        400
    );
    // Pages, the newest first.
    for number in 0..60 {
        log.change(DIRECTORY, vec![put(&town(2, &format!("Köln {number}")))])
            .await;
    }
    let first = log.get("directory/64/history/body/land:ort-0002").await;
    assert_eq!(
        (first["changes"].as_array().unwrap().len(), &first["next"]),
        (50, &json!(15))
    );
    let second = log.get("directory/64/history/body/land:ort-0002?before=15").await;
    let versions: Vec<_> = second["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["version"].as_u64().unwrap())
        .collect();
    assert_eq!(versions, [14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 3, 2]);
    assert_eq!(second["next"], Json::Null);
}

#[tokio::test]
async fn a_search_finds_all_words_in_names_texts_and_keys() {
    let log = Changed::towns().await;
    for (version, words, found) in [
        (4, "k%C3%96LNBERG", &["body/land:ort-0002"][..]),
        (2, "k%C3%B6lnberg", &[]),
        (2, "berg%20stadt", &["body/land:ort-0002", "body/land:ort-0003"]),
        (2, "berg+Rheinfurt", &[]),
        (4, "ort-0003", &["body/land:ort-0003"]),
        (4, "operator", &[]),
        (4, "ARS", &[]),
    ] {
        let list = log
            .get(&format!("directory/{version}/search?q={words}&prefix=body/"))
            .await;
        assert_eq!(keys(&list), found, "{version} {words}");
    }
    let first = log.get("directory/2/search?q=stadt&limit=2").await;
    assert_eq!(first["next"], "body/land:ort-0002");
    let second = log
        .get("directory/2/search?q=stadt&limit=2&after=body/land:ort-0002")
        .await;
    assert_eq!(
        (keys(&second), &second["next"]),
        (vec!["body/land:ort-0003"], &Json::Null)
    );
    let long = "x".repeat(101);
    for query in ["", "q=", "q=%20", &format!("q={long}"), "q=a&limit=0", "q=a&page=2"] {
        let path = format!("directory/4/search?{query}");
        assert_eq!(log.status(&path).await, (400, "query".into()), "{query}");
    }
}

fn witness() -> SignerKey {
    SignerKey::for_cosignatures("w.example".parse().unwrap(), &[9; 32])
}

fn witnessed_by_one(world: World) -> World {
    let keys = [log_key(), witness()].map(|key| key.verifier_key().unwrap());
    let text = format!("log {}\nwitness w {} https://w.example/\nquorum w\n", keys[0], keys[1]);
    World {
        policy: Some(text.parse().unwrap()),
        ..world
    }
}

#[tokio::test]
async fn nothing_is_shown_before_the_witnesses_have_cosigned() {
    let log = Changed::new(witnessed_by_one(World::new())).await;
    for path in [
        "newest",
        "sets/1",
        "directory",
        "directory/1",
        "directory/1/values",
        "registry/1/search?q=a",
    ] {
        assert_eq!(log.status(path).await, (503, "not-witnessed".into()), "{path}");
    }
}

/// Waits until the last entry is a map entry; returns the log's size.
async fn mapped(shared: &Shared) -> u64 {
    loop {
        let size = shared.log.snapshot().head.size;
        let last = crate::http::answers::stored_entry(shared, size - 1).unwrap();
        if last.entry().body.kind() == Kind::Map {
            return size;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_is_newer_than_the_published_checkpoint_is_not_shown() {
    let world = World {
        map_after: Duration::from_millis(500),
        ..World::new()
    };
    let store = Arc::new(MemoryStore::new());
    let (shared, _) = world.started(store.clone()).await;
    let published = mapped(&shared).await;
    let mut note = Note::parse(shared.log.snapshot().note.as_bytes()).unwrap();
    note.signatures.push(cosign(&note.text, &witness(), NOW).unwrap());
    shared.log.rows().store_published(published, &note.to_string()).unwrap();
    let server = Server::of(shared).await;
    let (operator, state) = (world.operator(), world.state.clone());
    let mut log = Changed {
        server,
        operator,
        state,
    };
    log.change(DIRECTORY, vec![put(&town(1, "Rheinfurt"))]).await;
    assert!(mapped(&log.server.shared).await > published + 1);
    log.server.end().await;
    let server = Server::of(witnessed_by_one(world).start(store)).await;
    let log = Changed { server, ..log };
    let newest = log.server.get("/trust/newest").await.body;
    let newest = Receipt::parse(&newest).unwrap();
    assert_eq!(newest.index().get(), published - 1);
    let page = SetPage::parse(&log.server.get("/trust/sets/0").await.body).unwrap();
    assert_eq!(page.sets.len(), 2);
    assert_eq!(log.get("directory").await["version"], 1);
    for path in ["directory/2", "directory/2/values", "directory/2/values/threshold"] {
        assert_eq!(log.status(path).await, (503, "not-witnessed".into()), "{path}");
    }
}

/// Large values make a page shorter than its limit of values.
#[tokio::test]
async fn a_list_of_large_values_is_bounded() {
    let mut log = Changed::new(World::new()).await;
    // 60 values of at least 6 kB.
    let writer = |number: u8| {
        let key = SigningKey::from_seed([number; 32]);
        put(&Value::Writer(grant(&format!("w{number}"), &key, &[Kind::Denial; 900])))
    };
    log.change(DIRECTORY, (100..160).map(writer).collect()).await;
    let first = log.get("directory/2/values?prefix=writer/w&limit=100").await;
    let served = keys(&first).len();
    assert!((30..45).contains(&served), "{served}");
    let rest = format!(
        "directory/2/values?prefix=writer/w&limit=100&after={}",
        first["next"].as_str().unwrap()
    );
    let rest = log.get(&rest).await;
    assert_eq!((served + keys(&rest).len(), &rest["next"]), (60, &Json::Null));
}

/// Sets beyond the limit of a page are in the next one.
#[tokio::test]
async fn a_page_of_sets_is_bounded() {
    let mut log = Changed::new(World::new()).await;
    let name = "x".repeat(200);
    // 200 bodies of about 500 bytes in a set: a hundred kilobytes.
    for part in 0..16 {
        let towns = (0..200).map(|number| put(&town(part * 200 + number, &name)));
        log.change(DIRECTORY, towns.collect()).await;
    }
    let page = |body: Vec<u8>| SetPage::parse(&body).unwrap();
    let first = log.server.get("/trust/sets/1").await.body;
    assert!(first.len() < trust::limits::PAGE_BYTES + (64 << 10), "{}", first.len());
    let first = page(first);
    assert!((3..18).contains(&first.sets.len()), "{}", first.sets.len());
    let last = first.sets.last().unwrap().index.get();
    let second = page(log.server.get(&format!("/trust/sets/{}", last + 1)).await.body);
    let next = log.state.directory().version().0 as usize + 1 - first.sets.len();
    assert_eq!(second.sets.len(), next);
    for _ in 0..MAX_PAGE_SETS {
        log.change(TrustKind::Registerlandkarte, Vec::new()).await;
    }
    let small = page(
        log.server
            .get(&format!("/trust/sets/{}", second.sets.last().unwrap().index.get()))
            .await
            .body,
    );
    assert_eq!(small.sets.len(), MAX_PAGE_SETS);
}
