//! Compression of answers that are public and permanent: full bundles and documents.
//!
//! * A client gets gzip if its `Accept-Encoding` prefers it, q values included (RFC 9110 §12.5.3). A full bundle of
//!   signed entries becomes a third smaller.
//! * Nothing else is compressed. A reader who can add text to an answer that also has a secret could guess the secret
//!   from the compressed length (BREACH). Bundles and documents have no secrets. Records need a credential. Tiles,
//!   checkpoints and receipts are mostly hashes and signatures and hardly become smaller.
//! * The work for an answer is bounded: the fastest level, and no body above [`LONGEST`]. A partial bundle is outdated
//!   after a moment, and its readers follow the log closely, so it is sent as it is.
//! * The compressed form is another representation, so it has the weak form of the entity tag.

use axum::body::HttpBody as _;
use axum::handler::Handler;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use service::Problem;
use tower_http::compression::{CompressionLayer, CompressionLevel};

/// The shortest body that is worth compressing, and the longest that is compressed for a stranger, in bytes. 256
/// ordinary entries have 67 kB.
const SHORTEST: u64 = 1024;
const LONGEST: u64 = 1 << 20;

/// Marks a response that may be compressed.
#[derive(Clone, Copy)]
struct Compressible;

/// A `GET` route whose handler may mark its answers with [`allow`].
pub(super) fn get_compressible<H, T, S>(handler: H) -> MethodRouter<S>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    // The portal's files need brotli, and features are for the whole program. It is too slow to run on request.
    let layer = CompressionLayer::new()
        .no_br()
        .quality(CompressionLevel::Fastest)
        .compress_when(|_, _, _: &HeaderMap, extensions: &Extensions| extensions.get::<Compressible>().is_some());
    get(handler).layer(layer).layer(map_response(finish))
}

/// Allows a response to be compressed. Its content must be public.
pub(super) fn allow(mut response: Response) -> Response {
    let vary = HeaderValue::from(header::ACCEPT_ENCODING);
    response.headers_mut().insert(header::VARY, vary);
    let length = response.body().size_hint().exact();
    if length.is_some_and(|length| (SHORTEST..=LONGEST).contains(&length)) {
        response.extensions_mut().insert(Compressible);
    }
    response
}

async fn finish(mut response: Response) -> Response {
    if response.status() == StatusCode::NOT_ACCEPTABLE {
        let detail = "the answer is available in gzip or as it is, which Accept-Encoding excludes";
        return Problem::new(406, "not-acceptable", "No acceptable encoding", detail).into_response();
    }
    let headers = response.headers_mut();
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    if let (Some(tag), true) = (tag, headers.contains_key(header::CONTENT_ENCODING))
        && let Ok(weak) = HeaderValue::from_str(&format!("W/{tag}"))
    {
        headers.insert(header::ETAG, weak);
    }
    response
}
