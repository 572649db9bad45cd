//! A provider's connector whose directory changes while it runs, or is not confirmed.

use ledger_client::LiveTrust;
use record::SigningKey;
use service::Impairment;
use trust::{ComponentState, History, Operation, Section, TrustKind, Value};

use super::*;
use crate::config::Role;
use crate::fixture::{TestLedger, TestLog, TrustChange, World, broker_grant, component, end, id, put};

const DIRECTORY: TrustKind = TrustKind::Directory;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// The connector of the fixture's provider, one second after the intent.
struct Running {
    _state: tempfile::TempDir,
    register: RegisterFixture,
    clock: Arc<ManualClock>,
    ledger: Arc<TestLedger>,
    provider: Provider,
}

impl Running {
    /// A connector that knows this history and follows no ledger.
    async fn fixed(world: &World) -> Self {
        let clock = ManualClock::new(NOW.0 + 1);
        let live = LiveTrust::fixed(world.history.clone(), clock.clone());
        let ledger = TestLedger::new(TestLog::founded(world));
        Self::new(world, clock, ledger, live).await
    }

    /// A connector that follows a ledger with the first entries alone.
    async fn following(world: &World) -> Self {
        let clock = ManualClock::new(NOW.0 + 1);
        let ledger = TestLedger::new(TestLog::founded(world));
        let live = ledger.follow(world, clock.clone()).await;
        Self::new(world, clock, ledger, live).await
    }

    async fn new(world: &World, clock: Arc<ManualClock>, ledger: Arc<TestLedger>, live: LiveTrust) -> Self {
        let state = tempfile::tempdir().unwrap();
        let register = register().await;
        let role = ProviderConfig {
            register: String::new(),
            register_credential: std::path::PathBuf::new(),
            register_seconds: 5,
            scanner: None,
            collects_from: None,
        };
        let file = crate::state::open_file(state.path()).unwrap();
        let provider = Provider {
            common: world.common(
                &id("kba"),
                Role::Provider(role),
                ledger.clone(),
                live,
                clock.clone(),
                state.path(),
            ),
            register: register.register.clone(),
            served: ServedIntents::open(&file).unwrap(),
            logins: UsedLogins::open(&file).unwrap(),
            callers: Callers::default(),
            collecting: Collecting::default(),
        };
        Self {
            _state: state,
            register,
            clock,
            ledger,
            provider,
        }
    }

    async fn forward(&self, forward: &Forward) -> Result<Reply, Problem> {
        let context = self.provider.common.confirmed()?;
        self.provider.forward(context, forward.clone()).await.map(reply)
    }

    fn live(&self) -> &LiveTrust {
        &self.provider.common.context.live
    }
}

fn reply(answer: ForwardAnswer) -> Reply {
    match answer {
        ForwardAnswer::Reply(reply) => reply,
        ForwardAnswer::Deferral(_) => panic!("deferred"),
    }
}

fn slug(answer: &Result<Reply, Problem>) -> (u16, &str) {
    let problem = answer.as_ref().unwrap_err();
    (problem.status, &problem.slug)
}

fn change(operations: Vec<Operation>) -> TrustChange {
    TrustChange {
        kind: DIRECTORY,
        time: NOW,
        operations,
    }
}

/// The history after one more change.
fn changed(operations: Vec<Operation>) -> Arc<History> {
    let mut world = World::new();
    world.change(&mut TestLog::founded(&World::new()), &change(operations));
    world.history
}

#[tokio::test]
async fn while_the_directory_is_not_confirmed_nothing_is_served() {
    let prepared = Plan::default().build();
    let running = Running::fixed(&prepared.world).await;
    running.clock.advance(61);
    let answer = running.forward(&prepared.forward).await;
    assert_eq!(slug(&answer), (503, "directory-unconfirmed"));
    assert!(answer.unwrap_err().retryable());
    assert!(matches!(running.provider.common().health(), Err(Impairment::Behind(_))));
    assert_eq!(running.register.questions(), 0);
    running.live().replace(running.live().history());
    assert_eq!(running.provider.common().health(), Ok(()));
}

fn suspended(component: Value) -> Vec<Operation> {
    let Value::Component(mut component) = component else {
        panic!("no component")
    };
    component.state = ComponentState::Suspended;
    put(&Value::Component(component))
}

#[tokio::test]
async fn a_connector_that_the_directory_does_not_list_serves_nothing_new() {
    let sealing = World::new().provider_sealing;
    let with = |signing: &SigningKey, sealing, consumer| put(&component("kba", signing, sealing, consumer));
    for (what, operations) in [
        ("removed", end(Section::Component, "kba")),
        ("another signing key", with(&key(31), &sealing, false)),
        (
            "another sealing key",
            with(&key(3), &messages::SealingKey::from_seed([31; 32]), false),
        ),
        ("another role", with(&key(3), &sealing, true)),
        ("suspended", suspended(component("kba", &key(3), &sealing, false))),
    ] {
        let prepared = Plan::default().build();
        let running = Running::fixed(&prepared.world).await;
        assert_eq!(running.provider.common().health(), Ok(()));
        running.live().replace(changed(operations));
        assert_eq!(
            slug(&running.forward(&prepared.forward).await),
            (503, "not-listed"),
            "{what}"
        );
        assert!(
            matches!(running.provider.common().health(), Err(Impairment::Halted(_))),
            "{what}"
        );
        assert_eq!(running.register.questions(), 0);
        // Listed again, it serves without a restart.
        running.live().replace(prepared.world.history.clone());
        let reply = running.forward(&prepared.forward).await.unwrap();
        assert_eq!(reply.statement.outcome, ReplyOutcome::Delivered);
        // What it has answered, it answers again: the broker may have lost it.
        running.live().replace(changed(end(Section::Component, "kba")));
        assert_eq!(running.forward(&prepared.forward).await.unwrap(), reply);
        assert_eq!(running.register.questions(), 1);
    }
}

/// An exchange whose broker has a key that the connector does not know yet.
fn by_a_new_writer() -> Prepared {
    let plan = Plan {
        changes: vec![change(put(&Value::Writer(broker_grant(&key(33)))))],
        writer: Some(key(33)),
        ..Plan::default()
    };
    plan.build()
}

/// The log with a `map` entry that names the newest change sets.
fn published(prepared: &Prepared) -> TestLog {
    let mut log = prepared.log.clone();
    log.append_map(&prepared.world.ledger, NOW);
    log
}

#[tokio::test]
async fn a_writer_that_is_not_known_yet_is_looked_up_before_a_forward_is_refused() {
    let prepared = by_a_new_writer();
    let running = Running::following(&World::new()).await;
    let old = running.provider.common.confirmed().unwrap();
    assert_eq!(slug(&running.forward(&prepared.forward).await), (403, "not-authentic"));
    running.ledger.show(published(&prepared));
    let answer = running.provider.forward(old, prepared.forward.clone()).await.map(reply);
    assert_eq!(answer.unwrap().statement.outcome, ReplyOutcome::Delivered);
}

/// The forward passes P1 to P3 by the known history, but its record names a version that is not known yet.
#[tokio::test]
async fn a_version_that_is_not_known_yet_is_looked_up_before_a_forward_is_refused() {
    let rule = put(&Value::Permission(crate::fixture::rule().into()));
    let prepared = Plan {
        changes: vec![TrustChange {
            kind: TrustKind::Registerlandkarte,
            time: NOW,
            operations: rule,
        }],
        ..Plan::default()
    }
    .build();
    let running = Running::following(&World::new()).await;
    let old = running.provider.common.confirmed().unwrap();
    running.ledger.show(published(&prepared));
    let answer = running.provider.forward(old, prepared.forward.clone()).await.map(reply);
    assert_eq!(answer.unwrap().statement.outcome, ReplyOutcome::Delivered);
}

#[tokio::test]
async fn a_writer_that_is_not_known_yet_is_looked_up_before_an_outcome_raises_an_alarm() {
    let mut prepared = by_a_new_writer();
    let running = Running::following(&World::new()).await;
    let old = running.provider.common.context.known();
    let notice = prepared.close(None, Outcome::TimedOut).notice;
    running.ledger.show(published(&prepared));
    let answer = running.provider.outcome(old, &notice).await;
    assert_eq!(answer.unwrap_err().slug, "not-found", "no alarm: there was no answer");
}

#[tokio::test]
async fn a_request_waits_for_a_newer_history_once() {
    let mut prepared = by_a_new_writer();
    let running = Running::following(&World::new()).await;
    let context = &running.provider.common.context;
    let old = context.known();
    running.ledger.show(published(&prepared));
    let newer = context.newer(&old, prepared.intent).await.unwrap();
    assert!(prepared.check(&newer, 1).is_ok());
    // Not again, even if there is a still newer one for a later entry.
    let mut later = published(&prepared);
    prepared
        .world
        .change(&mut later, &change(end(Section::Component, "stadt-b")));
    later.append_map(&prepared.world.ledger, NOW);
    let last = later.map.unwrap();
    running.ledger.show(later);
    assert!(context.newer(&newer, last).await.is_none());
    context.newer(&context.known(), last).await.unwrap();
    // A history that covers the entry, or that nothing follows, is as good as it gets.
    let known = context.known();
    assert!(context.live.covers(prepared.intent));
    assert!(context.newer(&known, prepared.intent).await.is_none());
    let fixed = Running::fixed(&World::new()).await;
    let context = &fixed.provider.common.context;
    assert!(context.newer(&context.known(), prepared.intent).await.is_none());
}
