//! The HTTP interface of the witness.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use service::Listener;
use service::{Clock, Shutdown};
use tlog::Hash;
use tlog::checkpoint::{Origin, SignedCheckpoint};
use tlog::cosignature;
use tlog::log_list::ListedLog;
use tlog::note::{LineError, Note, SignerKey, VerifierKey};
use tlog::witness::{AddCheckpoint, KnownLog, MAX_REQUEST, SIZE_CONTENT_TYPE, WitnessRefusal, decide};
use tokio::sync::Mutex;

use crate::audit::{Source, Tail, TailError};

use super::store::{CheckpointStore, CheckpointStoreError, StoredCheckpoint};

/// Configuration of a witness.
#[derive(Debug)]
pub struct Config {
    /// Directory of the state. It is created if it is missing.
    pub state: PathBuf,
    /// The cosigner's key ([`super::load_or_create`]).
    pub key: SignerKey,
    /// The logs that it cosigns for. A log with several keys is listed once for each key.
    pub logs: Vec<ListedLog>,
    /// The logs that it audits before it cosigns, by origin.
    pub audits: BTreeMap<Origin, Audit>,
    /// The clock for the time of cosignatures.
    pub clock: Arc<dyn Clock>,
}

/// How a log is audited.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Where the witness reads the log.
    pub source: Source,
    /// Leaf hash of entry 0, if it is known from elsewhere.
    pub genesis: Option<Hash>,
}

/// Serves until shutdown is requested.
///
/// # Errors
/// [`CheckpointStoreError`]: the state cannot be used, or the listener fails ([`CheckpointStoreError::Io`]).
pub async fn run(config: Config, listener: Listener, shutdown: Shutdown) -> Result<(), CheckpointStoreError> {
    let path = config.state.clone();
    let witness = Witness::open(config)?;
    let served = service::listen::serve(listener, routes(Arc::new(witness)), shutdown).await;
    served.map_err(|source| CheckpointStoreError::Io { path, source })
}

/// One log. The lock on `stored` is held from the decision until the cosigned checkpoint is persisted.
struct WitnessedLog {
    known: KnownLog,
    stored: Mutex<Option<StoredCheckpoint>>,
    tail: Option<Mutex<Tail>>,
}

impl WitnessedLog {
    fn decide(
        &self,
        stored: Option<&StoredCheckpoint>,
        request: &AddCheckpoint,
    ) -> Result<SignedCheckpoint, NotCosigned> {
        let last = stored.map(|stored| (stored.size, stored.root));
        decide(Some(&self.known), last, request).map_err(|refusal| {
            if refusal == WitnessRefusal::Inconsistent {
                // WI-2: a signed and inconsistent checkpoint is evidence against the log.
                tracing::error!(
                    checkpoint = request.checkpoint,
                    "the log has signed an inconsistent checkpoint"
                );
            }
            NotCosigned::Refused(refusal)
        })
    }
}

struct Witness {
    store: Arc<CheckpointStore>,
    key: SignerKey,
    clock: Arc<dyn Clock>,
    /// By hex SHA-256 of the origin.
    logs: BTreeMap<String, WitnessedLog>,
}

/// Why there is no cosignature.
enum NotCosigned {
    Refused(WitnessRefusal),
    /// The audit has findings.
    Unsound(String),
    /// The audit is in progress, or cannot read the log now.
    NotNow(String),
    Broken(String),
}

impl From<TailError> for NotCosigned {
    fn from(error: TailError) -> Self {
        let what = error.to_string();
        match error {
            TailError::Unreadable(_) => Self::NotNow(what),
            TailError::Unsound(_) => Self::Unsound(what),
        }
    }
}

impl Witness {
    fn open(config: Config) -> Result<Witness, CheckpointStoreError> {
        let store = CheckpointStore::open(&config.state)?;
        let damaged = |_| CheckpointStoreError::Damaged(config.state.clone());
        let own: VerifierKey = config.key.verifier_key().map_err(damaged)?;
        let mut known: BTreeMap<String, KnownLog> = BTreeMap::new();
        for listed in config.logs {
            let entry = known.entry(listed.origin.hash().to_string());
            entry
                .or_insert(KnownLog {
                    origin: listed.origin,
                    keys: Vec::new(),
                })
                .keys
                .push(listed.key);
        }
        let mut logs = BTreeMap::new();
        for (id, known) in known {
            let stored = Mutex::new(store.read(&known.origin, &own)?);
            let audit = config.audits.get(&known.origin).cloned();
            let tail = audit.map(|audit| Mutex::new(Tail::new(audit.source, audit.genesis)));
            logs.insert(id, WitnessedLog { known, stored, tail });
        }
        Ok(Witness {
            store: Arc::new(store),
            key: config.key,
            clock: config.clock,
            logs,
        })
    }

    /// The protocol's steps 1 to 8. Returns the cosignature line with its line end.
    async fn add_checkpoint(&self, body: &[u8]) -> Result<String, NotCosigned> {
        let request = AddCheckpoint::parse(body).map_err(NotCosigned::Refused)?;
        let head = request
            .head()
            .map_err(|_| NotCosigned::Refused(WitnessRefusal::Malformed))?;
        let log = self
            .logs
            .get(&head.origin.hash().to_string())
            .ok_or(NotCosigned::Refused(WitnessRefusal::UnknownLog))?;
        if let Some(tail) = &log.tail {
            // The decision comes first, so that only a checkpoint of the log can make this witness read it. The audit
            // runs without the lock on `stored`, because it may take long.
            let signed = log.decide(log.stored.lock().await.as_ref(), &request)?;
            let busy = |_| NotCosigned::NotNow("the log is being audited".to_owned());
            let mut tail = tail.try_lock().map_err(busy)?;
            tail.check(signed.checkpoint().size, signed.checkpoint().root).await?;
        }
        let mut stored = log.stored.lock().await;
        let signed = log.decide(stored.as_ref(), &request)?;
        let (note, line) = self.cosign(&signed, &log.known.keys)?;
        self.persist(log.known.origin.clone(), note.clone()).await?;
        let checkpoint = signed.checkpoint();
        *stored = Some(StoredCheckpoint {
            size: checkpoint.size,
            root: checkpoint.root,
            note,
        });
        Ok(line)
    }

    /// Returns the note to store (the log's own signatures and this cosignature) and the line to answer.
    fn cosign(&self, signed: &SignedCheckpoint, keys: &[VerifierKey]) -> Result<(String, String), NotCosigned> {
        let broken = |error: LineError| NotCosigned::Broken(error.to_string());
        let text = &signed.note().text;
        let line = cosignature::cosign(text, &self.key, self.clock.now()).map_err(broken)?;
        let answer = format!("{line}\n");
        let signatures = signed.lines_of(keys).cloned().chain([line]).collect();
        Ok((
            Note {
                text: text.clone(),
                signatures,
            }
            .to_string(),
            answer,
        ))
    }

    async fn persist(&self, origin: Origin, note: String) -> Result<(), NotCosigned> {
        let store = Arc::clone(&self.store);
        let written = tokio::task::spawn_blocking(move || store.write(&origin, &note)).await;
        written
            .map_err(|error| NotCosigned::Broken(error.to_string()))?
            .map_err(|error| NotCosigned::Broken(error.to_string()))
    }
}

fn routes(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint).options(preflight))
        .route("/{origin}/checkpoint", get(checkpoint).options(preflight))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .layer(middleware::from_fn(share))
        .with_state(witness)
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    // This runs in a task of its own. When the client disconnects, axum drops this future and would release the lock
    // during a write, which could then replace a newer checkpoint.
    let task = tokio::spawn(async move { witness.add_checkpoint(&body).await });
    match task
        .await
        .unwrap_or_else(|error| Err(NotCosigned::Broken(error.to_string())))
    {
        Ok(line) => text(StatusCode::OK, "text/plain; charset=utf-8", line),
        Err(NotCosigned::Refused(refusal)) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let kind = match refusal {
                WitnessRefusal::OtherSize(_) => SIZE_CONTENT_TYPE,
                _ => "text/plain; charset=utf-8",
            };
            text(status, kind, refusal.body())
        }
        Err(NotCosigned::Unsound(what)) => {
            tracing::error!("not cosigned: {what}");
            text(
                StatusCode::UNPROCESSABLE_ENTITY,
                "text/plain; charset=utf-8",
                format!("{what}\n"),
            )
        }
        Err(NotCosigned::NotNow(what)) => {
            tracing::warn!("not cosigned: {what}");
            text(
                StatusCode::SERVICE_UNAVAILABLE,
                "text/plain; charset=utf-8",
                format!("{what}\n"),
            )
        }
        Err(NotCosigned::Broken(what)) => {
            tracing::error!("not cosigned: {what}");
            text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "text/plain; charset=utf-8",
                "not cosigned\n".to_owned(),
            )
        }
    }
}

/// SPEC tlog-witness: the latest cosigned checkpoint with the log's signature and this witness's; 404 if there is none.
async fn checkpoint(State(witness): State<Arc<Witness>>, Path(origin): Path<String>) -> Response {
    let Some(log) = witness.logs.get(&origin) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match log.stored.lock().await.as_ref() {
        Some(stored) => text(StatusCode::OK, "text/plain; charset=utf-8", stored.note.clone()),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn preflight() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Allows requests of web pages from any origin, and forbids caching.
async fn share(request: Request, next: Next) -> Response {
    let preflight = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if preflight {
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, HEAD, POST, OPTIONS"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("content-type"),
        );
    }
    response
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}
