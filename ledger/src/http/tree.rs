//! The read API of c2sp.org/tlog-tiles, for any log of the engine.
//!
//! | Endpoint | Answer |
//! | --- | --- |
//! | `GET /checkpoint` | the newest checkpoint that meets the witness policy; 503 until there is one |
//! | `GET /checkpoints/{size}` | the published checkpoint of this size, or of the next larger published size |
//! | `GET /head` | the newest checkpoint, with the log's signatures only |
//! | `GET /tile/<level>/<number>[.p/<width>]` | hashes of a tile, up to the head |
//! | `GET /tile/entries/<number>[.p/<width>]` | a bundle of entries, up to the head |
//!
//! Full bundles are compressed for clients that ask for it ([`super::compression`]).
//!
//! Only canonical paths exist; any other path is a 404 that must not be cached. Tiles and bundles are immutable and may
//! be cached permanently. Scripts of any web page may read all of these, because browsers verify proofs.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::routing::get;
use tlog::tile::Resource;
use tokio::sync::watch;
use tower_http::cors::{Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::compression::{allow, get_compressible};
use super::reply::{BINARY, IMMUTABLE, NO_STORE, Reply, SHORT, TEXT, absent, index, internal, not_witnessed, reply};
use crate::engine::Snapshot;
use crate::engine::edge::TILE_WIDTH;
use crate::engine::publication::Publication;
use crate::engine::rows::Rows;

/// The state of the read API.
#[derive(Clone)]
pub struct ReadApi {
    /// The stored log.
    pub rows: Rows,
    /// The newest durable state.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// The published checkpoint.
    pub publication: Arc<Publication>,
}

impl ReadApi {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }
}

/// The routes of the read API.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S>
where
    ReadApi: FromRef<S>,
{
    open_to_web_pages(
        Router::new()
            .route("/checkpoint", get(checkpoint))
            .route("/checkpoints/{size}", get(history))
            .route("/head", get(head))
            .route("/tile/{*path}", get_compressible(tile)),
    )
}

/// Allows scripts of any web page to read the responses of these routes.
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

async fn head(State(api): State<ReadApi>, headers: HeaderMap) -> Reply {
    Ok(reply(
        &headers,
        TEXT,
        NO_STORE,
        api.snapshot().note.clone().into_bytes(),
    ))
}

async fn checkpoint(State(api): State<ReadApi>, headers: HeaderMap) -> Reply {
    let published = api.publication.latest(&api.snapshot()).ok_or_else(not_witnessed)?;
    Ok(reply(&headers, TEXT, NO_STORE, published.note.clone().into_bytes()))
}

async fn history(State(api): State<ReadApi>, Path(size): Path<String>, headers: HeaderMap) -> Reply {
    let note = api.rows.checkpoint_from(index(&size)?);
    let (_, note) = note.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(reply(&headers, TEXT, SHORT, note.into_bytes()))
}

async fn tile(State(api): State<ReadApi>, uri: Uri, headers: HeaderMap) -> Reply {
    // Parses the path as it was sent, because an escaped path is not canonical.
    let resource: Resource = uri.path().trim_start_matches('/').parse().map_err(|_| absent())?;
    let (level, number, width) = match &resource {
        Resource::Tile(tile) => (tile.level(), tile.index(), tile.width()),
        Resource::Bundle(bundle) => (0, bundle.index(), bundle.width()),
    };
    let nodes = api.snapshot().head.size.checked_shr(u32::from(level) * 8).unwrap_or(0);
    let end = number
        .checked_mul(256)
        .and_then(|first| first.checked_add(u64::from(width)));
    if end.is_none_or(|end| end > nodes) {
        return Err(absent());
    }
    let full_bundle = matches!(&resource, Resource::Bundle(bundle) if u64::from(bundle.width()) == TILE_WIDTH);
    let body = match resource {
        Resource::Tile(_) => api.rows.tile(level, number, width),
        Resource::Bundle(_) => api.rows.bundle(number, width),
    };
    let body = body.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    let response = reply(&headers, BINARY, IMMUTABLE, body);
    Ok(if full_bundle { allow(response) } else { response })
}
