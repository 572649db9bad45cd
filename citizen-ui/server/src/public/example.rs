//! The handlers of the page about checking, with an invented list that is part of the program.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use citizen_ui::islands::prove_example;
use citizen_ui::pages::{self, ErrorPage};
use citizen_ui::proof::statement::ProvedList;
use citizen_ui::proof::verify::Failure;

use crate::page::PageRequest;

/// The proof of the invented list. `citizen-ui/examples/make_example.rs` makes the file.
const PROOF: &[u8] = include_bytes!("../../../assets/example.page-proof");

/// The list, proved once.
static LIST: LazyLock<Result<ProvedList, Failure>> = LazyLock::new(|| prove_example(PROOF));

/// `GET /{lang}/so-wird-geprueft`
pub(super) async fn page(page: PageRequest) -> Response {
    let list = LIST.as_ref().ok();
    match list.and_then(|list| pages::how_checked(&page.frame(), list)) {
        Some(html) => Html(html).into_response(),
        None => page.error(ErrorPage::Internal),
    }
}

/// `GET /{lang}/so-wird-geprueft/beweis`: the proof, for the browser's program.
pub(super) async fn proof() -> Response {
    ([(header::CONTENT_TYPE, "application/cbor")], PROOF).into_response()
}
