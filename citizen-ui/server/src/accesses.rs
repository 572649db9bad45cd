//! The handlers for citizens who are logged in: pages, the proof and files.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::{HeaderName, header};
use axum::response::{Html, IntoResponse, Response};
use citizen_ui::language::verdict::verdict_text;
use citizen_ui::markup::Element;
use citizen_ui::pages::{self, ErrorPage, Frame, Target};
use citizen_ui::paper::letter::receipt_file;
use citizen_ui::paper::list::BUNDLE_FILE;
use citizen_ui::proof::statement::PageProof;
use citizen_ui::proof::verdict::{Scope, ServerCheck, Verdict};
use serde::Deserialize;

use crate::assets::PRELOAD;
use crate::download::download;
use crate::page::CitizenRequest;

/// A citizen's page ([`Target`]).
pub(crate) async fn page(request: CitizenRequest) -> Response {
    let citizen = &request.current.citizen;
    let frame = request.page.frame();
    let Some(target) = Target::of(request.page.path()) else {
        return request.page.error(ErrorPage::NotFound);
    };
    let path = match target {
        Target::Proof(index) => citizen.path(index),
        _ => None,
    };
    let content = citizen.content(path.as_ref());
    let verdict = server_verdict(&frame, citizen.check, target.scope());
    match pages::citizen_page(&frame, &target, &content, verdict) {
        Some(page) => (preload(), Html(pages::html(&page))).into_response(),
        None => request.page.error(ErrorPage::NotFound),
    }
}

/// Lets the browser load its program while it still reads the page. Otherwise it would wait for the script first, which
/// is half a second on a slow connection.
fn preload() -> Option<[(HeaderName, &'static str); 1]> {
    PRELOAD.map(|link| [(header::LINK, link)])
}

/// What the server has to say about a page: that the browser has not checked it.
fn server_verdict(frame: &Frame, check: ServerCheck, scope: Scope) -> Element {
    let verdict = Verdict::Unchecked(check);
    let text = verdict_text(&verdict, scope, &[], frame.lang);
    pages::verdict_box(frame, &verdict, &text)
}

/// The query of the request for the proof.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ProofParameters {
    /// The size of the log that the browser has seen, or 0.
    #[serde(default, rename = "ab")]
    from: u64,
}

/// `GET /{lang}/abrufe/beweis`: everything that proves the pages of the session, for the browser's program.
pub(crate) async fn proof(
    request: CitizenRequest,
    parameters: Result<Query<ProofParameters>, QueryRejection>,
) -> Response {
    let Query(parameters) = parameters.unwrap_or_default();
    let CitizenRequest { page, current } = &request;
    current.citizen.make_file().await;
    let answer = PageProof {
        trust: page.portal.trust_text.clone(),
        list: current.citizen.list_proof(&page.portal.ledger, parameters.from).await,
    };
    ([(header::CONTENT_TYPE, "application/cbor")], answer.to_bytes()).into_response()
}

/// `GET /{lang}/abrufe/buendel`: the bundle as a download.
pub(crate) async fn bundle(request: CitizenRequest) -> Response {
    let citizen = &request.current.citizen;
    citizen.make_file().await;
    match citizen.bundle() {
        Some(file) => download(BUNDLE_FILE, "application/octet-stream", file.to_vec()),
        None => request.page.error(ErrorPage::NotFound),
    }
}

/// `GET /{lang}/abrufe/{index}/oeffnung`: the opening as a download.
pub(crate) async fn opening(request: CitizenRequest, Path(index): Path<String>) -> Response {
    match opening_file(&request, &index).await {
        Ok(file) => download(&format!("eintrag-{index}.opening"), "application/cbor", file),
        Err(error) => request.page.error(error),
    }
}

async fn opening_file(request: &CitizenRequest, index: &str) -> Result<Vec<u8>, ErrorPage> {
    let index = index.parse().map_err(|_| ErrorPage::NotFound)?;
    match request
        .current
        .citizen
        .opening_file(&request.page.portal.ledger, index)
        .await
    {
        Ok(file) => file.ok_or(ErrorPage::NotFound),
        Err(error) => {
            tracing::warn!(%error, "cannot fetch an opening");
            Err(ErrorPage::LedgerUnreachable)
        }
    }
}

/// `GET /{lang}/abrufe/{index}/quittung`: the receipt as a download.
pub(crate) async fn receipt(request: CitizenRequest, Path(index): Path<String>) -> Response {
    let CitizenRequest { page, current } = &request;
    let Ok(index) = index.parse() else {
        return page.error(ErrorPage::NotFound);
    };
    match current.citizen.receipt_file(&page.portal.ledger, index).await {
        Some(file) => download(&receipt_file(index), "text/plain; charset=utf-8", file),
        None => page.error(ErrorPage::NotFound),
    }
}
