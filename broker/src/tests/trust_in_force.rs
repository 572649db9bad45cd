//! A broker whose directory and Registerlandkarte change, or are not confirmed, while it runs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::StoreConfig;

use fixtures::sample_log::SampleLog;
use ledger_client::api::{ApiError, ApiFuture, AppendAnswer, LedgerApi, Submission, WriterHead};
use ledger_client::recorded::{self, Intent, Recorded};
use ledger_client::writer::{Writer, WriterConfig};
use ledger_client::{LiveTrust, Trust};
use record::WriterId;
use service::clock::ManualClock;
use service::http::Client;
use service::secret::Credential;
use service::{Impairment, Problem, Shutdown};
use tlog::tile::{Bundle, Tile};
use trust::{Ceilings, ComponentState, Key, Section, Value};

use super::*;
use crate::broker::Broker;
use crate::ceilings::Begun;
use crate::connectors::Connectors;
use crate::flow;
use crate::outstanding::Outstanding;
use crate::queues::Notices;
use crate::schedule::Schedule;

/// A ledger that is not reached, and counts the entries that it is asked to append.
#[derive(Default)]
struct NoLedger(AtomicUsize);

impl NoLedger {
    fn missing<T: Send + 'static>() -> ApiFuture<'static, T> {
        Box::pin(async { Err(ApiError::NotConnected("there is no ledger".into())) })
    }
}

impl LedgerApi for NoLedger {
    fn checkpoint(&self) -> ApiFuture<'_, Vec<u8>> {
        Self::missing()
    }
    fn head(&self) -> ApiFuture<'_, Vec<u8>> {
        Self::missing()
    }
    fn tile(&self, _: Tile) -> ApiFuture<'_, Vec<u8>> {
        Self::missing()
    }
    fn entries_bundle(&self, _: Bundle) -> ApiFuture<'_, Vec<u8>> {
        Self::missing()
    }
    fn receipt(&self, _: Index, _: bool) -> ApiFuture<'_, Vec<u8>> {
        Self::missing()
    }
    fn newest_map(&self) -> ApiFuture<'_, Vec<u8>> {
        Self::missing()
    }
    fn sets(&self, _: Index) -> ApiFuture<'_, Vec<u8>> {
        Self::missing()
    }
    fn record<'a>(&'a self, _: Index, _: &'a Credential) -> ApiFuture<'a, Option<Vec<u8>>> {
        Self::missing()
    }
    fn document<'a>(&'a self, _: &'a Hash) -> ApiFuture<'a, Vec<u8>> {
        Self::missing()
    }
    fn writer_head<'a>(&'a self, _: &'a WriterId) -> ApiFuture<'a, Option<WriterHead>> {
        Box::pin(async { Ok(None) })
    }
    fn append(&self, submissions: Vec<Submission>) -> ApiFuture<'_, Vec<AppendAnswer>> {
        self.0.fetch_add(submissions.len(), Ordering::SeqCst);
        Self::missing()
    }
}

/// A broker that reaches neither ledger, identity nor connectors.
pub(crate) struct Alone {
    _directory: tempfile::TempDir,
    ledger: Arc<NoLedger>,
    clock: Arc<ManualClock>,
    pub(crate) live: LiveTrust,
    pub(crate) broker: Arc<Broker>,
}

impl Alone {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(NOW.0);
        let live = LiveTrust::fixed(founded(values()), clock.clone());
        let ledger = Arc::new(NoLedger::default());
        let config = r#"{ "data": "", "ledger": "", "identity": "http://127.0.0.1:9", "policy": "", "genesis": "",
            "routes": { "register": "http://127.0.0.1:9" }, "writer_key": "",
            "ledger_writing": "", "tls": { "issuer": "", "authorities": "" } }"#;
        let config: Config = serde_json::from_str(config).unwrap();
        let trust = trust_of(&SampleLog::new());
        let writer = WriterConfig {
            api: ledger.clone(),
            trust: trust.clone(),
            live: live.clone(),
            key: key(20),
            state_dir: directory.path().into(),
            clock: clock.clone(),
        };
        let client = Client::new().unwrap();
        let transport = Arc::new(crate::transport::Transport::Plain(client.clone()));
        let broker = Arc::new(Broker {
            identity: client.clone(),
            connectors: Connectors::new(transport.clone(), key(20)),
            transport,
            clock: clock.clone(),
            live: live.clone(),
            writer: Writer::start(writer, Shutdown::new()).unwrap(),
            journal: Journal::open(&StoreConfig::Redb, directory.path()).unwrap(),
            in_progress: Mutex::default(),
            providers: Outstanding::new(8),
            consumers: Outstanding::new(8),
            waiting_providers: Outstanding::new(8),
            waiting_consumers: Outstanding::new(8),
            schedule: Schedule::default(),
            trust,
            previews: Outstanding::new(8),
            begun: Begun::default(),
            circuits: crate::circuit::Circuits::default(),
            notices: Notices::new().0,
            config,
        });
        Self {
            _directory: directory,
            ledger,
            clock,
            live,
            broker,
        }
    }

    /// The problem for a new request of the city. Without any, the broker gets as far as identity.
    async fn problem(&self) -> Problem {
        let metadata = Metadata {
            deadline: NOW.after(100),
            ..metadata("vehicle")
        };
        flow::exchange(&self.broker, request(metadata)).await.unwrap_err()
    }

    async fn has_recorded(&self) -> bool {
        let journalled = self.broker.journal.all().await.unwrap();
        !journalled.is_empty() || self.ledger.0.load(Ordering::SeqCst) > 0
    }
}

const REACHES_IDENTITY: &str = "try-again";

fn trust_of(log: &SampleLog) -> Arc<Trust> {
    Arc::new(Trust {
        policy: log.policy().parse().unwrap(),
        genesis: log.genesis(),
    })
}

/// An intent that is in the log of another test, at index 5.
pub(crate) fn recorded_intent() -> Recorded<Intent> {
    let mut log = SampleLog::new();
    let (intent, _) = log.intent();
    recorded::check(&log.receipt(intent, 2), &trust_of(&log), log.trust()).unwrap()
}

fn end(section: Section, name: &str) -> Operation {
    Operation::end(Key::named(section, name).unwrap())
}

pub(crate) fn end_component(name: &str) -> Operation {
    end(Section::Component, name)
}

/// Puts the register's component with this signing key.
pub(crate) fn register_with_key(seed: u8) -> Operation {
    let component = Component {
        signing_key: key(seed).public(),
        ..participant(REGISTER, 8, false)
    };
    Operation::put(&Value::Component(Box::new(component))).unwrap()
}

#[tokio::test]
async fn a_broker_whose_directory_is_not_confirmed_refuses_and_records_nothing() {
    let alone = Alone::new();
    assert_eq!(alone.problem().await.slug, REACHES_IDENTITY);
    alone.clock.advance(61);
    let problem = alone.problem().await;
    assert_eq!((problem.status, problem.slug.as_str()), (503, "directory-unconfirmed"));
    assert!(problem.retryable() && problem.retry_after.is_some());
    assert!(!alone.has_recorded().await);
    assert!(matches!(alone.broker.health(), Err(Impairment::Behind(_))));
    alone.live.replace(alone.live.history());
    assert_eq!(alone.problem().await.slug, REACHES_IDENTITY);
    assert_eq!(alone.broker.health(), Ok(()));
}

#[tokio::test]
async fn a_component_that_was_removed_is_refused_without_a_restart() {
    for removed in [CITY, REGISTER] {
        let alone = Alone::new();
        assert_eq!(alone.problem().await.slug, REACHES_IDENTITY);
        let history = changed(&alone.live.history(), TrustKind::Directory, end_component(removed), 9);
        alone.live.replace(history);
        let problem = alone.problem().await;
        assert_eq!(
            (problem.status, problem.slug.as_str()),
            (403, "not-permitted"),
            "{removed}"
        );
        assert!(!alone.has_recorded().await);
    }
}

#[test]
fn a_permission_names_the_version_that_decided_and_an_ended_rule_permits_nothing() {
    let first = founded(values());
    let directory = first.state().directory();
    let same = Operation::put(&Value::Permission(rule().into())).unwrap();
    let second = changed(&first, TrustKind::Registerlandkarte, same, 9);
    for history in [&first, &second] {
        let permitted = permit(authenticated("vehicle"), history, NOW).unwrap();
        let version = history.state().registerlandkarte();
        assert_eq!(permitted.permission().registerlandkarte, version.header());
    }
    assert_ne!(
        first.state().registerlandkarte().header(),
        second.state().registerlandkarte().header()
    );
    let ended = changed(
        &second,
        TrustKind::Registerlandkarte,
        end(Section::Permission, "parking@1"),
        10,
    );
    let authentic = authenticate(request(metadata("vehicle")), directory, NOW).unwrap();
    assert!(permit(authentic, &ended, NOW).is_err());
}

#[tokio::test]
async fn a_component_that_has_reached_its_ceiling_waits_for_the_next_minute() {
    let alone = Alone::new();
    let limited = Component {
        ceilings: Some(Ceilings {
            per_minute: 1,
            per_day: 10,
        }),
        ..participant(CITY, SEED[0], true)
    };
    let put = Operation::put(&Value::Component(Box::new(limited))).unwrap();
    alone
        .live
        .replace(changed(&alone.live.history(), TrustKind::Directory, put, 9));
    assert_eq!(alone.problem().await.slug, REACHES_IDENTITY);
    let problem = alone.problem().await;
    assert_eq!(problem.status, 429);
    assert!(problem.retry_after.is_some() && !alone.has_recorded().await);
    alone.clock.advance(60);
    alone.live.replace(alone.live.history());
    assert_eq!(alone.problem().await.slug, REACHES_IDENTITY);
}

#[test]
fn a_suspended_component_is_not_authenticated() {
    for state in [ComponentState::Suspended, ComponentState::Retired] {
        let city = Component {
            state,
            ..participant(CITY, SEED[0], true)
        };
        let put = Operation::put(&Value::Component(Box::new(city))).unwrap();
        let history = changed(&founded(values()), TrustKind::Directory, put, 9);
        let result = authenticate(request(metadata("vehicle")), history.state().directory(), NOW);
        assert!(matches!(result, Err(AuthenticationError::UnknownConsumer)));
    }
}

#[test]
fn a_key_that_was_replaced_signs_no_new_request() {
    let first = founded(values());
    let city = Component {
        signing_key: key(30).public(),
        ..participant(CITY, SEED[0], true)
    };
    let put = Operation::put(&Value::Component(Box::new(city))).unwrap();
    let second = changed(&first, TrustKind::Directory, put, 9);
    let authenticate = |history: &History| authenticate(request(metadata("vehicle")), history.state().directory(), NOW);
    assert!(authenticate(&first).is_ok());
    assert!(matches!(authenticate(&second), Err(AuthenticationError::Message(_))));
}
