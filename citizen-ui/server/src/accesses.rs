//! The handlers for citizens who are logged in: the list, one access, proofs and files.

use std::collections::BTreeSet;

use axum::Form;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use citizen_ui::islands::AccessRow;
use citizen_ui::language::facts::facts;
use citizen_ui::language::local_time::LocalTime;
use citizen_ui::language::sentence::sentence;
use citizen_ui::pages::{self, AccessKind, DetailPage, ErrorPage, ListFilter, ListPage};
use citizen_ui::proof::access::Access;
use serde::Deserialize;

use crate::citizen::Citizen;
use crate::page::{CitizenRequest, PageRequest};

/// Rows on one page of the list.
const ROWS_PER_PAGE: usize = 25;
/// The most accesses that the server checks for one request.
const MAX_CHECKS: usize = ROWS_PER_PAGE;

/// The query parameters of the list, as the form sends them. An empty value means no restriction.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ListParameters {
    #[serde(default, rename = "jahr")]
    year: String,
    #[serde(default, rename = "behoerde")]
    authority: String,
    #[serde(default, rename = "art")]
    kind: String,
    #[serde(default, rename = "seite")]
    page: String,
}

/// `GET /{lang}/zugriffe`
pub(crate) async fn list(
    request: CitizenRequest,
    parameters: Result<Query<ListParameters>, QueryRejection>,
) -> Response {
    let Query(parameters) = parameters.unwrap_or_default();
    let filter = ListFilter {
        year: parameters.year.parse().ok(),
        authority: Some(parameters.authority).filter(|name| !name.is_empty()),
        kind: AccessKind::of_code(&parameters.kind),
    };
    let CitizenRequest { page, current } = &request;
    let citizen = &current.citizen;
    let chosen: Vec<&Access> = citizen
        .accesses
        .iter()
        .filter(|access| matches(access, &filter))
        .collect();
    let pages = chosen.len().div_ceil(ROWS_PER_PAGE).max(1);
    let number = parameters.page.parse().unwrap_or(1_usize).clamp(1, pages);
    let years: BTreeSet<i16> = citizen.accesses.iter().map(year).collect();
    let authorities: BTreeSet<String> = citizen.accesses.iter().flat_map(parties).map(str::to_owned).collect();
    let list = ListPage {
        rows: chosen
            .iter()
            .skip((number - 1) * ROWS_PER_PAGE)
            .take(ROWS_PER_PAGE)
            .map(|access| row(page, citizen, access))
            .collect(),
        unopened: citizen.unopened.clone(),
        chosen: chosen.len(),
        all: citizen.accesses.len(),
        page: number,
        pages,
        years: years.into_iter().rev().collect(),
        authorities: authorities.into_iter().collect(),
        filter,
        page_path,
        completeness: citizen.completeness,
        listed: citizen.listed(),
        bundle: citizen.bundle().is_some(),
        as_of: (citizen.size, LocalTime::of(citizen.since).clock(page.lang)),
        trust: page.portal.trust_text.clone(),
    };
    Html(pages::list(&page.frame(), list)).into_response()
}

fn row(page: &PageRequest, citizen: &Citizen, access: &Access) -> AccessRow {
    let when = LocalTime::of(access.first().time);
    AccessRow {
        entries: indices(access),
        iso: when.iso.clone(),
        when: when.full(page.lang),
        phrase: sentence(access, page.lang),
        state: citizen.state(access.first().index),
    }
}

/// `GET /{lang}/zugriffe/{index}`
pub(crate) async fn detail(request: CitizenRequest, Path(index): Path<String>) -> Response {
    let CitizenRequest { page, current } = &request;
    let Some(access) = index.parse().ok().and_then(|index| current.citizen.access(index)) else {
        return page.error(ErrorPage::NotFound);
    };
    let first = access.first();
    let detail = DetailPage {
        kind: kind(access),
        entries: indices(access),
        date: LocalTime::of(first.time).date,
        phrase: sentence(access, page.lang),
        groups: facts(access, page.lang),
        state: current.citizen.state(first.index),
        trust: page.portal.trust_text.clone(),
    };
    Html(pages::detail(&page.frame(), detail)).into_response()
}

/// `GET /{lang}/zugriffe/buendel`: the bundle, for the browser's program and as a download.
pub(crate) async fn bundle(request: CitizenRequest) -> Response {
    match request.current.citizen.bundle() {
        Some(file) => download("eintraege.bundle", "application/octet-stream", file.to_vec()),
        None => request.page.error(ErrorPage::NotFound),
    }
}

/// `GET /{lang}/zugriffe/{index}/nachweis`: the opening, for the browser's program.
pub(crate) async fn proof(request: CitizenRequest, Path(index): Path<String>) -> Response {
    match opening_file(&request, &index).await {
        Ok(file) => ([(header::CONTENT_TYPE, "application/cbor")], file).into_response(),
        Err(error) => request.page.error(error),
    }
}

/// `GET /{lang}/zugriffe/{index}/oeffnung`: the opening as a download.
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

/// `GET /{lang}/zugriffe/{index}/quittung`: the receipt as a download.
pub(crate) async fn receipt(request: CitizenRequest, Path(index): Path<String>) -> Response {
    let CitizenRequest { page, current } = &request;
    let file = match index.parse() {
        Ok(index) => current.citizen.receipt_file(&page.portal.ledger, index).await,
        Err(_) => None,
    };
    match file {
        Some(file) => download(
            &format!("eintrag-{index}.tlog-proof"),
            "text/plain; charset=utf-8",
            file,
        ),
        None => page.error(ErrorPage::NotFound),
    }
}

/// Builds a download. `name` goes into a header unescaped, so it must come from a constant and a parsed log index
/// alone.
fn download(name: &str, media: &'static str, file: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, file).into_response()
}

/// The form that requests a check by the server.
#[derive(Debug, Deserialize)]
pub(crate) struct CheckForm {
    /// Log indices of the accesses' first entries, separated by commas.
    #[serde(rename = "eintraege")]
    accesses: String,
    /// Path and query, after the language, of the page to show next.
    #[serde(rename = "zurueck")]
    return_to: String,
}

/// `POST /{lang}/zugriffe/pruefen`
pub(crate) async fn check(request: CitizenRequest, Form(form): Form<CheckForm>) -> Response {
    let CitizenRequest { page, current } = &request;
    let keys = form.accesses.split(',').filter_map(|key| key.parse().ok());
    for key in keys.take(MAX_CHECKS) {
        if let Err(error) = current
            .citizen
            .check(&page.portal.ledger, &page.portal.trust, key)
            .await
        {
            tracing::warn!(%error, "cannot check an access");
            return page.error(ErrorPage::LedgerUnreachable);
        }
    }
    // Only pages of the list are allowed, so that a forged form cannot redirect the citizen to another site.
    let back =
        Some(form.return_to.as_str()).filter(|path| path.starts_with("/zugriffe") && !path.contains(char::is_control));
    page.to(back.unwrap_or("/zugriffe")).into_response()
}

fn indices(access: &Access) -> Vec<u64> {
    access.stamps().iter().map(|stamp| stamp.index).collect()
}

fn kind(access: &Access) -> AccessKind {
    match access {
        Access::Exchange(_) => AccessKind::Exchange,
        Access::Inspection { .. } => AccessKind::Inspection,
        Access::Unused { .. } => AccessKind::Unused,
        Access::Expired { kind, .. } => match kind {
            record::Kind::Inspection => AccessKind::Inspection,
            record::Kind::Void => AccessKind::Unused,
            _ => AccessKind::Exchange,
        },
    }
}

fn year(access: &Access) -> i16 {
    LocalTime::of(access.first().time).year
}

/// The authorities by which the list can be filtered to this access.
fn parties(access: &Access) -> Vec<&str> {
    match access {
        Access::Exchange(exchange) => vec![&exchange.record.consumer.name, &exchange.record.provider.name],
        Access::Inspection { .. } | Access::Unused { .. } | Access::Expired { .. } => Vec::new(),
    }
}

fn matches(access: &Access, filter: &ListFilter) -> bool {
    filter.year.is_none_or(|chosen| year(access) == chosen)
        && filter.kind.is_none_or(|chosen| kind(access) == chosen)
        && filter
            .authority
            .as_deref()
            .is_none_or(|chosen| parties(access).contains(&chosen))
}

/// Returns path and query, after the language, of a page of the filtered list.
fn page_path(filter: &ListFilter, page: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(year) = filter.year {
        query.append_pair("jahr", &year.to_string());
    }
    if let Some(authority) = &filter.authority {
        query.append_pair("behoerde", authority);
    }
    if let Some(kind) = filter.kind {
        query.append_pair("art", kind.code());
    }
    if page > 1 {
        query.append_pair("seite", &page.to_string());
    }
    let query = query.finish();
    if query.is_empty() {
        "/zugriffe".to_owned()
    } else {
        format!("/zugriffe?{query}")
    }
}
