//! Responses that a browser stores as a file.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// Builds a download. `name` goes into a header unescaped, so it must come from a constant and a parsed log index or
/// an identifier alone.
pub(crate) fn download(name: &str, media: &'static str, file: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, file).into_response()
}
