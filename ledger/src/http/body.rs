//! Reads the bodies of requests.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use service::Problem;

/// The body of a request. `what` names the content in the message for a body above `limit`, the limit of the route.
///
/// # Errors
/// 413 for a larger body; 400 for a body that cannot be read.
pub fn read(body: Result<Bytes, BytesRejection>, what: &str, limit: usize) -> Result<Bytes, Problem> {
    body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(format!("{what} has at most {limit} bytes")),
        _ => Problem::bad_request("body", "the body cannot be read"),
    })
}
