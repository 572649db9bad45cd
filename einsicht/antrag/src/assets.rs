//! The style sheets and fonts, which are those of the cockpit and a few rules more. All of them are in the program.

use axum::Router;
use axum::http::header;
use axum::routing::get;

macro_rules! vendor {
    ($path:literal) => {
        include_bytes!(concat!("../../../citizen-ui/assets/vendor/", $path)) as &'static [u8]
    };
}

macro_rules! font {
    ($name:literal) => {
        include_bytes!(concat!("../../../service/paper/assets/vendor/fira-sans/5.3.0/", $name)) as &'static [u8]
    };
}

const CSS: &str = "text/css; charset=utf-8";
const FONT: &str = "font/woff2";

/// Path, media type, content.
const ASSETS: [(&str, &str, &[u8]); 9] = [
    (
        "/assets/icon.svg",
        "image/svg+xml",
        include_bytes!("../../../citizen-ui/assets/icon.svg"),
    ),
    ("/assets/kern.css", CSS, vendor!("kern/2.7.2/kern.min.css")),
    ("/assets/antrag.css", CSS, include_bytes!("../assets/antrag.css")),
    (
        "/assets/fira-sans-latin-400.woff2",
        FONT,
        font!("fira-sans-latin-400-normal.woff2"),
    ),
    (
        "/assets/fira-sans-latin-ext-400.woff2",
        FONT,
        font!("fira-sans-latin-ext-400-normal.woff2"),
    ),
    (
        "/assets/fira-sans-latin-500.woff2",
        FONT,
        font!("fira-sans-latin-500-normal.woff2"),
    ),
    (
        "/assets/fira-sans-latin-ext-500.woff2",
        FONT,
        font!("fira-sans-latin-ext-500-normal.woff2"),
    ),
    (
        "/assets/fira-sans-latin-600.woff2",
        FONT,
        font!("fira-sans-latin-600-normal.woff2"),
    ),
    (
        "/assets/fira-sans-latin-ext-600.woff2",
        FONT,
        font!("fira-sans-latin-ext-600-normal.woff2"),
    ),
];

/// The routes of all static files.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS
        .into_iter()
        .fold(Router::new(), |router, (path, media, content)| {
            let headers = [
                (header::CONTENT_TYPE, media),
                (header::CACHE_CONTROL, "public, max-age=3600"),
            ];
            router.route(path, get(move || async move { (headers, content) }))
        })
}
