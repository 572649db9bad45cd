//! Measures what a process needs to start when the directory has grown by single joins.
//!
//! `restart` founds a log on a real ledger with RocksDB, publishes [`JOINS`] change sets, each of which puts one body
//! and one component and is signed by two authorities, and starts the ledger again. Then it runs itself a second time
//! as a process that follows the sets over loopback. It prints a JSON object:
//!
//! * `restart_s`: until the follower has read and checked all sets, wall time; `restart_cpu_s`: its CPU time;
//! * `follower_rss_mb`: the follower's resident memory when it also has the relation that decides; `follower_peak_mb`:
//!   the largest until then;
//! * `poll_us`: CPU time of one poll without news;
//! * `ledger_start_s`: until the ledger that starts again answers;
//! * `list_ms`, `search_ms`, `value_ms`: reads of the newest version over HTTP, the median of several;
//!   `first_search_ms`: the first search, which prepares the texts; `old_version_ms`: a value of version 2, which must
//!   be built;
//! * `bytes_per_single_join`: the documents of one join, and `entry_bytes`: the log's entry that names them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fixtures::{FirstValues, Founders, TestWriter, body, component, grant};
use ledger_client::api::{AppendAnswer, LedgerApi as _, Submission};
use ledger_client::bootstrap::Bootstrap;
use ledger_client::{Anchored, HttpLedger, LiveTrust, Trust};
use record::{Body, Kind, SigningKey, Timestamp};
use serde_json::{Value as Json, json};
use service::clock::{Clock as _, SystemClock};
use service::shutdown::Shutdown;
use tlog::note::SignerKey;
use trust::{Authority, Operation, SetPage, Threshold, TrustKind, TrustState, Value};

const JOINS: u32 = 10_000;
/// Entries in one request.
const BATCH: usize = 50;
const POLLS: u32 = 30;
const READS: usize = 21;
const ORIGIN: &str = "log.example";

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => measure(JOINS).await,
        [joins] => measure(joins.parse().unwrap()).await,
        [url, policy, genesis] => follow(url, Path::new(policy), genesis).await,
        _ => panic!("no arguments, or the number of joins"),
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// The process that starts: it reads all sets, then polls.
async fn follow(url: &str, policy: &Path, genesis: &str) {
    let trust = Arc::new(Trust::load(policy, genesis).unwrap());
    let api = Arc::new(HttpLedger::new(url).unwrap());
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    let anchored = Anchored::fetch(api.as_ref(), &trust).await.unwrap();
    let (restart, restart_cpu) = (begin.elapsed(), cpu_seconds() - cpu);
    // The relation that decides is made when it is first needed.
    anchored.history.relation(anchored.history.newest_versions()).unwrap();
    let (rss, peak) = (status_mb("VmRSS:"), status_mb("VmHWM:"));
    let live = LiveTrust::start(api, trust, &anchored, SystemClock::shared(), Shutdown::new());
    live.refresh().await;
    let before = cpu_seconds();
    for _ in 0..POLLS {
        // Each waits for a whole round that begins after the call, which is every second one.
        live.refresh().await;
    }
    let poll = (cpu_seconds() - before) / f64::from(2 * POLLS);
    let versions = TrustKind::ALL.map(|kind| live.history().state().map(kind).version().0);
    let figures = json!({
        "restart_s": rounded(restart.as_secs_f64()),
        "restart_cpu_s": rounded(restart_cpu),
        "follower_rss_mb": rounded(rss),
        "follower_peak_mb": rounded(peak),
        "poll_us": rounded(poll * 1e6),
        "versions": versions,
    });
    output::stdout!("{figures}").unwrap();
}

struct World {
    folder: tempfile::TempDir,
    trust: Trust,
    bootstrap: Bootstrap,
    operator: TestWriter,
    state: TrustState,
}

impl World {
    fn found() -> Self {
        let log_key = SignerKey::for_notes(ORIGIN.parse().unwrap(), &[1; 32]);
        let founders = Founders {
            origin: ORIGIN,
            log: &log_key,
            operator: &key(10),
            authority: &key(9),
            identity: &key(12),
        };
        let kinds = [Kind::Genesis, Kind::Directory, Kind::Registry];
        let values = FirstValues {
            writers: vec![
                grant("operator", &key(10), &kinds),
                grant("ledger", &key(13), &[Kind::Map]),
            ],
            ..FirstValues::default()
        };
        let founding = founders.found_with(values, Timestamp(0)).unwrap();
        let now = Timestamp(SystemClock.now());
        let [directory, registry] = &founding.sets;
        let bootstrap = Bootstrap::new(&key(10), &founding.genesis, directory, registry, now).unwrap();
        let (_, operator) = founding.entries(now).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let policy = format!("log {}\nquorum none\n", log_key.verifier_key().unwrap());
        std::fs::write(folder.path().join("trust.policy"), &policy).unwrap();
        let secret = |name: &str, text: &str| {
            service::durable::create_private(&folder.path().join(name), text.as_bytes()).unwrap();
        };
        secret("log.key", &log_key.to_private_text());
        secret("writer.seed", &hex::encode([13; 32]));
        let trust = Trust {
            policy: policy.parse().unwrap(),
            genesis: bootstrap.genesis_hash(),
        };
        let state = founding.history.state().clone();
        Self {
            folder,
            trust,
            bootstrap,
            operator,
            state,
        }
    }

    /// Starts a ledger and waits until it answers.
    async fn start(&self, shutdown: Shutdown) -> (String, tokio::task::JoinHandle<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let config = format!(
            r#"{{"data": "ledger", "origin": "{ORIGIN}", "log_keys": [{{"file": "log.key"}}], "writer_key": "writer.seed",
                "genesis": "{}", "records_credentials": [], "map_after_ms": 300}}"#,
            self.trust.genesis,
        );
        let path = self.folder.path().join("ledger.json");
        std::fs::write(&path, config).unwrap();
        let config: ledger::Config = service::config::load(&path).unwrap();
        let config = config.resolved(self.folder.path());
        let serving = tokio::spawn(async move {
            ledger::run(config, listener.into(), shutdown, SystemClock::shared())
                .await
                .unwrap()
        });
        let api = HttpLedger::new(&url).unwrap();
        while api.head().await.is_err() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        (url, serving)
    }

    /// The submission of an entry with the next set.
    fn set(&mut self, operations: Vec<Operation>, signers: &[&SigningKey]) -> Submission {
        let now = Timestamp(SystemClock.now());
        let reason = "Beitritt".parse().unwrap();
        let draft = self
            .state
            .propose(TrustKind::Directory, now, reason, operations)
            .unwrap();
        let set = draft.sign(signers).unwrap();
        self.state = self.state.apply(TrustKind::Directory, &set).unwrap();
        let body = Body::Document {
            kind: TrustKind::Directory.document_kind(),
            digest: set.signed().digest(),
        };
        Submission {
            leaf: self.operator.write(now, body).unwrap().into_bytes(),
            record: None,
            document: Some(set.to_bytes()),
        }
    }
}

async fn append(api: &HttpLedger, submissions: Vec<Submission>) {
    for answer in api.append(submissions).await.unwrap() {
        assert!(matches!(answer, AppendAnswer::Recorded { .. }), "{answer:?}");
    }
}

async fn measure(joins: u32) {
    let mut world = World::found();
    let first = Shutdown::new();
    let (url, serving) = world.start(first.clone()).await;
    let api = HttpLedger::new(&url).unwrap();
    world.bootstrap.append(&api, &world.trust).await.unwrap();
    // From here on two authorities sign.
    let second = Value::Authority(Authority {
        name: "Zweite Registerbehörde".parse().unwrap(),
        key: key(8).public(),
        signs: TrustKind::ALL.into(),
    });
    let both = [put(&second), put(&Value::Threshold(Threshold::new(2).unwrap()))];
    let submission = world.set(both.to_vec(), &[&key(9)]);
    append(&api, vec![submission]).await;
    let mut batch = Vec::new();
    for number in 0..joins {
        let join = vec![put(&body(number).unwrap()), put(&component(number).unwrap())];
        batch.push(world.set(join, &[&key(9), &key(8)]));
        if batch.len() == BATCH || number + 1 == joins {
            append(&api, std::mem::take(&mut batch)).await;
        }
    }
    first.trigger();
    serving.await.unwrap();
    let begin = Instant::now();
    let (url, serving) = world.start(Shutdown::new()).await;
    let ledger_start = begin.elapsed();
    let api = HttpLedger::new(&url).unwrap();
    let wanted = u64::from(joins) + 2;
    while newest(&api).await.is_none_or(|(_, versions)| versions < wanted) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut figures = json!({ "joins": joins, "ledger_start_s": rounded(ledger_start.as_secs_f64()) });
    let page = SetPage::parse(&api.sets(3_u32.into()).await.unwrap()).unwrap();
    let joins = &page.sets[1..];
    let documents: usize = joins.iter().map(|set| set.header.len() + set.operations.len()).sum();
    let entries: usize = joins.iter().map(|set| set.leaf.len()).sum();
    figures["bytes_per_single_join"] = json!(documents / joins.len());
    figures["entry_bytes"] = json!(entries / joins.len());
    merge(&mut figures, follower(&world, &url));
    merge(&mut figures, reads(&url, wanted).await);
    output::stdout!("{figures}").unwrap();
    serving.abort();
}

/// The index of the newest `map` entry, and the directory's version by its sets.
async fn newest(api: &HttpLedger) -> Option<(u64, u64)> {
    let receipt = record::Receipt::parse(&api.newest_map().await.ok()?).unwrap();
    let Body::Map { newest, .. } = receipt.entry().entry().body else {
        return None;
    };
    let page = SetPage::parse(&api.sets(newest.directory).await.ok()?).unwrap();
    let header = trust::SignedHeader::parse(&page.sets.first()?.header).unwrap();
    Some((receipt.index().get(), header.header().version.0.into()))
}

fn follower(world: &World, url: &str) -> Json {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([url, world.folder.path().join("trust.policy").to_str().unwrap()]);
    let output = command.arg(world.trust.genesis.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How long the reads for people take.
async fn reads(url: &str, version: u64) -> Json {
    let client = service::http::Client::new().unwrap();
    let time = async |path: String| {
        let begin = Instant::now();
        client
            .get_bytes(&format!("{url}/trust/directory/{path}"))
            .await
            .unwrap();
        begin.elapsed().as_secs_f64() * 1000.0
    };
    let median = async |path: &str| {
        let mut times = Vec::new();
        for _ in 0..READS {
            times.push(time(format!("{version}/{path}")).await);
        }
        times.sort_by(f64::total_cmp);
        rounded(times[READS / 2])
    };
    let first_search = time(format!("{version}/search?q=musterhausen%20777")).await;
    let key = "component/k.00500";
    json!({
        "first_search_ms": rounded(first_search),
        "search_ms": median("search?q=nirgendwo").await,
        "list_ms": median("values?prefix=body/&limit=100").await,
        "value_ms": median(&format!("values/{key}")).await,
        "old_version_ms": rounded(time(format!("2/values/{key}")).await),
    })
}

fn merge(figures: &mut Json, more: Json) {
    if let (Json::Object(figures), Json::Object(more)) = (figures, more) {
        figures.extend(more);
    }
}

fn put(value: &Value) -> Operation {
    Operation::put(value).unwrap()
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// CPU seconds that this process has used, with those of threads that have ended.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A figure of this process's memory, in megabytes.
fn status_mb(name: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / 1e6
}
