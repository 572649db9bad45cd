//! The pages about the portal itself: help, imprint, privacy.
//!
//! Who operates a portal is in its configuration. Without it the pages say that there is no operator, and invent none.

use super::about_text::Words;
use super::blocks::{Tone, facts, heading, lead, notice, page, paragraph, section, span, told};
use super::frame::Frame;
use crate::markup::Element;

/// Who operates the portal, as its configuration states it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// The name.
    pub name: String,
    /// The postal address.
    pub address: String,
    /// Where to ask.
    pub contact: String,
    /// The data-protection officer.
    pub data_protection: String,
    /// The supervisory authority.
    pub supervision: String,
}

/// Renders the help.
pub fn help(frame: &Frame, operator: Option<&Operator>) -> String {
    let words = Words::of(frame.lang);
    let begin = [heading(words.help), lead(words.help_lead)];
    let questions = words
        .questions
        .iter()
        .map(|question| told(question.title, question.text));
    let terms = words
        .terms
        .iter()
        .map(|(term, meaning)| ((*term).to_owned(), span(meaning)));
    let ask = match operator {
        Some(operator) => section(
            words.ask,
            [facts([(words.contact.to_owned(), span(&operator.contact))])],
        ),
        None => told(words.ask, &[words.ask_none]),
    };
    let end = [section(words.glossary, [facts(terms)]).attr("id", "woerter"), ask];
    page(frame, words.help, begin.into_iter().chain(questions).chain(end))
}

/// Renders the imprint.
pub fn imprint(frame: &Frame, operator: Option<&Operator>) -> String {
    let words = Words::of(frame.lang);
    let content = operator.map_or_else(|| nobody(words), |operator| about(words, operator));
    page(
        frame,
        words.imprint,
        [heading(words.imprint), lead(words.imprint_lead), content],
    )
}

/// Renders the privacy statement.
pub fn privacy(frame: &Frame, operator: Option<&Operator>) -> String {
    let words = Words::of(frame.lang);
    let begin = [heading(words.privacy), lead(words.privacy_lead)];
    let sections = words.privacy_sections.iter().map(|part| told(part.title, part.text));
    let responsible = operator.map_or_else(|| nobody(words), |operator| about(words, operator));
    let end = section(words.responsible, [responsible]);
    page(frame, words.privacy, begin.into_iter().chain(sections).chain([end]))
}

fn nobody(words: &Words) -> Element {
    notice(
        "betreiber",
        Tone::Info,
        words.imprint_none_title,
        [paragraph(words.imprint_none)],
    )
}

fn about(words: &Words, operator: &Operator) -> Element {
    let items = [
        (words.operator, &operator.name),
        (words.address, &operator.address),
        (words.contact, &operator.contact),
        (words.data_protection, &operator.data_protection),
        (words.supervision, &operator.supervision),
    ];
    facts(items.map(|(label, value)| (label.to_owned(), span(value)))).attr("id", "betreiber")
}
