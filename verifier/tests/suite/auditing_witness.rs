//! `verifier witness --audit` cosigns only what it has read, recomputed and found sound.

use std::collections::BTreeMap;
use std::path::Path;

use fixtures::sample_log::{ORIGIN, START, SampleLog};
use record::{Body, Period};
use service::http::{Client, RawResponse};
use service::{ManualClock, Shutdown};
use tlog::Hash;
use tlog::log_list::ListedLog;
use tlog::merkle::{Size, consistency_proof};
use tlog::note::SignerKey;
use tlog::witness::{AddCheckpoint, monitoring_path};
use tokio::net::TcpListener;
use verifier::audit::Source;
use verifier::witness::{Audit, Config, run};

struct Witness {
    url: String,
    shutdown: Shutdown,
}

impl Witness {
    async fn start(log: &SampleLog, state: &Path, source: &Path, genesis: Hash) -> Witness {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let audit = Audit {
            source: Source::directory(source).unwrap(),
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
    log.append_ledger(Body::Map { roots });
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

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_another_genesis_is_refused() {
    let (state, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut log = SampleLog::new();
    log.export(files.path(), 0);
    let witness = Witness::start(&log, state.path(), files.path(), Hash([1; 32])).await;
    witness.refuses(&mut log, Size::ZERO, 422, "genesis hash").await;
    witness.shutdown.trigger();
}
