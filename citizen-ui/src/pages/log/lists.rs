//! The pages about witnesses, erasures and contradictions.

use super::chart::number;
use super::state::{Compared, LogState, LogView};
use super::text::Words;
use crate::language::local_time::LocalTime;
use crate::markup::{Element, el};
use crate::pages::blocks::{
    Tone, code, heading, island, lead, link, notice, page, paragraph, section, small, span, submit, table, told,
};
use crate::pages::frame::Frame;
use crate::proof::verify::TrustText;

/// The longest checkpoint that a visitor may paste.
const MAX_CHECKPOINT: &str = "8000";

/// Renders the page about the witnesses.
pub fn witnesses(frame: &Frame, view: &LogView) -> String {
    let words = Words::of(frame.lang);
    let quorum = match &view.state {
        LogState::Checked { quorum: true, .. } => notice("stand", Tone::Success, words.quorum_met, []),
        LogState::Checked { .. } => notice("stand", Tone::Warning, words.waiting_title, [paragraph(words.waiting)]),
        LogState::Unreachable => notice(
            "stand",
            Tone::Danger,
            words.unreachable_title,
            [paragraph(words.unreachable)],
        ),
        LogState::Invalid => notice("stand", Tone::Danger, words.invalid_title, [paragraph(words.invalid)]),
    };
    let content = [
        back(frame),
        heading(words.witnesses),
        lead(words.witnesses_lead),
        quorum,
        witness_table(frame, view),
        told(words.witness_why_title, words.witness_why),
    ];
    page(frame, words.witnesses, content)
}

pub(super) fn back(frame: &Frame) -> Element {
    small("").child(link(frame, "/protokoll", Words::of(frame.lang).title))
}

pub(super) fn witness_table(frame: &Frame, view: &LogView) -> Element {
    let words = Words::of(frame.lang);
    let rows = view.witnesses.iter().map(|witness| {
        let last = match witness.last {
            Some(time) if time > 0 => el("time")
                .attr("datetime", LocalTime::of(time).iso)
                .text(&LocalTime::of(time).full(frame.lang)),
            _ => span(words.never),
        };
        let state = if witness.current {
            words.has_signed
        } else {
            words.has_not_signed
        };
        vec![
            el("bdi").attr("data-witness", witness.name.clone()).text(&witness.name),
            span(witness.operator.as_deref().unwrap_or(words.operator_unknown)),
            last,
            span(state).attr("data-signed", witness.current.to_string()),
        ]
    });
    let columns = [words.witness, words.operator, words.signed_at, words.this_state];
    table("zeugen", words.witness_caption, &columns, rows)
}

/// Renders the page about erasures.
pub fn erasures(frame: &Frame, view: &LogView) -> String {
    let words = Words::of(frame.lang);
    let rows = view.counts.erasures.iter().map(|erased| {
        let when = LocalTime::of(erased.time);
        vec![
            el("time")
                .attr("datetime", when.iso.clone())
                .text(&when.full(frame.lang)),
            span(&(words.period)(erased.period)),
            span(&number(erased.entries)),
            link(
                frame,
                &format!("/protokoll/eintrag/{}", erased.entry),
                &erased.entry.to_string(),
            ),
        ]
    });
    let columns = [words.when, words.what, words.entries_about, words.entry];
    let list = if view.counts.erasures.is_empty() {
        notice(
            "leer",
            Tone::Info,
            words.no_erasures,
            [paragraph(words.no_erasures_text)],
        )
    } else {
        table("loeschungen", words.erasures, &columns, rows)
    };
    let content = [
        back(frame),
        heading(words.erasures),
        lead(words.erasures_lead),
        list,
        told(words.erasure_how_title, words.erasure_how),
    ];
    page(frame, words.erasures, content)
}

/// Renders the page about contradictions; with what came out, if the visitor has brought a checkpoint.
pub fn contradictions(frame: &Frame, view: &LogView, compared: Option<Compared>, trust: &TrustText) -> String {
    let frame = &island(frame);
    let words = Words::of(frame.lang);
    let since = LocalTime::of(view.watched_since).full(frame.lang);
    let count = view.contradictions.len();
    let found = (words.found)(count, &since);
    let state = match count {
        0 => notice("widersprueche", Tone::Success, &found, [paragraph(words.none_text)]),
        _ => notice("widersprueche", Tone::Danger, &found, [paragraph(words.contradicted)]),
    };
    let rows = view.contradictions.iter().map(|one| {
        let text = |text: &str| el("pre").class("ec-code").attr("tabindex", "0").text(text);
        let when = LocalTime::of(one.noticed).full(frame.lang);
        vec![span(&when), text(&one.first), text(&one.second)]
    });
    let columns = [words.when, words.first_state, words.second_state];
    let list = table("liste", words.contradictions, &columns, rows);
    let keys = [
        paragraph(words.policy_text),
        code("policy", &trust.policy),
        paragraph(words.genesis),
        code("genesis", &trust.genesis),
    ];
    let empty = (count == 0).then(|| paragraph(words.empty_list));
    let begin = [
        back(frame),
        heading(words.contradictions),
        lead(words.contradictions_text),
        state,
    ];
    let middle = compared.map(|compared| outcome(frame, compared));
    let end = [device(frame), paste(frame), section(words.policy, keys)];
    let list = empty.unwrap_or(list);
    let content = begin.into_iter().chain(middle).chain([list]).chain(end);
    page(frame, words.contradictions, content)
}

/// What came out of a comparison.
fn outcome(frame: &Frame, compared: Compared) -> Element {
    let words = Words::of(frame.lang);
    let (code, tone, title) = match compared {
        Compared::Grown(size) => {
            let title = (words.grown)(&number(size));
            return notice("vergleich", Tone::Success, &title, [small(words.checked_by_server)])
                .attr("data-compared", "grown");
        }
        Compared::Same => ("same", Tone::Success, words.same),
        Compared::Newer => ("newer", Tone::Warning, words.newer),
        Compared::Contradicts => ("contradicts", Tone::Danger, words.contradicts),
        Compared::Unsigned => ("unsigned", Tone::Warning, words.unsigned),
        Compared::Unable => ("unable", Tone::Warning, words.unable),
    };
    notice("vergleich", tone, title, [small(words.checked_by_server)]).attr("data-compared", code)
}

/// The comparison with what this device remembers, which the browser's program makes.
fn device(frame: &Frame) -> Element {
    let words = Words::of(frame.lang);
    let place = el("div")
        .attr("id", "geraet")
        .attr("data-island", "device")
        .child(paragraph(words.device_without_script));
    section(words.device_title, [paragraph(words.device_text), place])
}

/// The form for a checkpoint that the visitor has from elsewhere.
fn paste(frame: &Frame) -> Element {
    let words = Words::of(frame.lang);
    let area = el("textarea")
        .class("kern-form-input__input ec-paste")
        .attr("id", "fassung")
        .attr("name", "fassung")
        .attr("rows", "6")
        .attr("maxlength", MAX_CHECKPOINT)
        .attr("spellcheck", "false")
        .attr("required", "");
    let label = el("label")
        .class("kern-label")
        .attr("for", "fassung")
        .text(words.paste_label);
    let input = el("div").class("kern-form-input").child(label).child(area);
    let form = el("form")
        .attr("method", "post")
        .attr("action", frame.href("/protokoll/widersprueche"))
        .child(input)
        .child(el("p").class("ec-act").child(submit(words.compare)));
    section(words.paste_title, [paragraph(words.paste_text), form])
}

/// The way to the comparison, for the page with the state of the log.
pub(super) fn compare_section(frame: &Frame) -> Element {
    paragraph("").child(link(
        frame,
        "/protokoll/widersprueche",
        Words::of(frame.lang).compare_own,
    ))
}
