//! How one entry is proved: three sentences with their numbers, its way to the root of the log as a picture, and a
//! field in which anybody can change a letter and see the proof break.
//!
//! [`field`] and [`way`] are the components: the field, and the picture with the result, from an [`EntryPath`] and the
//! text in the field. The public page about it shows them for an invented entry. The program calls [`way`] again with
//! what is typed ([`TRIED`] is the field, [`WAY`] what is replaced).

use proof::bundle::EntryPath;

use super::content::Content;
use super::document::document;
use super::frame::Frame;
use super::parts::{heading, link_line, paragraph, title};
use crate::language::lang::Lang;
use crate::markup::{Element, Node, el, svg};
use crate::proof::access::Access;
use tlog::Hash;

/// The `id` of the field that can be changed.
pub const TRIED: &str = "probe";
/// The `id` of the picture and of the result, which follow from the field.
pub const WAY: &str = "weg";

/// The height of one step of the picture.
const STEP: i32 = 56;
/// Where the way and the hashes beside it are.
const MIDDLE: i32 = 180;
const BESIDE: i32 = 90;

/// Makes the page. `verdict` is the box with the verdict.
pub(super) fn steps(frame: &Frame, content: &Content, access: &Access, verdict: Element) -> Element {
    let text = &frame.lang.citizen().proof;
    let index = access.first().index;
    let number = content
        .person
        .map(|person| grouped(person.expose()))
        .unwrap_or_default();
    let checks = [
        (text.in_log, (text.in_log_text)(index, content.size)),
        (text.unchanged, text.unchanged_text.to_owned()),
        (text.yours, (text.yours_text)(&number)),
    ];
    let checks = checks.map(|(what, how)| el("li").child(el("b").text(what)).text(&format!(" {how}")));
    let back = frame.href(&format!("/abrufe/{index}"));
    let mut parts = vec![
        link_line(back, text.back),
        title(text.title),
        verdict,
        el("p").class("ec-lead").text(text.lead),
        el("ol").class("ec-checks").children(checks),
    ];
    match content.path {
        Some(path) => {
            let tried = content.device.and_then(|device| device.input.tried);
            parts.extend(way_sections(frame.lang, path, tried, content.device.is_some()));
        }
        None => parts.push(paragraph(text.no_picture)),
    }
    let limits = text.limits.iter().map(|limit| el("li").text(limit));
    let limits = el("ul").class("kern-list kern-list--bullet").children(limits);
    let section = el("section")
        .class("ec-section")
        .child(heading(text.not_proved))
        .child(limits);
    parts.push(section.child(link_line(frame.public_href("/selbst-pruefen"), text.without_us)));
    document(frame, text.title, parts.into_iter().map(Node::Element))
}

/// The picture, and the field if a program listens to it (`live`) and the record can be opened.
fn way_sections(lang: Lang, path: &EntryPath, tried: Option<&str>, live: bool) -> Vec<Element> {
    let picture = el("section")
        .class("ec-section")
        .child(heading(lang.citizen().proof.picture))
        .child(way(lang, path, tried));
    let reason = path.reason().filter(|_| live);
    let mut parts: Vec<Element> = reason.map(|reason| field(lang, reason)).into_iter().collect();
    parts.push(picture);
    parts
}

/// The field in which anybody can change the reason of the entry.
pub fn field(lang: Lang, reason: &str) -> Element {
    let text = &lang.citizen().proof;
    let label = el("label").class("kern-label").attr("for", TRIED).text(text.try_label);
    let input = el("input")
        .class("kern-form-input__input")
        .attr("id", TRIED)
        .attr("type", "text");
    let input = input.attr("dir", "auto").attr("lang", "de").attr("value", reason);
    let input = input
        .attr("autocomplete", "off")
        .attr("aria-describedby", "probe-hinweis");
    let hint = el("p")
        .class("ec-small")
        .attr("id", "probe-hinweis")
        .text(text.try_hint);
    el("section")
        .class("ec-section ec-next")
        .child(heading(text.try_title))
        .child(paragraph(text.try_text))
        .child(el("div").class("kern-form-input").child(label).child(input).child(hint))
}

/// The picture of the way and the result in words. `tried` is the reason that the citizen has typed.
pub fn way(lang: Lang, path: &EntryPath, tried: Option<&str>) -> Element {
    let text = &lang.citizen().proof;
    let hashes = path.hashes();
    let changed = tried.filter(|tried| Some(*tried) != path.reason());
    let changed = changed.and_then(|tried| path.hashes_with_reason(tried));
    let said = match (&changed, hashes.first()) {
        (Some(changed), Some(own)) => {
            let other = changed.first().map(short).unwrap_or_default();
            el("p").class("ec-wrong").text(&(text.changed)(&other, &short(own)))
        }
        (None, Some(own)) => el("p").class("ec-same").text(&(text.same)(&short(own))),
        (_, None) => el("p"),
    };
    let said = said.attr("role", "status").attr("id", "probe-ergebnis");
    let caption = el("figcaption").child(el("p").class("ec-small").text(text.caption));
    el("figure")
        .class("ec-figure")
        .attr("id", WAY)
        .child(said)
        .child(drawing(
            lang,
            path,
            changed.as_deref().unwrap_or(&hashes),
            changed.is_some(),
        ))
        .child(caption)
}

/// The way from the entry, at the bottom, to the root, with the hash beside each step.
fn drawing(lang: Lang, path: &EntryPath, hashes: &[Hash], wrong: bool) -> Element {
    let text = &lang.citizen().proof;
    let levels = i32::try_from(path.steps.len()).unwrap_or(0);
    let height = (levels + 1) * STEP + 48;
    let y = |level: i32| 24 + (levels - level) * STEP;
    let picture = svg("svg")
        .class("ec-picture ec-way")
        .attr("viewBox", format!("0 0 360 {height}"));
    let picture = picture
        .attr("role", "img")
        .attr("aria-labelledby", "weg-titel weg-text");
    let mut picture = picture
        .child(svg("title").attr("id", "weg-titel").text(text.picture_title))
        .child(
            svg("desc")
                .attr("id", "weg-text")
                .text(&(text.picture_text)(path.steps.len())),
        );
    let lines = (0..).zip(&path.steps).map(|(level, step)| {
        let beside = if step.is_left { MIDDLE - BESIDE } else { MIDDLE + BESIDE };
        let (low, high) = (y(level), y(level + 1) + 28);
        svg("path")
            .class(if wrong { "ec-line ec-wrong-line" } else { "ec-line" })
            .attr("d", format!("M{MIDDLE} {low} V{high} M{beside} {low} L{MIDDLE} {high}"))
    });
    picture = picture.children(lines);
    for (level, step) in (0..).zip(&path.steps) {
        let beside = if step.is_left { MIDDLE - BESIDE } else { MIDDLE + BESIDE };
        picture = picture.children(node("ec-node", beside, y(level), &step.sibling));
    }
    let class = if wrong {
        "ec-node ec-node-wrong"
    } else {
        "ec-node ec-node-own"
    };
    for (level, hash) in (0..).zip(hashes) {
        picture = picture.children(node(class, MIDDLE, y(level), hash));
    }
    let label = |words: &str, y: i32| {
        let label = svg("text").class("ec-lane ec-middle").attr("x", MIDDLE.to_string());
        label.attr("y", y.to_string()).text(words)
    };
    picture
        .child(label(text.whole, 16))
        .child(label(text.your_entry, height - 4))
}

fn node(class: &str, x: i32, y: i32, hash: &Hash) -> [Element; 2] {
    let place = svg("rect")
        .class(class)
        .attr("x", (x - 32).to_string())
        .attr("y", y.to_string());
    let place = place.attr("width", "64").attr("height", "28").attr("rx", "4");
    let digits = svg("text").class("ec-digits").attr("x", x.to_string());
    [place, digits.attr("y", (y + 19).to_string()).text(&short(hash))]
}

/// The first digits of a hash.
pub(super) fn short(hash: &Hash) -> String {
    hash.to_string().chars().take(6).collect()
}

/// The number in groups, as it is printed: `08 214 967 384`.
fn grouped(number: &str) -> String {
    let parts = [number.get(..2), number.get(2..5), number.get(5..8), number.get(8..)];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    parts.join(" ")
}
