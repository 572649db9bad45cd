//! A witness that keeps its state while the ledger is killed and restarted. It refuses a ledger that forks or rolls
//! back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::routing::post;
use tlog::Hash;
use tlog::cosignature::cosign;
use tlog::merkle::Size;
use tlog::note::SignerKey;
use tlog::witness::{AddCheckpoint, KnownLog, WitnessRefusal, decide, monitoring_path};

use crate::world::{ORIGIN, log_key, now, witness_key};

pub(crate) struct Witness {
    log: KnownLog,
    key: SignerKey,
    stored: Mutex<Option<(Size, Hash)>>,
    /// The newest checkpoint, which it shows at its monitoring path if that is asked for.
    shown: Mutex<String>,
    monitored: AtomicBool,
    forks: AtomicU64,
    pub(crate) url: String,
}

impl Witness {
    pub(crate) async fn start() -> Result<Arc<Self>> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let witness = Arc::new(Self {
            log: KnownLog {
                origin: ORIGIN.parse()?,
                keys: vec![log_key()?.verifier_key()?],
            },
            key: witness_key()?,
            stored: Mutex::new(None),
            shown: Mutex::default(),
            monitored: false.into(),
            forks: 0.into(),
            url: format!("http://{}", listener.local_addr()?),
        });
        let routes = Router::new()
            .route("/add-checkpoint", post(add_checkpoint))
            .fallback(monitor)
            .with_state(witness.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(witness)
    }

    /// Shows the newest checkpoint from now on.
    pub(crate) fn show(&self) {
        self.monitored.store(true, Ordering::SeqCst);
    }

    /// Size and root of the last checkpoint that it cosigned.
    pub(crate) fn stored(&self) -> Option<(Size, Hash)> {
        *self.stored.lock().unwrap()
    }

    /// How often it has refused a checkpoint that is inconsistent with the last one.
    pub(crate) fn forks(&self) -> u64 {
        self.forks.load(Ordering::SeqCst)
    }

    fn cosign(&self, body: &str) -> Result<String, WitnessRefusal> {
        let request = AddCheckpoint::parse(body.as_bytes())?;
        let mut stored = self.stored.lock().unwrap();
        let signed = decide(Some(&self.log), *stored, &request)?;
        *stored = Some((signed.checkpoint().size, signed.checkpoint().root));
        *self.shown.lock().unwrap() = signed.note().to_string();
        let line = cosign(&signed.note().text, &self.key, now().0).map_err(|_| WitnessRefusal::Malformed)?;
        Ok(format!("{line}\n"))
    }
}

async fn monitor(State(witness): State<Arc<Witness>>, path: Uri) -> (StatusCode, String) {
    let expected = ORIGIN.parse().map(|origin| monitoring_path(&origin));
    let here = expected.is_ok_and(|expected| path.path().trim_start_matches('/') == expected.trim_start_matches('/'));
    if here && witness.monitored.load(Ordering::SeqCst) {
        (StatusCode::OK, witness.shown.lock().unwrap().clone())
    } else {
        (StatusCode::NOT_FOUND, String::new())
    }
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: String) -> (StatusCode, String) {
    match witness.cosign(&body) {
        Ok(line) => (StatusCode::OK, line),
        Err(refusal) => {
            // A restarted ledger learns the witness's last size from this refusal. No other refusal may happen.
            if !matches!(refusal, WitnessRefusal::OtherSize(_)) {
                witness.forks.fetch_add(1, Ordering::SeqCst);
            }
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, refusal.body())
        }
    }
}
