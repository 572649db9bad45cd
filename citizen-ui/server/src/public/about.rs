//! The handlers of the pages about the portal: help, imprint, privacy, and verifying without it.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use citizen_ui::pages::{self, ErrorPage, Operator, VerifyPage};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::verifier_file::VerifierDownload;
use crate::config::OperatorConfig;
use crate::page::PageRequest;

/// The name under which a browser stores the program.
const NAME: &str = "verifier";

/// `GET /{lang}/selbst-pruefen`
pub(super) async fn verify(page: PageRequest) -> Response {
    let config = &page.portal.config;
    let content = VerifyPage {
        log: config.ledger_public.as_ref().unwrap_or(&config.ledger).clone(),
        trust: page.portal.trust_text.clone(),
        verifier: page.portal.verifier.as_ref().map(VerifierDownload::described),
        keys: config.keys_published.clone(),
    };
    Html(pages::verify(&page.frame(), &content)).into_response()
}

/// `GET /{lang}/selbst-pruefen/verifier`: the program.
pub(super) async fn download(page: PageRequest, request: Request) -> Response {
    let Some(verifier) = &page.portal.verifier else {
        return page.error(ErrorPage::NotFound);
    };
    let Ok(served) = ServeFile::new(verifier.path()).oneshot(request).await;
    let mut response = served.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{NAME}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

fn operator(page: &PageRequest) -> Option<Operator> {
    page.portal.config.operator.as_ref().map(OperatorConfig::to_operator)
}

/// `GET /{lang}/hilfe`
pub(super) async fn help(page: PageRequest) -> Response {
    Html(pages::help(&page.frame(), operator(&page).as_ref())).into_response()
}

/// `GET /{lang}/impressum`
pub(super) async fn imprint(page: PageRequest) -> Response {
    Html(pages::imprint(&page.frame(), operator(&page).as_ref())).into_response()
}

/// `GET /{lang}/datenschutz`
pub(super) async fn privacy(page: PageRequest) -> Response {
    Html(pages::privacy(&page.frame(), operator(&page).as_ref())).into_response()
}

/// `GET /leicht/registerlandkarte`
pub(super) async fn easy_landkarte(page: PageRequest) -> Response {
    Html(pages::easy_landkarte(&page.frame())).into_response()
}

/// `GET /leicht/protokoll`
pub(super) async fn easy_log(page: PageRequest) -> Response {
    Html(pages::easy_log(&page.frame())).into_response()
}
