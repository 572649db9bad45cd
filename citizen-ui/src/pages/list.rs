//! The list of accesses: filter, proof of completeness, table, pagination, check by the server, bundle.

use leptos::prelude::*;

use super::document::document;
use super::filter::{AccessKind, ListFilter};
use super::frame::Frame;
use super::parts::heading;
use crate::islands::{AccessRow, AccessTable, CompletenessProof};
use crate::proof::complete::Completeness;
use crate::proof::verify::{Failure, TrustText};

/// The content of the list.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// The rows of this page, newest first.
    pub rows: Vec<AccessRow>,
    /// Accesses that could not be opened: their entries' log indices, and the reason.
    pub unopened: Vec<(Vec<u64>, Failure)>,
    /// The filter that the rows match.
    pub filter: ListFilter,
    /// Years that the form offers.
    pub years: Vec<i16>,
    /// Names of authorities that the form offers.
    pub authorities: Vec<String>,
    /// Number of accesses that match the filter, on all pages.
    pub chosen: usize,
    /// Number of accesses without the filter.
    pub all: usize,
    /// Number of this page, from 1.
    pub page: usize,
    /// Number of pages that the matching accesses fill, at least 1.
    pub pages: usize,
    /// Returns path and query, after the language, of a page of the filtered list.
    pub page_path: fn(&ListFilter, usize) -> String,
    /// The server's result of checking completeness.
    pub completeness: Completeness,
    /// Log indices of the entries of all accesses, without the filter and with those that could not be opened.
    pub listed: Vec<Vec<u64>>,
    /// Whether the citizen can download a bundle.
    pub bundle: bool,
    /// Size of the log when identity made the list, and the local time of that (`14:03`).
    pub as_of: (u64, String),
    /// The policy and genesis hash that proofs are checked against.
    pub trust: TrustText,
}

/// Renders the list.
pub fn list(frame: &Frame, list: ListPage) -> String {
    let text = &frame.lang.text().list;
    document(frame, text.title, || {
        view! {
            {heading(text.title.to_owned(), text.lead)}
            {unopened(frame, &list).into_any()}
            {filter_form(frame, &list).into_any()}
            <p class="kern-body" id="anzahl">{(text.count)(list.chosen, list.all)}</p>
            <CompletenessProof
                state=list.completeness
                listed=list.listed.clone()
                whole=list.rows.len() == list.listed.len()
                trust=list.trust.clone()
                lang=frame.lang
            />
            {table(frame, &list)}
            {pagination(frame, &list).into_any()}
            {server_check(frame, &list).into_any()}
            <p class="kern-body kern-body--small" id="stand">{(text.as_of)(list.as_of.0, &list.as_of.1)}</p>
            {bundle(frame, &list).into_any()}
        }
    })
}

/// Renders the link to the bundle.
fn bundle(frame: &Frame, list: &ListPage) -> impl IntoView + use<> {
    let text = &frame.lang.text().list;
    let href = frame.href("/zugriffe/buendel");
    list.bundle.then(|| {
        view! {
            <section class="ec-section" id="mitnehmen">
                <h2 class="kern-heading-medium">{text.bundle_title}</h2>
                <p class="kern-body">{text.bundle_text}</p>
                <p class="kern-body"><a class="kern-link" href=href download="">{text.bundle}</a></p>
            </section>
        }
    })
}

fn unopened(frame: &Frame, list: &ListPage) -> impl IntoView + use<> {
    let text = &frame.lang.text().list;
    let words = frame.lang.words();
    let items: Vec<String> = list
        .unopened
        .iter()
        .map(|(indices, failure)| {
            let indices: Vec<String> = indices.iter().map(ToString::to_string).collect();
            let reason = words.reason(*failure);
            (text.unopened)(&indices.join(", "), reason)
        })
        .collect();
    (!items.is_empty()).then(|| {
        view! {
            <div class="kern-alert kern-alert--danger" id="nicht-geoeffnet" role="alert" data-proof="failed">
                <div class="kern-alert__header">
                    <span class="kern-icon kern-icon--danger" aria-hidden="true"></span>
                    <span class="kern-title">{text.unopened_title}</span>
                </div>
                <div class="kern-alert__body">
                    <ul class="kern-list kern-list--bullet">
                        {items.into_iter().map(|item| view! { <li>{item}</li> }).collect_view()}
                    </ul>
                </div>
            </div>
        }
    })
}

fn filter_form(frame: &Frame, list: &ListPage) -> impl IntoView + use<> {
    let text = &frame.lang.text().list;
    let action = frame.href("/zugriffe");
    let reset = action.clone();
    let filter = &list.filter;
    let years = list.years.iter().map(|year| {
        let name = year.to_string();
        (name.clone(), name, filter.year == Some(*year))
    });
    let authorities = list
        .authorities
        .iter()
        .map(|name| (name.clone(), name.clone(), filter.authority.as_ref() == Some(name)));
    let kinds = AccessKind::ALL.into_iter().map(|kind| {
        let name = match kind {
            AccessKind::Exchange => text.kind_exchange,
            AccessKind::Inspection => text.kind_inspection,
            AccessKind::Unused => text.kind_unused,
        };
        (kind.code().to_owned(), name.to_owned(), filter.kind == Some(kind))
    });
    view! {
        <form id="auswahl" class="ec-filter" method="get" action=action>
            <fieldset class="kern-fieldset">
                <legend class="kern-label kern-label--large">{text.filter}</legend>
                <div class="ec-fields">
                    {select("jahr", text.year, text.all, years.collect()).into_any()}
                    {select("behoerde", text.authority, text.all, authorities.collect()).into_any()}
                    {select("art", text.kind, text.all, kinds.collect()).into_any()}
                    <div class="ec-field">
                        <button class="kern-btn kern-btn--secondary" type="submit"><span class="kern-label">{text.apply}</span></button>
                        <a class="kern-link" href=reset>{text.reset}</a>
                    </div>
                </div>
            </fieldset>
        </form>
    }
}

fn select(
    name: &'static str,
    label: &'static str,
    all: &'static str,
    options: Vec<(String, String, bool)>,
) -> impl IntoView {
    view! {
        <div class="kern-form-input ec-field">
            <label class="kern-label" for=name>{label}</label>
            <div class="kern-form-input__select-wrapper">
                <select class="kern-form-input__select" id=name name=name>
                    <option value="">{all}</option>
                    {options
                        .into_iter()
                        .map(|(value, text, chosen)| view! { <option value=value dir="auto" selected=chosen>{text}</option> })
                        .collect_view()}
                </select>
            </div>
        </div>
    }
}

fn table(frame: &Frame, list: &ListPage) -> AnyView {
    let text = &frame.lang.text().list;
    if list.rows.is_empty() {
        let words = if list.all == 0 { text.none } else { text.none_filtered };
        return view! { <p class="kern-body" id="leer">{words}</p> }.into_any();
    }
    view! { <AccessTable rows=list.rows.clone() trust=list.trust.clone() lang=frame.lang/> }.into_any()
}

fn pagination(frame: &Frame, list: &ListPage) -> impl IntoView + use<> {
    let text = &frame.lang.text().list;
    let link = |page: usize| frame.href(&(list.page_path)(&list.filter, page));
    let previous = (list.page > 1).then(|| link(list.page - 1));
    let next = (list.page < list.pages).then(|| link(list.page + 1));
    let here = (text.page)(list.page, list.pages);
    (list.pages > 1).then(|| {
        view! {
            <nav class="ec-pages" id="seiten" aria-label=text.pages_label>
                {previous.map(|href| view! { <a class="kern-link" rel="prev" href=href>{text.previous}</a> })}
                <span class="kern-body">{here}</span>
                {next.map(|href| view! { <a class="kern-link" rel="next" href=href>{text.next}</a> })}
            </nav>
        }
    })
}

fn server_check(frame: &Frame, list: &ListPage) -> impl IntoView + use<> {
    let text = &frame.lang.text().list;
    let action = frame.href("/zugriffe/pruefen");
    let keys: Vec<String> = list.rows.iter().map(|row| row.key().to_string()).collect();
    let back = (list.page_path)(&list.filter, list.page);
    (!keys.is_empty()).then(|| {
        view! {
            <form id="server-pruefung" class="ec-check" method="post" action=action>
                <input type="hidden" name="eintraege" value=keys.join(",")/>
                <input type="hidden" name="zurueck" value=back/>
                <button class="kern-btn kern-btn--secondary" type="submit"><span class="kern-label">{text.check_on_server}</span></button>
                <p class="kern-body kern-body--small">{text.check_hint}</p>
            </form>
        }
    })
}
