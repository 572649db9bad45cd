//! The pages of somebody logged in: list, one access, proofs, files.

use std::collections::BTreeSet;

use axum::Form;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use citizen_ui::islands::Row;
use citizen_ui::language::facts::facts;
use citizen_ui::language::sentence::sentence;
use citizen_ui::language::when::When;
use citizen_ui::pages::{self, Choice, Detail, Fault, Kind, List};
use citizen_ui::proof::access::Access;
use serde::Deserialize;

use crate::citizen::Citizen;
use crate::page::{Page, Private};

/// Rows of one page.
const ROWS: usize = 25;
/// The server checks at most so many accesses at a time.
const CHECKS: usize = ROWS;

/// The parameters of the list, as a form sends them: empty means not chosen.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Parameters {
    #[serde(default)]
    jahr: String,
    #[serde(default)]
    behoerde: String,
    #[serde(default)]
    art: String,
    #[serde(default)]
    seite: String,
}

/// `GET /{lang}/zugriffe`
pub(crate) async fn list(private: Private, parameters: Result<Query<Parameters>, QueryRejection>) -> Response {
    let Query(parameters) = parameters.unwrap_or_default();
    let choice = Choice {
        year: parameters.jahr.parse().ok(),
        authority: Some(parameters.behoerde).filter(|name| !name.is_empty()),
        kind: Kind::of_code(&parameters.art),
    };
    let Private { page, current } = &private;
    let citizen = &current.citizen;
    let chosen: Vec<&Access> = citizen.accesses.iter().filter(|access| fits(access, &choice)).collect();
    let pages = chosen.len().div_ceil(ROWS).max(1);
    let number = parameters.seite.parse().unwrap_or(1_usize).clamp(1, pages);
    let years: BTreeSet<i16> = citizen.accesses.iter().map(year).collect();
    let authorities: BTreeSet<String> = citizen.accesses.iter().flat_map(parties).map(str::to_owned).collect();
    let list = List {
        rows: chosen
            .iter()
            .skip((number - 1) * ROWS)
            .take(ROWS)
            .map(|access| row(page, citizen, access))
            .collect(),
        unopened: citizen.unopened.clone(),
        chosen: chosen.len(),
        all: citizen.accesses.len(),
        page: number,
        pages,
        years: years.into_iter().rev().collect(),
        authorities: authorities.into_iter().collect(),
        choice,
        page_path,
        completeness: citizen.completeness,
        listed: citizen.listed(),
        bundle: citizen.bundle().is_some(),
        as_of: (citizen.size, When::of(citizen.since).time),
        trust: page.portal.trust_text.clone(),
    };
    Html(pages::list(&page.frame(), list)).into_response()
}

fn row(page: &Page, citizen: &Citizen, access: &Access) -> Row {
    let when = When::of(access.first().time);
    Row {
        entries: indices(access),
        iso: when.iso.clone(),
        when: when.full(page.lang),
        phrase: sentence(access, page.lang),
        state: citizen.state(access.first().index),
    }
}

/// `GET /{lang}/zugriffe/{index}`
pub(crate) async fn detail(private: Private, Path(index): Path<String>) -> Response {
    let Private { page, current } = &private;
    let Some(access) = index.parse().ok().and_then(|index| current.citizen.access(index)) else {
        return page.fault(Fault::NotFound);
    };
    let first = access.first();
    let detail = Detail {
        kind: kind(access),
        entries: indices(access),
        date: When::of(first.time).date,
        phrase: sentence(access, page.lang),
        groups: facts(access, page.lang),
        state: current.citizen.state(first.index),
        trust: page.portal.trust_text.clone(),
    };
    Html(pages::detail(&page.frame(), detail)).into_response()
}

/// `GET /{lang}/zugriffe/buendel`: the bundle, for the browser and as a file to take away.
pub(crate) async fn bundle(private: Private) -> Response {
    match private.current.citizen.bundle() {
        Some(file) => download("eintraege.bundle", "application/octet-stream", file.to_vec()),
        None => private.page.fault(Fault::NotFound),
    }
}

/// `GET /{lang}/zugriffe/{index}/nachweis`: the opening, for the browser.
pub(crate) async fn proof(private: Private, Path(index): Path<String>) -> Response {
    match opening_file(&private, &index).await {
        Ok(file) => ([(header::CONTENT_TYPE, "application/cbor")], file).into_response(),
        Err(fault) => private.page.fault(fault),
    }
}

/// `GET /{lang}/zugriffe/{index}/oeffnung`: the opening, as a file to take away.
pub(crate) async fn opening(private: Private, Path(index): Path<String>) -> Response {
    match opening_file(&private, &index).await {
        Ok(file) => download(&format!("eintrag-{index}.opening"), "application/cbor", file),
        Err(fault) => private.page.fault(fault),
    }
}

async fn opening_file(private: &Private, index: &str) -> Result<Vec<u8>, Fault> {
    let index = index.parse().map_err(|_| Fault::NotFound)?;
    match private
        .current
        .citizen
        .opening_file(&private.page.portal.ledger, index)
        .await
    {
        Ok(file) => file.ok_or(Fault::NotFound),
        Err(error) => {
            tracing::warn!(%error, "no opening");
            Err(Fault::LedgerUnreachable)
        }
    }
}

/// `GET /{lang}/zugriffe/{index}/quittung`: the receipt, as a file to take away.
pub(crate) async fn receipt(private: Private, Path(index): Path<String>) -> Response {
    let Private { page, current } = &private;
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
        None => page.fault(Fault::NotFound),
    }
}

/// `name` is ours, or has only digits and letters because it is made from a parsed index.
fn download(name: &str, media: &'static str, file: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, file).into_response()
}

/// The form that asks the server to check.
#[derive(Debug, Deserialize)]
pub(crate) struct CheckForm {
    /// Indices of accesses, separated by commas.
    eintraege: String,
    /// The page to come back to, after the language.
    zurueck: String,
}

/// `POST /{lang}/zugriffe/pruefen`
pub(crate) async fn check(private: Private, Form(form): Form<CheckForm>) -> Response {
    let Private { page, current } = &private;
    let keys = form.eintraege.split(',').filter_map(|key| key.parse().ok());
    for key in keys.take(CHECKS) {
        if let Err(error) = current
            .citizen
            .check(&page.portal.ledger, &page.portal.trust, key)
            .await
        {
            tracing::warn!(%error, "no check");
            return page.fault(Fault::LedgerUnreachable);
        }
    }
    // Only to pages of the list: nobody is sent elsewhere by a forged form.
    let back =
        Some(form.zurueck.as_str()).filter(|path| path.starts_with("/zugriffe") && !path.contains(char::is_control));
    page.to(back.unwrap_or("/zugriffe")).into_response()
}

fn indices(access: &Access) -> Vec<u64> {
    access.stamps().iter().map(|stamp| stamp.index).collect()
}

fn kind(access: &Access) -> Kind {
    match access {
        Access::Exchange(_) => Kind::Exchange,
        Access::Inspection { .. } => Kind::Inspection,
        Access::Unused { .. } => Kind::Unused,
        Access::Expired { kind, .. } => match kind {
            record::Kind::Inspection => Kind::Inspection,
            record::Kind::Void => Kind::Unused,
            _ => Kind::Exchange,
        },
    }
}

fn year(access: &Access) -> i16 {
    When::of(access.first().time).year
}

/// The authorities that an access can be chosen by.
fn parties(access: &Access) -> Vec<&str> {
    match access {
        Access::Exchange(exchange) => vec![&exchange.record.consumer.name, &exchange.record.provider.name],
        Access::Inspection { .. } | Access::Unused { .. } | Access::Expired { .. } => Vec::new(),
    }
}

fn fits(access: &Access, choice: &Choice) -> bool {
    choice.year.is_none_or(|chosen| year(access) == chosen)
        && choice.kind.is_none_or(|chosen| kind(access) == chosen)
        && choice
            .authority
            .as_deref()
            .is_none_or(|chosen| parties(access).contains(&chosen))
}

/// The address of a page of a choice.
fn page_path(choice: &Choice, page: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(year) = choice.year {
        query.append_pair("jahr", &year.to_string());
    }
    if let Some(authority) = &choice.authority {
        query.append_pair("behoerde", authority);
    }
    if let Some(kind) = choice.kind {
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
