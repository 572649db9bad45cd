//! A broker with all that it needs: a log in memory, and an identity and a provider that answer over HTTP. The broker
//! runs in a runtime of its own, so that a test can end it at any moment and start it again on the same files.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use store::StoreConfig;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use fixtures::grant;
use ledger_client::api::{ApiError, ApiFuture, AppendAnswer, LedgerApi, Submission, WriterHead};
use ledger_client::writer::{Writer, WriterConfig};
use ledger_client::{LiveTrust, Trust};
use messages::{
    Completion, Deferral, Deferred, ExchangeAnswer, Forward, LabelRequest, OutcomeKeyAnswer, OutcomeKeyRequest,
    OutcomeNotice, Withdrawal,
};
use record::receipt::Receipt;
use record::{Body, Kind, LabelledKind, SignedEntry, WriterId};
use service::clock::{Clock as _, ManualClock};
use service::http::Client;
use service::secret::Credential;
use service::{Problem, Shutdown};
use tlog::checkpoint::Checkpoint;
use tlog::merkle::{MemoryTree, inclusion_proof};
use tlog::tile::{Bundle, Tile};
use tokio::runtime::Runtime;

use super::*;
use crate::broker::Broker;
use crate::ceilings::Begun;
use crate::circuit::Circuits;
use crate::connectors::Connectors;
use crate::outstanding::Outstanding;
use crate::queues::Notices;
use crate::schedule::Schedule;
use crate::{flow, notices, start};

const ORIGIN: &str = "log.example";
/// As many bytes as identity's part for a provider has.
const FOR_PROVIDER: usize = messages::limits::MAX_PROVIDER_PART;

fn log_key() -> SignerKey {
    SignerKey::for_notes(ORIGIN.parse().unwrap(), &[13; 32])
}

/// A ledger that appends to a log in memory.
pub(crate) struct MemoryLedger {
    log: Mutex<Log>,
    /// After how many requests the answer to one is lost.
    lost_after: Mutex<Option<usize>>,
}

struct Log {
    tree: MemoryTree,
    entries: Vec<SignedEntry>,
    heads: HashMap<WriterId, WriterHead>,
    labels: HashMap<Label, usize>,
}

impl Log {
    fn push(&mut self, entry: SignedEntry) -> usize {
        let index = self.tree.append(entry.leaf_hash()).unwrap();
        let head = WriterHead {
            sequence: entry.entry().sequence,
            leaf_hash: entry.leaf_hash(),
            index,
        };
        self.heads.insert(entry.entry().writer, head);
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// Takes the same bytes again, and a label once.
    fn take(&mut self, submission: &Submission) -> AppendAnswer {
        let entry = SignedEntry::parse(submission.leaf.clone()).unwrap();
        let Body::Labelled { label, .. } = entry.entry().body else {
            panic!("the broker writes labelled entries alone")
        };
        let at = self.labels.get(&label).copied();
        match at {
            Some(at) if self.entries[at].bytes() != submission.leaf => AppendAnswer::Refused {
                problem: Box::new(Problem::conflict("label-used", "")),
                receipt: Some(self.receipt(at)),
            },
            at => {
                let at = at.unwrap_or_else(|| self.push(entry));
                self.labels.insert(label, at);
                AppendAnswer::Recorded {
                    index: at as u64,
                    receipt: self.receipt(at),
                }
            }
        }
    }

    fn receipt(&mut self, at: usize) -> Vec<u8> {
        let (index, size) = (Index::new(at as u64).unwrap(), self.tree.size());
        let hashes = inclusion_proof(&mut self.tree, index, size).unwrap();
        let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), size, self.tree.root());
        let checkpoint = checkpoint.sign(&[&log_key()]).unwrap().to_string();
        Receipt::new(self.entries[at].clone(), index, hashes, checkpoint).to_bytes()
    }
}

fn missing<T: Send + 'static>() -> ApiFuture<'static, T> {
    Box::pin(async { Err(ApiError::Refused(Box::new(Problem::not_found("")))) })
}

impl LedgerApi for MemoryLedger {
    fn checkpoint(&self) -> ApiFuture<'_, Vec<u8>> {
        missing()
    }
    fn head(&self) -> ApiFuture<'_, Vec<u8>> {
        missing()
    }
    fn tile(&self, _: Tile) -> ApiFuture<'_, Vec<u8>> {
        missing()
    }
    fn entries_bundle(&self, _: Bundle) -> ApiFuture<'_, Vec<u8>> {
        missing()
    }
    fn receipt(&self, index: Index, _: bool) -> ApiFuture<'_, Vec<u8>> {
        let receipt = self.log.lock().unwrap().receipt(usize::try_from(index.get()).unwrap());
        Box::pin(async { Ok(receipt) })
    }
    fn newest_map(&self) -> ApiFuture<'_, Vec<u8>> {
        missing()
    }
    fn sets(&self, _: Index) -> ApiFuture<'_, Vec<u8>> {
        missing()
    }
    fn record<'a>(&'a self, _: Index, _: &'a Credential) -> ApiFuture<'a, Option<Vec<u8>>> {
        missing()
    }
    fn document<'a>(&'a self, _: &'a Hash) -> ApiFuture<'a, Vec<u8>> {
        missing()
    }
    fn writer_head<'a>(&'a self, writer: &'a WriterId) -> ApiFuture<'a, Option<WriterHead>> {
        let head = self.log.lock().unwrap().heads.get(writer).copied();
        Box::pin(async move { Ok(head) })
    }
    fn append(&self, submissions: Vec<Submission>) -> ApiFuture<'_, Vec<AppendAnswer>> {
        let mut log = self.log.lock().unwrap();
        let answers = submissions.iter().map(|submission| log.take(submission)).collect();
        let mut lost_after = self.lost_after.lock().unwrap();
        let left = lost_after.take();
        if left == Some(0) {
            return Box::pin(std::future::pending());
        }
        *lost_after = left.map(|left| left - 1);
        Box::pin(async { Ok(answers) })
    }
}

/// What the provider does at one forward of an exchange. After its last step it replies that nothing was found.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// It defers the answer by so many seconds.
    Later(u64),
    /// It gives no answer.
    Silent,
}

/// The provider: what it does next for each message, and what it has seen.
#[derive(Default)]
pub(crate) struct Provider {
    steps: Mutex<HashMap<Uuid, Vec<Step>>>,
    /// How often each message was forwarded.
    pub(crate) forwards: Mutex<HashMap<Uuid, usize>>,
    /// The outcomes that it was told, by the index of the intent.
    pub(crate) outcomes: Mutex<HashMap<u64, u64>>,
}

fn index_in(receipt: &[u8]) -> u64 {
    Receipt::parse(receipt).unwrap().index().get()
}

async fn forward(
    State((provider, clock)): State<(Arc<Provider>, Arc<ManualClock>)>,
    body: Bytes,
) -> (StatusCode, Vec<u8>) {
    let forward: Forward = record::cbor::from_slice(&body).unwrap();
    let (message, intent) = (forward.metadata.message, index_in(&forward.intent_receipt));
    *provider.forwards.lock().unwrap().entry(message).or_default() += 1;
    let step = provider.steps.lock().unwrap().get_mut(&message).and_then(Vec::pop);
    let sealed = vec![1; 16 << 10];
    match step {
        Some(Step::Silent) => (StatusCode::BAD_GATEWAY, Vec::new()),
        Some(Step::Later(seconds)) => {
            let available = Timestamp(clock.now()).after(seconds);
            let deferral = Deferral::sign(&key(8), (message, intent), available, sealed);
            (StatusCode::ACCEPTED, record::cbor::to_vec(&deferral))
        }
        None => {
            let reply = Reply::sign(&key(8), (message, intent), AnswerResult::NothingFound, sealed);
            (StatusCode::OK, record::cbor::to_vec(&reply))
        }
    }
}

async fn outcome(State((provider, _)): State<(Arc<Provider>, Arc<ManualClock>)>, body: Bytes) -> StatusCode {
    let notice: OutcomeNotice = record::cbor::from_slice(&body).unwrap();
    let (intent, outcome) = (index_in(&notice.intent_receipt), index_in(&notice.outcome_receipt));
    let before = provider.outcomes.lock().unwrap().insert(intent, outcome);
    assert!(
        before.is_none_or(|before| before == outcome),
        "one outcome of an intent"
    );
    StatusCode::NO_CONTENT
}

/// Identity, whose labels follow from the digest of S1.
async fn labels(State(clock): State<Arc<ManualClock>>, body: Bytes) -> Vec<u8> {
    let request: LabelRequest = record::cbor::from_slice(&body).unwrap();
    let class = request.retention;
    record::cbor::to_vec(&LabelAnswer {
        period: Period(1),
        intent: Label(request.s1.digest().0),
        intent_key: RecordKey([1; 32]),
        outcome_key: RecordKey([2; 32]),
        class,
        expiry: class.expiry(Timestamp(clock.now())),
        token: vec![1; 64],
        for_provider: vec![2; FOR_PROVIDER],
    })
}

async fn outcome_key(State(clock): State<Arc<ManualClock>>, body: Bytes) -> Vec<u8> {
    let request: OutcomeKeyRequest = record::cbor::from_slice(&body).unwrap();
    record::cbor::to_vec(&OutcomeKeyAnswer {
        key: RecordKey([3; 32]),
        class: request.class,
        expiry: request.class.expiry(Timestamp(clock.now())),
    })
}

async fn serve(routes: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// All but the broker.
pub(crate) struct World {
    directory: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) provider: Arc<Provider>,
    pub(crate) ledger: Arc<MemoryLedger>,
    history: Arc<History>,
    trust: Arc<Trust>,
    config: Config,
    /// The request that all others are made from.
    request: ExchangeRequest,
}

impl World {
    pub(crate) async fn new() -> Self {
        let log = log_key();
        let founders = Founders {
            origin: ORIGIN,
            log: &log,
            operator: &key(12),
            authority: &key(10),
            identity: &key(9),
        };
        let kinds = [Kind::Intent, Kind::Outcome, Kind::Preview, Kind::Denial];
        let values = FirstValues {
            writers: vec![grant("broker", &key(20), &kinds)],
            ..values()
        };
        let founding = founders.found_with(values, Timestamp(0)).unwrap();
        let mut first = Log {
            tree: MemoryTree::new(),
            entries: Vec::new(),
            heads: HashMap::new(),
            labels: HashMap::new(),
        };
        for (entry, _) in founding.entries(NOW).unwrap().0 {
            first.push(entry);
        }
        let policy = format!("log {}\nquorum none\n", log.verifier_key().unwrap());
        let trust = Trust {
            policy: policy.parse().unwrap(),
            genesis: first.entries[0].leaf_hash(),
        };
        let (clock, provider) = (ManualClock::new(NOW.0), Arc::new(Provider::default()));
        let routes = Router::new()
            .route("/forward", post(forward))
            .route("/outcome", post(outcome))
            .with_state((provider.clone(), clock.clone()));
        let register = serve(routes).await;
        let routes = Router::new()
            .route("/labels", post(labels))
            .route("/labels/outcome-key", post(outcome_key))
            .with_state(clock.clone());
        let identity = serve(routes).await;
        let config = format!(
            r#"{{ "data": "", "ledger": "", "identity": "{identity}", "policy": "", "genesis": "",
            "routes": {{ "register": "{register}" }}, "writer_key": "",
            "ledger_writing": "", "tls": {{ "issuer": "", "authorities": "" }} }}"#
        );
        Self {
            directory: tempfile::tempdir().unwrap(),
            clock,
            provider,
            ledger: Arc::new(MemoryLedger {
                log: Mutex::new(first),
                lost_after: Mutex::default(),
            }),
            history: founding.history,
            trust: Arc::new(trust),
            config: serde_json::from_str(&config).unwrap(),
            request: request(metadata("vehicle")),
        }
    }

    /// Request number `number` of an exchange that need not be synchronous, whose forwards the provider answers so.
    pub(crate) fn request(&self, number: u128, steps: &[Step]) -> ExchangeRequest {
        let message = Uuid::from_u128(number << 8 | 2);
        let steps = steps.iter().rev().copied().collect();
        self.provider.steps.lock().unwrap().insert(message, steps);
        let now = Timestamp(self.clock.now());
        let mut request = self.request.clone();
        request.metadata = Metadata {
            exchange: Uuid::from_u128(number << 8 | 1),
            message,
            synchronous: false,
            deadline: now.after(30),
            ..request.metadata
        };
        let (city, person) = (SigningKey::from_seed(SEED), request.s1.sealed_person.clone());
        request.s1 = S1::sign(&city, id(CITY), id(REGISTER), message, now, person);
        let statement = S2Statement::new(
            &request.metadata,
            request.answer_key,
            &request.sealed_request,
            &request.s1,
        );
        request.s2 = statement.sign(&city);
        request
    }

    /// The same request by a representative, who has a label of their own.
    pub(crate) fn represented(&self, mut request: ExchangeRequest) -> ExchangeRequest {
        let (city, message) = (
            SigningKey::from_seed(SEED),
            Uuid::from_u128(request.metadata.message.as_u128() | 4),
        );
        let (now, person) = (Timestamp(self.clock.now()), request.s1.sealed_person.clone());
        request.metadata.representation = Some(record::Power::Parent);
        let representative = S1::sign(&city, id(CITY), id(REGISTER), message, now, person);
        let statement = S2Statement::new(
            &request.metadata,
            request.answer_key,
            &request.sealed_request,
            &request.s1,
        );
        request.s2 = statement.with_representative(Some(&representative)).sign(&city);
        request.representative = Some(representative);
        request
    }

    /// The ledger takes the entries of the request that follows so many others, and its answer is lost.
    pub(crate) fn lose_answer_after(&self, requests: usize) {
        *self.ledger.lost_after.lock().unwrap() = Some(requests);
    }

    /// Whether the answer has been lost.
    pub(crate) fn has_lost_answer(&self) -> bool {
        self.ledger.lost_after.lock().unwrap().is_none()
    }

    /// The consumer's withdrawal of a request.
    pub(crate) fn withdrawal(request: &ExchangeRequest) -> Withdrawal {
        Withdrawal::sign(&SigningKey::from_seed(SEED), request.metadata.exchange)
    }

    /// How many intents the log has, and how many outcomes. No intent has two.
    pub(crate) fn recorded(&self) -> (usize, usize) {
        let log = self.ledger.log.lock().unwrap();
        let (mut intents, mut outcomes) = (0, std::collections::HashSet::new());
        for entry in &log.entries {
            match entry.entry().body {
                Body::Labelled {
                    kind: LabelledKind::Intent,
                    ..
                } => intents += 1,
                Body::Labelled {
                    kind: LabelledKind::Outcome,
                    refers,
                    ..
                } => assert!(outcomes.insert(refers.unwrap()), "an intent has two outcomes"),
                _ => {}
            }
        }
        (intents, outcomes.len())
    }

    /// The bytes of the journal's file.
    pub(crate) fn journal_bytes(&self) -> u64 {
        let file = self.directory.path().join("state.redb");
        std::fs::metadata(file).unwrap().len()
    }

    /// Opens the journal while no broker runs.
    pub(crate) async fn journal(&self) -> Journal {
        self.when_free(|| Journal::open(&StoreConfig::Redb, self.directory.path()).ok())
            .await
    }

    /// The files of a broker that was ended are free when its last thread has ended.
    async fn when_free<T>(&self, open: impl Fn() -> Option<T>) -> T {
        for _ in 0..1000 {
            if let Some(opened) = open() {
                return opened;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the files are not free")
    }

    /// Starts the broker.
    pub(crate) async fn start(&self) -> Running {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let live = LiveTrust::fixed(self.history.clone(), self.clock.clone());
        let shutdown = Shutdown::new();
        let open = || {
            let _inside = runtime.enter();
            let config = WriterConfig {
                api: self.ledger.clone(),
                trust: self.trust.clone(),
                live: live.clone(),
                key: key(20),
                state_dir: self.directory.path().into(),
                clock: self.clock.clone(),
            };
            let journal = Journal::open(&StoreConfig::Redb, self.directory.path()).ok()?;
            Some((journal, Writer::start(config, shutdown.clone()).ok()?))
        };
        let (journal, writer) = self.when_free(open).await;
        let client = Client::new().unwrap();
        let (notices, queues) = Notices::new();
        let places = |limit| Outstanding::new(limit);
        let transport = Arc::new(crate::transport::Transport::Plain(client.clone()));
        let broker = Arc::new(Broker {
            config: self.config.clone(),
            clock: self.clock.clone(),
            live: live.clone(),
            trust: self.trust.clone(),
            writer,
            identity: client.clone(),
            connectors: Connectors::new(transport.clone(), key(20)),
            transport,
            journal,
            in_progress: Mutex::default(),
            providers: places(MAX_ORDINARY),
            consumers: places(MAX_ORDINARY),
            waiting_providers: places(MAX_WAITING),
            waiting_consumers: places(MAX_WAITING),
            schedule: Schedule::default(),
            previews: places(MAX_WAITING),
            begun: Begun::default(),
            circuits: Circuits::default(),
            notices,
        });
        let (started, ending) = (broker.clone(), shutdown.clone());
        let start = runtime.spawn(async move {
            let left_open = start::restore(&started).await.unwrap();
            tokio::spawn(flow::resume(started.clone(), left_open));
            notices::deliver(&started, queues, &ending);
            tokio::spawn(flow::deferred::ask_again(started, ending));
        });
        start.await.unwrap();
        Running {
            runtime: Some(runtime),
            clock: self.clock.clone(),
            live,
            broker,
        }
    }
}

/// The places of a participant for exchanges that do not wait.
pub(crate) const MAX_ORDINARY: usize = 64;
/// Those for exchanges that do.
pub(crate) const MAX_WAITING: usize = 10_000;

async fn acknowledge(broker: &Broker, exchange: Uuid) {
    let Some(JournalEntry::Closed(closed)) = broker.journal.get(exchange).await.unwrap() else {
        panic!("not closed")
    };
    let settled = notices::settle(broker, &closed, |closed| closed.acknowledged = true).await;
    settled.unwrap();
}

/// A broker that runs.
pub(crate) struct Running {
    runtime: Option<Runtime>,
    clock: Arc<ManualClock>,
    live: LiveTrust,
    pub(crate) broker: Arc<Broker>,
}

impl Drop for Running {
    /// Ends the broker at once, wherever its tasks are.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Running {
    /// Runs in the broker's runtime, so that it ends with the broker.
    async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        self.runtime.as_ref().unwrap().spawn(work).await.unwrap()
    }

    /// Sends a request.
    pub(crate) async fn exchange(&self, request: &ExchangeRequest) -> Result<ExchangeAnswer, Problem> {
        self.live.replace(self.live.history());
        let (broker, request) = (self.broker.clone(), request.clone());
        self.run(async move { flow::exchange(&broker, request).await }).await
    }

    /// Sends requests at the same time, and acknowledges the completions. Returns which ones wait.
    pub(crate) async fn ask_for_all(&self, requests: &[ExchangeRequest]) -> Vec<bool> {
        self.live.replace(self.live.history());
        let ask = |request: &ExchangeRequest| {
            let (broker, request) = (self.broker.clone(), request.clone());
            self.runtime.as_ref().unwrap().spawn(async move {
                let exchange = request.metadata.exchange;
                match flow::exchange(&broker, request).await.unwrap() {
                    ExchangeAnswer::Deferred(_) => true,
                    ExchangeAnswer::Completed(_) => {
                        acknowledge(&broker, exchange).await;
                        false
                    }
                }
            })
        };
        let asked: Vec<_> = requests.iter().map(ask).collect();
        let mut waiting = Vec::new();
        for answer in asked {
            waiting.push(answer.await.unwrap());
        }
        waiting
    }

    pub(crate) async fn deferred(&self, request: &ExchangeRequest) -> Deferred {
        match self.exchange(request).await {
            Ok(ExchangeAnswer::Deferred(deferred)) => *deferred,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn completed(&self, request: &ExchangeRequest) -> Completion {
        match self.exchange(request).await {
            Ok(ExchangeAnswer::Completed(completion)) => *completion,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn withdraw(&self, withdrawal: &Withdrawal) -> Result<Completion, Problem> {
        self.live.replace(self.live.history());
        let (broker, withdrawal) = (self.broker.clone(), withdrawal.clone());
        self.run(async move { flow::deferred::withdraw(&broker, withdrawal, None).await })
            .await
    }

    /// The consumer has stored the completion.
    pub(crate) async fn acknowledge(&self, request: &ExchangeRequest) {
        let (broker, exchange) = (self.broker.clone(), request.metadata.exchange);
        self.run(async move { acknowledge(&broker, exchange).await }).await;
    }

    /// Lets time pass, and waits until the broker has done what was due then.
    pub(crate) async fn advance(&self, seconds: u64) {
        self.clock.advance(seconds);
        self.live.replace(self.live.history());
        self.settle().await;
    }

    /// Waits until the broker has done what is due.
    pub(crate) async fn settle(&self) {
        let now = Timestamp(self.clock.now());
        self.broker.schedule.wake();
        self.until(async || self.broker.schedule.is_idle(now) && self.broker.in_progress.lock().unwrap().is_empty())
            .await;
    }

    /// Waits until the journal has no row.
    pub(crate) async fn until_empty(&self) {
        let journal = &self.broker.journal;
        self.until(async || journal.page(None).await.unwrap().is_empty() && journal.due().await.unwrap().is_empty())
            .await;
    }

    async fn until(&self, done: impl AsyncFn() -> bool) {
        for _ in 0..60_000 {
            if done().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nothing moves: {:?}", self.broker.schedule)
    }

    /// Whether every place was given back.
    pub(crate) fn has_all_places(&self) -> bool {
        let (city, register) = (id(CITY), id(REGISTER));
        let has = |outstanding: &Outstanding, participant, limit| {
            let places: Vec<_> = std::iter::from_fn(|| outstanding.take(participant)).collect();
            places.len() == limit
        };
        let broker = &self.broker;
        has(&broker.consumers, &city, MAX_ORDINARY)
            && has(&broker.providers, &register, MAX_ORDINARY)
            && has(&broker.waiting_consumers, &city, MAX_WAITING)
            && has(&broker.waiting_providers, &register, MAX_WAITING)
    }
}
