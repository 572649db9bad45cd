//! Handlers for receipts, documents and writers' heads, and for records, which need a credential.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use record::{Receipt, Sequence, WriterId, submission};
use service::Problem;
use service::secret::CredentialDigest;
use tlog::Hash;
use tlog::merkle::Index;

use super::reply::{BINARY, IMMUTABLE, NO_STORE, Reply, TEXT, absent, index, internal, not_witnessed, reply};
use super::shared::Shared;
use super::{answers, compression};
use crate::rules::WriterHead;
use crate::store::Column;

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
    CredentialDigest::require_any(&shared.records_credentials, &headers)?;
    let number = index(&number)?;
    let record = shared.log.rows().store().get(Column::Records, &number.to_be_bytes());
    let record = record.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(reply(&headers, BINARY, NO_STORE, record))
}

/// `GET /documents/{digest}`
pub(super) async fn document(State(shared): SharedState, Path(digest): Path<String>, headers: HeaderMap) -> Reply {
    let document = shared.log.rows().store().get(Column::Documents, &hash(&digest)?.0);
    let document = document.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    Ok(compression::allow(reply(&headers, BINARY, IMMUTABLE, document)))
}

/// `GET /writers/{kid}/head`
pub(super) async fn writer(State(shared): SharedState, Path(kid): Path<String>, headers: HeaderMap) -> Reply {
    let head = WriterHead::read(shared.log.rows(), &WriterId(hash(&kid)?));
    let head = head.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    let head = submission::WriterHead {
        sequence: Sequence(head.sequence),
        leaf_hash: head.leaf,
        index: Index::new(head.index).map_err(|_| absent())?,
    };
    Ok(reply(&headers, service::http::CBOR, NO_STORE, head.to_bytes()))
}
