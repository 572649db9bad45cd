//! The page with the state of the log and its numbers.

use super::chart::{number, per_day};
use super::entry::lookup_form;
use super::lists::{compare_section, witness_table};
use super::state::{LogState, LogView};
use super::text::Words;
use crate::language::local_time::LocalTime;
use crate::markup::{Element, el};
use crate::pages::blocks::{Tone, accordion, code, heading, lead, link, notice, page, paragraph, section, small};
use crate::pages::frame::Frame;
use crate::proof::verify::TrustText;

/// Renders the page.
pub fn log(frame: &Frame, view: &LogView, trust: &TrustText) -> String {
    let words = Words::of(frame.lang);
    let mut content = vec![heading(words.title), lead(words.lead), state_box(frame, view)];
    if matches!(view.state, LogState::Checked { .. }) {
        content.push(numbers(frame, view));
        content.push(per_day(frame, &view.counts.days));
        let more = paragraph("").child(link(frame, "/protokoll/zeugen", words.about_witnesses));
        content.push(section(words.witnesses, [witness_table(frame, view), more]));
    }
    content.push(section(words.look_up, [lookup_form(frame)]));
    content.push(erasures(frame, view));
    content.push(contradictions(frame, view));
    content.push(technical(frame, view, trust));
    page(frame, words.title, content)
}

fn state_box(frame: &Frame, view: &LogView) -> Element {
    let words = Words::of(frame.lang);
    match &view.state {
        LogState::Unreachable => notice(
            "stand",
            Tone::Danger,
            words.unreachable_title,
            [paragraph(words.unreachable)],
        )
        .attr("data-log", "unreachable"),
        LogState::Invalid => {
            notice("stand", Tone::Danger, words.invalid_title, [paragraph(words.invalid)]).attr("data-log", "invalid")
        }
        LogState::Checked {
            size,
            quorum,
            quorum_time,
            ..
        } => {
            let time = quorum_time.filter(|time| *time > 0).unwrap_or(view.now);
            let time = LocalTime::of(time).full(frame.lang);
            let (tone, title, text) = match (quorum, view.contradictions.len()) {
                (_, 1..) => (
                    Tone::Danger,
                    words.contradicted_title.to_owned(),
                    words.contradicted.to_owned(),
                ),
                (true, _) => {
                    let text = (words.sound)(&number(*size), view.cosigned(), view.witnesses.len());
                    (Tone::Success, (words.sound_title)(&time), text)
                }
                (false, _) => (Tone::Warning, words.waiting_title.to_owned(), words.waiting.to_owned()),
            };
            notice(
                "stand",
                tone,
                &title,
                [paragraph(&text), small(words.checked_by_server)],
            )
            .attr("data-log", "checked")
            .attr("data-quorum", quorum.to_string())
        }
    }
}

fn numbers(frame: &Frame, view: &LogView) -> Element {
    let words = Words::of(frame.lang);
    let counts = &view.counts;
    let LogState::Checked { size, .. } = view.state else {
        return el("div");
    };
    let items = [
        ("eintraege", words.entries, size),
        ("abrufe", words.exchanges, counts.exchanges),
        ("besuche", words.visits, counts.visits),
        ("offen", words.open, counts.open),
        ("abgewiesen", words.denied, counts.denied),
        ("geloescht", words.erased, counts.erased),
    ];
    let items = items.map(|(id, label, value)| {
        let value = el("dd").attr("data-number", id).text(&number(value));
        el("div").child(el("dt").text(label)).child(value)
    });
    let counted = (counts.counted < size).then(|| small(&(words.counting)(&number(counts.counted), &number(size))));
    el("div")
        .child(el("dl").class("ec-numbers").attr("id", "zahlen").children(items))
        .children(counted.map(|text| text.attr("id", "gezaehlt")))
        .child(small(words.numbers_note))
}

fn erasures(frame: &Frame, view: &LogView) -> Element {
    let words = Words::of(frame.lang);
    let text = (words.erasures_short)(view.counts.erasures.len());
    section(
        words.erasures,
        [
            paragraph(&text),
            paragraph("").child(link(frame, "/protokoll/loeschungen", words.about_erasures)),
        ],
    )
}

fn contradictions(frame: &Frame, view: &LogView) -> Element {
    let words = Words::of(frame.lang);
    let since = LocalTime::of(view.watched_since).full(frame.lang);
    let found = (words.found)(view.contradictions.len(), &since);
    let strong = paragraph("").child(el("strong").attr("id", "widersprueche").text(&found));
    let content = [paragraph(words.contradictions_text), strong, compare_section(frame)];
    section(words.contradictions, content)
}

fn technical(frame: &Frame, view: &LogView, trust: &TrustText) -> Element {
    let words = Words::of(frame.lang);
    let mut checkpoint = vec![paragraph(words.checkpoint_text)];
    if let LogState::Checked {
        checkpoint: text,
        origin,
        root,
        ..
    } = &view.state
    {
        checkpoint.push(code("checkpoint", text));
        checkpoint.push(small(words.origin).child(el("bdi").text(origin)));
        checkpoint.push(small(words.root));
        checkpoint.push(code("wurzel", root));
    }
    let keys = [
        paragraph(words.policy_text),
        code("policy", &trust.policy),
        paragraph(words.genesis),
        code("genesis", &trust.genesis),
    ];
    let parts = [accordion(words.checkpoint, checkpoint), accordion(words.policy, keys)];
    section(words.technical, parts)
}
