//! Tests of the client with the real ledger, over HTTP.
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::common::broker;
use crate::common::entries::begin_at;
use crate::common::log::{FakeLog, identity, operator};
use ledger_client::checkpoints::WatchConfig;
use ledger_client::recorded::{Intent, Period as PeriodEntry, Void};
use ledger_client::{
    Anchored, AppendError, CheckpointWatch, Draft, Follower, HttpLedger, LedgerApi, LiveTrust, Trust, Writer,
    WriterConfig,
};
use record::{
    Body, CitizenPart, DayKey, Header, Label, LabelledKind, ParticipantId, Parts, Period, RetentionClass, SealedRecord,
    SharedPart, SigningKey, Timestamp, VoidRecord,
};
use service::clock::{Clock, SystemClock};
use service::secret::Credential;
use service::shutdown::Shutdown;
use tlog::Hash;
use tlog::merkle::verify_inclusion;

const CREDENTIAL: [u8; 32] = [42; 32];

struct Bench {
    dir: tempfile::TempDir,
    log: FakeLog,
    trust: Arc<Trust>,
}

impl Bench {
    /// Creates keys, genesis and policy as a set-up does.
    fn new() -> Self {
        let log = FakeLog::to_begin_at(Timestamp(SystemClock.now()));
        let policy = format!("log {}\nquorum none\n", log.trust.policy.logs()[0].key);
        let trust = Trust {
            policy: policy.parse().unwrap(),
            genesis: log.bootstrap.genesis_hash(),
        };
        let dir = tempfile::tempdir().unwrap();
        let secret = |name: &str, text: String| {
            service::durable::create_private(&dir.path().join(name), text.as_bytes()).unwrap();
        };
        secret("log.key", log.log_key_text());
        secret("writer.seed", hex::encode([13; 32]));
        Self {
            dir,
            log,
            trust: Arc::new(trust),
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    async fn start_ledger(&self, shutdown: Shutdown) -> (Arc<HttpLedger>, tokio::task::JoinHandle<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let config = format!(
            r#"{{"data": "ledger", "origin": "log.example", "log_keys": [{{"file": "log.key"}}], "writer_key": "writer.seed",
                "genesis": "{}", "records_credentials": ["{}"], "map_after_ms": 100}}"#,
            self.trust.genesis,
            hex::encode(Credential::from_bytes(CREDENTIAL).digest().0),
        );
        std::fs::write(self.path().join("ledger.json"), config).unwrap();
        let config: ledger::Config = service::config::load(&self.path().join("ledger.json")).unwrap();
        let config = config.resolved(self.path());
        let serving = tokio::spawn(async move {
            ledger::run(config, listener.into(), shutdown, SystemClock::shared())
                .await
                .unwrap()
        });
        (Arc::new(HttpLedger::new(&url).unwrap()), serving)
    }

    fn writer(&self, api: &Arc<HttpLedger>, anchored: &Anchored, key: SigningKey, name: &str) -> Writer {
        let config = WriterConfig {
            api: api.clone(),
            trust: self.trust.clone(),
            live: LiveTrust::fixed(anchored.history.clone(), SystemClock::shared()),
            key,
            state_dir: self.path().join(name),
            clock: SystemClock::shared(),
        };
        Writer::start(config, Shutdown::new()).unwrap()
    }
}

fn sealed(kind: LabelledKind, number: u64) -> (Body, SealedRecord) {
    let label = Label(crate::common::hash("label", number).0);
    let class = RetentionClass::IdnrG2y;
    let header = Header::labelled(class, class.expiry(Timestamp(SystemClock.now())));
    let parts = Parts {
        shared: SharedPart::Void(VoidRecord {
            consumer: ParticipantId::new("de.city").unwrap(),
            s1_digest: Hash([3; 32]),
        }),
        citizen: CitizenPart { internal_reason: None },
        supervision: vec![],
    };
    let key = DayKey([8; 32]).record_key(&label);
    let record = SealedRecord::seal(&header, Some(&label), &key, &parts).unwrap();
    let body = Body::Labelled {
        kind,
        period: Period(1),
        label,
        commitment: record.commitment(),
        refers: None,
    };
    (body, record)
}

async fn append_intent(writer: &Writer, number: u64) -> ledger_client::Recorded<Intent> {
    let (body, record) = sealed(LabelledKind::Intent, number);
    writer.append(Draft::now(body), Some(record), None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_works_from_genesis_through_a_restart() {
    let bench = Bench::new();
    let shutdown = Shutdown::new();
    let (api, serving) = bench.start_ledger(shutdown.clone()).await;
    let shared: Arc<dyn LedgerApi> = api.clone();
    while bench.log.bootstrap.append(api.as_ref(), &bench.trust).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.log.bootstrap.append(api.as_ref(), &bench.trust).await.unwrap();
    let anchored = Anchored::wait(&shared, &bench.trust, &shutdown).await.unwrap();
    assert_eq!(anchored.genesis.operator, operator().public());

    let genesis = &anchored.genesis;
    let follower = Follower::start(shared.clone(), bench.trust.clone(), genesis, Shutdown::new()).unwrap();
    let periods = bench.writer(&api, &anchored, identity(), "identity");
    periods
        .append::<PeriodEntry>(Draft::now(begin_at(1, Timestamp(SystemClock.now()))), None, None)
        .await
        .unwrap();

    // Hundreds of concurrent calls share a few requests.
    let writer = bench.writer(&api, &anchored, broker(), "broker");
    let calls: Vec<_> = (0..300)
        .map(|number| {
            let writer = writer.clone();
            tokio::spawn(async move { append_intent(&writer, number).await })
        })
        .collect();
    let mut last = None;
    for call in calls {
        last = Some(call.await.unwrap());
    }
    let last = last.unwrap();

    // A faulty entry among valid ones.
    let (used, record) = sealed(LabelledKind::Void, 7);
    let (good, used) = tokio::join!(
        append_intent(&writer, 1000),
        writer.append::<Void>(Draft::now(used), Some(record), None),
    );
    assert!(matches!(used, Err(AppendError::LabelUsed)), "{used:?}");
    // The same body again returns the same entry.
    let (body, record) = sealed(LabelledKind::Intent, 3000);
    let first = writer
        .append::<Intent>(Draft::now(body.clone()), Some(record.clone()), None)
        .await
        .unwrap();
    let again = writer
        .append::<Intent>(Draft::now(body), Some(record), None)
        .await
        .unwrap();
    assert_eq!((first.index(), first.entry()), (again.index(), again.entry()));
    assert!(good.index() < first.index());

    follower.refresh().await.unwrap();
    let found = follower.locate(&last.entry().body.label().unwrap()).unwrap().unwrap();
    assert_eq!(
        (found.index, found.leaf_hash),
        (last.index(), last.signed_entry().leaf_hash())
    );
    assert_eq!(follower.leaf(found.index).await.unwrap(), last.signed_entry().bytes());
    let head = follower.head().unwrap();
    let (size, root) = (head.checkpoint().size, head.checkpoint().root);
    verify_inclusion(
        &found.leaf_hash,
        found.index,
        size,
        &follower.inclusion(found.index, size).unwrap(),
        &root,
    )
    .unwrap();

    let credential = Credential::from_bytes(CREDENTIAL);
    assert!(api.record(last.index(), &credential).await.unwrap().is_some());
    assert!(
        api.record(last.index(), &Credential::from_bytes([0; 32]))
            .await
            .is_err()
    );

    let watch = CheckpointWatch::start(
        WatchConfig {
            api: shared.clone(),
            trust: bench.trust.clone(),
            state_dir: bench.path().join("broker"),
            clock: SystemClock::shared(),
        },
        Shutdown::new(),
    )
    .unwrap();
    watch.rely(last.checkpoint()).await.unwrap();
    watch.settle().await.unwrap();
    watch.ready().unwrap();

    // The ledger stops: the writer gives up an intent, and the chain continues at the ledger's next address.
    shutdown.trigger();
    serving.await.unwrap();
    let (body, record) = sealed(LabelledKind::Intent, 2000);
    let lost = writer.append::<Intent>(Draft::now(body), Some(record), None).await;
    assert!(matches!(lost, Err(AppendError::GivenUp)), "{lost:?}");
    drop(writer);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let again = Shutdown::new();
    let (api, serving) = bench.start_ledger(again.clone()).await;
    let writer = bench.writer(&api, &anchored, broker(), "broker");
    let next = append_intent(&writer, 2001).await;
    assert!(next.index() > last.index());

    // Map entries were written meanwhile, and the follower agrees with them.
    let shared: Arc<dyn LedgerApi> = api;
    let follower = Follower::start(shared, bench.trust.clone(), genesis, Shutdown::new()).unwrap();
    let mut sizes = follower.subscribe();
    sizes
        .wait_for(|size| size.get() > next.index().get() + 1)
        .await
        .unwrap();
    assert!(
        follower
            .last_of(&crate::common::log::map_writer().id())
            .unwrap()
            .is_some()
    );
    // The ledger must close its store, because a process must not end while RocksDB's threads run.
    again.trigger();
    serving.await.unwrap();
}
