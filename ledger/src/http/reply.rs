//! Responses of the read handlers.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use service::Problem;
use tlog::Hash;

use crate::store::StoreError;

pub(super) const TEXT: &str = "text/plain; charset=utf-8";
pub(super) const BINARY: &str = "application/octet-stream";
pub(super) const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// For published checkpoints, which rarely change: late cosignatures may be added.
pub(super) const SHORT: &str = "public, max-age=60";
pub(super) const NO_STORE: &str = "no-store";

pub(super) type Reply = Result<Response, Problem>;

/// A response with an ETag; 304 if the client already has it.
pub(super) fn reply(headers: &HeaderMap, content_type: &'static str, cache: &'static str, body: Vec<u8>) -> Response {
    let tag = format!("\"{}\"", &Hash::of(&body).to_string()[..32]);
    let known = is_known(headers, &tag);
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

/// Whether the client has the content with this tag. SPEC: RFC 9110 §13.1.2: `If-None-Match` compares weakly, because a
/// proxy that compresses a response makes its tag weak.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

pub(super) fn absent() -> Problem {
    Problem::not_found("")
}

/// Parses a canonical decimal number; any other text is a 404.
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
        "the witnesses' quorum has not yet cosigned a checkpoint that covers this",
    )
}

/// Logs a failure of the store. The client receives no details. A database that cannot be reached, or that another
/// ledger has taken over, is no fault of this process: another one answers the same request.
pub(super) fn internal(error: &StoreError) -> Problem {
    if matches!(error, StoreError::Unknown(_) | StoreError::Fenced(_)) {
        tracing::warn!(%error, "a request cannot be answered");
        return Problem::unavailable("store", 1, "the log's store cannot be read at the moment");
    }
    tracing::error!(%error, "a request failed");
    Problem::internal()
}
