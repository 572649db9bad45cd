//! The witness over HTTP: the statuses of the protocol, persistence, and the program itself.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use service::http::{Client, RawResponse};
use service::{ManualClock, Shutdown};
use tlog::Hash;
use tlog::checkpoint::{Checkpoint, Origin};
use tlog::log_list::ListedLog;
use tlog::merkle::{MemoryTree, Size, consistency_proof, leaf_hash};
use tlog::note::{Note, SignerKey, Verifier, VerifierKey};
use tlog::witness::AddCheckpoint;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use verifier::witness::{CheckpointStoreError, Config, run};

const ORIGIN: &str = "log.example/witnessed";
const NOW: u64 = 1_790_000_000;

fn log_key() -> SignerKey {
    SignerKey::for_notes(ORIGIN.parse().unwrap(), &[1; 32])
}

fn witness_key() -> SignerKey {
    SignerKey::for_cosignatures("witness.example/w".parse().unwrap(), &[2; 32])
}

fn tree(size: u64, salt: &str) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for index in 0..size {
        tree.append(leaf_hash(format!("{salt}{index}").as_bytes())).unwrap();
    }
    tree
}

fn checkpoint(tree: &MemoryTree, key: &SignerKey, origin: &str) -> String {
    let origin: Origin = origin.parse().unwrap();
    Checkpoint::new(origin, tree.size(), tree.root())
        .sign(&[key])
        .unwrap()
        .to_string()
}

/// A request from one size to another of the log with this salt.
fn request(old: u64, size: u64, salt: &str) -> AddCheckpoint {
    let mut tree = tree(size, salt);
    let proof = match old {
        old if old > 0 && old < size => {
            consistency_proof(&mut tree, Size::new(old).unwrap(), Size::new(size).unwrap()).unwrap()
        }
        _ => Vec::new(),
    };
    AddCheckpoint {
        old: Size::new(old).unwrap(),
        proof,
        checkpoint: checkpoint(&tree, &log_key(), ORIGIN),
    }
}

struct Witness {
    url: String,
    state: PathBuf,
    shutdown: Shutdown,
    clock: Arc<ManualClock>,
    server: JoinHandle<Result<(), CheckpointStoreError>>,
}

impl Witness {
    async fn start(state: &Path) -> Witness {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (shutdown, clock) = (Shutdown::new(), ManualClock::new(NOW));
        let logs = vec![ListedLog::new(log_key().verifier_key().unwrap())];
        let config = Config {
            state: state.to_owned(),
            key: witness_key(),
            logs,
            audits: BTreeMap::new(),
            clock: clock.clone(),
        };
        let server = tokio::spawn(run(config, listener.into(), shutdown.clone()));
        Witness {
            url,
            state: state.to_owned(),
            shutdown,
            clock,
            server,
        }
    }

    async fn post(&self, body: impl ToString) -> RawResponse {
        let url = format!("{}/add-checkpoint", self.url);
        let body = body.to_string().into_bytes();
        Client::new()
            .unwrap()
            .post(&url, "text/plain; charset=utf-8", body)
            .await
            .unwrap()
    }

    async fn status(&self, body: impl ToString) -> u16 {
        self.post(body).await.status
    }

    async fn latest(&self) -> RawResponse {
        let origin: Origin = ORIGIN.parse().unwrap();
        let url = format!("{}/{}/checkpoint", self.url, origin.hash());
        Client::new().unwrap().get(&url).await.unwrap()
    }

    /// Stops the witness and waits until its state directory is unlocked, as it is after the end of a process.
    async fn stop(self) {
        self.shutdown.trigger();
        self.server.await.unwrap().unwrap();
        // The task of a connection that has just closed drops its reference to the witness shortly after the server has
        // ended.
        let lock = File::open(self.state.join("lock")).unwrap();
        for _ in 0..500 {
            if lock.try_lock().is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the state is still in use");
    }
}

/// Asserts that the answer is a cosignature of the witness on the checkpoint of the request. Returns its time.
fn cosigned_at(request: &AddCheckpoint, answer: &RawResponse) -> u64 {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let note = [request.checkpoint.as_bytes(), &answer.body].concat();
    let key: VerifierKey = witness_key().verifier_key().unwrap();
    let log: VerifierKey = log_key().verifier_key().unwrap();
    let verified = Note::open(&note, &[&key, &log]).unwrap();
    verified
        .verified()
        .iter()
        .find_map(|signature| signature.timestamp)
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn wi_4_to_8_each_request_gets_its_status() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Witness::start(dir.path()).await;
    assert_eq!(witness.latest().await.status, 404);

    // 1: malformed
    for body in ["", "old 0\n", "old x\n\nabc", "old 00\n\n", "old 0\n!!\n\n"] {
        assert_eq!(witness.status(body).await, 400, "{body:?}");
    }
    let good = request(0, 5, "a");
    assert_eq!(witness.status(good.to_string().trim_end()).await, 400);
    let long = AddCheckpoint {
        proof: vec![Hash([0; 32]); 64],
        ..good.clone()
    };
    assert_eq!(witness.status(&long).await, 400);
    // 2: unknown origin, also with a known key
    let foreign = checkpoint(&tree(5, "a"), &log_key(), "log.example/other");
    assert_eq!(
        witness
            .status(AddCheckpoint {
                checkpoint: foreign,
                ..good.clone()
            })
            .await,
        404
    );
    // 3: not signed by a known key, or a signature that does not verify
    let stranger = SignerKey::for_notes(ORIGIN.parse().unwrap(), &[9; 32]);
    let unsigned = checkpoint(&tree(5, "a"), &stranger, ORIGIN);
    assert_eq!(
        witness
            .status(AddCheckpoint {
                checkpoint: unsigned,
                ..good.clone()
            })
            .await,
        403
    );
    let forged = good.checkpoint.replace("\n5\n", "\n6\n");
    assert_eq!(
        witness
            .status(AddCheckpoint {
                checkpoint: forged,
                ..good.clone()
            })
            .await,
        403
    );
    // 4: old > size
    assert_eq!(
        witness
            .status(AddCheckpoint {
                old: Size::new(6).unwrap(),
                ..good.clone()
            })
            .await,
        400
    );
    // 5: old is not the size cosigned last (0 if there is none)
    let answer = witness.post(request(3, 5, "a")).await;
    assert_eq!((answer.status, answer.body.as_slice()), (409, b"0\n".as_slice()));
    assert_eq!(answer.content_type, "text/x.tlog.size");
    // 7: old 0 has no proof
    assert_eq!(
        witness
            .status(AddCheckpoint {
                proof: vec![Hash([1; 32])],
                ..good.clone()
            })
            .await,
        422
    );
    assert_eq!(witness.latest().await.status, 404, "nothing was cosigned so far");

    // 8
    assert_eq!(cosigned_at(&good, &witness.post(&good).await), NOW);
    let answer = witness.post(&good).await;
    assert_eq!((answer.status, answer.body.as_slice()), (409, b"5\n".as_slice()));
    // 6 and 7: another history
    assert_eq!(witness.status(request(5, 5, "b")).await, 422);
    assert_eq!(witness.status(request(5, 9, "b")).await, 422);
    let mut wrong = request(5, 9, "a");
    wrong.proof[0].0[0] ^= 1;
    assert_eq!(witness.status(&wrong).await, 422);
    // WI-5: the same size again, with a fresh time
    witness.clock.advance(60);
    let again = request(5, 5, "a");
    assert_eq!(cosigned_at(&again, &witness.post(&again).await), NOW + 60);
    let next = request(5, 9, "a");
    assert_eq!(cosigned_at(&next, &witness.post(&next).await), NOW + 60);

    let latest = witness.latest().await;
    let both: [&dyn Verifier; 2] = [
        &log_key().verifier_key().unwrap(),
        &witness_key().verifier_key().unwrap(),
    ];
    let note = Note::open(&latest.body, &both).unwrap();
    assert_eq!(
        (note.verified().len(), note.text()),
        (
            2,
            next.checkpoint
                .split_inclusive('\n')
                .take(3)
                .collect::<String>()
                .as_str()
        )
    );
    witness.stop().await;
}

/// Web pages of any origin may use the witness, and no cache may keep its answers.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_any_origin_may_ask_and_answers_are_not_cached() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Witness::start(dir.path()).await;
    let address = witness.url.strip_prefix("http://").unwrap().to_owned();
    let ask = |method: &'static str, path: &'static str| {
        let address = address.clone();
        tokio::task::spawn_blocking(move || {
            use std::io::{Read as _, Write as _};
            let mut stream = std::net::TcpStream::connect(&address).unwrap();
            let head = format!("{method} {path} HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer.to_lowercase()
        })
    };
    let preflight = ask("OPTIONS", "/add-checkpoint").await.unwrap();
    assert!(preflight.starts_with("http/1.1 204"), "{preflight}");
    assert!(
        preflight.contains("access-control-allow-methods: get, head, post, options"),
        "{preflight}"
    );
    let refused = ask("POST", "/add-checkpoint").await.unwrap();
    assert!(
        refused.starts_with("http/1.1 400") && refused.contains("access-control-allow-origin: *"),
        "{refused}"
    );
    assert!(refused.contains("cache-control: no-store"), "{refused}");
    assert!(ask("GET", "/add-checkpoint").await.unwrap().starts_with("http/1.1 405"));
    witness.stop().await;
}

/// A log without entries can be cosigned. Its root must be that of the empty tree.
#[tokio::test(flavor = "multi_thread")]
async fn cp_6_the_empty_tree_is_cosigned() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Witness::start(dir.path()).await;
    let origin: Origin = ORIGIN.parse().unwrap();
    let wrong = Checkpoint::new(origin, Size::ZERO, Hash([1; 32]))
        .sign(&[&log_key()])
        .unwrap()
        .to_string();
    let empty = request(0, 0, "");
    assert_eq!(
        witness
            .status(AddCheckpoint {
                checkpoint: wrong,
                ..empty.clone()
            })
            .await,
        422
    );
    assert_eq!(witness.status(&empty).await, 200);
    assert_eq!(witness.status(request(0, 4, "a")).await, 200);
    witness.stop().await;
}

/// WI-1: of many requests from one size exactly one succeeds, and its checkpoint is on disk.
#[tokio::test(flavor = "multi_thread")]
async fn wi_1_one_of_many_requests_succeeds_and_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Arc::new(Witness::start(dir.path()).await);
    let tasks: Vec<_> = (1..=20_u64)
        .map(|size| {
            let witness = Arc::clone(&witness);
            tokio::spawn(async move { (size, witness.status(request(0, size, "a")).await) })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (size, 200) => won.push(size),
            (_, status) => assert_eq!(status, 409),
        }
    }
    assert_eq!(won.len(), 1);
    let Ok(witness) = Arc::try_unwrap(witness) else {
        panic!("still in use")
    };
    witness.stop().await;

    let witness = Witness::start(dir.path()).await;
    assert_eq!(
        witness.post(request(0, 30, "a")).await.body,
        format!("{}\n", won[0]).into_bytes()
    );
    assert_eq!(witness.status(request(won[0], 30, "a")).await, 200);
    witness.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_locked_state_prevents_start_up() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Witness::start(dir.path()).await;
    assert_eq!(witness.status(request(0, 3, "a")).await, 200);
    let second = Witness::start(dir.path()).await;
    assert!(matches!(
        second.server.await.unwrap(),
        Err(CheckpointStoreError::InUse(_))
    ));
    witness.stop().await;

    let origin: Origin = ORIGIN.parse().unwrap();
    let file = dir.path().join(format!("{}.checkpoint", origin.hash()));
    let stored = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, stored.replace("\n3\n", "\n2\n")).unwrap();
    let third = Witness::start(dir.path()).await;
    assert!(matches!(
        third.server.await.unwrap(),
        Err(CheckpointStoreError::Damaged(_))
    ));
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program creates its key, prints its verifier key and address, and serves.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_creates_its_key_and_serves() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::write(
        path("logs"),
        format!("logs/v0\n\nvkey {}\n", log_key().verifier_key().unwrap()),
    )
    .unwrap();
    let start = |name: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_verifier"));
        command.args(["witness", "--listen", "127.0.0.1:0", "--state", &path("state")]);
        command.args(["--key", &path("key"), "--logs", &path("logs")]);
        if let Some(name) = name {
            command.args(["--name", name]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().transpose().unwrap();
        (line(), line(), Process(child))
    };
    let (key, _, mut process) = start(None);
    assert_eq!(
        (key, process.0.wait().unwrap().code()),
        (None, Some(2)),
        "a key is created only if a name is given"
    );

    let (key, address, process) = start(Some("witness.example/made"));
    let key: VerifierKey = key.unwrap().parse().unwrap();
    assert_eq!(
        (key.name().as_str(), key.algorithm().type_byte()),
        ("witness.example/made", 4)
    );
    assert!(
        std::fs::read_to_string(path("key"))
            .unwrap()
            .starts_with("PRIVATE+KEY+witness.example/made+")
    );
    let address = address.unwrap();
    let url = format!(
        "http://{}/add-checkpoint",
        address.strip_prefix("listening on ").unwrap()
    );
    let body = request(0, 3, "a");
    let client = Client::new().unwrap();
    let answer = client
        .post(&url, "text/plain", body.to_string().into_bytes())
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    Note::open(&[body.checkpoint.as_bytes(), &answer.body].concat(), &[&key]).unwrap();
    drop(process);

    let (again, _, _process) = start(None);
    assert_eq!(again.unwrap(), key.to_string(), "the key is kept");
}
