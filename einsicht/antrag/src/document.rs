//! The evidence as the PDF document that its register has written, for the person.
//!
//! It comes from another authority. The browser gets it as a download, because a page of ours must not run what is in
//! it, and as nothing but a PDF file.

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::application::Evidence;

const PDF: &str = "application/pdf";
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, PDF),
    (header::CONTENT_DISPOSITION, "attachment; filename=\"nachweis.pdf\""),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; sandbox; frame-ancestors 'none'",
    ),
];

/// The PDF document of evidence. `None` if it has none, or another kind of document.
pub(crate) fn download(evidence: &Evidence) -> Option<Response> {
    let document = evidence
        .document
        .as_ref()
        .filter(|document| document.media_type == PDF)?;
    let content = BASE64.decode(&document.content).ok()?;
    content
        .starts_with(b"%PDF-")
        .then(|| (HEADERS, content).into_response())
}
