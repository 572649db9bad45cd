#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use service::SystemClock;
use tlog::Hash;
use tlog::cosignature::cosign;
use tlog::merkle::Size;
use tlog::note::SignerKey;
use tlog::witness::{AddCheckpoint, KnownLog, WitnessRefusal, decide, monitoring_path};
use tokio::net::TcpListener;

use super::*;
use crate::engine::publication::{FailMode, QuorumLossPolicy};
use crate::http::Shared;
use crate::rules::testing::{BROKER, ORIGIN, TimedWriter, World, intent, log_key, raw, submit};
use crate::store::memory::MemoryStore;

#[path = "witness_attack_tests.rs"]
mod attacks;

use attacks::Behaviour;

/// A witness that keeps its state in memory.
struct TestWitness {
    keys: Vec<SignerKey>,
    stored: Mutex<Option<(Size, Hash)>>,
    asked: AtomicU64,
    busy: AtomicU64,
    /// The checkpoints at its monitoring path, one after the other; the last one stays.
    shown: Mutex<Vec<String>>,
    behaviour: Mutex<Behaviour>,
    /// The number of requests that it is answering.
    answering: AtomicU64,
    /// The most requests that it was answering at once.
    most_at_once: AtomicU64,
}

async fn monitoring(State(witness): State<Arc<TestWitness>>) -> (StatusCode, String) {
    let mut shown = witness.shown.lock().unwrap();
    let note = if shown.len() > 1 {
        Some(shown.remove(0))
    } else {
        shown.first().cloned()
    };
    match note {
        Some(note) => (StatusCode::OK, note),
        None => (StatusCode::NOT_FOUND, String::new()),
    }
}

async fn add_checkpoint(State(witness): State<Arc<TestWitness>>, body: String) -> (StatusCode, String) {
    let asked = witness.asked.fetch_add(1, Ordering::SeqCst) + 1;
    let answering = witness.answering.fetch_add(1, Ordering::SeqCst) + 1;
    witness.most_at_once.fetch_max(answering, Ordering::SeqCst);
    let behaviour = witness.behaviour.lock().unwrap().clone();
    let lie = behaviour.before(&witness, asked).await;
    witness.answering.fetch_sub(1, Ordering::SeqCst);
    lie.unwrap_or_else(|| witness.answer(&body, asked))
}

impl TestWitness {
    fn answer(&self, body: &str, asked: u64) -> (StatusCode, String) {
        if asked <= self.busy.load(Ordering::SeqCst) {
            return (StatusCode::SERVICE_UNAVAILABLE, String::new());
        }
        match self.decide(&AddCheckpoint::parse(body.as_bytes()).unwrap()) {
            Ok(text) => {
                let lines = self.keys.iter().map(|key| {
                    let line = cosign(&text, key, 1_800_000_000 + asked).unwrap();
                    format!("{line}\n")
                });
                (StatusCode::OK, lines.collect())
            }
            Err(refusal) => (StatusCode::from_u16(refusal.status()).unwrap(), refusal.body()),
        }
    }

    /// Stores the checkpoint of a request and returns its text.
    fn decide(&self, request: &AddCheckpoint) -> Result<String, WitnessRefusal> {
        let log = KnownLog {
            origin: ORIGIN.parse().unwrap(),
            keys: vec![log_key().verifier_key().unwrap()],
        };
        let mut stored = self.stored.lock().unwrap();
        let signed = decide(Some(&log), *stored, request)?;
        *stored = Some((signed.checkpoint().size, signed.checkpoint().root));
        Ok(signed.note().text.clone())
    }
}

/// Starts a witness with some keys; returns it and its lines of a policy.
async fn witness_with_keys(number: u8, count: u8) -> (Arc<TestWitness>, Vec<String>) {
    let keys = (0..count).map(|key| {
        let name = format!("witness.example/{number}/{key}");
        SignerKey::for_cosignatures(name.parse().unwrap(), &[100 + 10 * number + key; 32])
    });
    let witness = Arc::new(TestWitness {
        keys: keys.collect(),
        stored: Mutex::new(None),
        asked: 0.into(),
        busy: 0.into(),
        shown: Mutex::default(),
        behaviour: Mutex::default(),
        answering: 0.into(),
        most_at_once: 0.into(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route(
            &format!("/{}", monitoring_path(&ORIGIN.parse().unwrap())),
            get(monitoring),
        )
        .with_state(witness.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let lines = witness.keys.iter().map(|key| {
        let vkey = key.verifier_key().unwrap();
        format!("witness {} {vkey} {url}", vkey.name())
    });
    let lines = lines.collect();
    (witness, lines)
}

async fn witness(number: u8) -> (Arc<TestWitness>, String) {
    let (witness, mut lines) = witness_with_keys(number, 1).await;
    (witness, lines.remove(0))
}

/// Starts `count` witnesses; returns them and their lines of a policy.
async fn witnesses(count: u8) -> (Vec<Arc<TestWitness>>, Vec<String>) {
    let (mut witnesses, mut lines) = (Vec::new(), Vec::new());
    for number in 1..=count {
        let (witness, line) = witness(number).await;
        witnesses.push(witness);
        lines.push(line);
    }
    (witnesses, lines)
}

/// A world whose log needs cosignatures of `quorum` of these witnesses.
fn witnessed_by(lines: &[String], quorum: u8) -> World {
    let members: Vec<_> = lines.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    let log = log_key().verifier_key().unwrap();
    let text = format!(
        "log {log}\n{}\ngroup all-of-them {quorum} {}\nquorum all-of-them\n",
        lines.join("\n"),
        members.join(" ")
    );
    World {
        policy: Some(Policy::parse(text.as_bytes()).unwrap()),
        ..World::new()
    }
}

/// Starts a log of four entries and its witness client.
async fn start(world: &World, refresh: Duration) -> (Arc<Shared>, Shutdown) {
    let (shared, _) = world.started(Arc::new(MemoryStore::new())).await;
    let shutdown = Shutdown::new();
    tokio::spawn(client_of(&shared, refresh).run(shutdown.clone()));
    (shared, shutdown)
}

/// A witness client that has not asked any witness yet.
fn client_of(shared: &Shared, refresh: Duration) -> WitnessClient {
    let pace = WitnessIntervals {
        interval: Duration::from_millis(20),
        refresh,
    };
    let (rows, snapshots) = (shared.log.rows().clone(), shared.log.snapshots());
    let client = http::Client::new().unwrap();
    WitnessClient::new(
        shared.publication.clone(),
        rows,
        snapshots,
        client,
        pace,
        SystemClock::shared(),
    )
    .unwrap()
}

async fn published(shared: &Shared, good: impl Fn(&PublishedCheckpoint) -> bool) -> Arc<PublishedCheckpoint> {
    for _ in 0..500 {
        if let Some(published) = shared
            .publication
            .latest(&shared.log.snapshot())
            .filter(|published| good(published))
        {
            return published;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not published");
}

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_checkpoint_is_published_at_quorum_and_later_cosignatures_are_added() {
    let (witnesses, lines) = witnesses(3).await;
    let world = witnessed_by(&lines, 2);
    let (shared, shutdown) = start(&world, LONG).await;
    let policy = world.policy.as_ref().unwrap();
    let first = published(&shared, |published| published.size == 4).await;
    assert!(policy.verify_checkpoint(first.note.as_bytes()).unwrap().quorum());
    published(&shared, |published| {
        policy
            .verify_checkpoint(published.note.as_bytes())
            .unwrap()
            .cosignatures()
            .len()
            == 3
    })
    .await;
    // A grown log needs consistency proofs.
    let mut broker = TimedWriter::new(BROKER);
    for label in 1..20 {
        submit(&shared, vec![raw(&broker.write(intent(label)), label)])
            .await
            .remove(0)
            .unwrap();
    }
    let last = published(&shared, |published| published.size == 23).await;
    // A later cosignature may have been added meanwhile.
    let kept = shared.log.rows().published().unwrap().unwrap();
    assert!(
        last.note.lines().all(|line| kept.lines().any(|kept| kept == line)),
        "a checkpoint is stored before it is shown"
    );
    assert!(
        witnesses
            .iter()
            .any(|witness| witness.stored.lock().unwrap().unwrap().0.get() == 23)
    );
    shutdown.trigger();
}

#[tokio::test]
async fn nothing_is_published_until_enough_witnesses_are_available() {
    let (witnesses, lines) = witnesses(2).await;
    witnesses[1].busy.store(1, Ordering::SeqCst);
    let world = witnessed_by(&lines, 2);
    let (shared, shutdown) = start(&world, LONG).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(shared.publication.latest(&shared.log.snapshot()), None);
    published(&shared, |published| published.size == 4).await;
    shutdown.trigger();
}

#[tokio::test]
async fn wi_4_a_witness_with_another_size_is_asked_again_from_there() {
    let (witness, line) = witness(1).await;
    let world = witnessed_by(&[line], 1);
    let (shared, shutdown) = start(&world, LONG).await;
    published(&shared, |published| published.size == 4).await;
    shutdown.trigger();
    // A new client does not know the witness's last size.
    submit(&shared, vec![raw(&TimedWriter::new(BROKER).write(intent(1)), 1)])
        .await
        .remove(0)
        .unwrap();
    let before = witness.asked.load(Ordering::SeqCst);
    tokio::spawn(client_of(&shared, LONG).run(Shutdown::new()));
    published(&shared, |published| published.size == 5).await;
    assert_eq!(witness.asked.load(Ordering::SeqCst), before + 2);
}

async fn refusal(shared: &Shared) -> String {
    for _ in 0..500 {
        if let Some(reason) = shared.publication.refusal_reason() {
            return reason.to_string();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("entries are accepted");
}

async fn until_accepting(shared: &Shared) {
    for _ in 0..500 {
        if shared.publication.refusal_reason().is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(shared.publication.refusal_reason(), None);
}

#[tokio::test]
async fn a_witness_with_two_keys_gets_one_request_and_both_cosignatures_are_taken() {
    let (witness, lines) = witness_with_keys(1, 2).await;
    let world = witnessed_by(&lines, 2);
    let (shared, shutdown) = start(&world, LONG).await;
    let first = published(&shared, |published| published.size == 4).await;
    let policy = world.policy.as_ref().unwrap();
    let verdict = policy.verify_checkpoint(first.note.as_bytes()).unwrap();
    assert!(verdict.quorum() && verdict.cosignatures().len() == 2);
    assert_eq!(witness.asked.load(Ordering::SeqCst), 1);
    assert_eq!(witness.most_at_once.load(Ordering::SeqCst), 1);
    shutdown.trigger();
}

/// Starts a log whose only witness is always busy, with a quorum that counts as lost after 50 ms.
async fn without_witness(fail: FailMode) -> (Arc<Shared>, Arc<TestWitness>, Shutdown) {
    let (witness, line) = witness(1).await;
    witness.busy.store(u64::MAX, Ordering::SeqCst);
    let world = World {
        on_failure: QuorumLossPolicy {
            fail,
            after: Duration::from_millis(50),
        },
        ..witnessed_by(&[line], 1)
    };
    let (shared, shutdown) = start(&world, LONG).await;
    (shared, witness, shutdown)
}

#[tokio::test]
async fn fail_open_shows_the_head_without_the_quorum() {
    let (shared, witness, shutdown) = without_witness(FailMode::Open).await;
    let shown = published(&shared, |published| published.size == 4).await;
    assert_eq!(shown.note, shared.log.snapshot().note);
    assert_eq!(
        shared.publication.witnessed(&shared.log.snapshot()),
        None,
        "a head without a quorum is not witnessed"
    );
    assert_eq!(shared.publication.refusal_reason(), None);
    assert_eq!(shared.log.rows().checkpoint_from(0).unwrap(), None);
    witness.busy.store(0, Ordering::SeqCst);
    published(&shared, |published| published.note.contains("witness.example/1/0")).await;
    shutdown.trigger();
}

#[tokio::test]
async fn fail_degrade_shows_nothing_new_and_accepts_entries() {
    let (shared, witness, shutdown) = without_witness(FailMode::Degrade).await;
    while witness.asked.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(shared.publication.latest(&shared.log.snapshot()), None);
    assert_eq!(shared.publication.refusal_reason(), None);
    shutdown.trigger();
}

#[tokio::test]
async fn fail_closed_refuses_entries_until_the_quorum_is_back() {
    let (shared, witness, shutdown) = without_witness(FailMode::Closed).await;
    assert!(refusal(&shared).await.contains("quorum is lost"));
    assert_eq!(shared.publication.latest(&shared.log.snapshot()), None);
    witness.busy.store(0, Ordering::SeqCst);
    published(&shared, |published| published.size == 4).await;
    until_accepting(&shared).await;
    shutdown.trigger();
}

#[tokio::test]
async fn published_checkpoints_are_stored_by_size() {
    let (_witness, line) = witness(1).await;
    let world = witnessed_by(&[line], 1);
    let (shared, shutdown) = start(&world, LONG).await;
    let first = published(&shared, |published| published.size == 4).await;
    submit(&shared, vec![raw(&TimedWriter::new(BROKER).write(intent(1)), 1)])
        .await
        .remove(0)
        .unwrap();
    let second = published(&shared, |published| published.size == 5).await;
    let rows = shared.log.rows();
    let kept = |size| rows.checkpoint_from(size).unwrap().map(|(_, note)| note);
    assert_eq!(kept(0).as_ref(), kept(4).as_ref());
    assert_eq!(
        (kept(4), kept(5), kept(6)),
        (Some(first.note.clone()), Some(second.note.clone()), None)
    );
    shutdown.trigger();
}

#[tokio::test]
async fn wi_5_the_head_of_an_idle_log_is_cosigned_again() {
    let (_witness, line) = witness(1).await;
    let world = witnessed_by(&[line], 1);
    let (shared, shutdown) = start(&world, Duration::from_millis(50)).await;
    let policy = world.policy.as_ref().unwrap();
    let time = |published: &PublishedCheckpoint| {
        policy
            .verify_checkpoint(published.note.as_bytes())
            .unwrap()
            .cosignatures()[0]
            .timestamp
    };
    let first = time(&*published(&shared, |_| true).await);
    let later = published(&shared, |published| time(published) > first).await;
    assert_eq!(later.size, 4);
    shutdown.trigger();
}

#[tokio::test]
async fn the_published_checkpoint_survives_a_restart_and_a_foreign_policy_is_refused() {
    let (_witness, line) = witness(1).await;
    let mut world = witnessed_by(&[line], 1);
    let store = Arc::new(MemoryStore::new());
    let (shared, _) = world.started(store.clone()).await;
    let shutdown = Shutdown::new();
    let task = tokio::spawn(client_of(&shared, LONG).run(shutdown.clone()));
    let first = published(&shared, |_| true).await;
    shutdown.trigger();
    task.await.unwrap();
    shared.log.end();
    store.crash();
    let shared = world.start(store.clone());
    assert_eq!(shared.publication.latest(&shared.log.snapshot()), Some(first));
    shared.log.end();
    let other = SignerKey::for_notes(ORIGIN.parse().unwrap(), &[43; 32])
        .verifier_key()
        .unwrap();
    world.policy = Some(Policy::parse(format!("log {other}\nquorum none\n").as_bytes()).unwrap());
    let refused = crate::server::start(world.setup(store)).err().unwrap();
    assert!(refused.to_string().contains("`log` line"), "{refused}");
}

/// In a database, an old copy can be restored or promoted without the ledger's knowledge.
#[tokio::test]
async fn a_log_that_must_be_confirmed_accepts_no_entries_until_a_quorum_has_cosigned_it() {
    let (witnesses, lines) = witnesses(2).await;
    witnesses[1].busy.store(u64::MAX, Ordering::SeqCst);
    let (shared, _) = witnessed_by(&lines, 2).started(Arc::new(MemoryStore::new())).await;
    shared.publication.require_confirmation();
    let mut client = client_of(&shared, LONG);
    client.check_at_start().await.unwrap();
    let shutdown = Shutdown::new();
    tokio::spawn(client.run(shutdown.clone()));
    while witnesses[1].asked.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(refusal(&shared).await.contains("no quorum of witnesses has cosigned"));
    assert!(matches!(
        crate::http::sequencer_health(&shared),
        Err(service::Impairment::Behind(_))
    ));
    witnesses[1].busy.store(0, Ordering::SeqCst);
    published(&shared, |published| published.size == 4).await;
    until_accepting(&shared).await;
    shutdown.trigger();
}
