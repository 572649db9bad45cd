//! Answers that are available later.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use ledger_client::LiveTrust;
use messages::AnswerContent;
use messages::limits::MAX_LATER_SECONDS;
use messages::xnachweis::{Availability, EvidenceResponse0102};
use trust::{Section, TrustKind};

use super::*;
use crate::config::Role;
use crate::fixture::{TestLedger, TestLog, TrustChange, World, end, id};

const HOUR: u64 = 3600;

/// A register that says after how many seconds it is to be asked again, and at 0 answers. It counts the questions, and
/// those that may wait.
#[derive(Default)]
struct Preparing {
    seconds: AtomicU32,
    questions: AtomicU32,
    may_wait: AtomicU32,
}

impl Preparing {
    fn answer(&self, query: &serde_json::Value) -> Response {
        self.questions.fetch_add(1, Ordering::SeqCst);
        self.may_wait
            .fetch_add(u32::from(query["may_wait"] == true), Ordering::SeqCst);
        match self.seconds.load(Ordering::SeqCst) {
            0 => axum::Json(serde_json::json!({ "title": "Fahrzeug", "issued_at": "2027-01-15", "fields": {} }))
                .into_response(),
            seconds => (StatusCode::ACCEPTED, [(RETRY_AFTER, seconds.to_string())]).into_response(),
        }
    }

    fn questions(&self) -> u32 {
        self.questions.load(Ordering::SeqCst)
    }
}

/// A connector with its state, in front of a register that takes time.
pub(super) struct Running {
    state: tempfile::TempDir,
    url: String,
    register: Arc<Preparing>,
    clock: Arc<ManualClock>,
    live: LiveTrust,
    provider: Option<Provider>,
}

impl Running {
    pub(super) async fn new(world: &World, seconds: u32) -> Self {
        let register = Arc::new(Preparing::default());
        register.seconds.store(seconds, Ordering::SeqCst);
        let preparing = register.clone();
        let routes = axum::Router::new().route(
            "/evidence",
            post(async move |axum::Json(query): axum::Json<serde_json::Value>| preparing.answer(&query)),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(service::listen::serve(listener, routes, Shutdown::new()));
        let clock = ManualClock::new(NOW.0 + 1);
        let running = Self {
            state: tempfile::tempdir().unwrap(),
            url,
            register,
            live: LiveTrust::fixed(world.history.clone(), clock.clone()),
            clock,
            provider: None,
        };
        Credential::create(&running.state.path().join("credential")).unwrap();
        running
    }

    /// Starts the connector again. The heads that it relied on are forgotten: the fixture's ledger has no tiles, so
    /// they are never settled, and the connector would stop after a minute.
    fn restart(&mut self, world: &World) {
        self.provider = None;
        let _ = std::fs::remove_file(self.state.path().join("checkpoints.redb"));
        let role = ProviderConfig {
            register: String::new(),
            register_credential: std::path::PathBuf::new(),
            register_seconds: 5,
            scanner: None,
            collects_from: None,
        };
        let file = state::open_file(self.state.path()).unwrap();
        self.provider = Some(Provider {
            common: world.common(
                &id("kba"),
                Role::Provider(role),
                TestLedger::new(TestLog::founded(world)),
                self.live.clone(),
                self.clock.clone(),
                self.state.path(),
            ),
            register: connect(&self.url, &self.state.path().join("credential")),
            served: ServedIntents::open(&file).unwrap(),
            logins: UsedLogins::open(&file).unwrap(),
            callers: Callers::default(),
            collecting: Collecting::default(),
        });
    }

    /// How often the register was asked.
    pub(super) fn questions(&self) -> u32 {
        self.register.questions()
    }

    fn provider(&self) -> &Provider {
        self.provider.as_ref().unwrap()
    }

    /// Restarts the connector and sends the forward, `after` seconds after the intent.
    async fn forward(&mut self, prepared: &Prepared, after: u64) -> ForwardAnswer {
        self.clock.set(NOW.0 + after);
        self.live.replace(self.live.history());
        self.restart(&prepared.world);
        let context = self.provider().common.confirmed().unwrap();
        let answer = self.provider().forward(context, prepared.forward.clone()).await;
        answer.unwrap()
    }

    async fn deferred(&mut self, prepared: &Prepared, after: u64) -> Deferral {
        match self.forward(prepared, after).await {
            ForwardAnswer::Deferral(deferral) => deferral,
            ForwardAnswer::Reply(reply) => panic!("answered: {:?}", reply.statement),
        }
    }

    pub(super) async fn replied(&mut self, prepared: &Prepared, after: u64) -> Reply {
        match self.forward(prepared, after).await {
            ForwardAnswer::Reply(reply) => reply,
            ForwardAnswer::Deferral(deferral) => panic!("deferred: {:?}", deferral.statement),
        }
    }

    async fn outcome(&self, notice: &OutcomeNotice) -> Result<StatusCode, Problem> {
        let context = self.provider().common.context.known();
        self.provider().outcome(context, notice).await
    }
}

fn asynchronous() -> Plan {
    Plan {
        asynchronous: true,
        ..Plan::default()
    }
}

#[tokio::test]
async fn a_register_that_needs_time_is_asked_again_at_the_time_that_was_signed() {
    let prepared = asynchronous().build();
    let world = &prepared.world;
    let mut running = Running::new(world, 7200).await;
    let deferral = running.deferred(&prepared, 1).await;
    deferral.verify(&world.provider.public()).unwrap();
    let (statement, available) = (&deferral.statement, NOW.after(7201));
    assert_eq!(
        (statement.message, statement.intent, statement.available),
        (prepared.forward.metadata.message, prepared.intent.get(), available)
    );
    // The consumer reads the same time.
    let key = &prepared.pending.answer_key;
    let answer = AnswerContent::open(&deferral.sealed_answer, key, statement.message).unwrap();
    let response = EvidenceResponse0102::parse(&answer.xml).unwrap();
    assert_eq!(response.availability, Availability::From(available));

    // Before that time the register is not asked.
    let again = running.deferred(&prepared, 7200).await;
    assert_eq!(
        (again.statement.available, running.register.questions()),
        (available, 1)
    );
    let later = running.deferred(&prepared, 7201).await;
    assert_eq!(later.statement.available, NOW.after(2 * 7200 + 1));
    running.register.seconds.store(0, Ordering::SeqCst);
    let reply = running.replied(&prepared, 20 * 24 * HOUR).await;
    assert_eq!(reply.statement.outcome, ReplyOutcome::Delivered);
    reply.verify(&world.provider.public()).unwrap();
    assert_eq!(running.replied(&prepared, 21 * 24 * HOUR).await, reply);
    assert_eq!(running.register.questions(), 3);
    assert_eq!(running.register.may_wait.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_register_that_takes_time_for_what_is_needed_at_once_has_failed() {
    let prepared = Plan::default().build();
    let mut running = Running::new(&prepared.world, 60).await;
    let statement = running.replied(&prepared, 1).await.statement;
    assert_eq!(statement.failure, Some(FailureReason::RegisterUnavailable));
    assert_eq!(running.register.may_wait.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_is_deferred_to_the_last_hour_of_thirty_days_and_no_further() {
    let prepared = asynchronous().build();
    let mut running = Running::new(&prepared.world, u32::MAX).await;
    let latest = MAX_LATER_SECONDS - HOUR;
    let deferral = running.deferred(&prepared, 1).await;
    assert_eq!(deferral.statement.available, NOW.after(latest));
    let statement = running.replied(&prepared, latest).await.statement;
    assert_eq!(statement.failure, Some(FailureReason::RegisterUnavailable));
    // After the thirty days the register is not asked.
    let prepared = asynchronous().build();
    let mut running = Running::new(&prepared.world, 60).await;
    running.deferred(&prepared, 1).await;
    let statement = running.replied(&prepared, MAX_LATER_SECONDS + 1).await.statement;
    assert_eq!(
        (statement.outcome, running.register.questions()),
        (ReplyOutcome::TimedOut, 1)
    );
}

/// A repeated forward is judged by the time of the first one, but nothing is released without a permission.
#[tokio::test]
async fn a_permission_that_has_ended_meanwhile_refuses_the_answer() {
    let mut prepared = asynchronous().build();
    let mut running = Running::new(&prepared.world, 60).await;
    running.deferred(&prepared, 1).await;
    running.register.seconds.store(0, Ordering::SeqCst);
    let ended = TrustChange {
        kind: TrustKind::Directory,
        time: NOW.after(2),
        operations: end(Section::Component, "stadt-a"),
    };
    let mut log = prepared.log.clone();
    prepared.world.change(&mut log, &ended);
    running.live.replace(prepared.world.history.clone());
    let statement = running.replied(&prepared, 3600).await.statement;
    assert_eq!(
        (statement.refusal, running.register.questions()),
        (Some(CheckName::P7), 1)
    );
}

#[tokio::test]
async fn a_deferred_exchange_is_closed_by_an_outcome_without_an_answer_alone() {
    for outcome in [Outcome::TimedOut, Outcome::NothingFound, Outcome::Delivered] {
        let mut prepared = asynchronous().build();
        let mut running = Running::new(&prepared.world, 60).await;
        running.deferred(&prepared, 1).await;
        let notice = prepared.close(None, outcome).notice;
        let closed = running.outcome(&notice).await;
        if outcome != Outcome::TimedOut {
            assert_eq!(closed.unwrap_err().slug, "outcome-differs", "{outcome:?}");
            continue;
        }
        assert_eq!(closed, Ok(StatusCode::NO_CONTENT));
        assert_eq!(running.outcome(&notice).await, Ok(StatusCode::NO_CONTENT));
        // Nothing is released after the outcome.
        let statement = running.replied(&prepared, 61).await.statement;
        assert_eq!(
            (statement.refusal, running.register.questions()),
            (Some(CheckName::P9), 1)
        );
    }
}
