//! What everybody may read: checkpoints, tiles, bundles, receipts, documents, writers' heads; and records, with a credential.
//!
//! The read API of c2sp.org/tlog-tiles: canonical paths only, everything else is a 404 that nobody may cache; tiles, bundles and
//! documents are immutable and may be cached for good; any web page may read them (a browser verifies here).

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use record::{Receipt, WriterId};
use service::Problem;
use service::secret::CredentialDigest;
use tlog::Hash;
use tlog::merkle::Index;
use tlog::tile::Resource;

use super::{Shared, entries, internal, wire};
use crate::rules::WriterHead;
use crate::store::Column;

const TEXT: &str = "text/plain; charset=utf-8";
const BINARY: &str = "application/octet-stream";
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// What hardly changes: late cosignatures may be added.
const SHORT: &str = "public, max-age=60";
const NO_STORE: &str = "no-store";

type Reply = Result<Response, Problem>;
type Ledger = State<Arc<Shared>>;

/// An answer with its ETag; 304 if the requester has it already.
fn reply(headers: &HeaderMap, content_type: &'static str, cache: &'static str, body: Vec<u8>) -> Response {
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

fn absent() -> Problem {
    Problem::not_found("")
}

/// A canonical decimal number; anything else names nothing.
fn index(text: &str) -> Result<u64, Problem> {
    let number: u64 = text.parse().map_err(|_| absent())?;
    if number.to_string() == text {
        Ok(number)
    } else {
        Err(absent())
    }
}

fn hash(text: &str) -> Result<Hash, Problem> {
    text.parse().map_err(|_| absent())
}

/// `GET /head`
pub(super) async fn head(State(shared): Ledger, headers: HeaderMap) -> Reply {
    Ok(reply(
        &headers,
        TEXT,
        NO_STORE,
        shared.log.snapshot().note.clone().into_bytes(),
    ))
}

fn not_witnessed() -> Problem {
    Problem::unavailable(
        "not-witnessed",
        1,
        "the witnesses' quorum has not cosigned a checkpoint that covers this yet",
    )
}

/// `GET /checkpoint`
pub(super) async fn checkpoint(State(shared): Ledger, headers: HeaderMap) -> Reply {
    let published = shared
        .publication
        .latest(&shared.log.snapshot())
        .ok_or_else(not_witnessed)?;
    Ok(reply(&headers, TEXT, NO_STORE, published.note.clone().into_bytes()))
}

/// `GET /checkpoints/{size}`
pub(super) async fn history(State(shared): Ledger, Path(size): Path<String>, headers: HeaderMap) -> Reply {
    let note = shared.log.rows().checkpoint_from(index(&size)?);
    let note = note.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(reply(&headers, TEXT, SHORT, note.into_bytes()))
}

/// `GET /tile/…`
pub(super) async fn tile(State(shared): Ledger, uri: Uri, headers: HeaderMap) -> Reply {
    // The path as it was sent: an escaped one is not canonical.
    let resource: Resource = uri.path().trim_start_matches('/').parse().map_err(|_| absent())?;
    let size = shared.log.snapshot().head.size;
    let rows = shared.log.rows();
    let (level, number, width) = match &resource {
        Resource::Tile(tile) => (tile.level(), tile.index(), tile.width()),
        Resource::Bundle(bundle) => (0, bundle.index(), bundle.width()),
    };
    let nodes = size.checked_shr(u32::from(level) * 8).unwrap_or(0);
    let end = number
        .checked_mul(256)
        .and_then(|first| first.checked_add(u64::from(width)));
    if end.is_none_or(|end| end > nodes) {
        return Err(absent());
    }
    let body = match resource {
        Resource::Tile(_) => rows.tile(level, number, width),
        Resource::Bundle(_) => rows.bundle(number, width),
    };
    let body = body.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(reply(&headers, BINARY, IMMUTABLE, body))
}

/// `GET /entries/{index}/receipt[?witnessed]`
pub(super) async fn receipt(
    State(shared): Ledger,
    Path(number): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Reply {
    let number = index(&number)?;
    let mut snapshot = shared.log.snapshot();
    if number >= snapshot.head.size {
        return Err(absent());
    }
    let (size, note) = match query.as_deref() {
        None | Some("") => (snapshot.head.size, snapshot.note.clone()),
        Some("witnessed") => {
            let published = shared
                .publication
                .witnessed(&snapshot)
                .filter(|published| published.size > number);
            let published = published.ok_or_else(not_witnessed)?;
            // It may be about a head newer than the one just looked at.
            snapshot = shared.log.snapshot();
            (published.size, published.note.clone())
        }
        Some(_) => return Err(Problem::bad_request("query", "the only query is `witnessed`")),
    };
    let made = (|| {
        let entry = entries::stored_entry(&shared, number)?;
        let hashes = snapshot.inclusion(shared.log.rows(), number, size)?;
        Ok((entry, hashes))
    })();
    let (entry, hashes) = made.map_err(|error| internal(&error))?;
    let number = Index::new(number).map_err(|_| absent())?;
    Ok(reply(
        &headers,
        TEXT,
        NO_STORE,
        Receipt::new(entry, number, hashes, note).to_bytes(),
    ))
}

/// `GET /records/{index}`
pub(super) async fn record(State(shared): Ledger, Path(number): Path<String>, headers: HeaderMap) -> Reply {
    CredentialDigest::require_any(&shared.records_credentials, &headers)?;
    let number = index(&number)?;
    let record = shared.log.rows().store().get(Column::Records, &number.to_be_bytes());
    let record = record.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(reply(&headers, BINARY, NO_STORE, record))
}

/// `GET /documents/{digest}`
pub(super) async fn document(State(shared): Ledger, Path(digest): Path<String>, headers: HeaderMap) -> Reply {
    let document = shared.log.rows().store().get(Column::Documents, &hash(&digest)?.0);
    let document = document.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(reply(&headers, BINARY, IMMUTABLE, document))
}

/// `GET /writers/{kid}/head`
pub(super) async fn writer(State(shared): Ledger, Path(kid): Path<String>, headers: HeaderMap) -> Reply {
    let head = WriterHead::read(shared.log.rows().store().as_ref(), &WriterId(hash(&kid)?));
    let head = head.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(reply(&headers, service::http::CBOR, NO_STORE, wire::writer_head(&head)))
}
