//! The handlers of the pages about the log.

use axum::Form;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use citizen_ui::islands::LogProof;
use citizen_ui::pages::{self, Compared, EntryPage, ErrorPage, LogState, LogView, Lookup};
use record::{Receipt, VerifiedReceipt};
use serde::Deserialize;
use service::http::CallError;
use tlog::policy::PolicyVerdict;

use crate::page::PageRequest;
use crate::portal::Portal;

/// The status of an answer to a form that was not filled in as it must be.
const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// What the pages share.
async fn view(portal: &Portal) -> LogView {
    let (state, verdict) = state_of(portal).await;
    LogView {
        state,
        witnesses: portal.watch.witnesses(verdict.as_ref()),
        counts: portal.watch.counts(),
        contradictions: portal.watch.contradictions(),
        watched_since: portal.watch.since(),
        now: portal.clock.now(),
    }
}

async fn state_of(portal: &Portal) -> (LogState, Option<PolicyVerdict>) {
    let bytes = match portal.ledger.checkpoint().await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::warn!(%error, "cannot read the checkpoint");
            return (LogState::Unreachable, None);
        }
    };
    let (Ok(verdict), Ok(checkpoint)) = (
        portal.trust.policy.verify_checkpoint(&bytes),
        String::from_utf8(bytes.to_vec()),
    ) else {
        return (LogState::Invalid, None);
    };
    let state = LogState::Checked {
        origin: verdict.checkpoint().origin.to_string(),
        size: verdict.checkpoint().size.get(),
        root: verdict.checkpoint().root.to_string(),
        quorum: verdict.quorum(),
        quorum_time: verdict.quorum_time(),
        checkpoint,
    };
    (state, Some(verdict))
}

/// `GET /{lang}/protokoll`
pub(super) async fn overview(page: PageRequest) -> Response {
    let view = view(&page.portal).await;
    Html(pages::log(&page.frame(), &view, &page.portal.trust_text)).into_response()
}

/// `GET /{lang}/protokoll/zeugen`
pub(super) async fn witnesses(page: PageRequest) -> Response {
    let view = view(&page.portal).await;
    Html(pages::witnesses(&page.frame(), &view)).into_response()
}

/// `GET /{lang}/protokoll/loeschungen`
pub(super) async fn erasures(page: PageRequest) -> Response {
    let view = view(&page.portal).await;
    Html(pages::erasures(&page.frame(), &view)).into_response()
}

/// `GET /{lang}/protokoll/widersprueche`
pub(super) async fn contradictions(page: PageRequest) -> Response {
    let view = view(&page.portal).await;
    Html(pages::contradictions(
        &page.frame(),
        &view,
        None,
        &page.portal.trust_text,
    ))
    .into_response()
}

/// The form with a checkpoint.
#[derive(Debug, Default, Deserialize)]
pub(super) struct CheckpointForm {
    #[serde(default, rename = "fassung")]
    text: String,
}

/// `POST /{lang}/protokoll/widersprueche`: compares a checkpoint from elsewhere.
pub(super) async fn compare(page: PageRequest, form: Result<Form<CheckpointForm>, FormRejection>) -> Response {
    let text = form.map(|Form(form)| as_file(&form.text)).unwrap_or_default();
    let compared = page.portal.watch.compare(&text).await;
    let status = match compared {
        Compared::Unsigned => REFUSED,
        _ => StatusCode::OK,
    };
    let view = view(&page.portal).await;
    let html = pages::contradictions(&page.frame(), &view, Some(compared), &page.portal.trust_text);
    (status, Html(html)).into_response()
}

/// A pasted file: a browser sends other ends of lines, and people leave out the last one.
fn as_file(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned() + "\n"
}

/// The query of the request for the state.
#[derive(Debug, Default, Deserialize)]
pub(super) struct StateParameters {
    /// The size of the log that the browser has seen, or 0.
    #[serde(default, rename = "ab")]
    from: u64,
}

/// `GET /{lang}/protokoll/fassung`: the checkpoint with the proof that it continues what a device has seen.
pub(super) async fn state(page: PageRequest, parameters: Result<Query<StateParameters>, QueryRejection>) -> Response {
    let Query(parameters) = parameters.unwrap_or_default();
    let portal = &page.portal;
    let Ok(bytes) = portal.ledger.checkpoint().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let Ok(verdict) = portal.trust.policy.verify_checkpoint(&bytes) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let proof = LogProof {
        consistency: portal.ledger.consistency(parameters.from, verdict.checkpoint()).await,
        checkpoint: bytes.to_vec(),
    };
    ([(header::CONTENT_TYPE, "application/cbor")], proof.to_bytes()).into_response()
}

/// The query of the form with a number.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NumberForm {
    #[serde(default, rename = "nr")]
    number: Option<String>,
}

/// `GET /{lang}/protokoll/eintrag`: the forms; with a number, the way to its entry.
pub(super) async fn lookup(page: PageRequest, form: Result<Query<NumberForm>, QueryRejection>) -> Response {
    let Query(form) = form.unwrap_or_default();
    let Some(text) = form.number.filter(|text| !text.trim().is_empty()) else {
        return looked_up(&page, StatusCode::OK, Lookup::Empty);
    };
    // People write a large number in groups.
    let digits: String = text
        .chars()
        .filter(|character| !matches!(character, ' ' | '.' | '\u{202f}' | '\u{a0}'))
        .collect();
    match digits.parse::<u64>() {
        Ok(index) => page.to(&format!("/protokoll/eintrag/{index}")).into_response(),
        Err(_) => looked_up(&page, REFUSED, Lookup::Unknown),
    }
}

fn looked_up(page: &PageRequest, status: StatusCode, state: Lookup) -> Response {
    (
        status,
        Html(pages::lookup(&page.frame(), state, &page.portal.trust_text)),
    )
        .into_response()
}

/// `GET /{lang}/protokoll/eintrag/{name}`: the entry of this number, or its receipt (`42.tlog-proof`).
pub(super) async fn entry(page: PageRequest, Path(name): Path<String>) -> Response {
    let (number, as_file) = match name.strip_suffix(".tlog-proof") {
        Some(number) => (number, true),
        None => (name.as_str(), false),
    };
    let Ok(index) = number.parse::<u64>() else {
        return looked_up(&page, StatusCode::NOT_FOUND, Lookup::Unknown);
    };
    let receipt = match page.portal.ledger.receipt(index).await {
        Ok(fetched) => fetched.receipt,
        Err(CallError::Refused(problem)) if problem.status == 404 => {
            return looked_up(&page, StatusCode::NOT_FOUND, Lookup::Unknown);
        }
        Err(error) => {
            tracing::warn!(%error, "cannot fetch a receipt");
            return page.error(ErrorPage::LedgerUnreachable);
        }
    };
    if as_file {
        let headers = [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"eintrag-{index}.tlog-proof\""),
            ),
        ];
        return (headers, receipt).into_response();
    }
    match verified(&page.portal, &receipt) {
        Ok((hashes, verified)) if verified.index().get() == index => shown(&page, hashes, &verified),
        _ => {
            tracing::error!(index, "the ledger sends a receipt that does not verify");
            page.error(ErrorPage::Internal)
        }
    }
}

/// The form with a receipt.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ReceiptForm {
    #[serde(default, rename = "beleg")]
    text: String,
}

/// `POST /{lang}/protokoll/eintrag`: the entry of a receipt.
pub(super) async fn receipt(page: PageRequest, form: Result<Form<ReceiptForm>, FormRejection>) -> Response {
    let text = form.map(|Form(form)| as_file(&form.text)).unwrap_or_default();
    match verified(&page.portal, text.as_bytes()) {
        Ok((hashes, verified)) => shown(&page, hashes, &verified),
        Err(state) => looked_up(&page, REFUSED, state),
    }
}

/// A verified receipt, and how many hashes its proof has.
fn verified(portal: &Portal, receipt: &[u8]) -> Result<(usize, VerifiedReceipt), Lookup> {
    let receipt = Receipt::parse(receipt).map_err(|_| Lookup::NoReceipt)?;
    let verified = receipt.verify(&portal.trust.policy).map_err(|_| Lookup::Refused)?;
    Ok((receipt.proof().hashes.len(), verified))
}

fn shown(page: &PageRequest, hashes: usize, receipt: &VerifiedReceipt) -> Response {
    let history = page.portal.versions.history();
    let writer = history.right_at(receipt.entry(), receipt.index());
    let content = EntryPage {
        entry: receipt.entry(),
        index: receipt.index().get(),
        size: receipt.checkpoint().size.get(),
        quorum: receipt.quorum(),
        cosigned: receipt.cosignatures().len(),
        path: hashes,
        writer: writer.ok().map(|grant| grant.name.to_string()),
    };
    Html(pages::entry(&page.frame(), &content)).into_response()
}
