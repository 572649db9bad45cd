//! The list of accesses: verdict, filter, table, pagination, bundle.

use super::document::document;
use super::filter::{AccessKind, Chosen, ListQuery, authorities, years};
use super::frame::Frame;
use super::parts::title;
use super::phrase::Phrased;
use crate::language::local_time::LocalTime;
use crate::language::sentence::sentence;
use crate::markup::{Element, Node, el};
use crate::proof::access::Access;
use crate::proof::verify::Failure;

/// The content of the list.
#[derive(Clone, Debug)]
pub struct ListPage<'a> {
    /// All accesses, newest first.
    pub accesses: &'a [Access],
    /// Accesses that could not be opened: their entries' log indices, and the reason.
    pub unopened: &'a [(Vec<u64>, Failure)],
    /// Filter and page.
    pub query: &'a ListQuery,
    /// Whether the citizen can download a bundle.
    pub bundle: bool,
}

/// Makes the list. `verdict` is the box with the verdict.
pub fn list(frame: &Frame, list: &ListPage, verdict: Element) -> Element {
    let text = &frame.lang.text().list;
    let chosen = list.query.choose(list.accesses);
    let count = (text.count)(chosen.matching, list.accesses.len());
    let mut content = vec![
        Some(title(text.title)),
        Some(verdict),
        unopened(frame, list.unopened),
        Some(filter_form(frame, list)),
        Some(el("p").class("kern-body").attr("id", "anzahl").text(&count)),
        Some(table(frame, list, &chosen)),
        pagination(frame, list.query, &chosen),
    ];
    content.push(list.bundle.then(|| bundle(frame)));
    document(frame, text.title, content.into_iter().flatten().map(Node::Element))
}

/// The link to the bundle.
fn bundle(frame: &Frame) -> Element {
    let text = &frame.lang.text().list;
    let link = el("a").class("kern-link").attr("href", frame.href("/zugriffe/buendel"));
    let link = link.flag("download", true).text(text.bundle);
    el("section")
        .class("ec-section")
        .attr("id", "mitnehmen")
        .child(el("h2").class("kern-heading-medium").text(text.bundle_title))
        .child(el("p").class("kern-body").text(text.bundle_text))
        .child(el("p").class("kern-body").child(link))
}

fn unopened(frame: &Frame, unopened: &[(Vec<u64>, Failure)]) -> Option<Element> {
    let text = &frame.lang.text().list;
    let words = frame.lang.words();
    let items = unopened.iter().map(|(indices, failure)| {
        let indices: Vec<String> = indices.iter().map(ToString::to_string).collect();
        el("li").text(&(text.unopened)(&indices.join(", "), words.reason(*failure)))
    });
    let icon = el("span")
        .class("kern-icon kern-icon--danger")
        .attr("aria-hidden", "true");
    let header = el("div").class("kern-alert__header").child(icon);
    let header = header.child(el("span").class("kern-title").text(text.unopened_title));
    let body = el("div").class("kern-alert__body");
    let body = body.child(el("ul").class("kern-list kern-list--bullet").children(items));
    let alert = el("div")
        .class("kern-alert kern-alert--danger")
        .attr("id", "nicht-geoeffnet");
    (!unopened.is_empty()).then(|| alert.attr("role", "alert").child(header).child(body))
}

fn filter_form(frame: &Frame, list: &ListPage) -> Element {
    let text = &frame.lang.text().list;
    let query = list.query;
    let years = years(list.accesses).into_iter().map(|year| {
        let name = year.to_string();
        (name.clone(), name, query.year == Some(year))
    });
    let authorities = authorities(list.accesses).into_iter();
    let authorities = authorities.map(|name| {
        (
            name.to_owned(),
            name.to_owned(),
            query.authority.as_deref() == Some(name),
        )
    });
    let kinds = AccessKind::ALL.into_iter().map(|kind| {
        let name = match kind {
            AccessKind::Exchange => text.kind_exchange,
            AccessKind::Inspection => text.kind_inspection,
            AccessKind::Unused => text.kind_unused,
        };
        (kind.code().to_owned(), name.to_owned(), query.kind == Some(kind))
    });
    let apply = el("button")
        .class("kern-btn kern-btn--secondary")
        .attr("type", "submit");
    let apply = apply.child(el("span").class("kern-label").text(text.apply));
    let reset = el("a").class("kern-link").attr("href", frame.href("/zugriffe"));
    let fields = el("div")
        .class("ec-fields")
        .child(select("jahr", text.year, text.all, years))
        .child(select("behoerde", text.authority, text.all, authorities))
        .child(select("art", text.kind, text.all, kinds))
        .child(el("div").class("ec-field").child(apply).child(reset.text(text.reset)));
    let legend = el("legend").class("kern-label kern-label--large").text(text.filter);
    let fieldset = el("fieldset").class("kern-fieldset").child(legend).child(fields);
    let form = el("form")
        .attr("id", "auswahl")
        .class("ec-filter")
        .attr("method", "get");
    form.attr("action", frame.href("/zugriffe")).child(fieldset)
}

fn select(
    name: &'static str,
    label: &str,
    all: &str,
    options: impl Iterator<Item = (String, String, bool)>,
) -> Element {
    let options = options.map(|(value, text, chosen)| {
        let option = el("option").attr("value", value).attr("dir", "auto");
        option.flag("selected", chosen).text(&text)
    });
    let select = el("select")
        .class("kern-form-input__select")
        .attr("id", name)
        .attr("name", name);
    let select = select.child(el("option").attr("value", "").text(all)).children(options);
    el("div")
        .class("kern-form-input ec-field")
        .child(el("label").class("kern-label").attr("for", name).text(label))
        .child(el("div").class("kern-form-input__select-wrapper").child(select))
}

fn table(frame: &Frame, list: &ListPage, chosen: &Chosen) -> Element {
    let text = &frame.lang.text().list;
    let words = frame.lang.words();
    if chosen.rows.is_empty() {
        let words = if list.accesses.is_empty() {
            text.none
        } else {
            text.none_filtered
        };
        return el("p").class("kern-body").attr("id", "leer").text(words);
    }
    let column = |name: &str| el("th").class("kern-table__header").attr("scope", "col").text(name);
    let columns = el("tr").class("kern-table__row").child(column(words.column_when));
    let head = el("thead")
        .class("kern-table__header")
        .child(columns.child(column(words.column_what)));
    let rows = chosen.rows.iter().map(|access| row(frame, access));
    let table = el("table")
        .attr("id", "zugriffe")
        .class("kern-table ec-table")
        .child(el("caption").class("kern-title").text(words.caption))
        .child(head)
        .child(el("tbody").class("kern-table__body").children(rows));
    el("div").class("ec-scroll").child(table)
}

fn row(frame: &Frame, access: &Access) -> Element {
    let words = frame.lang.words();
    let first = access.first();
    let (key, when) = (first.index, LocalTime::of(first.time));
    let time = el("time").attr("datetime", &*when.iso).text(&when.full(frame.lang));
    let said = el("p").attr("id", format!("satz-{key}")).class("kern-body ec-sentence");
    let link = el("a")
        .class("kern-link")
        .attr("href", frame.href(&format!("/zugriffe/{key}")));
    let link = link.attr("aria-label", (words.details_of)(key)).text(words.details);
    let cell = el("td").class("kern-table__cell");
    el("tr")
        .attr("data-row", key.to_string())
        .class("kern-table__row")
        .child(
            el("th")
                .class("kern-table__cell ec-when")
                .attr("scope", "row")
                .child(time),
        )
        .child(
            cell.child(said.phrase(&sentence(access, frame.lang), frame.lang))
                .child(link),
        )
}

fn pagination(frame: &Frame, query: &ListQuery, chosen: &Chosen) -> Option<Element> {
    let text = &frame.lang.text().list;
    let link = |rel: &str, page: usize, words: &str| {
        let link = el("a").class("kern-link").attr("rel", rel);
        link.attr("href", frame.href(&query.path(page))).text(words)
    };
    let (page, pages) = (chosen.page, chosen.pages);
    let previous = (page > 1).then(|| link("prev", page - 1, text.previous));
    let next = (page < pages).then(|| link("next", page + 1, text.next));
    let here = el("span").class("kern-body").text(&(text.page)(page, pages));
    let nav = el("nav")
        .class("ec-pages")
        .attr("id", "seiten")
        .attr("aria-label", text.pages_label);
    (pages > 1).then(|| nav.children(previous).child(here).children(next))
}
