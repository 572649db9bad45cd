//! A witness without a key: an attacker's server at the URL of a witness. It shows what everybody can read, at the
//! moment at which it may look like a proof: it answers a request about a head only when the public head is newer,
//! names that size as its own, and shows the public head at its monitoring path.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tests::processes::Processes;
use tests::wait_for;
use tlog::witness::AddCheckpoint;

struct Liar {
    ledger: String,
    client: reqwest::Client,
    /// How often it has named a size that was newer than the head it was asked about.
    named_newer: AtomicU64,
}

impl Liar {
    async fn public_head(&self) -> Result<(u64, String)> {
        let note = self
            .client
            .get(format!("{}/head", self.ledger))
            .send()
            .await?
            .text()
            .await?;
        Ok((note.lines().nth(1).context("a size")?.parse()?, note))
    }

    /// Waits until the public head is newer than the head of the request, but not for ever.
    async fn newer_size(&self, body: &str) -> Result<u64> {
        let asked = AddCheckpoint::parse(body.as_bytes())?.head()?.size.get();
        let mut size = asked;
        for _ in 0..80 {
            size = self.public_head().await?.0;
            if size > asked {
                self.named_newer.fetch_add(1, Ordering::SeqCst);
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(size)
    }
}

async fn add_checkpoint(State(liar): State<Arc<Liar>>, body: String) -> (StatusCode, String) {
    match liar.newer_size(&body).await {
        Ok(size) => (StatusCode::CONFLICT, format!("{size}\n")),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()),
    }
}

async fn monitoring(State(liar): State<Arc<Liar>>) -> (StatusCode, String) {
    match liar.public_head().await {
        Ok((_, note)) => (StatusCode::OK, note),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()),
    }
}

#[test]
fn a_witness_without_a_key_does_not_stop_the_log() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:22850")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}", listener.local_addr()?);
    let liar = Arc::new(Liar {
        ledger: processes.info.ledger.clone(),
        client: service::http::client(|builder| builder)?,
        named_newer: 0.into(),
    });
    let routes = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin}/checkpoint", get(monitoring))
        .with_state(liar.clone());
    runtime.spawn(async move { axum::serve(listener, routes).await });

    let policy = processes.data.join("ledger/trust.policy");
    let text = std::fs::read_to_string(&policy)?;
    let honest = processes.info.witnesses.last().context("a witness")?;
    ensure!(text.contains(honest), "{text}");
    std::fs::write(&policy, text.replace(honest, &url))?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    wait_for(Duration::from_secs(120), || {
        let (status, body) = processes.ask()?;
        ensure!(status == 200, "an exchange fails beside the liar: {status} {body:#}");
        Ok(liar.named_newer.load(Ordering::SeqCst) >= 5)
    })?;
    processes.ask_until_delivered()?;
    let log = std::fs::read_to_string(processes.data.join("ledger.log"))?;
    ensure!(!log.contains("accepts no"), "{log}");
    processes.every_intent_is_closed()
}
