//! The table and the interface of enrolments, over restarts. The rules of the steps are tested in `enrolment`.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use enrolment::{
    Application, ApplicationStatement, Confirmation, Countersignature, Dossier, Invitation, LIFETIME, Network, Query,
    Role, Seat, Signed, Withdrawal, Words,
};
use fixtures::{FirstValues, Founders, values};
use ledger_client::LiveTrust;
use record::{SigningKey, Sorted, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use service::http::{CallError, Client};
use service::{ManualClock, Shutdown, listen};
use tlog::Hash;
use tlog::merkle::Index;
use tlog::note::SignerKey;
use tokio::net::TcpListener;
use trust::{Authority, History, Operation, Position, TrustKind, Value};

use super::store::{Enrolments, StepError};

const NOW: u64 = 1_800_000_000;
const GENESIS: Hash = Hash([8; 32]);
const FIRST: u8 = 1;
const SECOND: u8 = 2;
const LINK: u8 = 3;
const CODE: u8 = 4;
const OWN: u8 = 5;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// A directory with two authorities. `then` makes further changes.
fn history(then: Vec<Operation>) -> Arc<History> {
    let log = SignerKey::for_notes("log.example".parse().unwrap(), &[9; 32]);
    let founders = Founders {
        origin: "log.example",
        log: &log,
        operator: &key(10),
        authority: &key(FIRST),
        identity: &key(11),
    };
    let history = founders
        .found_with(FirstValues::default(), Timestamp(NOW))
        .unwrap()
        .history;
    let second = Value::Authority(Authority {
        name: "Registrar 2".parse().unwrap(),
        key: key(SECOND).public(),
        signs: TrustKind::ALL.into(),
    });
    let operations = [vec![Operation::put(&second).unwrap()], then].concat();
    let reason = "Versuch".parse().unwrap();
    let set = history
        .state()
        .propose(TrustKind::Directory, Timestamp(NOW), reason, operations);
    let set = set.unwrap().sign(&[&key(FIRST)]).unwrap();
    let position = Position {
        index: Index::from(3_u32),
        time: Timestamp(NOW),
    };
    Arc::new(history.apply(TrustKind::Directory, position, &set).unwrap())
}

fn invitation(id: &str) -> Signed<Invitation> {
    let statement = Invitation {
        network: Network {
            genesis: GENESIS,
            policy: "log a\n".into(),
            ledger: "https://log.example".into(),
            broker: "https://broker.example".into(),
            authorities: None,
            test: true,
        },
        seat: Seat {
            id: id.parse().unwrap(),
            directory: "DVDV".parse().unwrap(),
            identifier: id.parse().unwrap(),
            name: "Onlinedienst".parse().unwrap(),
            role: Role::Consumer,
            body: values::BODY.parse().unwrap(),
            operator: None,
            serves: Sorted::default(),
            ceilings: None,
        },
        body: None,
        link: key(LINK).public(),
        by: key(FIRST).id(),
        issued: Timestamp(NOW),
    };
    Signed::sign(statement, &key(FIRST))
}

fn countersignature(id: Hash) -> Signed<Countersignature> {
    let statement = Countersignature {
        invitation: id,
        code: key(CODE).public(),
        by: key(SECOND).id(),
    };
    Signed::sign(statement, &key(SECOND))
}

fn application(id: Hash, seed: u8) -> Application {
    let statement = ApplicationStatement {
        invitation: id,
        signing_key: key(seed).public(),
        sealing_key: [seed; 32],
        endpoint: None,
        software: None,
    };
    Application::new(statement, &key(seed), &key(LINK))
}

fn confirmation(invitation: Hash, words: Words) -> Signed<Confirmation> {
    Signed::sign(Confirmation { invitation, words }, &key(CODE))
}

fn query(by: u8, sent: u64) -> Signed<Query> {
    let query = Query {
        genesis: GENESIS,
        by: key(by).id(),
        sent: Timestamp(sent),
        after: None,
    };
    Signed::sign(query, &key(by))
}

/// A running service on a folder, until it is dropped.
struct Service {
    url: String,
    live: LiveTrust,
    clock: Arc<ManualClock>,
    shutdown: Shutdown,
    served: tokio::task::JoinHandle<()>,
}

impl Service {
    async fn start(data: &Path) -> Self {
        let clock = ManualClock::new(NOW);
        let live = LiveTrust::fixed(history(Vec::new()), clock.clone());
        let enrolments = Enrolments::open(data, GENESIS, live.clone(), clock.clone()).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/enrolments", socket.local_addr().unwrap());
        let shutdown = Shutdown::new();
        let (routes, until) = (super::routes(enrolments), shutdown.clone());
        let served = tokio::spawn(async move {
            listen::serve(socket, routes, until).await.unwrap();
        });
        Self {
            url,
            live,
            clock,
            shutdown,
            served,
        }
    }

    /// Ends it, so that another one may open the file.
    async fn stop(self) {
        self.shutdown.trigger();
        self.served.await.unwrap();
    }

    /// The stage after a step, or the slug of the problem.
    async fn step<T: Serialize + DeserializeOwned>(&self, path: &str, signed: &Signed<T>) -> String {
        let client = Client::new().unwrap();
        let answer = client
            .post_cbor(&format!("{}{path}", self.url), signed.to_bytes())
            .await;
        stage(answer)
    }

    async fn shown(&self, id: Hash) -> String {
        stage(Client::new().unwrap().get_bytes(&format!("{}/{id}", self.url)).await)
    }

    async fn list(&self, query: &Signed<Query>) -> Result<Vec<Dossier>, CallError> {
        let url = format!("{}/list", self.url);
        let answer = Client::new().unwrap().post_cbor(&url, query.to_bytes()).await?;
        Ok(record::cbor::from_slice(&answer).unwrap())
    }
}

fn stage(answer: Result<Vec<u8>, CallError>) -> String {
    match answer {
        Ok(bytes) => Dossier::from_bytes(&bytes).unwrap().stage.name().to_owned(),
        Err(error) => error.problem().unwrap().slug.clone(),
    }
}

#[tokio::test]
async fn every_step_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = invitation("neustadt");
    let id = first.statement.id();
    let words = application(id, OWN).words();
    let service = Service::start(folder.path()).await;
    assert_eq!(service.step("", &first).await, "invited");
    service.stop().await;
    let service = Service::start(folder.path()).await;
    assert_eq!(service.step("", &first).await, "invited", "the same once more");
    let path = format!("/{id}/application");
    assert_eq!(service.step(&path, &application(id, OWN)).await, "not-now");
    let path = format!("/{id}/countersignature");
    assert_eq!(service.step(&path, &countersignature(id)).await, "open");
    service.stop().await;
    let service = Service::start(folder.path()).await;
    assert_eq!(service.step(&path, &countersignature(id)).await, "open");
    let path = format!("/{id}/application");
    assert_eq!(service.step(&path, &application(id, OWN)).await, "applied");
    service.stop().await;
    let service = Service::start(folder.path()).await;
    assert_eq!(service.step(&path, &application(id, OWN)).await, "applied");
    assert_eq!(service.step(&path, &application(id, 7)).await, "used");
    let path = format!("/{id}/confirmation");
    let wrong = confirmation(id, application(id, 7).words());
    assert_eq!(service.step(&path, &wrong).await, "words");
    service.stop().await;
    let service = Service::start(folder.path()).await;
    assert_eq!(service.step(&path, &wrong).await, "words", "counted over a restart");
    assert_eq!(service.step(&path, &confirmation(id, words)).await, "confirmed");
    service.stop().await;
    let service = Service::start(folder.path()).await;
    assert_eq!(service.shown(id).await, "confirmed");
    // Only the directory makes it listed.
    let component = values::consumer("neustadt", key(OWN).public(), [OWN; 32]);
    let put = Operation::put(&Value::Component(Box::new(component))).unwrap();
    service.live.replace(history(vec![put]));
    assert_eq!(service.shown(id).await, "listed");
    let withdrawal = Withdrawal {
        invitation: id,
        by: key(FIRST).id(),
    };
    let withdrawal = Signed::sign(withdrawal, &key(FIRST));
    let path = format!("/{id}/withdrawal");
    let late = service.step(&path, &withdrawal).await;
    assert_eq!(late, "not-now", "the directory is changed with its own tool");
    assert_eq!(service.step("", &invitation("neustadt-2")).await, "invited");
    service.stop().await;
}

#[tokio::test]
async fn each_refusal_has_a_problem_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path()).await;
    let (first, second) = (invitation("neustadt"), invitation("altstadt"));
    let (id, other) = (first.statement.id(), second.statement.id());
    for signed in [&first, &second] {
        assert_eq!(service.step("", signed).await, "invited");
    }
    let mut foreign = first.statement.clone();
    foreign.network.genesis = Hash([9; 32]);
    let foreign = Signed::sign(foreign, &key(FIRST));
    assert_eq!(service.step("", &foreign).await, "other-log");
    let mut forged = first.clone();
    forged.signature[0] ^= 1;
    assert_eq!(service.step("", &forged).await, "no-registrar");
    let path = |step: &str| format!("/{id}/{step}");
    let again = Countersignature {
        by: key(FIRST).id(),
        ..countersignature(id).statement
    };
    let again = Signed::sign(again, &key(FIRST));
    assert_eq!(service.step(&path("countersignature"), &again).await, "same-registrar");
    let crossed = service.step(&path("countersignature"), &countersignature(other)).await;
    assert_eq!(crossed, "other-invitation");
    assert_eq!(
        service.step(&path("countersignature"), &countersignature(id)).await,
        "open"
    );
    let content = application(id, OWN).content().clone();
    let foreign_link = Application::new(content.clone(), &key(OWN), &key(20));
    assert_eq!(service.step(&path("application"), &foreign_link).await, "link");
    let foreign_key = Application::new(content, &key(21), &key(LINK));
    assert_eq!(service.step(&path("application"), &foreign_key).await, "key");
    assert_eq!(
        service.step(&path("application"), &application(id, OWN)).await,
        "applied"
    );
    let words = application(id, OWN).words();
    let other_body = Signed::sign(confirmation(id, words).statement, &key(22));
    assert_eq!(service.step(&path("confirmation"), &other_body).await, "code");
    let nobody = format!("/{}/confirmation", Hash([1; 32]));
    assert_eq!(service.step(&nobody, &confirmation(id, words)).await, "not-found");
    let url = format!("{}/{id}/confirmation", service.url);
    let malformed = Client::new().unwrap().post_cbor(&url, vec![0xa0]).await;
    assert_eq!(stage(malformed), "malformed-request");
    // After seven days, neither counts any more.
    service.clock.advance(LIFETIME + 1);
    service.live.replace(service.live.history());
    assert_eq!(
        service.step(&path("confirmation"), &confirmation(id, words)).await,
        "ended"
    );
    assert_eq!(service.shown(other).await, "ended");
    service.stop().await;
}

#[tokio::test]
async fn only_registrars_see_all_enrolments() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path()).await;
    for id in ["neustadt", "altstadt"] {
        service.step("", &invitation(id)).await;
    }
    let found = service.list(&query(SECOND, NOW)).await.unwrap();
    assert_eq!(found.len(), 2);
    let first = found[0].invited().id();
    let mut next = query(SECOND, NOW).statement;
    next.after = Some(first);
    let rest = service.list(&Signed::sign(next, &key(SECOND))).await.unwrap();
    assert_eq!(rest, found[1..]);
    for (query, slug) in [
        (query(OWN, NOW), "no-registrar"),
        (query(SECOND, NOW - 61), "clock"),
        (query(SECOND, NOW + 61), "clock"),
    ] {
        let error = service.list(&query).await.unwrap_err();
        assert_eq!(error.problem().unwrap().slug, slug);
    }
    service.stop().await;
}

#[tokio::test]
async fn a_full_table_gives_up_only_what_has_ended_long_ago() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new(NOW);
    let live = LiveTrust::fixed(history(Vec::new()), clock.clone());
    let mut enrolments = Enrolments::open(folder.path(), GENESIS, live.clone(), clock.clone()).unwrap();
    Arc::get_mut(&mut enrolments).unwrap().capacity = 2;
    let reissued = |id: &str, issued: u64| {
        let mut statement = invitation(id).statement;
        statement.issued = Timestamp(issued);
        Signed::sign(statement, &key(FIRST))
    };
    for id in ["neustadt", "altstadt"] {
        enrolments.begin(invitation(id)).await.unwrap();
    }
    for later in [0, LIFETIME + 1] {
        clock.advance(later);
        live.replace(live.history());
        let full = enrolments.begin(reissued("weststadt", NOW + later)).await;
        assert!(matches!(full, Err(StepError::Full)), "{full:?}");
    }
    clock.advance(30 * 86_400);
    live.replace(live.history());
    let third = reissued("weststadt", NOW + LIFETIME + 30 * 86_400);
    enrolments.begin(third.clone()).await.unwrap();
    let old = enrolments.get(invitation("neustadt").statement.id()).await;
    assert!(matches!(old, Err(StepError::Unknown)));
    assert!(enrolments.get(third.statement.id()).await.is_ok());
}
