//! Parts of the public pages as elements: sections, facts, tables, notices, forms, page numbers.

use super::document::{document, html};
use super::frame::Frame;
use crate::language::lang::Lang;
use crate::markup::{Element, Node, el};

/// Writes a public page.
pub(super) fn page(frame: &Frame, title: &str, content: impl IntoIterator<Item = Element>) -> String {
    html(&document(frame, title, content.into_iter().map(Node::Element)))
}

pub(super) fn heading(title: &str) -> Element {
    el("h1").class("kern-heading-x-large").text(title)
}

pub(super) fn lead(text: &str) -> Element {
    el("p").class("kern-body kern-body--large").text(text)
}

pub(super) fn paragraph(text: &str) -> Element {
    el("p").class("kern-body").text(text)
}

pub(super) fn small(text: &str) -> Element {
    el("p").class("kern-body kern-body--small").text(text)
}

/// A section with its heading.
pub(super) fn section(title: &str, content: impl IntoIterator<Item = Element>) -> Element {
    el("section")
        .class("ec-section")
        .child(el("h2").class("kern-heading-medium").text(title))
        .children(content)
}

/// A section with paragraphs alone.
pub(super) fn told(title: &str, text: &[&str]) -> Element {
    section(title, text.iter().map(|text| paragraph(text)))
}

/// A link to a page of the portal; `path` follows the language.
pub(super) fn link(frame: &Frame, path: &str, text: &str) -> Element {
    el("a").class("kern-link").attr("href", frame.href(path)).text(text)
}

/// A link to a file of the portal.
pub(super) fn file(frame: &Frame, path: &str, text: &str) -> Element {
    link(frame, path, text).flag("download", true)
}

/// Text of an authority or of a law, which is German.
pub(super) fn german(text: &str, lang: Lang) -> Element {
    let quoted = el("bdi").text(text);
    if lang == Lang::De {
        quoted
    } else {
        quoted.attr("lang", "de")
    }
}

/// A text that a program reads, such as a digest.
pub(super) fn code(id: &'static str, text: &str) -> Element {
    el("pre")
        .class("ec-code")
        .attr("id", id)
        .attr("tabindex", "0")
        .child(el("bdi").text(text))
}

/// A part that is closed until the reader opens it.
pub(super) fn accordion(title: &str, content: impl IntoIterator<Item = Element>) -> Element {
    let summary = el("summary").class("kern-accordion__header");
    let summary = summary.child(el("span").class("kern-title").text(title));
    let body = el("section").class("kern-accordion__body").children(content);
    el("details").class("kern-accordion").child(summary).child(body)
}

/// Labels and values.
pub(super) fn facts(items: impl IntoIterator<Item = (String, Element)>) -> Element {
    let items = items.into_iter().map(|(label, value)| {
        let key = el("dt").class("kern-description-list-item__key").text(&label);
        let value = el("dd").class("kern-description-list-item__value").child(value);
        el("div").class("kern-description-list-item").child(key).child(value)
    });
    el("dl").class("kern-description-list").children(items)
}

/// A table. The first cell of each row is its heading.
pub(super) fn table(
    id: &'static str,
    caption: &str,
    columns: &[&str],
    rows: impl IntoIterator<Item = Vec<Element>>,
) -> Element {
    let columns = columns
        .iter()
        .map(|name| el("th").class("kern-table__header").attr("scope", "col").text(name));
    let head = el("tr").class("kern-table__row").children(columns);
    let rows = rows.into_iter().map(|cells| {
        let cells = cells.into_iter().enumerate().map(|(at, content)| {
            let cell = if at == 0 {
                el("th").attr("scope", "row")
            } else {
                el("td")
            };
            cell.class("kern-table__cell").child(content)
        });
        el("tr").class("kern-table__row").children(cells)
    });
    let table = el("table")
        .class("kern-table ec-table")
        .attr("id", id)
        .child(el("caption").class("kern-title").text(caption))
        .child(el("thead").class("kern-table__header").child(head))
        .child(el("tbody").class("kern-table__body").children(rows));
    el("div").class("ec-scroll").child(table)
}

/// A piece of text as an element.
pub(super) fn span(text: &str) -> Element {
    el("span").text(text)
}

/// How a notice looks.
#[derive(Clone, Copy)]
pub(super) enum Tone {
    Success,
    Info,
    Warning,
    Danger,
}

/// A notice with a title.
pub(super) fn notice(id: &'static str, tone: Tone, title: &str, content: impl IntoIterator<Item = Element>) -> Element {
    let (class, icon) = match tone {
        // Green is for what a browser has proved, and a page of the server never is.
        Tone::Success | Tone::Info => ("kern-alert kern-alert--info", "kern-icon kern-icon--info"),
        Tone::Warning => ("kern-alert kern-alert--warning", "kern-icon kern-icon--warning"),
        Tone::Danger => ("kern-alert kern-alert--danger", "kern-icon kern-icon--danger"),
    };
    let header = el("div").class("kern-alert__header");
    let header = header.child(el("span").class(icon).attr("aria-hidden", "true"));
    let mut alert = el("div").class(class).attr("id", id);
    if matches!(tone, Tone::Danger) {
        alert = alert.attr("role", "alert");
    }
    alert
        .child(header.child(el("span").class("kern-title").text(title)))
        .child(el("div").class("kern-alert__body").children(content))
}

/// A form whose fields go into the address.
pub(super) fn form(frame: &Frame, path: &str, legend: &str, fields: impl IntoIterator<Item = Element>) -> Element {
    let legend = el("legend").class("kern-label kern-label--large").text(legend);
    let fields = el("div").class("ec-fields").children(fields);
    let fieldset = el("fieldset").class("kern-fieldset").child(legend).child(fields);
    el("form")
        .class("ec-filter")
        .attr("method", "get")
        .attr("action", frame.href(path))
        .child(fieldset)
}

/// A field for text, a number or a date.
pub(super) fn field(name: &'static str, label: &str, kind: &'static str, value: &str) -> Element {
    let input = el("input")
        .class("kern-form-input__input")
        .attr("type", kind)
        .attr("id", name)
        .attr("name", name);
    let input = if value.is_empty() {
        input
    } else {
        input.attr("value", value)
    };
    el("div")
        .class("kern-form-input ec-field")
        .child(el("label").class("kern-label").attr("for", name).text(label))
        .child(input)
}

/// An option of a [`select`]: value, name, whether it is chosen.
pub(super) type Choice = (String, String, bool);

/// A field with a choice; the first one, which has no value, is `all`.
pub(super) fn select(name: &'static str, label: &str, all: &str, choices: impl IntoIterator<Item = Choice>) -> Element {
    let options = choices.into_iter().map(|(value, text, chosen)| {
        let option = el("option").attr("value", value);
        option.flag("selected", chosen).text(&text)
    });
    let select = el("select")
        .class("kern-form-input__select")
        .attr("id", name)
        .attr("name", name)
        .child(el("option").attr("value", "").text(all))
        .children(options);
    el("div")
        .class("kern-form-input ec-field")
        .child(el("label").class("kern-label").attr("for", name).text(label))
        .child(el("div").class("kern-form-input__select-wrapper").child(select))
}

/// A button that sends its form.
pub(super) fn submit(text: &str) -> Element {
    el("button")
        .class("kern-btn kern-btn--primary")
        .attr("type", "submit")
        .child(el("span").class("kern-label").text(text))
}

/// The words of page numbers.
pub(super) struct PageWords {
    pub(super) label: &'static str,
    pub(super) previous: &'static str,
    pub(super) next: &'static str,
    pub(super) page: &'static str,
}

impl PageWords {
    pub(super) const fn of(lang: Lang) -> Self {
        match lang {
            Lang::De | Lang::Leicht => Self {
                label: "Seiten der Liste",
                previous: "Zurück",
                next: "Weiter",
                page: "Seite",
            },
            Lang::En => Self {
                label: "Pages of the list",
                previous: "Previous",
                next: "Next",
                page: "Page",
            },
        }
    }
}

/// Links to the pages of a list: the first, the last, and those around the one that is shown.
pub(super) fn pages(frame: &Frame, page: usize, pages: usize, path: impl Fn(usize) -> String) -> Option<Element> {
    let words = PageWords::of(frame.lang);
    let near = |number: &usize| *number == 1 || *number == pages || number.abs_diff(page) <= 2;
    let mut items = Vec::new();
    let mut last = 0;
    for number in (1..=pages).filter(near) {
        if number > last + 1 {
            items.push(el("li").attr("aria-hidden", "true").text("…"));
        }
        last = number;
        let mut link = link(frame, &path(number), &number.to_string());
        link = link.attr("aria-label", format!("{} {number}", words.page));
        if number == page {
            link = link.attr("aria-current", "page");
        }
        items.push(el("li").child(link));
    }
    let step = |rel: &'static str, to: usize, text: &str| link(frame, &path(to), text).attr("rel", rel);
    let previous = (page > 1).then(|| el("li").child(step("prev", page - 1, words.previous)));
    let next = (page < pages).then(|| el("li").child(step("next", page + 1, words.next)));
    let list = el("ul")
        .class("ec-nav")
        .children(previous)
        .children(items)
        .children(next);
    let nav = el("nav")
        .class("ec-pages")
        .attr("id", "seiten")
        .attr("aria-label", words.label);
    (pages > 1).then(|| nav.child(list))
}

/// The frame of a public page on which the browser's program proves something. The other public pages do not load it.
pub(super) fn island(frame: &Frame) -> Frame {
    Frame {
        island: true,
        ..frame.clone()
    }
}
