//! The directory changes while the portal runs.

use axum::http::StatusCode;
use fixtures::{TestWriter, grant};
use record::{Kind, SigningKey};
use trust::{Key, Operation, Section, TrustKind, Value};

use crate::HIGH;
use crate::backend::{Backend, Mode};
use crate::world::World;

/// Another key of the broker.
fn new_broker() -> TestWriter {
    TestWriter::new(SigningKey::from_seed([71; 32]))
}

fn broker_key(key: &SigningKey) -> Operation {
    Operation::put(&Value::Writer(grant("broker", key, &[Kind::Intent, Kind::Outcome]))).unwrap()
}

/// Appends an exchange that identity discloses. Without `map`, no `map` entry follows.
fn exchange(backend: &mut Backend, map: bool) {
    let (intent, number) = backend.log.intent();
    let outcome = backend.log.outcome(intent, number);
    backend.exchanges.push((intent, Some(outcome)));
    if map {
        backend.log.map();
    }
}

async fn list(world: &World) -> (String, String) {
    let cookie = world.login("de").await.cookie();
    let page = world.get("/de/abrufe", &cookie).await.text();
    (page, cookie)
}

/// Without a restart, the portal proves what the broker wrote with its old key and with its new one.
#[tokio::test]
async fn a_rotated_key_needs_no_restart() {
    let world = World::new(1, HIGH).await;
    let (page, _) = list(&world).await;
    assert!(page.contains("Das sind alle: 1 Abruf, 1 Besuch."), "{page}");
    {
        let mut backend = world.backend();
        let new = new_broker();
        let rotation = broker_key(&new.key);
        backend.log.change(TrustKind::Directory, vec![rotation]);
        backend.log.broker = new;
        exchange(&mut backend, true);
    }
    let (page, cookie) = list(&world).await;
    assert!(page.contains("data-verdict=\"server\""), "{page}");
    assert!(page.contains("Das sind alle: 2 Abrufe, 1 Besuch."), "{page}");
    let exchanges = world.backend().exchanges.clone();
    for (intent, outcome) in exchanges {
        let indices = [intent, outcome.unwrap()];
        let mut files = Vec::new();
        for index in indices {
            let file = world.get(&format!("/de/abrufe/{index}/oeffnung"), &cookie).await;
            assert_eq!(file.status, StatusCode::OK);
            files.push(file.body);
        }
        assert!(world.verifier().verify(&files, &indices).unwrap().quorum);
    }
}

/// A wrong answer of the ledger about the directory proves nothing, and the portal does not keep it.
#[tokio::test]
async fn a_wrong_receipt_of_a_change_set_is_not_kept() {
    let world = World::new(1, HIGH).await;
    {
        let mut backend = world.backend();
        let new = new_broker();
        let rotation = broker_key(&new.key);
        backend.log.change(TrustKind::Directory, vec![rotation]);
        backend.log.broker = new;
        backend.sets = 0;
        exchange(&mut backend, true);
    }
    // The portal follows the directory first; then it needs the receipt again, for its anchor.
    while world.backend().sets == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    world.set(Mode::WrongSets);
    let (page, _) = list(&world).await;
    let (intent, outcome) = world.backend().exchanges[1];
    let unproved = format!(
        "Eintrag {intent}, {}: Die Zeugen haben diesen Eintrag nicht bestätigt.",
        outcome.unwrap()
    );
    assert!(page.contains(&unproved), "{page}");
    world.set(Mode::Sound);
    let (page, _) = list(&world).await;
    assert!(page.contains("Das sind alle: 2 Abrufe, 1 Besuch."), "{page}");
}

/// The broker's right has ended. What it wrote before is proved, what it writes after is not.
#[tokio::test]
async fn an_entry_by_a_writer_whose_right_has_ended_is_not_proved() {
    let world = World::new(1, HIGH).await;
    {
        let mut backend = world.backend();
        let end = Operation::end(Key::named(Section::Writer, "broker").unwrap());
        backend.log.change(TrustKind::Directory, vec![end]);
        exchange(&mut backend, true);
    }
    let (page, _) = list(&world).await;
    let exchanges = world.backend().exchanges.clone();
    let before = format!("data-row=\"{}\"", exchanges[0].0);
    assert!(page.contains(&before), "{page}");
    let (intent, outcome) = exchanges[1];
    let after = format!(
        "Eintrag {intent}, {}: Der Beweis passt nicht zum Protokoll.",
        outcome.unwrap()
    );
    assert!(page.contains(&after), "{page}");
    assert!(!page.contains("Das sind alle"), "{page}");
}

/// Only a `map` entry shows which directory was in force, so an entry is not proved before one follows.
#[tokio::test]
async fn an_entry_is_proved_when_a_map_entry_follows() {
    let world = World::new(1, HIGH).await;
    exchange(&mut world.backend(), false);
    let (page, _) = list(&world).await;
    let (intent, outcome) = world.backend().exchanges[1];
    let unproved = format!(
        "Eintrag {intent}, {}: Die Zeugen haben diesen Eintrag nicht bestätigt.",
        outcome.unwrap()
    );
    assert!(page.contains(&unproved), "{page}");
    world.backend().log.map();
    let (page, _) = list(&world).await;
    assert!(page.contains(&format!("data-row=\"{intent}\"")), "{page}");
    assert!(page.contains("Das sind alle: 2 Abrufe, 1 Besuch."), "{page}");
}
