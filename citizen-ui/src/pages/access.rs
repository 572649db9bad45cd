//! The page of one access: what happened in one sentence, six answers, the course, what the citizen can do, and
//! everything else on demand.

use super::document::document;
use super::frame::Frame;
use super::parts::{accordion, acts, heading, link, link_line, paragraph};
use super::phrase::Phrased;
use super::rows::badge;
use crate::language::answers::{Answer, answers, course, released};
use crate::language::facts::{Fact, Group, facts};
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::language::sentence::sentence;
use crate::markup::{Element, Node, el};
use crate::proof::access::{Access, AccessKind, Exchange};

/// Makes the page of one access. `verdict` is the box with the verdict.
pub(super) fn detail(frame: &Frame, access: &Access, verdict: Element) -> Element {
    let lang = frame.lang;
    let text = &lang.citizen().detail;
    let first = access.first();
    let when = LocalTime::of(first.time);
    let kind = AccessKind::of(access);
    let (back, path, kicker) = if kind.is_listed() {
        (text.back, "/abrufe", text.kicker)
    } else {
        (text.back_to_visits, "/besuche", text.visit_kicker)
    };
    let kicker = kicker(&when.long_date(lang), &when.clock(lang));
    let time = el("time").attr("datetime", &*when.iso).text(&kicker);
    let said = el("h1")
        .class("kern-heading-x-large")
        .attr("id", format!("satz-{}", first.index));
    let mut parts = vec![
        link_line(frame.href(path), back),
        el("p").class("ec-kicker").child(time),
        said.phrase(&sentence(access, lang), lang),
        verdict,
    ];
    parts.extend(badge(access, lang));
    if kind.is_listed() || kind == AccessKind::OwnRequest {
        let proof = frame.href(&format!("/abrufe/{}/pruefung", first.index));
        parts.push(link_line(proof, text.how_proved));
    }
    if let Access::Exchange(exchange) = access {
        parts.push(answer_list(frame, &answers(exchange, lang)));
        parts.push(course_view(exchange, lang));
        // There is no authority to ask about what the citizen has caused.
        parts.extend((kind == AccessKind::Exchange).then(|| is_it_right(frame, first.index)));
    }
    if let Access::Release { stamp, record } = access {
        parts.push(answer_list(frame, &released(*stamp, record, lang)));
    }
    parts.extend(further(frame, access));
    let name = (text.title)(&when.date);
    document(frame, &name, parts.into_iter().map(Node::Element))
}

/// The answers to the questions about an access.
fn answer_list(frame: &Frame, answers: &[Answer]) -> Element {
    let lang = frame.lang;
    let more = lang.citizen().detail.permission_page;
    let items = answers.iter().map(|answer| {
        let value = el("dd").child(el("b").phrase(&answer.value, lang));
        let notes = answer
            .notes
            .iter()
            .map(|note| el("p").class("ec-small").phrase(note, lang));
        let page = answer.page.iter();
        let page = page.map(|path| el("p").class("ec-small").child(link(frame.public_href(path), more)));
        let item = el("div").attr("data-fact", "");
        item.child(el("dt").text(answer.question))
            .child(value.children(notes).children(page))
    });
    el("dl").class("ec-answers").children(items)
}

/// The course in five steps, with the times that the log has. A time on a later day than the request comes with its
/// day.
fn course_view(exchange: &Exchange, lang: Lang) -> Element {
    let begun = LocalTime::of(exchange.intent.time);
    let steps = course(exchange, lang).into_iter().map(|step| {
        let mut item = el("li");
        if let Some(time) = step.time {
            let time = LocalTime::of(time);
            let clock = time.clock_with_seconds(lang);
            let said = if time.date == begun.date {
                clock
            } else {
                format!("{}, {clock}", time.long_date(lang))
            };
            let said = el("time").attr("datetime", &*time.iso).text(&said);
            item = item.child(said).text(" ");
        }
        let note = step.note.map(|note| el("span").class("ec-small").text(&note));
        item.text(&format!("{} ", step.text)).children(note)
    });
    let title = lang.citizen().detail.course;
    el("section")
        .class("ec-section")
        .child(heading(title))
        .child(el("ol").class("ec-steps").children(steps))
}

fn is_it_right(frame: &Frame, index: u64) -> Element {
    let text = &frame.lang.citizen().detail;
    let ask = |what: &str| frame.href(&format!("/abrufe/{index}/fragen?was={what}"));
    let reasons = text.unknown_reasons.iter().map(|reason| el("li").text(reason));
    let reasons = el("ul").class("kern-list kern-list--bullet").children(reasons);
    let unknown = el("details").class("ec-more").child(el("summary").text(text.unknown));
    el("section")
        .class("ec-section ec-next")
        .child(heading(text.right))
        .child(paragraph(text.right_yes))
        .child(acts([
            (ask("verstehen"), text.right_ask),
            (ask("widersprechen"), text.right_object),
        ]))
        .child(unknown.child(reasons))
}

/// How long it is kept, all details, and files to download.
fn further(frame: &Frame, access: &Access) -> Vec<Element> {
    let lang = frame.lang;
    let text = &lang.citizen().detail;
    let (kept, technical): (Vec<Group>, Vec<Group>) = facts(access, lang)
        .into_iter()
        .partition(|group| group.title == lang.words().group_lifecycle);
    let count: usize = technical.iter().map(|group| group.facts.len()).sum();
    let kept: Vec<Element> = kept.iter().map(|group| fact_list(group, lang)).collect();
    let groups = technical.iter().flat_map(|group| {
        let title = el("h3").class("kern-heading-small").text(group.title);
        [title, fact_list(group, lang)]
    });
    let mut parts = Vec::new();
    if !kept.is_empty() {
        parts.push(accordion(text.retention, kept));
    }
    parts.push(accordion(&(text.technical)(count), groups));
    parts.push(accordion(text.files, files(frame, &access.indices())));
    parts
}

fn fact_list(group: &Group, lang: Lang) -> Element {
    let facts = group.facts.iter().map(|fact| fact_view(fact, lang));
    el("dl").class("kern-description-list").children(facts)
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

fn files(frame: &Frame, entries: &[u64]) -> Vec<Element> {
    let text = &frame.lang.citizen().detail;
    let link = |index: u64, kind: &str, name: &str| {
        let link = link(frame.href(&format!("/abrufe/{index}/{kind}")), name);
        el("li").child(link.attr("data-file", kind).flag("download", true))
    };
    let links = entries.iter().flat_map(|index| {
        [
            link(*index, "quittung", &(text.receipt)(*index)),
            link(*index, "oeffnung", &(text.opening)(*index)),
        ]
    });
    vec![
        paragraph(text.files_text),
        paragraph(text.files_warning),
        el("ul").class("kern-list kern-list--bullet").children(links),
    ]
}
