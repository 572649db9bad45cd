//! A consumer's connector whose directory changes while it runs, or is not confirmed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ledger_client::LiveTrust;
use messages::Completion;
use record::{Outcome, SigningKey};
use service::ManualClock;
use trust::{Section, TrustKind, Value};

use super::*;
use crate::config::Role;
use crate::fixture::{NOW, Plan, Prepared, TestLedger, TestLog, TrustChange, World, broker_grant, end, id, put, query};

/// The connector of the fixture's consumer, which reaches no broker.
async fn connector(
    world: &World,
    ledger: Arc<TestLedger>,
    live: LiveTrust,
    clock: Arc<ManualClock>,
) -> (tempfile::TempDir, Consumer) {
    let state = tempfile::tempdir().unwrap();
    let common = (world, ledger, live, clock);
    let consumer = connector_at("http://127.0.0.1:9", common, state.path()).await;
    (state, consumer)
}

/// The connector of the fixture's consumer, with its broker and its state.
pub(super) async fn connector_at(
    broker: &str,
    (world, ledger, live, clock): (&World, Arc<TestLedger>, LiveTrust, Arc<ManualClock>),
    state: &std::path::Path,
) -> Consumer {
    let role = ConsumerConfig {
        broker: broker.into(),
        credential_digest: None,
        deadline_seconds: 30,
        preview_seconds: 1800,
        callback: None,
    };
    let url = role.broker.clone();
    // Of its own, because the watch of an earlier run has its file open.
    let run = state.join(Uuid::new_v4().to_string());
    service::durable::private_directory(&run).unwrap();
    let common = world.common(&id("stadt-a"), Role::Consumer(role), ledger, live, clock, &run);
    let broker = BrokerClient::new(&url, &common.http, Duration::from_secs(30));
    let file = crate::state::open_file(state).unwrap();
    Consumer {
        journal: Journal::open(&file).unwrap(),
        previews: Previews::open(&file, broker.clone(), 1800).unwrap(),
        answers: KeptAnswers::open(&file).await.unwrap(),
        later: LaterTable::open(&file).await.unwrap(),
        callback: None,
        broker,
        deadline_seconds: 30,
        unresolved: unresolved::unresolved().0,
        common,
    }
}

async fn refused(consumer: &Consumer) -> (u16, String) {
    let query = query();
    let answer = consumer.request(&query, "0".repeat(32), None);
    let answer = tokio::time::timeout(RETRY_FOR * 12, answer).await;
    let problem = answer.expect("it asks the broker").unwrap_err();
    assert!(consumer.journal.pending().await.unwrap().is_empty());
    (problem.status, problem.slug)
}

#[tokio::test]
async fn nothing_is_requested_by_a_directory_that_is_not_confirmed_or_does_not_list_the_connector() {
    let mut world = World::new();
    let mut log = TestLog::founded(&world);
    let clock = ManualClock::new(NOW.0);
    let live = LiveTrust::fixed(world.history.clone(), clock.clone());
    let (_state, consumer) = connector(&world, TestLedger::new(log.clone()), live.clone(), clock.clone()).await;
    clock.advance(61);
    assert_eq!(refused(&consumer).await, (503, "directory-unconfirmed".to_owned()));
    let operations = end(Section::Component, "stadt-a");
    let change = TrustChange {
        kind: TrustKind::Directory,
        time: NOW,
        operations,
    };
    world.change(&mut log, &change);
    live.replace(world.history.clone());
    assert_eq!(refused(&consumer).await, (503, "not-listed".to_owned()));
}

/// An exchange that the broker closes with a key that the connector does not know yet.
fn closed_by_a_new_writer() -> (Prepared, Completion) {
    let key = SigningKey::from_seed([33; 32]);
    let change = TrustChange {
        kind: TrustKind::Directory,
        time: NOW,
        operations: put(&Value::Writer(broker_grant(&key))),
    };
    let plan = Plan {
        changes: vec![change],
        writer: Some(key),
        ..Plan::default()
    };
    let mut prepared = plan.build();
    let completion = prepared.close(None, Outcome::TimedOut);
    (prepared, completion)
}

#[tokio::test]
async fn a_writer_that_is_not_known_yet_is_looked_up_before_a_completion_raises_an_alarm() {
    let (prepared, completion) = closed_by_a_new_writer();
    let world = World::new();
    let clock = ManualClock::new(NOW.0);
    let ledger = TestLedger::new(TestLog::founded(&world));
    let live = ledger.follow(&world, clock.clone()).await;
    let (_state, consumer) = connector(&world, ledger.clone(), live, clock).await;
    let accept = async || consumer.accept(&prepared.pending, &completion, None).await.unwrap_err();
    assert_eq!(accept().await.slug, "refused", "there is no such writer");
    let mut log = prepared.log.clone();
    log.append_map(&prepared.world.ledger, NOW);
    ledger.show(log);
    assert_eq!(
        accept().await.slug,
        "timeout",
        "accepted: the provider did not answer in time"
    );
}
