//! One entry of the log: what everybody can read of it, and the proof that it is in the log.

use record::{Body, Kind, LabelledKind, PeriodEvent, ReferenceKind, SignedEntry};

use super::chart::number;
use super::kinds;
use super::lists::back;
use super::text::Words;
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::markup::{Element, el};
use crate::pages::blocks::{
    Tone, accordion, code, facts, field, file, heading, island, lead, link, notice, page, paragraph, section, small,
    span, submit,
};
use crate::pages::frame::Frame;
use crate::proof::verify::TrustText;

/// The content of the page.
#[derive(Clone, Debug)]
pub struct EntryPage<'a> {
    /// The entry, whose receipt the server has verified.
    pub entry: &'a SignedEntry,
    /// Its index.
    pub index: u64,
    /// The size of the tree in which it is proved.
    pub size: u64,
    /// Whether the quorum has cosigned that tree.
    pub quorum: bool,
    /// How many witnesses have cosigned it.
    pub cosigned: usize,
    /// The hashes from the entry to the root.
    pub path: usize,
    /// The name of the writer in the directory that was in force at the entry.
    pub writer: Option<String>,
}

/// Renders the page.
pub fn entry(frame: &Frame, content: &EntryPage) -> String {
    let words = Words::of(frame.lang);
    let entry = content.entry.entry();
    let kind = entry.body.kind();
    let (name, meaning) = kinds::words(kind, frame.lang);
    let title = format!("{} {}: {name}", words.entry, number(content.index));
    let proved = match content.quorum {
        true => {
            let text = (words.proved)(content.path, &number(content.size), content.cosigned);
            notice(
                "beweis",
                Tone::Success,
                words.proved_title,
                [paragraph(&text), small(words.checked_by_server)],
            )
        }
        false => notice("beweis", Tone::Warning, words.waiting_title, [paragraph(words.waiting)]),
    };
    let receipt = file(
        frame,
        &format!("/protokoll/eintrag/{}.tlog-proof", content.index),
        words.receipt,
    );
    let content = [
        back(frame),
        heading(&title),
        lead(meaning),
        proved.attr("data-entry", content.index.to_string()),
        facts(readable(frame, content)).attr("id", "angaben"),
        section(words.hidden_title, [paragraph(hidden(kind, words))]),
        section(
            words.take,
            [paragraph(words.receipt_text), paragraph("").child(receipt)],
        ),
        accordion(words.technical, technical(frame, content)),
        neighbours(frame, content),
    ];
    page(frame, &title, content)
}

const fn hidden(kind: Kind, words: &Words) -> &'static str {
    match kind {
        Kind::Intent | Kind::Outcome | Kind::Preview | Kind::Void | Kind::Inspection => words.hidden_person,
        Kind::Denial => words.hidden_denial,
        _ => words.hidden_nothing,
    }
}

fn readable(frame: &Frame, content: &EntryPage) -> Vec<(String, Element)> {
    let words = Words::of(frame.lang);
    let entry = content.entry.entry();
    let when = LocalTime::of(entry.time.0);
    let mut items = vec![
        (
            words.when,
            el("time")
                .attr("datetime", when.iso.clone())
                .text(&when.full(frame.lang)),
        ),
        (words.writer, span(&writer(content.writer.as_deref(), words))),
    ];
    let to = |index: u64| link(frame, &format!("/protokoll/eintrag/{index}"), &number(index));
    match &entry.body {
        Body::Labelled { kind, refers, .. } => {
            let label = match kind {
                LabelledKind::Inspection => words.opened,
                _ => words.belongs_to,
            };
            items.extend(refers.map(|index| (label, to(index.get()))));
        }
        Body::Reference { kind, refers } => {
            let label = match kind {
                ReferenceKind::HoldRelease => words.ends,
                _ => words.belongs_to,
            };
            items.push((label, to(refers.get())));
        }
        Body::Period { period, event } => {
            let event = match event {
                PeriodEvent::Begin { .. } => words.period_begins,
                PeriodEvent::Final { .. } => words.period_final,
                PeriodEvent::Destroyed => words.period_destroyed,
            };
            items.push((words.what, span(&format!("{}: {event}", (words.period)(period.0)))));
        }
        Body::Map { newest, .. } => {
            items.push((words.newest_directory, to(newest.directory.get())));
            items.push((words.newest_map, to(newest.registerlandkarte.get())));
        }
        Body::Document { .. } | Body::Denial { .. } => {}
    }
    items
        .into_iter()
        .map(|(label, value)| (label.to_owned(), value))
        .collect()
}

/// The name of a writer in words. A name that is not known stays as it is.
fn writer(name: Option<&str>, words: &Words) -> String {
    match name {
        Some("broker") => words.writer_broker.to_owned(),
        Some("identity") => words.writer_identity.to_owned(),
        Some("ledger") => words.writer_ledger.to_owned(),
        Some("operator") => words.writer_operator.to_owned(),
        Some(name) => name.to_owned(),
        None => words.operator_unknown.to_owned(),
    }
}

/// The values for programs, with the names of the format.
fn technical(frame: &Frame, content: &EntryPage) -> Vec<Element> {
    let words = Words::of(frame.lang);
    let entry = content.entry.entry();
    let mut values = vec![
        ("kind", entry.body.kind().as_str().to_owned()),
        ("time", entry.time.to_string()),
        ("writer", entry.writer.to_string()),
        ("sequence", entry.sequence.0.to_string()),
        ("previous", entry.previous.to_string()),
    ];
    match &entry.body {
        Body::Labelled {
            period,
            label,
            commitment,
            ..
        } => {
            values.push(("period", period.0.to_string()));
            values.push(("label", hex(&label.0)));
            values.push(("commitment", commitment.0.to_string()));
        }
        Body::Denial { commitment } => values.push(("commitment", commitment.0.to_string())),
        Body::Document { digest, .. } => values.push(("digest", digest.to_string())),
        Body::Map { roots, .. } => values.extend(
            roots
                .iter()
                .map(|(period, root)| ("root", format!("{} {root}", period.0))),
        ),
        Body::Period { .. } | Body::Reference { .. } => {}
    }
    let values = values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), el("bdi").class("ec-digest").text(&value)));
    vec![
        paragraph(words.leaf_hash),
        code("pruefsumme", &content.entry.leaf_hash().to_string()),
        facts(values),
    ]
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn neighbours(frame: &Frame, content: &EntryPage) -> Element {
    let words = Words::of(frame.lang);
    let to = |rel: &'static str, index: u64, text: &str| {
        let link = link(frame, &format!("/protokoll/eintrag/{index}"), text);
        el("li").child(link.attr("rel", rel))
    };
    let previous = content
        .index
        .checked_sub(1)
        .map(|index| to("prev", index, words.previous_entry));
    let next = Some(content.index + 1).filter(|next| *next < content.size);
    let next = next.map(|index| to("next", index, words.next_entry));
    let list = el("ul").class("ec-nav").children(previous).children(next);
    el("nav")
        .class("ec-pages")
        .attr("aria-label", words.neighbours)
        .child(list)
}

/// Why an entry is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Nothing was asked for yet.
    Empty,
    /// The log has no such entry, or the text is no number.
    Unknown,
    /// The pasted text is no receipt.
    NoReceipt,
    /// The receipt does not verify.
    Refused,
}

/// Renders the page where an entry is looked up, with the reason why the last one is not shown.
pub fn lookup(frame: &Frame, state: Lookup, trust: &TrustText) -> String {
    let frame = &island(frame);
    let words = Words::of(frame.lang);
    let refused = match state {
        Lookup::Empty => None,
        Lookup::Unknown => Some(("unknown", words.unknown_entry)),
        Lookup::NoReceipt => Some(("no-receipt", words.no_receipt)),
        Lookup::Refused => Some(("refused", words.refused_receipt)),
    };
    let refused = refused.map(|(code, text)| notice("fehler", Tone::Danger, text, []).attr("data-lookup", code));
    let begin = [back(frame), heading(words.look_up), lead(words.look_up_lead)];
    let end = [lookup_form(frame), receipt_form(frame), trust_part(frame.lang, trust)];
    page(frame, words.look_up, begin.into_iter().chain(refused).chain(end))
}

/// The form with the number of an entry.
pub(super) fn lookup_form(frame: &Frame) -> Element {
    let words = Words::of(frame.lang);
    let mut number = field("nr", words.entry_number, "text", "");
    if let Some(input) = number.first_mut("input") {
        *input = input.clone().attr("inputmode", "numeric").attr("autocomplete", "off");
    }
    let submit = el("div").class("ec-field").child(submit(words.look_up_button));
    let other = link(frame, "/protokoll/eintrag", words.with_receipt);
    el("form")
        .class("ec-filter")
        .attr("id", "nachschlagen")
        .attr("method", "get")
        .attr("action", frame.href("/protokoll/eintrag"))
        .child(el("div").class("ec-fields").child(number).child(submit))
        .child(small("").child(other))
}

/// The form for a receipt: a file for the browser's program, or its text for the server.
fn receipt_form(frame: &Frame) -> Element {
    let words = Words::of(frame.lang);
    let area = el("textarea")
        .class("kern-form-input__input ec-paste")
        .attr("id", "beleg")
        .attr("name", "beleg")
        .attr("rows", "6")
        .attr("maxlength", "20000")
        .attr("spellcheck", "false")
        .attr("required", "");
    let label = el("label")
        .class("kern-label")
        .attr("for", "beleg")
        .text(words.receipt_label);
    let form = el("form")
        .attr("method", "post")
        .attr("action", frame.href("/protokoll/eintrag"))
        .child(el("div").class("kern-form-input").child(label).child(area))
        .child(el("p").class("ec-act").child(submit(words.look_up_button)));
    let drop = el("div")
        .attr("id", "datei-pruefen")
        .attr("data-island", "file")
        .child(paragraph(words.file_without_script));
    section(words.with_receipt, [paragraph(words.receipt_lead), drop, form])
}

/// The keys by which the browser's program checks.
pub(super) fn trust_part(lang: Lang, trust: &TrustText) -> Element {
    let words = Words::of(lang);
    let keys = [
        paragraph(words.policy_text),
        code("policy", &trust.policy),
        paragraph(words.genesis),
        code("genesis", &trust.genesis),
    ];
    accordion(words.policy, keys)
}
