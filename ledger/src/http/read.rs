//! Handlers for receipts, documents and writers' heads, and for records, whose readers [`super::entrance`] checks.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse as _;
use record::stored::MAX_BATCH;
use record::{Receipt, Sequence, StoredEntry, WriterId, submission};
use service::Problem;
use tlog::Hash;
use tlog::merkle::Index;

use super::reply::{BINARY, IMMUTABLE, NO_STORE, Reply, TEXT, absent, index, internal, not_witnessed, reply};
use super::served::redirect;
use super::shared::Shared;
use super::{answers, body, compression};
use crate::rules::WriterHead;
use crate::store::{Column, StoreError};

/// The largest request for many records, in bytes: an index takes at most nine.
pub(super) const MAX_BATCH_BODY: usize = 4096;

type SharedState = State<Arc<Shared>>;

fn hash(text: &str) -> Result<Hash, Problem> {
    text.parse().map_err(|_| absent())
}

/// `GET /entries/{index}/receipt[?witnessed]`
pub(super) async fn receipt(
    State(shared): SharedState,
    Path(number): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Reply {
    let number = index(&number)?;
    let snapshot = shared.log.snapshot();
    if number >= snapshot.head.size {
        return Err(absent());
    }
    match query.as_deref() {
        None | Some("") => {
            let receipt = answers::stored_receipt(&shared, &snapshot, number).map_err(|error| internal(&error))?;
            Ok(reply(&headers, TEXT, NO_STORE, receipt))
        }
        Some("witnessed") => witnessed(&shared, number, &headers),
        Some(_) => Err(Problem::bad_request("query", "the only query is `witnessed`")),
    }
}

/// The receipt of an entry under the published checkpoint.
pub(super) fn witnessed(shared: &Shared, number: u64, headers: &HeaderMap) -> Reply {
    let published = shared.publication.witnessed(&shared.log.snapshot());
    let published = published
        .filter(|published| published.size > number)
        .ok_or_else(not_witnessed)?;
    // This snapshot is not older than the published checkpoint.
    let snapshot = shared.log.snapshot();
    let made = (|| {
        let entry = answers::stored_entry(shared, number)?;
        let hashes = snapshot.inclusion(number, published.size)?;
        let receipt = Receipt::new(entry, Index::new(number)?, hashes, published.note.clone());
        Ok(receipt.to_bytes())
    })();
    let receipt = made.map_err(|error| internal(&error))?;
    Ok(reply(headers, TEXT, NO_STORE, receipt))
}

/// `GET /records/{index}`
pub(super) async fn record(State(shared): SharedState, Path(number): Path<String>, headers: HeaderMap) -> Reply {
    let number = index(&number)?;
    if number >= shared.log.snapshot().head.size {
        return Err(absent());
    }
    let record = shared.log.rows().store().get(Column::Records, &number.to_be_bytes());
    let record = record.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(reply(&headers, BINARY, NO_STORE, record))
}

/// `POST /records/batch`
pub(super) async fn records(State(shared): SharedState, body: Result<Bytes, BytesRejection>) -> Reply {
    let body = body::read(body, "a request for records", MAX_BATCH_BODY)?;
    let indices: Vec<u64> = record::cbor::from_slice(&body)
        .map_err(|_| Problem::bad_request("body", "the body is not a CBOR array of indices"))?;
    if !(1..=MAX_BATCH).contains(&indices.len()) {
        return Err(Problem::bad_request(
            "batch",
            format!("a request names 1 to {MAX_BATCH} entries"),
        ));
    }
    let size = shared.log.snapshot().head.size;
    let stored = move |index| (index < size).then(|| stored(&shared, index)).transpose();
    let read = move || indices.into_iter().map(stored).collect();
    let read: Result<Vec<Option<StoredEntry>>, StoreError> = tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| Problem::internal())?;
    let read = read.map_err(|error| internal(&error))?;
    let fresh = [
        (header::CONTENT_TYPE, service::http::CBOR),
        (header::CACHE_CONTROL, NO_STORE),
    ];
    Ok((fresh, record::cbor::to_vec(&read)).into_response())
}

fn stored(shared: &Shared, index: u64) -> Result<StoredEntry, StoreError> {
    Ok(StoredEntry {
        leaf: answers::stored_leaf(shared, index)?,
        record: shared.log.rows().store().get(Column::Records, &index.to_be_bytes())?,
    })
}

/// `GET /documents/{digest}`
pub(super) async fn document(State(shared): SharedState, Path(digest): Path<String>, headers: HeaderMap) -> Reply {
    let document = shared.log.rows().store().get(Column::Documents, &hash(&digest)?.0);
    let document = document.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(compression::allow(reply(&headers, BINARY, IMMUTABLE, document)))
}

/// `GET /writers/{kid}/head`
pub(super) async fn writer(State(shared): SharedState, Path(kid): Path<String>, headers: HeaderMap) -> Reply {
    let writer = WriterId(hash(&kid)?);
    // A writer stops with an alarm if its head is behind its receipts, as it may be in a follower.
    if let Some(follower) = shared.log.followed() {
        return redirect(
            follower.sequencer.public.as_ref(),
            &format!("/writers/{}/head", writer.0),
        );
    }
    let head = WriterHead::read(shared.log.rows(), &writer);
    let head = head.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    let head = submission::WriterHead {
        sequence: Sequence(head.sequence),
        leaf_hash: head.leaf,
        index: Index::new(head.index).map_err(|_| absent())?,
    };
    Ok(reply(&headers, service::http::CBOR, NO_STORE, head.to_bytes()))
}
