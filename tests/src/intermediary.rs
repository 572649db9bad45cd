//! A proxy between two compartments that changes messages, as a lying compartment would send them.
//!
//! Both ends are the real programs. Only the changes are the test's. Between two processes that use mutual TLS the
//! intermediary has the certificate of each towards the other, as an operator has who lies in the place of their
//! process. `tests/tests/transport.rs` shows that one with a certificate of its own gets nowhere.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use messages::CallCredential;
use messages::call::CallStatement;
use record::SigningKey;
use service::tls::TlsIdentity;
use service::{Listener, Shutdown};

use crate::certificates::Certificates;

/// Changes a message: from the path and the body as sent to the body as passed on.
pub type Change = dyn Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync;

/// One request that passed, with its answer.
#[derive(Clone, Debug)]
pub struct Passed {
    /// The path.
    pub path: String,
    /// The request's body, as sent.
    pub request: Vec<u8>,
    /// The answer's body, as sent.
    pub answer: Vec<u8>,
}

/// What the sender of a request gets instead of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// A status without meaning. The request is passed on, and its answer is lost.
    Lost,
    /// A refusal without a signature. The request is not passed on.
    Refused,
}

/// Where one listener of an intermediary passes requests on to.
#[derive(Clone)]
struct Route {
    target: String,
    client: reqwest::Client,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    request: Mutex<Option<Arc<Change>>>,
    answer: Mutex<Option<Arc<Change>>>,
    withheld: Mutex<Option<String>>,
    instead: Mutex<(String, VecDeque<Instead>)>,
    held: Mutex<Option<(String, usize)>>,
    caller: Mutex<Option<SigningKey>>,
    passed: Mutex<Vec<Passed>>,
}

/// A running intermediary. It stops when it is dropped.
pub struct Intermediary {
    /// Its base URL, to be configured instead of the target's.
    pub url: String,
    /// Before a ledger: the base URL to be configured instead of that of the writing entrance.
    pub writing: String,
    shared: Arc<Shared>,
    runtime: tokio::runtime::Runtime,
}

impl Intermediary {
    /// Starts an intermediary in front of what serves plain HTTP at `target` (a base URL). It changes nothing yet.
    pub fn before(target: &str) -> Result<Self> {
        let mut this = Self::new()?;
        let client = service::http::client(|builder| builder)?;
        this.url = this.listen(target, client, None)?;
        Ok(this)
    }

    /// Starts an intermediary between two processes that use mutual TLS, which are named by their folders below `data`:
    /// between `caller` and `server`, which listens at `target`. It changes nothing yet.
    pub fn between(data: &Path, caller: &str, (server, target): (&str, &str)) -> Result<Self> {
        let mut this = Self::new()?;
        this.url = this.secured(&Certificates::of(data), caller, (server, target))?;
        Ok(this)
    }

    /// Starts an intermediary between `caller` and both entrances of the ledger, of which `target` is the public one.
    pub fn before_ledger(data: &Path, caller: &str, target: &str) -> Result<Self> {
        let mut this = Self::before(target)?;
        let writing = crate::secured::writing(data)?;
        let writing = ("ledger", format!("https://{writing}"));
        this.writing = this.secured(&Certificates::of(data), caller, (writing.0, &writing.1))?;
        Ok(this)
    }

    fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        Ok(Self {
            url: String::new(),
            writing: String::new(),
            shared: Arc::default(),
            runtime,
        })
    }

    fn secured(&self, certificates: &Certificates, caller: &str, (server, target): (&str, &str)) -> Result<String> {
        let client = service::http::mutual_client(&certificates.identity(caller)?, |_| true, |builder| builder)?;
        self.listen(target, client, Some(certificates.identity(server)?))
    }

    /// Listens on a free port, with the certificate of `server` if there is one. Returns the base URL.
    fn listen(&self, target: &str, client: reqwest::Client, server: Option<TlsIdentity>) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let scheme = if server.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        let _inside = self.runtime.enter();
        let mut listener = Listener::from(tokio::net::TcpListener::from_std(listener)?);
        if let Some(server) = server {
            listener = listener.secured(&server, |_| true)?;
        }
        let route = Route {
            target: target.to_owned(),
            client,
            shared: Arc::clone(&self.shared),
        };
        let router = Router::new().fallback(pass).with_state(route);
        self.runtime
            .spawn(service::listen::serve(listener, router, Shutdown::new()));
        Ok(url)
    }

    /// Changes requests from now on.
    pub fn change_requests(&self, change: impl Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync + 'static) {
        *lock(&self.shared.request) = Some(Arc::new(change));
    }

    /// Changes answers from now on.
    pub fn change_answers(&self, change: impl Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync + 'static) {
        *lock(&self.shared.answer) = Some(Arc::new(change));
    }

    /// Answers requests to this path with status 503 from now on, and does not pass them on.
    pub fn withhold(&self, path: &str) {
        *lock(&self.shared.withheld) = Some(path.to_owned());
    }

    /// Treats the next requests to this path in these ways, one after another.
    pub fn instead_of_answers(&self, path: &str, ways: &[Instead]) {
        *lock(&self.shared.instead) = (path.to_owned(), ways.iter().copied().collect());
    }

    /// Passes requests to this path on, and keeps their answers back until [`Intermediary::release`].
    pub fn hold_answers(&self, path: &str) {
        *lock(&self.shared.held) = Some((path.to_owned(), 0));
    }

    /// How many answers are or were kept back.
    pub fn held(&self) -> usize {
        lock(&self.shared.held).as_ref().map_or(0, |(_, count)| *count)
    }

    /// Passes all answers on, also those that were kept back.
    pub fn release(&self) {
        *lock(&self.shared.held) = None;
    }

    /// Signs changed calls with this key from now on, as a caller that lies does.
    pub fn sign_calls(&self, key: SigningKey) {
        *lock(&self.shared.caller) = Some(key);
    }

    /// Passes all messages on unchanged from now on.
    pub fn honest(&self) {
        *lock(&self.shared.request) = None;
        *lock(&self.shared.answer) = None;
        *lock(&self.shared.withheld) = None;
    }

    /// All requests that have passed so far.
    pub fn passed(&self) -> Vec<Passed> {
        lock(&self.shared.passed).clone()
    }

    /// The newest request that has passed to a path.
    pub fn last(&self, path: &str) -> Option<Passed> {
        lock(&self.shared.passed)
            .iter()
            .rev()
            .find(|passed| passed.path == path)
            .cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(State(route): State<Route>, request: Request) -> Response {
    match relay(&route, request).await {
        Ok(answer) => answer,
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    }
}

async fn relay(route: &Route, request: Request) -> Result<Response> {
    let shared = &route.shared;
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().context("path")?.to_string();
    let sent = to_bytes(body, 16 << 20).await?.to_vec();
    if lock(&shared.withheld).as_ref() == Some(&path) {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    let instead = next_instead(shared, &path);
    if instead == Some(Instead::Refused) {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    let change = lock(&shared.request).clone();
    let passed_on = match change {
        Some(change) => change(&path, sent.clone()),
        None => sent.clone(),
    };
    let mut headers = without_framing(&parts.headers);
    if passed_on != sent {
        sign_again(shared, &mut headers, &passed_on)?;
    }
    let answer = route
        .client
        .request(parts.method, format!("{}{path}", route.target))
        .headers(headers)
        .body(passed_on)
        .send()
        .await?;
    let (status, headers) = (answer.status(), without_framing(answer.headers()));
    let answered = answer.bytes().await?.to_vec();
    lock(&shared.passed).push(Passed {
        path: path.clone(),
        request: sent,
        answer: answered.clone(),
    });
    if instead == Some(Instead::Lost) {
        return Ok(StatusCode::BAD_GATEWAY.into_response());
    }
    keep_back(shared, &path).await;
    let change = lock(&shared.answer).clone();
    let passed_back = match change {
        Some(change) => change(&path, answered),
        None => answered,
    };
    Ok((status, headers, Body::from(Bytes::from(passed_back))).into_response())
}

/// Signs a changed call of the broker again.
fn sign_again(shared: &Shared, headers: &mut HeaderMap, body: &[u8]) -> Result<()> {
    let caller = lock(&shared.caller).clone();
    let (Some(key), Some(value)) = (caller, headers.get(AUTHORIZATION)) else {
        return Ok(());
    };
    let Ok(call) = CallCredential::from_header(value.to_str()?) else {
        return Ok(());
    };
    let CallStatement { kind, to, sent, .. } = call.statement;
    let again = CallCredential::sign(&key, kind, to, sent, body)?;
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&again.to_header())?);
    Ok(())
}

fn next_instead(shared: &Shared, path: &str) -> Option<Instead> {
    let (at, ways) = &mut *lock(&shared.instead);
    if at == path { ways.pop_front() } else { None }
}

async fn keep_back(shared: &Shared, path: &str) {
    if let Some((held, count)) = &mut *lock(&shared.held)
        && held == path
    {
        *count += 1;
    }
    while lock(&shared.held).as_ref().is_some_and(|(held, _)| held == path) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The headers of the message itself. Length and connection belong to the transport.
fn without_framing(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in ["host", "content-length", "connection", "transfer-encoding"] {
        headers.remove(name);
    }
    headers
}
