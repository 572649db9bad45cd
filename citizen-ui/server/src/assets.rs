//! The static files: styles, fonts, icon, boot script and the browser's program. All of them are embedded in the
//! server.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

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
        )
    };
}

/// Path, media type, `Cache-Control`, content.
type Asset = (&'static str, &'static str, &'static str, &'static [u8]);

const ASSETS: [Asset; 10] = [
    (
        "/assets/kern.css",
        "text/css; charset=utf-8",
        CACHE_HOUR,
        include_bytes!("../../assets/vendor/kern/2.7.2/kern.min.css"),
    ),
    (
        "/assets/portal.css",
        "text/css; charset=utf-8",
        CACHE_HOUR,
        include_bytes!("../../assets/portal.css"),
    ),
    (
        "/assets/islands.js",
        "text/javascript; charset=utf-8",
        CACHE_HOUR,
        include_bytes!("../../assets/islands.js"),
    ),
    (
        "/assets/icon.svg",
        "image/svg+xml",
        CACHE_HOUR,
        include_bytes!("../../assets/icon.svg"),
    ),
    font!("400", "latin"),
    font!("400", "latin-ext"),
    font!("500", "latin"),
    font!("500", "latin-ext"),
    font!("600", "latin"),
    font!("600", "latin-ext"),
];

/// Path, media type and content of the browser's program; empty if the server was built without it (see `build.rs`).
const BROWSER: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/browser.rs"));

/// Whether the server was built with the browser's program.
pub(crate) fn has_browser_program() -> bool {
    !BROWSER.is_empty()
}

/// The routes of all static files.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    // The browser's program changes with the server and has no version in its name, so browsers must revalidate it.
    let browser = BROWSER
        .iter()
        .map(|(path, media, content)| (*path, *media, "no-cache", *content));
    ASSETS
        .into_iter()
        .chain(browser)
        .fold(Router::new(), |router, (path, media, keep, content)| {
            let answer = move || async move {
                ([(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, keep)], content).into_response()
            };
            router.route(path, get(answer))
        })
}
