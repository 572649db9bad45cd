//! A log with several ledgers: one writes to it, and the others redirect writers to it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ledger_client::{ApiError, HttpLedger, LedgerAddresses, LedgerApi};
use record::WriterId;
use service::secret::Credential;
use tlog::Hash;
use tlog::merkle::Index;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a ledger answers.
#[derive(Clone)]
enum Plan {
    /// An empty answer to writers, `body` to readers.
    Answers,
    /// 307 to this address, with the path of the request.
    Redirects(String),
    /// 503 without a sequencer.
    Unknown,
    /// Nothing: it accepts connections and is frozen.
    Frozen,
}

struct Stub {
    url: String,
    requests: Arc<AtomicUsize>,
    authorized: Arc<AtomicUsize>,
    plan: Arc<Mutex<Plan>>,
}

impl Stub {
    async fn start(plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stub = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            requests: Arc::default(),
            authorized: Arc::default(),
            plan: Arc::new(Mutex::new(plan)),
        };
        let (plan, requests, authorized) = (stub.plan.clone(), stub.requests.clone(), stub.authorized.clone());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let plan = plan.lock().unwrap().clone();
                tokio::spawn(serve(stream, plan, requests.clone(), authorized.clone()));
            }
        });
        stub
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    fn turn(&self, plan: Plan) {
        *self.plan.lock().unwrap() = plan;
    }
}

/// Answers one request.
async fn serve(mut stream: TcpStream, plan: Plan, requests: Arc<AtomicUsize>, authorized: Arc<AtomicUsize>) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let request = String::from_utf8_lossy(&request).to_lowercase();
    requests.fetch_add(1, Ordering::SeqCst);
    authorized.fetch_add(usize::from(request.contains("authorization:")), Ordering::SeqCst);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let answer = match plan {
        Plan::Answers if request.starts_with("post") => {
            "200 OK\r\ncontent-type: application/cbor-seq\r\ncontent-length: 0".to_owned()
        }
        Plan::Answers if path.ends_with("/head") && path.starts_with("/writers") => {
            "404 Not Found\r\ncontent-length: 0".to_owned()
        }
        Plan::Answers => "200 OK\r\ncontent-length: 4".to_owned(),
        Plan::Redirects(to) => format!("307 Temporary Redirect\r\nlocation: {to}{path}\r\ncontent-length: 0"),
        Plan::Unknown => "503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0".to_owned(),
        Plan::Frozen => return std::future::pending().await,
    };
    let body = if answer.ends_with('4') { "body" } else { "" };
    let response = format!("HTTP/1.1 {answer}\r\nconnection: close\r\n\r\n{body}");
    let _ = stream.write_all(response.as_bytes()).await;
}

/// An address at which nobody listens.
async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn ledger(addresses: &[&str]) -> HttpLedger {
    let list = addresses.iter().map(|address| (*address).to_owned());
    HttpLedger::of(&LedgerAddresses::new(list).unwrap()).unwrap()
}

fn slug(error: &ApiError) -> String {
    assert!(error.retryable(), "{error}");
    match error {
        ApiError::Refused(problem) => problem.slug.clone(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_writer_is_redirected_once_and_stays() {
    let sequencer = Stub::start(Plan::Answers).await;
    let follower = Stub::start(Plan::Redirects(sequencer.url.clone())).await;
    let ledger = ledger(&[&follower.url, &sequencer.url]);
    for _ in 0..3 {
        assert!(ledger.append(Vec::new()).await.unwrap().is_empty());
    }
    assert_eq!((follower.requests(), sequencer.requests()), (1, 3));
    // The other one has taken over.
    follower.turn(Plan::Answers);
    sequencer.turn(Plan::Redirects(follower.url.clone()));
    assert_eq!(ledger.writer_head(&WriterId(Hash([1; 32]))).await.unwrap(), None);
    assert!(ledger.append(Vec::new()).await.unwrap().is_empty());
    assert_eq!((follower.requests(), sequencer.requests()), (3, 4));
}

#[tokio::test]
async fn a_redirect_to_an_unlisted_address_is_not_followed() {
    let stranger = Stub::start(Plan::Answers).await;
    let follower = Stub::start(Plan::Redirects(stranger.url.clone())).await;
    for ledger in [ledger(&[&follower.url]), ledger(&[&follower.url, &dead().await])] {
        let refused = ledger.append(Vec::new()).await.unwrap_err();
        assert_eq!(slug(&refused), "redirected");
    }
    assert_eq!(stranger.requests(), 0);
}

#[tokio::test]
async fn redirects_end_and_carry_no_credential() {
    let first = Stub::start(Plan::Answers).await;
    let second = Stub::start(Plan::Redirects(first.url.clone())).await;
    first.turn(Plan::Redirects(second.url.clone()));
    let ledger = ledger(&[&first.url, &second.url]);
    let refused = ledger.append(Vec::new()).await.unwrap_err();
    assert_eq!(slug(&refused), "redirected");
    assert_eq!(first.requests() + second.requests(), 4);
    let credential = Credential::from_bytes([7; 32]);
    let before = second.authorized.load(Ordering::SeqCst) + first.authorized.load(Ordering::SeqCst);
    assert!(ledger.record(Index::from(1_u32), &credential).await.is_err());
    let after = second.authorized.load(Ordering::SeqCst) + first.authorized.load(Ordering::SeqCst);
    assert_eq!(
        after - before,
        1,
        "the redirect of a call with a credential was followed"
    );
}

#[tokio::test]
async fn a_dead_ledger_is_left_and_one_that_knows_no_sequencer_asked_again() {
    let living = Stub::start(Plan::Answers).await;
    let ledger = ledger(&[&dead().await, &living.url]);
    assert!(ledger.append(Vec::new()).await.unwrap().is_empty());
    assert_eq!(ledger.head().await.unwrap(), b"body");
    living.turn(Plan::Unknown);
    let refused = ledger.append(Vec::new()).await.unwrap_err();
    assert!(refused.retryable(), "{refused}");
    living.turn(Plan::Answers);
    assert!(ledger.append(Vec::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_frozen_ledger_is_left_after_seconds() {
    let (frozen, living) = (Stub::start(Plan::Frozen).await, Stub::start(Plan::Answers).await);
    let ledger = ledger(&[&frozen.url, &living.url]);
    let started = Instant::now();
    let unanswered = ledger.append(Vec::new()).await.unwrap_err();
    // It may have the entries, so the writer must know that this is not certain.
    assert!(matches!(unanswered, ApiError::NoAnswer(_)), "{unanswered}");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    assert!(ledger.append(Vec::new()).await.unwrap().is_empty());
}
