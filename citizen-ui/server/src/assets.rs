//! The static files: style sheet, fonts, icon, boot script and the browser's program. All of them are embedded in the
//! server. Each path has a part of the file's digest or its version, so browsers and proxies may keep every file for as
//! long as they like.
//!
//! Those that are large and become much smaller are embedded in gzip and brotli too, for browsers that ask for it, so
//! that no request makes the server compress. They are the only compressed responses of the portal: a page has personal
//! data beside texts of others, and the length of its compressed form could reveal them (BREACH).

use axum::Router;
use axum::body::Body;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use citizen_ui::pages::FILES;
use paper::fonts;
use tower_http::compression::CompressionLayer;

const CACHE: &str = "public, max-age=31536000, immutable";

macro_rules! font {
    ($weight:literal, $files:path) => {
        [
            (concat!("/assets/fira-sans-5.3.0-latin-", $weight, ".woff2"), $files[0]),
            (
                concat!("/assets/fira-sans-5.3.0-latin-ext-", $weight, ".woff2"),
                $files[1],
            ),
        ]
    };
}

/// A file in its three forms.
#[derive(Clone, Copy)]
struct Content {
    plain: &'static [u8],
    gzip: &'static [u8],
    brotli: &'static [u8],
}

const STYLE: Content = Content {
    plain: include_bytes!(concat!(env!("OUT_DIR"), "/portal.css")),
    gzip: include_bytes!(concat!(env!("OUT_DIR"), "/portal.css.gz")),
    brotli: include_bytes!(concat!(env!("OUT_DIR"), "/portal.css.br")),
};
const ICON: &[u8] = include_bytes!("../../assets/icon.svg");

/// Fonts are compressed as they are.
const FONTS: [[(&str, &[u8]); 2]; 3] = [
    font!("400", fonts::REGULAR),
    font!("500", fonts::MEDIUM),
    font!("600", fonts::BOLD),
];

// `browser()`: path, media type and content of the browser's program and its script; empty if the server was built
// without the program. `PROGRAM`: the digest of the script for the pages (Subresource Integrity). The script has the
// digest of the program (see `build.rs`). `PRELOAD`: the `Link` field of pages that are proved.
include!(concat!(env!("OUT_DIR"), "/browser.rs"));

/// The path of the browser's script.
#[allow(dead_code, reason = "a server that was built without the program has no script")]
fn script_path() -> String {
    PROGRAM.map(citizen_ui::pages::script_path).unwrap_or_default()
}

/// The routes of all static files.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let css = "text/css; charset=utf-8";
    let [(style, _), (icon, _)] = FILES;
    let style = (style.to_owned(), css, STYLE);
    let plain = FONTS
        .as_flattened()
        .iter()
        .map(|(path, content)| (*path, "font/woff2", *content));
    let plain = plain.chain([(icon, "image/svg+xml", ICON)]);
    let router = plain.fold(Router::new(), |router, (path, media, content)| {
        let headers = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, CACHE)];
        router.route(path, get(move || async move { (headers, content).into_response() }))
    });
    let large = [style].into_iter().chain(browser());
    large.fold(router, |router, (path, media, content)| {
        router.route(&path, compressed(media, content))
    })
}

fn compressed<S: Clone + Send + Sync + 'static>(media: &'static str, content: Content) -> MethodRouter<S> {
    let headers = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, CACHE)];
    // The layer chooses a form by the request's `Accept-Encoding`, for an empty body that it never has to compress.
    let always = |_: StatusCode, _: Version, _: &HeaderMap, _: &Extensions| true;
    get(move || async move { headers.into_response() })
        .layer(CompressionLayer::new().compress_when(always))
        .layer(map_response(move |response: Response| async move {
            with_body(response, content)
        }))
}

/// The response with the body that its `Content-Encoding` announces.
fn with_body(mut response: Response, content: Content) -> Response {
    if response.status() == StatusCode::NOT_ACCEPTABLE {
        return StatusCode::NOT_ACCEPTABLE.into_response();
    }
    let headers = response.headers_mut();
    let body = match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        Some(b"br") => content.brotli,
        Some(_) => content.gzip,
        None => content.plain,
    };
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = Body::from(body);
    response
}
