//! `verifier witness --audit` cosigns only what it has read, recomputed and found sound.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use fixtures::grant;
use fixtures::sample_log::{ORIGIN, START, SampleLog, authority};
use record::{Body, Kind, Period, Timestamp};
use service::http::{Client, RawResponse};
use service::{ManualClock, Shutdown};
use tlog::Hash;
use tlog::log_list::ListedLog;
use tlog::merkle::{Size, consistency_proof};
use tlog::note::SignerKey;
use tlog::witness::{AddCheckpoint, monitoring_path};
use tokio::net::TcpListener;
use trust::{Key, Operation, Section, TrustKind, Value};
use verifier::audit::{Access, Source};
use verifier::witness::{Audit, Config, run};

struct Witness {
    url: String,
    shutdown: Shutdown,
}

impl Witness {
    async fn start(log: &SampleLog, state: &Path, source: &Path, genesis: Hash) -> Witness {
        Self::reading(log, state, Source::directory(source).unwrap(), genesis).await
    }

    async fn reading(log: &SampleLog, state: &Path, source: Source, genesis: Hash) -> Witness {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let audit = Audit {
            source,
            genesis: Some(genesis),
        };
        let config = Config {
            state: state.to_owned(),
            key: SignerKey::for_cosignatures("witness.example/auditor".parse().unwrap(), &[9; 32]),
            logs: vec![ListedLog::new(log.log_key.verifier_key().unwrap())],
            audits: BTreeMap::from([(ORIGIN.parse().unwrap(), audit)]),
            clock: ManualClock::new(START),
        };
        let shutdown = Shutdown::new();
        tokio::spawn(run(config, listener.into(), shutdown.clone()));
        Witness { url, shutdown }
    }

    /// Asks for a cosignature on the whole log.
    async fn ask(&self, log: &mut SampleLog, old: Size) -> RawResponse {
        let size = log.size();
        let grows = old != Size::ZERO && old != size;
        let proof = grows.then(|| consistency_proof(&mut log.tree, old, size).unwrap());
        let request = AddCheckpoint {
            old,
            proof: proof.unwrap_or_default(),
            checkpoint: log.checkpoint(0),
        };
        let url = format!("{}/add-checkpoint", self.url);
        let body = request.to_string().into_bytes();
        Client::new().unwrap().post(&url, "text/plain", body).await.unwrap()
    }

    async fn refuses(&self, log: &mut SampleLog, old: Size, status: u16, why: &str) {
        let answer = self.ask(log, old).await;
        let text = String::from_utf8(answer.body).unwrap();
        assert!(
            answer.status == status && text.contains(why),
            "{}: {text}",
            answer.status
        );
    }

    async fn last_size(&self) -> u64 {
        let url = format!("{}/{}", self.url, monitoring_path(&ORIGIN.parse().unwrap()));
        let note = String::from_utf8(Client::new().unwrap().get_bytes(&url).await.unwrap()).unwrap();
        note.lines().nth(1).unwrap().parse().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_map_entry_is_never_cosigned() {
    let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut log = SampleLog::new();
    let genesis = log.genesis();
    let witness = Witness::start(&log, state.path(), files.path(), genesis).await;
    log.export(files.path(), 0);
    assert_eq!(witness.ask(&mut log, Size::ZERO).await.status, 200);
    let mut old = log.size();
    // In steps, past the end of a bundle.
    for _ in 0..3 {
        for _ in 0..50 {
            log.exchange();
        }
        log.map();
        log.export(files.path(), 0);
        assert_eq!(witness.ask(&mut log, old).await.status, 200);
        old = log.size();
    }
    assert!(old.get() > 256 && witness.last_size().await == old.get());
    assert_eq!(
        witness.ask(&mut log, old).await.status,
        200,
        "the same tree can be cosigned again, with a new time"
    );

    let right = log.root_of(Period::MAP0);
    let roots = vec![(Period::MAP0, right), (Period(1), Hash([7; 32]))];
    let newest = log.newest();
    log.append_ledger(Body::Map { roots, newest });
    log.export(files.path(), 0);
    witness.refuses(&mut log, old, 422, "recomputed").await;
    // Later entries do not repair it.
    log.map();
    log.export(files.path(), 0);
    witness.refuses(&mut log, old, 422, "recomputed").await;
    assert_eq!(witness.last_size().await, old.get());
    witness.shutdown.trigger();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_read_is_not_cosigned() {
    let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut log = SampleLog::new();
    let genesis = log.genesis();
    let witness = Witness::start(&log, state.path(), files.path(), genesis).await;
    witness.refuses(&mut log, Size::ZERO, 503, "missing").await;
    // Entries that the log has not signed are no evidence about the log, so the witness may retry.
    log.export(files.path(), 0);
    let bundle = files.path().join("tile/entries/000.p/5");
    let good = std::fs::read(&bundle).unwrap();
    let mut other = good.clone();
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(&bundle, other).unwrap();
    witness.refuses(&mut log, Size::ZERO, 503, "do not make the tree").await;
    std::fs::write(&bundle, good).unwrap();
    assert_eq!(witness.ask(&mut log, Size::ZERO).await.status, 200);
    witness.shutdown.trigger();
}

/// A log's server that fails once for each of some paths.
struct FailingServer {
    files: PathBuf,
    fails: Mutex<Vec<String>>,
    read: Mutex<Vec<String>>,
}

async fn serve_file(State(server): State<Arc<FailingServer>>, uri: Uri) -> (StatusCode, Vec<u8>) {
    let path = uri.path().trim_start_matches('/').to_owned();
    let mut fails = server.fails.lock().unwrap();
    if let Some(at) = fails.iter().position(|failing| *failing == path) {
        fails.remove(at);
        return (StatusCode::SERVICE_UNAVAILABLE, Vec::new());
    }
    server.read.lock().unwrap().push(path.clone());
    match std::fs::read(server.files.join(path)) {
        Ok(bytes) => (StatusCode::OK, bytes),
        Err(_) => (StatusCode::NOT_FOUND, Vec::new()),
    }
}

impl FailingServer {
    async fn start(files: &Path) -> (Arc<Self>, Source) {
        let server = Arc::new(Self {
            files: files.to_owned(),
            fails: Mutex::default(),
            read: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = Source::new(&format!("http://{}", listener.local_addr().unwrap()), Access::default()).unwrap();
        let routes = Router::new().fallback(serve_file).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (server, source)
    }

    fn times_read(&self, path: &str) -> usize {
        self.read.lock().unwrap().iter().filter(|read| *read == path).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_read_keeps_what_was_audited_before() {
    let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut log = SampleLog::new();
    let genesis = log.genesis();
    while log.size().get() < 600 {
        log.exchange();
    }
    log.map();
    log.export(files.path(), 0);
    let (server, source) = FailingServer::start(files.path()).await;
    let witness = Witness::reading(&log, state.path(), source, genesis).await;
    let last = format!("tile/entries/002.p/{}", log.size().get() % 256);
    let documents: Vec<_> = std::fs::read_dir(files.path().join("documents")).unwrap().collect();
    let document = documents[0].as_ref().unwrap().file_name().into_string().unwrap();
    let failing = [
        format!("documents/{document}"),
        "tile/0/001".to_owned(),
        "tile/entries/001".to_owned(),
        last.clone(),
    ];
    *server.fails.lock().unwrap() = failing.to_vec();
    for _ in &failing {
        witness
            .refuses(&mut log, Size::ZERO, 503, "cannot be audited now")
            .await;
    }
    assert_eq!(witness.ask(&mut log, Size::ZERO).await.status, 200);
    // The first bundle is read again only because its document could not be read.
    assert_eq!(server.times_read("tile/entries/000"), 2);
    assert_eq!(server.times_read("tile/0/000"), 2);
    assert_eq!(server.times_read(&last), 1);
    // A later checkpoint continues there.
    let old = log.size();
    log.exchange();
    log.map();
    log.export(files.path(), 0);
    assert_eq!(witness.ask(&mut log, old).await.status, 200);
    assert_eq!(server.times_read("tile/entries/000"), 2);
    witness.shutdown.trigger();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_not_served_is_no_finding() {
    let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut log = SampleLog::new();
    let genesis = log.genesis();
    log.export(files.path(), 0);
    let witness = Witness::start(&log, state.path(), files.path(), genesis).await;
    let documents = files.path().join("documents");
    let aside = files.path().join("aside");
    std::fs::rename(&documents, &aside).unwrap();
    witness.refuses(&mut log, Size::ZERO, 503, "is missing").await;
    std::fs::rename(&aside, &documents).unwrap();
    assert_eq!(witness.ask(&mut log, Size::ZERO).await.status, 200);
    witness.shutdown.trigger();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_another_genesis_is_refused() {
    let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut log = SampleLog::new();
    log.export(files.path(), 0);
    let witness = Witness::start(&log, state.path(), files.path(), Hash([1; 32])).await;
    witness.refuses(&mut log, Size::ZERO, 422, "genesis hash").await;
    witness.shutdown.trigger();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_follows_change_sets_and_refuses_one_that_does_not_follow() {
    let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut log = SampleLog::new();
    let genesis = log.genesis();
    let witness = Witness::start(&log, state.path(), files.path(), genesis).await;
    log.export(files.path(), 0);
    assert_eq!(witness.ask(&mut log, Size::ZERO).await.status, 200);
    let mut old = log.size();
    // The broker's key gets another name, under which it may write denials.
    let renamed = [
        Operation::end(Key::named(Section::Writer, "broker").unwrap()),
        Operation::put(&Value::Writer(grant("second", &log.broker.key, &[Kind::Denial]))).unwrap(),
    ];
    for operations in [Vec::new(), renamed.to_vec()] {
        log.change(TrustKind::Directory, operations);
        log.denial();
        log.map();
        log.export(files.path(), 0);
        assert_eq!(witness.ask(&mut log, old).await.status, 200);
        old = log.size();
    }
    let set = log.trust().state().propose(
        TrustKind::Directory,
        Timestamp(log.now),
        "Änderung".parse().unwrap(),
        Vec::new(),
    );
    let mut set = set.unwrap();
    set.header.root = Hash([7; 32]);
    let set = set.sign(&[&authority()]).unwrap();
    log.append_set(&set);
    log.export(files.path(), 0);
    let operations = files.path().join(format!("documents/{}", set.operations().digest()));
    let aside = files.path().join("aside");
    std::fs::rename(&operations, &aside).unwrap();
    witness.refuses(&mut log, old, 503, "is missing").await;
    std::fs::rename(&aside, &operations).unwrap();
    witness.refuses(&mut log, old, 422, "directory, version 4: root").await;
    log.map();
    log.export(files.path(), 0);
    witness.refuses(&mut log, old, 422, "directory, version 4: root").await;
    assert_eq!(witness.last_size().await, old.get());
    witness.shutdown.trigger();
}
