//! A plain transparency log of arbitrary bytes on the ledger's engine. Clients, load generators, checkers and witnesses
//! of other projects can be tested with it.
//!
//! ```text
//! open_log --listen ADDR --data DIR --key FILE
//! ```
//!
//! FILE contains a signed-note private key (`PRIVATE+KEY+…`) whose name is the log's origin. When the address is
//! bound, the program prints the verifier key as the first line on standard output.
//!
//! | Endpoint | Answer |
//! | --- | --- |
//! | `POST /add` | the decimal index of the entry in the body (0 to 65535 bytes), once it is published |
//! | `GET /checkpoint`, `/head`, `/tile/…` | see [`ledger::http::tree`] |
//!
//! Errors are problem details: 413 for a larger body, 429 with `Retry-After` when the queue is full, 503 when the store
//! has failed. Commits, tiles and checkpoints are those of the ledger. There are no witnesses, so every durable
//! checkpoint is published. The log does not detect duplicates: the same bytes submitted twice are two entries.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use clap::Parser;
use ledger::engine::publication::{Publication, QuorumLossPolicy};
use ledger::engine::rows::{MAX_ENTRY, Rows};
use ledger::engine::{Admission, Limits, Outcome, SequencedLog, Signer, Stage, SubmitError, open};
use ledger::http::body;
use ledger::http::tree::{self, ReadApi};
use ledger::store::rocks::RocksStore;
use ledger::store::{Store, StoreError};
use service::{Problem, Shutdown, listen};
use tlog::Hash;
use tlog::merkle::leaf_hash;
use tlog::note::SignerKey;
use tokio::net::TcpListener;

#[cfg(test)]
#[path = "open_log/tests.rs"]
mod tests;

#[derive(Parser)]
#[command(name = "open_log", version, about = "A plain transparency log of arbitrary bytes")]
struct Arguments {
    /// Address to listen on.
    #[arg(long)]
    listen: SocketAddr,
    /// Directory of the log; created if there is none.
    #[arg(long)]
    data: PathBuf,
    /// File with the signed-note private key.
    #[arg(long)]
    key: PathBuf,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    service::telemetry::init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::stderr!("open_log: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let key = read_key(&arguments.key)?;
    let verifier = key.verifier_key()?;
    let signer = Signer::new(key)?;
    let store = Arc::new(RocksStore::open(&arguments.data)?);
    let shutdown = Shutdown::on_signals()?;
    let listener = TcpListener::bind(arguments.listen).await?;
    output::stdout!("{verifier}")?;
    let (log, routes) = start(store, signer)?;
    listen::serve(listener, routes, shutdown).await?;
    tokio::task::spawn_blocking(move || log.end()).await?;
    Ok(())
}

fn read_key(file: &PathBuf) -> Result<SignerKey, Failure> {
    let text = fs::read_to_string(file).map_err(|error| format!("the key {}: {error}", file.display()))?;
    let key = text.trim_end().parse();
    key.map_err(|error| format!("{} is not a signed-note private key: {error}", file.display()).into())
}

/// Opens the log in `store` and returns it with its routes.
fn start(store: Arc<dyn Store>, signer: Signer) -> Result<(Arc<SequencedLog<AdmitAll>>, Router), Failure> {
    let rows = Rows::new(store);
    let opened = open(&rows, &signer)?;
    let publication = Arc::new(Publication::open(None, QuorumLossPolicy::default(), &rows, &opened)?);
    let log = Arc::new(SequencedLog::start(
        rows.clone(),
        signer,
        opened,
        AdmitAll,
        Limits::default(),
    )?);
    let add = post(add).layer(DefaultBodyLimit::max(MAX_ENTRY));
    let routes = Router::new().route("/add", add).with_state(log.clone());
    let tree = tree::routes().with_state(ReadApi {
        rows,
        snapshots: log.snapshots(),
        publication,
    });
    Ok((log, routes.merge(tree)))
}

/// Admits every entry.
struct AdmitAll;

/// A request body and its leaf hash, which the request handler computes.
struct Addition {
    body: Bytes,
    leaf: Hash,
}

impl Admission for AdmitAll {
    type Submission = Addition;
    type Rejection = ();
    type Writer = ();

    fn writer(_: &Addition) {}

    fn admit(&mut self, addition: Addition, stage: &mut Stage<'_>) -> Result<Outcome<()>, StoreError> {
        Ok(Outcome::Recorded(stage.append(&addition.body, addition.leaf)))
    }

    fn due(&self) -> Option<Instant> {
        None
    }

    fn finish(&mut self, _: &mut Stage<'_>) -> Result<(), StoreError> {
        Ok(())
    }

    fn committed(&mut self, _: bool) {}
}

async fn add(
    State(log): State<Arc<SequencedLog<AdmitAll>>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<String, Problem> {
    let body = body::read(body, "an entry", MAX_ENTRY)?;
    let leaf = leaf_hash(&body);
    let answers = log.submit(vec![Addition { body, leaf }], 1).await;
    match answers.map_err(refused)?.outcomes.first() {
        Some(Outcome::Recorded(index)) => Ok(index.to_string()),
        _ => Err(Problem::internal()),
    }
}

fn refused(error: SubmitError) -> Problem {
    match error {
        SubmitError::Busy => Problem::too_many(1, error.to_string()),
        SubmitError::Stopped(_) => Problem::unavailable("stopped", 5, error.to_string()),
    }
}
