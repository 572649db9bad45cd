//! Parts that several pages share.

use super::frame::Frame;
use crate::markup::{Element, el};

/// The page's heading.
pub(super) fn title(title: &str) -> Element {
    el("h1").class("kern-heading-x-large").text(title)
}

/// A heading below the page's heading.
pub(super) fn heading(text: &str) -> Element {
    el("h2").class("kern-heading-medium").text(text)
}

pub(super) fn paragraph(text: &str) -> Element {
    el("p").class("kern-body").text(text)
}

pub(super) fn link(href: String, text: &str) -> Element {
    el("a").class("kern-link").attr("href", href).text(text)
}

/// A link in a paragraph of its own.
pub(super) fn link_line(href: String, text: &str) -> Element {
    el("p").class("kern-body").child(link(href, text))
}

/// What the reader opens on demand.
pub(super) fn accordion(title: &str, body: impl IntoIterator<Item = Element>) -> Element {
    let summary = el("summary").class("kern-accordion__header");
    let summary = summary.child(el("span").class("kern-title").text(title));
    let body = el("div").class("kern-accordion__body").children(body);
    el("details").class("kern-accordion").child(summary).child(body)
}

/// Things to do, each with its address.
pub(super) fn acts<'a>(items: impl IntoIterator<Item = (String, &'a str)>) -> Element {
    let items = items.into_iter().map(|(href, text)| el("li").child(link(href, text)));
    el("ul").class("ec-acts").children(items)
}

/// The links to the pages of something long. Empty for one page.
pub(super) fn pagination(frame: &Frame, page: usize, pages: usize, path: impl Fn(usize) -> String) -> Option<Element> {
    let text = &frame.lang.citizen().list;
    let item = |number: usize| {
        if number == page {
            let here = el("b").attr("aria-current", "page").text(&number.to_string());
            return el("li").child(here);
        }
        let link = link(frame.href(&path(number)), &number.to_string());
        el("li").child(link.attr("aria-label", (text.page)(number)))
    };
    let step = |rel: &str, number: usize, words: &str| {
        let link = link(frame.href(&path(number)), words);
        el("li").child(link.attr("rel", rel))
    };
    let mut items = Vec::new();
    items.extend((page > 1).then(|| step("prev", page - 1, text.previous)));
    let mut before = 0;
    for number in (1..=pages).filter(|number| near(*number, page, pages)) {
        if number > before + 1 {
            items.push(el("li").attr("aria-hidden", "true").text("…"));
        }
        items.push(item(number));
        before = number;
    }
    items.extend((page < pages).then(|| step("next", page + 1, text.next)));
    let nav = el("nav").attr("id", "seiten").attr("aria-label", text.pages);
    (pages > 1).then(|| nav.child(el("ul").class("ec-pages").children(items)))
}

/// Whether a page has a link of its own: the first, the last, and those around the present one.
fn near(number: usize, page: usize, pages: usize) -> bool {
    number == 1 || number == pages || number.abs_diff(page) <= 2
}
