//! Rotations: components that ask for new keys.
//!
//! | | | signed by |
//! | --- | --- | --- |
//! | `POST` | `/rotations` | the component, with its present and its new key: the rotation |
//! | `POST` | `/rotations/list` | a registrar; the answer is an array of rotations |
//!
//! A rotation waits in the table `rotations` of `rotations.redb` until the directory lists the new keys; a newer one of
//! the same component replaces it. So there are at most as many as components. The service decides nothing: the
//! registrars' tool checks both signatures again, and the authorities sign the change set.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use enrolment::{MAX_STATEMENT, PAGE, Refused, Rotation, RotationQuery, Signed};
use ledger_client::LiveTrust;
use record::{ParticipantId, Timestamp};
use service::http::CBOR;
use service::{Clock, Problem};
use sha2::{Digest as _, Sha256};
use store::{Encoding, Store, StoreConfig, Table, TableError};
use tlog::Hash;

/// The file in the process's own directory.
const STORE: &str = "rotations";
/// The longest rotation, in bytes.
const MAX_ROTATION: usize = 1024;

/// The rotations that wait.
pub(crate) struct Rotations {
    /// By the SHA-256 of the component's id.
    table: Table<[u8; 32], Rotation>,
    genesis: Hash,
    live: LiveTrust,
    clock: Arc<dyn Clock>,
}

impl Rotations {
    /// Opens the table in `data`.
    ///
    /// # Errors
    /// [`TableError`].
    pub(crate) fn open(
        data: &Path,
        genesis: Hash,
        live: LiveTrust,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, TableError> {
        let store = Store::open(&StoreConfig::Redb, data, STORE)?;
        let encoding = Encoding {
            encode: Rotation::to_bytes,
            decode: |bytes| Rotation::from_bytes(bytes).map_err(|error| error.to_string()),
        };
        Ok(Arc::new(Self {
            table: Table::open(&store, "rotations", encoding)?,
            genesis,
            live,
            clock,
        }))
    }
}

fn key(component: &ParticipantId) -> [u8; 32] {
    Sha256::digest(component.as_str()).into()
}

pub(crate) fn routes(rotations: Arc<Rotations>) -> Router {
    Router::new()
        .route("/rotations", post(ask).layer(DefaultBodyLimit::max(MAX_ROTATION)))
        .route(
            "/rotations/list",
            post(list).layer(DefaultBodyLimit::max(MAX_STATEMENT)),
        )
        .with_state(rotations)
}

async fn ask(State(rotations): State<Arc<Rotations>>, body: Bytes) -> Result<StatusCode, Problem> {
    let rotation = Rotation::from_bytes(&body).map_err(|error| malformed(&error))?;
    let history = rotations.live.confirmed()?;
    rotation
        .check(rotations.genesis, history.state().directory())
        .map_err(|refused| problem(&refused))?;
    let component = &rotation.content().component;
    rotations
        .table
        .put(key(component), &rotation)
        .await
        .map_err(|error| failed(&error))?;
    tracing::info!(%component, "a component asks for new keys");
    Ok(StatusCode::NO_CONTENT)
}

async fn list(State(rotations): State<Arc<Rotations>>, body: Bytes) -> Result<Response, Problem> {
    let query: Signed<RotationQuery> = Signed::from_bytes(&body).map_err(|error| malformed(&error))?;
    let (history, now) = (rotations.live.confirmed()?, Timestamp(rotations.clock.now()));
    query
        .check(rotations.genesis, history.state(), now)
        .map_err(|refused| problem(&refused))?;
    let mut after = query.statement.after.as_ref().map(key);
    let mut waiting = Vec::new();
    loop {
        let rows = rotations
            .table
            .page(after, PAGE)
            .await
            .map_err(|error| failed(&error))?;
        let Some((last, _)) = rows.last() else { break };
        after = Some(*last);
        for (id, rotation) in rows {
            if rotation.check(rotations.genesis, history.state().directory()).is_err() {
                // It is done, or can no longer be.
                rotations.table.remove(id).await.map_err(|error| failed(&error))?;
            } else if waiting.len() < PAGE {
                waiting.push(rotation);
            }
        }
        if waiting.len() == PAGE {
            break;
        }
    }
    Ok(([(header::CONTENT_TYPE, CBOR)], record::cbor::to_vec(&waiting)).into_response())
}

fn malformed(error: &dyn std::fmt::Display) -> Problem {
    Problem::bad_request("malformed-request", error.to_string())
}

fn failed(error: &TableError) -> Problem {
    tracing::error!(%error, "rotations cannot be read or written");
    Problem::internal()
}

fn problem(refused: &Refused) -> Problem {
    let detail = refused.to_string();
    match refused {
        Refused::OtherLog => Problem::bad_request("other-log", detail),
        Refused::Clock => Problem::bad_request("clock", detail),
        Refused::Registrar => Problem::forbidden("no-registrar", detail),
        Refused::Listed(_) => Problem::conflict("listed", detail),
        Refused::Unfit(_) => Problem::unprocessable("unfit", detail),
        _ => Problem::forbidden("key", detail),
    }
}
