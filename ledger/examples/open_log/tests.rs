//! Compares everything that the log serves with an independent computation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use fixtures::{rfc_6962_leaf, rfc_6962_root};
use ledger::store::memory::{MemoryStore, WriteFault};
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};

const ORIGIN: &str = "log.example/open";

fn key() -> SignerKey {
    SignerKey::for_notes(ORIGIN.parse().unwrap(), &[42; 32])
}

struct Server {
    url: String,
    client: reqwest::Client,
    log: Arc<SequencedLog<AdmitAll>>,
    shutdown: Shutdown,
}

impl Server {
    async fn start(store: Arc<dyn Store>) -> Self {
        let (log, routes) = super::start(store, Signer::new(key()).unwrap()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = Shutdown::new();
        tokio::spawn(listen::serve(listener, routes, shutdown.clone()));
        Self {
            url,
            client: service::http::client(|builder| builder).unwrap(),
            log,
            shutdown,
        }
    }

    async fn add(&self, body: Vec<u8>) -> (u16, String) {
        let request = self.client.post(format!("{}/add", self.url)).body(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        let response = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.bytes().await.unwrap().to_vec()
    }

    async fn checkpoint(&self) -> Checkpoint {
        let note = self.get("/checkpoint").await;
        let keys = [key().verifier_key().unwrap()];
        let signed = SignedCheckpoint::open(&note, &ORIGIN.parse().unwrap(), &keys).unwrap();
        signed.checkpoint().clone()
    }

    fn end(self) {
        self.shutdown.trigger();
        self.log.end();
    }
}

/// The path of a full or partial tile or bundle with a number below 1000.
fn path(kind: &str, number: usize, width: usize) -> String {
    let suffix = if width < 256 {
        format!(".p/{width}")
    } else {
        String::new()
    };
    format!("/tile/{kind}/{number:03}{suffix}")
}

async fn check_all(server: &Server, entries: &[Vec<u8>]) {
    let checkpoint = server.checkpoint().await;
    assert_eq!(checkpoint.size.get(), entries.len() as u64);
    let mut nodes: Vec<[u8; 32]> = entries.iter().map(|entry| rfc_6962_leaf(entry)).collect();
    assert_eq!(rfc_6962_root(&nodes).unwrap(), checkpoint.root.0);
    for (number, bundle) in entries.chunks(256).enumerate() {
        let mut expected = Vec::new();
        for entry in bundle {
            expected.extend((entry.len() as u16).to_be_bytes());
            expected.extend(entry);
        }
        let got = server.get(&path("entries", number, bundle.len())).await;
        assert!(got == expected, "bundle {number}");
    }
    for level in 0.. {
        for (number, tile) in nodes.chunks(256).enumerate() {
            let got = server.get(&path(&level.to_string(), number, tile.len())).await;
            assert!(got == tile.concat(), "tile {level}/{number}");
        }
        nodes = nodes.chunks_exact(256).filter_map(rfc_6962_root).collect();
        if nodes.is_empty() {
            break;
        }
    }
}

/// A body; the lengths include 0 and the maximum.
fn body(number: usize) -> Vec<u8> {
    let length = match number {
        0 => 0,
        1 => MAX_ENTRY,
        _ => number * 37 % 900,
    };
    (0..length).map(|at| (number + at) as u8).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tile_bundle_and_root_equals_what_rs_merkle_computes_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mut entries: Vec<Vec<u8>> = Vec::new();
    for (from, to) in [(0, 3), (3, 256), (256, 700)] {
        let server =
            Arc::new(Server::start(Arc::new(RocksStore::open(&directory.path().join("store")).unwrap())).await);
        let mut added = tokio::task::JoinSet::new();
        for number in from..to {
            let server = server.clone();
            added.spawn(async move { (server.add(body(number)).await, number) });
        }
        entries.resize(to, Vec::new());
        let mut seen = std::collections::BTreeSet::new();
        while let Some(done) = added.join_next().await {
            let ((status, answer), number) = done.unwrap();
            assert_eq!(status, 200, "{answer}");
            let index: usize = answer.parse().unwrap();
            assert!(seen.insert(index) && (from..to).contains(&index));
            entries[index] = body(number);
        }
        check_all(&server, &entries).await;
        Arc::into_inner(server).unwrap().end();
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_accepted_is_refused_with_a_reason() {
    let store = Arc::new(MemoryStore::new());
    let server = Server::start(store.clone()).await;
    let (status, problem) = server.add(vec![0; MAX_ENTRY + 1]).await;
    assert!(status == 413 && problem.contains("at most 65535 bytes"), "{problem}");
    assert_eq!(server.add(b"one".to_vec()).await, (200, "0".into()));
    assert_eq!(server.add(b"one".to_vec()).await, (200, "1".into()));
    store.set_fault(Some(WriteFault {
        after: 0,
        applied: false,
        unknown: false,
    }));
    for _ in 0..2 {
        let (status, problem) = server.add(b"two".to_vec()).await;
        assert!(status == 503 && problem.contains("stopped"), "{problem}");
    }
    assert_eq!(server.checkpoint().await.size.get(), 2);
    server.end();
}

#[test]
fn a_file_without_a_private_key_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    assert!(read_key(&file).unwrap_err().to_string().contains("No such file"));
    fs::write(&file, key().verifier_key().unwrap().to_string()).unwrap();
    let error = read_key(&file).unwrap_err().to_string();
    assert!(error.contains("is not a signed-note private key"), "{error}");
    fs::write(&file, format!("{}\n", key().to_private_text().as_str())).unwrap();
    assert_eq!(read_key(&file).unwrap().name().as_str(), ORIGIN);
}
