//! The read API of c2sp.org/tlog-tiles, over any log of the engine.
//!
//! | Endpoint | Answer |
//! | --- | --- |
//! | `GET /checkpoint` | the newest checkpoint that meets the witness policy; 503 until there is one |
//! | `GET /checkpoints/{size}` | the checkpoint that met the witness policy at this size, or at the next larger one |
//! | `GET /head` | the newest checkpoint, with the log's signature alone |
//! | `GET /tile/<level>/<number>[.p/<width>]` | hashes of a tile, up to the head |
//! | `GET /tile/entries/<number>[.p/<width>]` | a bundle of entries, up to the head |
//!
//! Canonical paths only, everything else is a 404 that nobody may cache; tiles and bundles are immutable and may be cached for
//! good; any web page may read them (a browser verifies here).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use service::Problem;
use tlog::Hash;
use tlog::tile::Resource;
use tokio::sync::watch;
use tower_http::cors::{Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::internal;
use crate::engine::Snapshot;
use crate::engine::publication::Publication;
use crate::engine::rows::Rows;

pub(super) const TEXT: &str = "text/plain; charset=utf-8";
pub(super) const BINARY: &str = "application/octet-stream";
pub(super) const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// What hardly changes: late cosignatures may be added.
const SHORT: &str = "public, max-age=60";
pub(super) const NO_STORE: &str = "no-store";

pub(super) type Reply = Result<Response, Problem>;

/// What the read API reads.
#[derive(Clone)]
pub struct Tree {
    /// The stored log.
    pub rows: Rows,
    /// The newest durable state.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// The published checkpoint.
    pub publication: Arc<Publication>,
}

impl Tree {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }
}

/// The routes above.
pub fn routes(tree: Tree) -> Router {
    open_to_web_pages(
        Router::new()
            .route("/checkpoint", get(checkpoint))
            .route("/checkpoints/{size}", get(history))
            .route("/head", get(head))
            .route("/tile/{*path}", get(tile)),
    )
    .with_state(tree)
}

/// Lets scripts of any web page read the answers of these routes.
pub(super) fn open_to_web_pages<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::IF_NONE_MATCH])
        .expose_headers([header::ETAG, header::RETRY_AFTER]);
    let resource_policy = SetResponseHeaderLayer::overriding(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    routes.layer(cors).layer(resource_policy)
}

/// An answer with its ETag; 304 if the requester has it already.
pub(super) fn reply(headers: &HeaderMap, content_type: &'static str, cache: &'static str, body: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", &Hash::of(&body).to_string()[..32]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let known = known.is_some_and(|value| {
        value
            .split(',')
            .any(|one| matches!(one.trim(), "*") || one.trim() == tag)
    });
    let mut common = HeaderMap::new();
    common.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        common.insert(header::ETAG, tag);
    }
    if known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    common.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    (common, body).into_response()
}

pub(super) fn absent() -> Problem {
    Problem::not_found("")
}

/// A canonical decimal number; anything else names nothing.
pub(super) fn index(text: &str) -> Result<u64, Problem> {
    let number: u64 = text.parse().map_err(|_| absent())?;
    if number.to_string() == text {
        Ok(number)
    } else {
        Err(absent())
    }
}

pub(super) fn not_witnessed() -> Problem {
    Problem::unavailable(
        "not-witnessed",
        1,
        "the witnesses' quorum has not cosigned a checkpoint that covers this yet",
    )
}

async fn head(State(tree): State<Tree>, headers: HeaderMap) -> Reply {
    Ok(reply(
        &headers,
        TEXT,
        NO_STORE,
        tree.snapshot().note.clone().into_bytes(),
    ))
}

async fn checkpoint(State(tree): State<Tree>, headers: HeaderMap) -> Reply {
    let published = tree.publication.latest(&tree.snapshot()).ok_or_else(not_witnessed)?;
    Ok(reply(&headers, TEXT, NO_STORE, published.note.clone().into_bytes()))
}

async fn history(State(tree): State<Tree>, Path(size): Path<String>, headers: HeaderMap) -> Reply {
    let note = tree.rows.checkpoint_from(index(&size)?);
    let (_, note) = note.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(reply(&headers, TEXT, SHORT, note.into_bytes()))
}

async fn tile(State(tree): State<Tree>, uri: Uri, headers: HeaderMap) -> Reply {
    // The path as it was sent: an escaped one is not canonical.
    let resource: Resource = uri.path().trim_start_matches('/').parse().map_err(|_| absent())?;
    let (level, number, width) = match &resource {
        Resource::Tile(tile) => (tile.level(), tile.index(), tile.width()),
        Resource::Bundle(bundle) => (0, bundle.index(), bundle.width()),
    };
    let nodes = tree.snapshot().head.size.checked_shr(u32::from(level) * 8).unwrap_or(0);
    let end = number
        .checked_mul(256)
        .and_then(|first| first.checked_add(u64::from(width)));
    if end.is_none_or(|end| end > nodes) {
        return Err(absent());
    }
    let body = match resource {
        Resource::Tile(_) => tree.rows.tile(level, number, width),
        Resource::Bundle(_) => tree.rows.bundle(number, width),
    };
    let body = body.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(reply(&headers, BINARY, IMMUTABLE, body))
}
