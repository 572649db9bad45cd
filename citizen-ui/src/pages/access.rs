//! The page of one access: verdict, sentence, every fact of the record, and files to download.

use super::document::document;
use super::filter::AccessKind;
use super::frame::Frame;
use super::parts::title;
use super::phrase::Phrased;
use crate::language::facts::{Fact, Group, facts};
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::language::sentence::sentence;
use crate::markup::{Element, Node, el};
use crate::proof::access::Access;

/// Makes the page of one access. `verdict` is the box with the verdict.
pub fn detail(frame: &Frame, access: &Access, verdict: Element) -> Element {
    let text = &frame.lang.text().detail;
    let date = LocalTime::of(access.first().time).date;
    let name = match AccessKind::of(access) {
        AccessKind::Exchange => (text.title)(&date),
        AccessKind::Inspection => (text.title_inspection)(&date),
        AccessKind::Unused => (text.title_unused)(&date),
    };
    let back = el("a").class("kern-link").attr("href", frame.href("/zugriffe"));
    let said = el("p").attr("id", format!("satz-{}", access.first().index));
    let said = said.class("kern-body kern-body--large ec-sentence");
    let groups = facts(access, frame.lang);
    let mut content = vec![
        el("p").child(back.text(text.back)),
        title(&name),
        verdict,
        said.phrase(&sentence(access, frame.lang), frame.lang),
    ];
    content.extend(groups.iter().map(|group| group_view(group, frame.lang)));
    content.push(files(frame, &access.indices()));
    document(frame, &name, content.into_iter().map(Node::Element))
}

fn group_view(group: &Group, lang: Lang) -> Element {
    let facts = group.facts.iter().map(|fact| fact_view(fact, lang));
    el("section")
        .class("ec-section")
        .child(el("h2").class("kern-heading-medium").text(group.title))
        .child(el("dl").class("kern-description-list").children(facts))
}

fn fact_view(fact: &Fact, lang: Lang) -> Element {
    let key = el("dt").class("kern-description-list-item__key");
    let value = el("dd").class("kern-description-list-item__value");
    el("div")
        .class("kern-description-list-item")
        .attr("data-fact", "")
        .child(key.phrase(&fact.label, lang))
        .child(value.phrase(&fact.value, lang))
}

fn files(frame: &Frame, entries: &[u64]) -> Element {
    let text = &frame.lang.text().detail;
    let link = |index: u64, kind: &str, name: String| {
        let link = el("a")
            .class("kern-link")
            .attr("href", frame.href(&format!("/zugriffe/{index}/{kind}")));
        el("li").child(link.attr("data-file", kind).flag("download", true).text(&name))
    };
    let links = entries.iter().flat_map(|index| {
        [
            link(*index, "quittung", (text.receipt)(*index)),
            link(*index, "oeffnung", (text.opening)(*index)),
        ]
    });
    el("section")
        .class("ec-section")
        .attr("id", "dateien")
        .child(el("h2").class("kern-heading-medium").text(text.files))
        .child(el("p").class("kern-body").text(text.files_text))
        .child(el("p").class("kern-body").text(text.files_warning))
        .child(el("ul").class("kern-list kern-list--bullet").children(links))
}
