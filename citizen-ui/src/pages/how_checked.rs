//! The public page about checking: an invented exchange that anybody may change, and what breaks then.
//!
//! The browser's program proves the invented list and lets the visitor change a text
//! ([`crate::islands::prove_example`]). Without it the page has the same as an example that the server has computed:
//! each step with its numbers, and a table of changed texts with what becomes of them.

use proof::bundle::EntryPath;

use super::blocks::{german, heading, island, lead, link, page, paragraph, section, span, table, told};
use super::frame::Frame;
use super::how_checked_text::Words;
use super::phrase::Phrased;
use super::steps::{short, way};
use crate::islands::example_path;
use crate::language::local_time::LocalTime;
use crate::language::sentence::{reason, sentence};
use crate::markup::{Element, el};
use crate::proof::access::Access;
use crate::proof::statement::ProvedList;

/// Renders the page. `None` if the list has no exchange with a reason.
pub fn how_checked(frame: &Frame, list: &ProvedList) -> Option<String> {
    let frame = &island(frame);
    let words = Words::of(frame.lang);
    let (access, path) = example_path(list)?;
    let place = el("div")
        .attr("id", "beispiel")
        .attr("data-island", "example")
        .child(paragraph(words.without_script));
    let proof = &frame.lang.citizen().proof;
    let limits = proof.limits.iter().map(|limit| el("li").text(limit));
    let limits = el("ul").class("kern-list kern-list--bullet").children(limits);
    let without_us = paragraph("").child(link(frame, "/selbst-pruefen", proof.without_us));
    let parts = [
        heading(words.title),
        lead(words.lead),
        entry(frame, words, access, list),
        place,
        section(proof.picture, [way(frame.lang, &path, None)]),
        section(words.steps, [steps(words, &path, list.witnesses)]),
        section(words.breaks, [breaks(frame, words, &path)?]),
    ];
    let rest = words.more.iter().map(|part| told(part.title, part.text));
    let end = section(proof.not_proved, [limits, without_us]);
    Some(page(frame, words.title, parts.into_iter().chain(rest).chain([end])))
}

/// The invented exchange, as it would be in a list.
fn entry(frame: &Frame, words: &Words, access: &Access, list: &ProvedList) -> Element {
    let stamp = access.first();
    let time = LocalTime::of(stamp.time).full(frame.lang);
    let sentence = sentence(access, frame.lang);
    let reason = reason(access, frame.lang).unwrap_or_default();
    let quoted = el("div")
        .class("ec-next")
        .attr("id", "erfunden")
        .child(paragraph("").phrase(&sentence, frame.lang))
        .child(paragraph("").phrase(&reason, frame.lang));
    section(
        words.entry,
        [
            paragraph(words.entry_text),
            quoted,
            paragraph(&(words.entry_at)(stamp.index, list.checkpoint.size.get(), &time)),
        ],
    )
}

/// Each step of the computation with its numbers.
fn steps(words: &Words, path: &EntryPath, witnesses: usize) -> Element {
    let hashes = path.hashes();
    let digits: Vec<String> = hashes.iter().map(short).collect();
    let (first, last) = (digits.first(), digits.last());
    let first = first.map(|own| (words.step_first)(own));
    let between = path.steps.iter().zip(digits.iter().skip(1));
    let between = between.map(|(step, result)| (words.step)(&short(&step.sibling), result));
    let last = last.map(|root| (words.step_last)(root, witnesses));
    let steps = first.into_iter().chain(between).chain(last);
    el("ol")
        .class("ec-checks")
        .children(steps.map(|step| el("li").text(&step)))
}

/// The same computation with other texts.
fn breaks(frame: &Frame, words: &Words, path: &EntryPath) -> Option<Element> {
    let own = path.reason()?;
    let mut letters = own.chars();
    let letter: String = letters.next()?.to_lowercase().chain(letters).collect();
    let texts = [own.to_owned(), format!("{own}."), letter, words.other_reason.to_owned()];
    let root = path.hashes().last().copied()?;
    let rows: Option<Vec<Vec<Element>>> = texts
        .iter()
        .map(|text| {
            let hashes = path.hashes_with_reason(text)?;
            let (leaf, whole) = (hashes.first()?, hashes.last()?);
            let said = if *whole == root {
                span(words.holds).attr("data-holds", "true")
            } else {
                span(words.broken).attr("data-holds", "false")
            };
            Some(vec![
                german(text, frame.lang),
                span(&short(leaf)),
                span(&short(whole)),
                said,
            ])
        })
        .collect();
    Some(table("kaputt", words.caption, &words.columns, rows?))
}
