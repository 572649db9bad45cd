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
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use enrolment::{MAX_STATEMENT, PAGE, Rotation, RotationQuery, Signed};
use ledger_client::LiveTrust;
use record::{ParticipantId, Timestamp};
use service::failpoints::reach;
use service::{Clock, Problem};
use sha2::{Digest as _, Sha256};
use store::{Encoding, Store, StoreConfig, Table, TableError};
use tlog::Hash;

use crate::enrolments::{StepError, cbor, problem, read};
use crate::points;

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

    /// Takes a rotation, in place of an older one of the same component.
    async fn ask(&self, rotation: &Rotation) -> Result<(), StepError> {
        rotation.check(self.genesis, self.live.confirmed()?.state().directory())?;
        let component = &rotation.content().component;
        reach(points::CHECKED);
        self.table.put(key(component), rotation).await?;
        reach(points::KEPT);
        tracing::info!(%component, "a component asks for new keys");
        Ok(())
    }

    /// The rotations that a registrar asks for. Removes those that are done, or can no longer be.
    async fn waiting(&self, query: &Signed<RotationQuery>) -> Result<Vec<Rotation>, StepError> {
        let (history, now) = (self.live.confirmed()?, Timestamp(self.clock.now()));
        query.check(self.genesis, history.state(), now)?;
        let mut after = query.statement.after.as_ref().map(key);
        let mut waiting = Vec::new();
        while waiting.len() < PAGE {
            let rows = self.table.page(after, PAGE).await?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(*last);
            for (id, rotation) in rows {
                if rotation.check(self.genesis, history.state().directory()).is_err() {
                    self.table.remove(id).await?;
                } else if waiting.len() < PAGE {
                    waiting.push(rotation);
                }
            }
        }
        Ok(waiting)
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
    rotations.ask(&read(&body)?).await.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(State(rotations): State<Arc<Rotations>>, body: Bytes) -> Result<Response, Problem> {
    let waiting = rotations.waiting(&read(&body)?).await.map_err(problem)?;
    Ok(cbor(record::cbor::to_vec(&waiting)))
}
