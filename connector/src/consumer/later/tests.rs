//! Asynchronous exchanges with a broker whose answers the test sets, over restarts of the connector.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledger_client::LiveTrust;
use messages::xnachweis::Availability;
use messages::{AnswerContent, Completion, Deferral, Deferred, EvidenceForm, Withdrawal};
use record::{Outcome, Timestamp};
use service::{ManualClock, Problem, Shutdown};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::table::{ANSWER_RETENTION, LaterTable};
use crate::consumer::Consumer;
use crate::consumer::callback::Callback;
use crate::consumer::checks::{self, tests as answers};
use crate::consumer::idempotency::key::{HEADER, KeyedRequest};
use crate::consumer::idempotency::{ExchangeKey, KEY_RETENTION};
use crate::consumer::interface::EvidenceService as _;
use crate::consumer::query::{EvidenceQuery, EvidenceResult, ResultState};
use crate::consumer::request::PendingRequest;
use crate::consumer::tests::connector_at;
use crate::fixture::{FAMILY_NAME, IDNR, NOW, Plan, Prepared, TestLedger, query};

const BODY: &[u8] = b"{}";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn asked() -> EvidenceQuery {
    EvidenceQuery {
        form: Default::default(),
        asynchronous: true,
        ..query()
    }
}

fn keyed(letter: &str, body: &[u8]) -> KeyedRequest {
    let mut headers = HeaderMap::new();
    headers.insert(HEADER, format!("\"{}\"", letter.repeat(36)).parse().unwrap());
    KeyedRequest::read(&headers, body).unwrap().unwrap()
}

/// What the broker answers, in order, and what it was asked.
#[derive(Default)]
struct Script {
    answers: VecDeque<Response>,
    asked: Vec<&'static str>,
}

#[derive(Clone, Default)]
struct Broker(Arc<Mutex<Script>>);

impl Broker {
    fn answers(&self, answer: Response) {
        self.0.lock().unwrap().answers.push_back(answer);
    }

    fn answer(&self, what: &'static str) -> Response {
        let mut script = self.0.lock().unwrap();
        script.asked.push(what);
        script.answers.pop_front().expect("the broker has nothing to say")
    }

    /// What it was asked since the last call.
    fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    async fn serve(&self) -> String {
        async fn exchange(State(broker): State<Broker>) -> Response {
            broker.answer("exchange")
        }
        async fn withdrawal(State(broker): State<Broker>, Path(exchange): Path<Uuid>, body: Bytes) -> Response {
            let withdrawal: Withdrawal = record::cbor::from_slice(&body).unwrap();
            assert_eq!(withdrawal.exchange, exchange);
            broker.answer("withdrawal")
        }
        async fn acknowledgement(State(broker): State<Broker>) -> Response {
            broker.0.lock().unwrap().asked.push("acknowledgement");
            StatusCode::NO_CONTENT.into_response()
        }
        let routes = Router::new()
            .route("/exchanges", post(exchange))
            .route("/exchanges/{exchange}/withdrawal", post(withdrawal))
            .route("/exchanges/{exchange}/acknowledgement", post(acknowledgement))
            .with_state(self.clone());
        serve(routes).await
    }
}

async fn serve(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(service::listen::serve(listener, routes, Shutdown::new()));
    url
}

/// An exchange whose request is with the broker, and the connector that has sent it.
struct Stage {
    prepared: Prepared,
    ledger: Arc<TestLedger>,
    broker: Broker,
    url: String,
    state: tempfile::TempDir,
    consumer: Arc<Consumer>,
}

impl Stage {
    async fn sent() -> Self {
        let plan = Plan {
            query: asked(),
            asynchronous: true,
            ..Plan::default()
        };
        let prepared = plan.build();
        let (broker, ledger) = (Broker::default(), TestLedger::new(prepared.log.clone()));
        let (url, state) = (broker.serve().await, tempfile::tempdir().unwrap());
        let consumer = Arc::new(connector(&prepared, &ledger, &url, state.path()).await);
        let stage = Self {
            prepared,
            ledger,
            broker,
            url,
            state,
            consumer,
        };
        stage.consumer.begin_later(&stage.pending()).await.unwrap();
        stage
    }

    /// An exchange that waits for 100 seconds.
    async fn waiting() -> Self {
        let stage = Self::sent().await;
        stage.broker.answers(stage.deferred(100));
        let result = stage.consumer.close(&stage.pending(), None).await.unwrap();
        assert_eq!((result.outcome, result.retry_after), (ResultState::Pending, Some(115)));
        assert_eq!(result.available_at, Some(NOW.after(100).to_string()));
        assert_eq!(stage.broker.asked(), ["exchange"]);
        stage
    }

    /// The request with its key, as its caller has it.
    fn pending(&self) -> PendingRequest {
        let pending = &self.prepared.pending;
        let keyed = keyed("k", BODY);
        let message = pending.xnachweis.as_ref().unwrap().to_xml().unwrap();
        PendingRequest {
            request: pending.request.clone(),
            answer_key: pending.answer_key.clone(),
            xnachweis: pending.xnachweis.clone(),
            key: ExchangeKey::new(&keyed, self.exchange(), &message),
        }
    }

    fn exchange(&self) -> Uuid {
        self.prepared.pending.exchange()
    }

    /// The broker's answer that the provider can answer so many seconds after now.
    fn deferred(&self, seconds: u64) -> Response {
        let deferred = deferred(&self.prepared, NOW.after(seconds), NOW.after(seconds));
        (StatusCode::ACCEPTED, record::cbor::to_vec(&deferred)).into_response()
    }

    /// The broker's answer that the provider has delivered.
    fn delivered(&mut self) -> Response {
        let reply = answers::delivery(&self.prepared);
        completed(&self.prepared.close(Some(reply), Outcome::Delivered))
    }

    async fn restart(&mut self) {
        let alone = Arc::get_mut(&mut self.consumer).is_some();
        assert!(alone, "the connector is at work");
        let other = tempfile::tempdir().unwrap();
        let idle = connector(&self.prepared, &self.ledger, &self.url, other.path()).await;
        drop(std::mem::replace(&mut self.consumer, Arc::new(idle)));
        let consumer = connector(&self.prepared, &self.ledger, &self.url, self.state.path()).await;
        self.consumer = Arc::new(consumer);
    }

    /// Does what is due so many seconds after now.
    async fn round(&self, seconds: u64) {
        self.consumer.round(NOW.after(seconds)).await;
    }

    /// Sends the request again.
    async fn again(&self, letter: &str, body: &[u8]) -> Result<EvidenceResult, Problem> {
        self.consumer.once(&asked(), TRACE.into(), &keyed(letter, body)).await
    }

    async fn outcome(&self) -> ResultState {
        self.consumer.state(self.exchange()).await.unwrap().outcome
    }

    fn file(&self) -> Vec<u8> {
        std::fs::read(self.state.path().join(crate::state::FILE)).unwrap()
    }
}

async fn connector(prepared: &Prepared, ledger: &Arc<TestLedger>, url: &str, state: &std::path::Path) -> Consumer {
    let clock = ManualClock::new(NOW.0);
    let live = LiveTrust::fixed(prepared.world.history.clone(), clock.clone());
    connector_at(url, (&prepared.world, ledger.clone(), live, clock), state).await
}

fn completed(completion: &Completion) -> Response {
    record::cbor::to_vec(completion).into_response()
}

/// A deferral that is signed for one time, and has another one inside.
fn deferred(prepared: &Prepared, signed: Timestamp, inside: Timestamp) -> Deferred {
    let request = &prepared.pending.request;
    let mut response = answers::response(prepared.pending.xnachweis.as_ref().unwrap());
    response.availability = Availability::From(inside);
    let answer = AnswerContent {
        salt: [6; 32],
        xml: response.to_xml().unwrap(),
    };
    let message = request.metadata.message;
    let sealed = answer.seal(&request.answer_key, message, EvidenceForm::Json).unwrap();
    Deferred {
        intent_receipt: prepared.log.receipt(prepared.intent),
        deferral: Deferral::sign(
            &prepared.world.provider,
            (message, prepared.intent.get()),
            signed,
            sealed,
        ),
    }
}

#[tokio::test]
async fn an_answer_that_comes_later_is_kept_and_opens_with_its_key_alone() {
    let mut stage = Stage::waiting().await;
    assert_eq!(stage.outcome().await, ResultState::Pending);
    assert_eq!(stage.again("k", BODY).await.unwrap().outcome, ResultState::Pending);
    stage.restart().await;
    stage.round(100).await;
    assert!(stage.broker.asked().is_empty(), "it is not due");
    stage
        .broker
        .answers(Problem::unavailable("under-way", 1, "").into_response());
    stage.round(111).await;
    assert_eq!(stage.outcome().await, ResultState::Pending);
    let delivered = stage.delivered();
    stage.broker.answers(delivered);
    stage.round(117).await;
    assert_eq!(stage.broker.asked(), ["exchange", "exchange"]);
    let state = stage.consumer.state(stage.exchange()).await.unwrap();
    assert_eq!(
        (state.outcome, state.evidence.is_none()),
        (ResultState::Available, true)
    );
    stage.round(118).await;
    assert_eq!(stage.broker.asked(), ["acknowledgement"]);
    stage.restart().await;
    let (file, seed) = (stage.file(), *stage.prepared.pending.answer_key.seed());
    let text = String::from_utf8_lossy(&file);
    assert!(!text.contains(IDNR) && !text.contains(FAMILY_NAME) && !text.contains("WVWZZZ"));
    assert!(!file.windows(8).any(|bytes| seed.starts_with(bytes)));
    assert_eq!(stage.again("k", b"{ }").await.unwrap_err().status, 422);
    let answer = stage.again("k", BODY).await.unwrap();
    assert_eq!(
        (answer.outcome, answer.outcome_entry),
        (ResultState::Delivered, state.outcome_entry)
    );
    assert!(answer.evidence.unwrap().fields.len() == 1);
    assert_eq!(stage.consumer.state(stage.exchange()).await.unwrap_err().status, 404);
    assert_eq!(stage.again("k", BODY).await.unwrap().outcome, ResultState::Delivered);
    assert!(stage.broker.asked().is_empty() && stage.consumer.later.due(NOW.after(1 << 40)).is_empty());
}

#[tokio::test]
async fn what_is_withdrawn_is_never_opened_whatever_the_broker_answers() {
    for (delivered, restarted) in [(false, false), (true, true)] {
        let mut stage = Stage::waiting().await;
        stage
            .broker
            .answers(Problem::unavailable("under-way", 1, "").into_response());
        let withdrawing = stage.consumer.withdraw(stage.exchange()).await.unwrap();
        assert_eq!(withdrawing.outcome, ResultState::Withdrawing);
        if restarted {
            stage.restart().await;
        }
        assert_eq!(stage.again("k", BODY).await.unwrap().outcome, ResultState::Withdrawing);
        let answer = if delivered {
            stage.delivered()
        } else {
            completed(&stage.prepared.close(None, Outcome::TimedOut))
        };
        stage.broker.answers(answer);
        stage.round(10).await;
        assert_eq!(stage.broker.asked(), ["withdrawal", "withdrawal", "acknowledgement"]);
        let ended = stage.again("k", BODY).await.unwrap();
        assert_eq!(
            (ended.outcome, ended.evidence.is_none()),
            (ResultState::Withdrawn, true)
        );
        assert!(ended.outcome_entry.is_some());
        let again = stage.consumer.withdraw(stage.exchange()).await.unwrap();
        assert_eq!(
            (again.outcome, again.outcome_entry),
            (ended.outcome, ended.outcome_entry)
        );
        stage.round(KEY_RETENTION + 1).await;
        assert_eq!(stage.consumer.withdraw(stage.exchange()).await.unwrap_err().status, 404);
        assert!(stage.broker.asked().is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_is_here_can_be_withdrawn_and_ends_when_no_caller_collects_it() {
    for withdrawn in [true, false] {
        let mut stage = Stage::waiting().await;
        let delivered = stage.delivered();
        stage.broker.answers(delivered);
        stage.round(111).await;
        let too_early = stage.consumer.withdraw(stage.exchange()).await;
        assert_eq!(too_early.unwrap_err().slug, "under-way", "it is not acknowledged");
        stage.round(112).await;
        if withdrawn {
            let ended = stage.consumer.withdraw(stage.exchange()).await.unwrap();
            assert_eq!(
                (ended.outcome, ended.outcome_entry.is_some()),
                (ResultState::Withdrawn, true)
            );
        } else {
            stage.round(ANSWER_RETENTION).await;
            assert_eq!(stage.outcome().await, ResultState::Available);
            stage.round(ANSWER_RETENTION + 1).await;
            assert_eq!(stage.again("k", BODY).await.unwrap_err().slug, "closed");
        }
        assert_eq!(stage.broker.asked(), ["exchange", "acknowledgement"]);
    }
}

#[tokio::test]
async fn a_request_whose_caller_has_gone_is_asked_for_after_its_deadline() {
    let deadline = 31;
    let stage = Stage::sent().await;
    assert_eq!(stage.consumer.state(stage.exchange()).await.unwrap_err().status, 404);
    stage.round(deadline - 1).await;
    assert!(stage.broker.asked().is_empty());
    stage.broker.answers(stage.deferred(100));
    stage.round(deadline).await;
    assert_eq!(stage.outcome().await, ResultState::Pending);
    for (slug, answered) in [("deadline-passed", false), ("not-permitted", true)] {
        let stage = Stage::sent().await;
        stage.broker.answers(Problem::forbidden(slug, "").into_response());
        stage.round(deadline).await;
        let key = keyed("k", BODY);
        assert!(stage.consumer.later.with_key(key.id).is_none());
        assert_eq!(
            stage.consumer.answers.has(&key.id, stage.exchange()),
            answered,
            "{slug}"
        );
    }
}

#[tokio::test]
async fn the_broker_is_left_alone_while_it_is_not_reached_and_after_it_has_lost_an_exchange() {
    let mut stage = Stage::waiting().await;
    stage.url = "http://127.0.0.1:9".into();
    stage.restart().await;
    stage.round(111).await;
    stage.round(112).await;
    assert_eq!(stage.outcome().await, ResultState::Pending);
    stage.url = stage.broker.serve().await;
    stage.restart().await;
    stage.broker.answers(Problem::bad_request("clock", "").into_response());
    stage.round(111).await;
    assert_eq!(stage.again("k", BODY).await.unwrap_err().slug, "closed");
    assert_eq!(stage.broker.asked(), ["exchange"]);
}

#[tokio::test]
async fn the_authority_is_called_with_a_signature_until_it_has_taken_the_call() {
    type Calls = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;
    async fn taken(State(calls): State<Calls>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let mut calls = calls.lock().unwrap();
        calls.push((headers, body));
        if calls.len() == 1 {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::NO_CONTENT
        }
    }
    let mut stage = Stage::waiting().await;
    let calls = Calls::default();
    let url = serve(Router::new().route("/here", post(taken)).with_state(calls.clone())).await;
    let http = stage.consumer.common.http.clone();
    Arc::get_mut(&mut stage.consumer).unwrap().callback = Some(Callback::new(&format!("{url}/here"), &http));
    let delivered = stage.delivered();
    stage.broker.answers(delivered);
    for seconds in [111, 112, 113, 173, 240] {
        stage.round(seconds).await;
    }
    let calls = calls.lock().unwrap();
    assert_eq!(calls.len(), 2, "the second one was taken");
    for (headers, body) in calls.iter() {
        let value = headers["authorization"].to_str().unwrap();
        let signature = value.strip_prefix("Einsicht-Callback ").unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap();
        let key = stage.prepared.world.consumer.public();
        key.verify_context("einsicht/callback/v1", body, &signature).unwrap();
        let call: serde_json::Value = serde_json::from_slice(body).unwrap();
        assert_eq!(call["exchange"], stage.exchange().to_string());
        assert_eq!(call["outcome"], "available");
    }
}

#[tokio::test]
async fn a_deferral_that_proves_nothing_is_refused() {
    let stage = Stage::sent().await;
    let context = stage.prepared.world.context("stadt-a");
    let (prepared, pending) = (&stage.prepared, &stage.prepared.pending);
    let check = |deferred: &Deferred| checks::later::check(&context, &pending.request, deferred);
    let sound = deferred(prepared, NOW.after(60), NOW.after(60));
    let accepted = check(&sound).unwrap();
    let xnachweis = pending.xnachweis.as_ref().unwrap();
    accepted.open(&pending.answer_key, xnachweis).unwrap();
    let two_times = check(&deferred(prepared, NOW.after(60), NOW.after(61))).unwrap();
    assert_eq!(
        two_times.open(&pending.answer_key, xnachweis).unwrap_err().check,
        "answer"
    );
    let late = NOW.after(31 * 86_400);
    assert_eq!(check(&deferred(prepared, late, late)).unwrap_err().check, "C3");
    let sign = |key, about| Deferral::sign(key, about, NOW.after(60), sound.deferral.sealed_answer.clone());
    let (message, intent) = (pending.request.metadata.message, prepared.intent.get());
    let (provider, consumer) = (&prepared.world.provider, &prepared.world.consumer);
    for deferral in [
        sign(consumer, (message, intent)),
        sign(provider, (Uuid::nil(), intent)),
        sign(provider, (message, intent + 1)),
    ] {
        let wrong = Deferred {
            deferral,
            ..sound.clone()
        };
        assert_eq!(check(&wrong).unwrap_err().check, "C3");
    }
    let receipt = prepared.log.receipt_of_other(prepared.intent);
    let other_log = Deferred {
        intent_receipt: receipt,
        ..sound.clone()
    };
    assert_eq!(check(&other_log).unwrap_err().check, "C1");
    let synchronous = Plan::default().build();
    let refused = checks::later::check(&context, &synchronous.pending.request, &sound);
    assert_eq!(refused.unwrap_err().check, "C1");
    // The exchange stays as it was, and the operator has an alarm.
    let late = deferred(prepared, late, late);
    stage
        .broker
        .answers((StatusCode::ACCEPTED, record::cbor::to_vec(&late)).into_response());
    assert_eq!(
        stage.consumer.close(&stage.pending(), None).await.unwrap_err().slug,
        "refused"
    );
    assert_eq!(stage.consumer.state(stage.exchange()).await.unwrap_err().status, 404);
}

#[tokio::test]
async fn the_number_of_asynchronous_exchanges_is_bounded_and_places_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let file = crate::state::open_file(directory.path()).unwrap();
    let table = LaterTable::open(&file).await.unwrap();
    let mut places: Vec<_> = (0..messages::limits::MAX_LATER)
        .map(|_| table.reserve().unwrap())
        .collect();
    assert_eq!(table.reserve().unwrap_err().slug, "busy");
    places.pop();
    assert!(table.reserve().is_ok());
}
