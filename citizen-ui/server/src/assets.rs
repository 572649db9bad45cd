//! The static files: styles, fonts, icon, boot script and the browser's program. All of them are embedded in the
//! server.
//!
//! Those that are large and become much smaller are embedded in gzip too, for browsers that ask for it, so that no
//! request makes the server compress. They are the only compressed responses of the portal: a page has personal data
//! beside texts of others, and the length of its compressed form could reveal them (BREACH).

use axum::Router;
use axum::body::Body;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use tower_http::compression::CompressionLayer;

const CACHE_HOUR: &str = "public, max-age=3600";
const CACHE_YEAR: &str = "public, max-age=31536000, immutable";

macro_rules! font {
    ($weight:literal, $subset:literal) => {
        (
            concat!("/assets/fira-sans-", $subset, "-", $weight, ".woff2"),
            "font/woff2",
            CACHE_YEAR,
            include_bytes!(concat!(
                "../../assets/vendor/fira-sans/5.3.0/fira-sans-",
                $subset,
                "-",
                $weight,
                "-normal.woff2"
            )) as &'static [u8],
            None,
        )
    };
}

macro_rules! gzip {
    ($name:literal) => {
        Some(include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")) as &'static [u8])
    };
}

/// Path, media type, `Cache-Control`, content, content in gzip.
type Asset = (
    &'static str,
    &'static str,
    &'static str,
    &'static [u8],
    Option<&'static [u8]>,
);

const ASSETS: [Asset; 9] = [
    (
        "/assets/kern.css",
        "text/css; charset=utf-8",
        CACHE_HOUR,
        include_bytes!("../../assets/vendor/kern/2.7.2/kern.min.css"),
        gzip!("kern.min.css"),
    ),
    (
        "/assets/portal.css",
        "text/css; charset=utf-8",
        CACHE_HOUR,
        include_bytes!("../../assets/portal.css"),
        gzip!("portal.css"),
    ),
    (
        "/assets/icon.svg",
        "image/svg+xml",
        CACHE_HOUR,
        include_bytes!("../../assets/icon.svg"),
        None,
    ),
    font!("400", "latin"),
    font!("400", "latin-ext"),
    font!("500", "latin"),
    font!("500", "latin-ext"),
    font!("600", "latin"),
    font!("600", "latin-ext"),
];

/// Path, media type, content and content in gzip of the browser's program and its script.
type BrowserFile = (&'static str, &'static str, &'static [u8], &'static [u8]);

// `BROWSER`, which is empty if the server was built without the program, and `PROGRAM`, the digest of the script for
// the pages (Subresource Integrity). The script has the digest of the program (see `build.rs`).
include!(concat!(env!("OUT_DIR"), "/browser.rs"));

/// The routes of all static files.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    // The browser's program changes with the server and has no version in its name, so browsers must revalidate it.
    let browser = BROWSER
        .iter()
        .map(|(path, media, content, gzip)| (*path, *media, "no-cache", *content, Some(*gzip)));
    ASSETS
        .into_iter()
        .chain(browser)
        .fold(Router::new(), |router, asset| router.route(asset.0, route(asset)))
}

fn route<S: Clone + Send + Sync + 'static>((_, media, keep, content, gzip): Asset) -> MethodRouter<S> {
    let headers = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, keep)];
    let Some(gzip) = gzip else {
        return get(move || async move { (headers, content).into_response() });
    };
    // The layer chooses a form by the request's `Accept-Encoding`, for an empty body that it never has to compress.
    let always = |_: StatusCode, _: Version, _: &HeaderMap, _: &Extensions| true;
    get(move || async move { headers.into_response() })
        .layer(CompressionLayer::new().compress_when(always))
        .layer(map_response(move |response: Response| async move {
            with_body(response, content, gzip)
        }))
}

/// The response with the body that its `Content-Encoding` announces.
fn with_body(mut response: Response, content: &'static [u8], gzip: &'static [u8]) -> Response {
    if response.status() == StatusCode::NOT_ACCEPTABLE {
        return StatusCode::NOT_ACCEPTABLE.into_response();
    }
    let headers = response.headers_mut();
    let body = if headers.contains_key(header::CONTENT_ENCODING) {
        gzip
    } else {
        content
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = Body::from(body);
    response
}
