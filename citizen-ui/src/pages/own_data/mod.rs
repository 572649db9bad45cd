//! "My data in registers": the citizen asks registers what they have about them (§ 10 (2) OZG, "Bestandsdaten").
//!
//! The answers come one after the other, so the page with them is sent in pieces ([`OwnAnswers`]), which a browser
//! shows without a script. What a register answers is on this page alone and nowhere in the log, so the browser has
//! nothing to prove here, and the page has no verdict.

mod text;

use text::{Words, words};

use super::document::{document, html};
use super::frame::Frame;
use super::parts::{heading, link, link_line, paragraph, title};
use super::phrase::Phrased;
use crate::language::local_time::LocalTime;
use crate::markup::{Element, Node, el};
use ::text::phrase::Phrase;

/// The page's path after the language.
pub const OWN_DATA: &str = "/meine-daten";
/// The path of the page with the answers.
pub const OWN_ANSWERS: &str = "/meine-daten/antwort";
/// The name of the field with a register's component, once for each register that is to be asked.
pub const REGISTER: &str = "register";

/// Where the answers are in the page that is sent in pieces. No text has it, because `<` is escaped.
const ANSWERS: &str = "<!--antworten-->";

/// A register that the citizen can ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRegister {
    /// The component that answers.
    pub component: String,
    /// The type of evidence that stands for everything about the person.
    pub evidence: String,
    /// Name of the register.
    pub register: String,
    /// Name of the body that keeps it.
    pub body: String,
    /// Where the citizen can write to that body.
    pub contact: String,
    /// What the register has, in categories.
    pub categories: Vec<String>,
    /// The permission, as `id@version`.
    pub permission: String,
}

/// What a register has answered. `Debug` shows no data.
#[derive(Clone, PartialEq, Eq)]
pub enum OwnAnswer {
    /// It has data.
    Found {
        /// POSIX seconds of the answer, if it names a time.
        issued_at: Option<u64>,
        /// The data.
        sections: Vec<OwnSection>,
    },
    /// It has nothing.
    Nothing,
    /// It has not answered, or has refused.
    Unreachable,
}

impl std::fmt::Debug for OwnAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnAnswer(redacted)")
    }
}

/// Data that belong together.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnSection {
    /// What they are.
    pub title: String,
    /// Name and value of each field.
    pub fields: Vec<(String, String)>,
}

/// How many registers were asked, and what they answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnCounts {
    /// How many were asked.
    pub asked: usize,
    /// How many have data.
    pub found: usize,
    /// How many have none.
    pub nothing: usize,
    /// How many did not answer.
    pub unreachable: usize,
}

impl OwnCounts {
    /// Counts an answer.
    pub fn add(&mut self, answer: &OwnAnswer) {
        match answer {
            OwnAnswer::Found { .. } => self.found += 1,
            OwnAnswer::Nothing => self.nothing += 1,
            OwnAnswer::Unreachable => self.unreachable += 1,
        }
    }
}

/// Whom the citizen can ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnRegisters {
    /// These registers; there may be none.
    Known(Vec<OwnRegister>),
    /// None, because the citizen's data are protected by an Auskunftssperre.
    Blocked,
}

/// Makes the page with the question.
pub fn own_data(frame: &Frame, registers: &OwnRegisters) -> String {
    html(&question(frame, registers))
}

pub(super) fn question(frame: &Frame, registers: &OwnRegisters) -> Element {
    let text = words(frame.lang);
    let mut parts = vec![
        title(text.title),
        el("p").class("kern-body kern-body--large").text(text.lead),
    ];
    match registers {
        OwnRegisters::Blocked => parts.push(paragraph(text.blocked)),
        OwnRegisters::Known(registers) if registers.is_empty() => parts.push(paragraph(text.none)),
        OwnRegisters::Known(registers) => {
            parts.push(note(text));
            parts.push(form(frame, registers));
        }
    }
    document(frame, text.title, parts.into_iter().map(Node::Element))
}

fn note(text: &Words) -> Element {
    let icon = el("span")
        .class("kern-icon kern-icon--info")
        .attr("aria-hidden", "true");
    let header = el("div").class("kern-alert__header").child(icon);
    let header = header.child(el("span").class("kern-title").text(text.kept_nothing));
    let body = el("div").class("kern-alert__body");
    let body = body.child(paragraph(text.kept_nothing_text));
    let alert = el("div").class("kern-alert kern-alert--info").attr("id", "hinweis");
    alert.child(header).child(body)
}

/// The form has all registers chosen, so that one press asks all of them.
fn form(frame: &Frame, registers: &[OwnRegister]) -> Element {
    let text = words(frame.lang);
    let choices = (1..).zip(registers).map(|(number, register): (usize, _)| {
        let (id, hint) = (format!("register-{number}"), format!("register-{number}-hinweis"));
        let input = el("input").class("kern-form-check__checkbox").attr("id", &*id);
        let input = input.attr("type", "checkbox").attr("name", REGISTER);
        let input = input
            .attr("value", &*register.component)
            .attr("aria-describedby", &*hint);
        let label = el("label").class("kern-label").attr("for", &*id);
        let label = label.phrase(&name(register), frame.lang);
        let hint = el("p").class("ec-small").attr("id", &*hint);
        let categories = Phrase::quoted(&register.categories.join(", "));
        let permission = frame.public_href(&format!("/registerlandkarte/erlaubnis/{}", register.permission));
        let hint = hint.phrase(&categories, frame.lang).text(" · ");
        let permission = link(permission, text.permission);
        el("div")
            .class("ec-register")
            .child(
                el("div")
                    .class("kern-form-check")
                    .child(input.flag("checked", true))
                    .child(label),
            )
            .child(hint.child(permission.attr("aria-label", format!("{}: {}", text.permission, register.register))))
    });
    let legend = el("legend").class("kern-label kern-label--large").text(text.choose);
    let fieldset = el("fieldset").class("kern-fieldset").child(legend).children(choices);
    let form = el("form")
        .attr("id", "fragen")
        .class("ec-choice")
        .attr("method", "post");
    form.attr("action", frame.href(OWN_ANSWERS))
        .child(fieldset)
        .child(button(text.submit, "primary"))
}

fn button(words: &str, kind: &str) -> Element {
    let button = el("button")
        .class(&format!("kern-btn kern-btn--{kind}"))
        .attr("type", "submit");
    button.child(el("span").class("kern-label").text(words))
}

/// "Zentrales Fahrzeugregister (Kraftfahrt-Bundesamt)".
fn name(register: &OwnRegister) -> Phrase {
    let mut name = Phrase::quoted(&register.register);
    name.say(" (").quote(&register.body).say(")");
    name
}

/// The page with the answers, in pieces that together are one document.
#[derive(Clone, Debug)]
pub struct OwnAnswers {
    frame: Frame,
    /// What comes before the first answer.
    pub begin: String,
    /// What comes after the last one.
    pub end: String,
}

impl OwnAnswers {
    /// The page for so many questions.
    pub fn new(frame: &Frame, asked: usize) -> Self {
        // The links to the other languages and the one in the navigation lead to the question.
        let frame = Frame {
            path: OWN_DATA.to_owned(),
            ..frame.clone()
        };
        let whole = html(&answers(&frame, asked, vec![Node::Html(ANSWERS.to_owned())]));
        let (begin, end) = whole.split_once(ANSWERS).unwrap_or((&whole, ""));
        Self {
            begin: begin.to_owned(),
            end: end.to_owned(),
            frame,
        }
    }

    /// The answer of a register. `number` is different for each.
    pub fn answer(&self, number: usize, register: &OwnRegister, answer: &OwnAnswer) -> String {
        answer_of(&self.frame, number, register, answer).to_html()
    }

    /// The counters, after the last answer.
    pub fn counts(&self, counts: OwnCounts) -> String {
        counters(&self.frame, counts).to_html()
    }
}

/// The page. The counters are known last, and the style sheet shows them first.
pub(super) fn answers(frame: &Frame, asked: usize, answers: Vec<Node>) -> Element {
    let text = words(frame.lang);
    let mut stream = el("div").class("ec-stock").attr("id", "antworten");
    stream.children = answers;
    let next = el("section").class("ec-section ec-next").child(heading(text.next));
    let next = next
        .child(paragraph(text.next_text))
        .child(link_line(frame.href("/besuche"), text.to_visits))
        .child(link_line(frame.href(OWN_DATA), text.others));
    let parts = [
        title(text.title),
        el("p").class("kern-body kern-body--large").text(&(text.asking)(asked)),
        note(text),
        stream,
        next,
    ];
    document(frame, text.title, parts.into_iter().map(Node::Element))
}

pub(super) fn answer_of(frame: &Frame, number: usize, register: &OwnRegister, answer: &OwnAnswer) -> Element {
    let text = words(frame.lang);
    let (state, colour) = match answer {
        OwnAnswer::Found { .. } => (text.found, "info"),
        OwnAnswer::Nothing => (text.nothing, "info"),
        OwnAnswer::Unreachable => (text.unreachable, "warning"),
    };
    let icon = el("span")
        .class(&format!("kern-icon kern-icon--{colour}"))
        .attr("aria-hidden", "true");
    let label = el("span").class("kern-label kern-label--small").text(state);
    let badge = el("span")
        .class(&format!("kern-badge kern-badge--{colour}"))
        .child(icon)
        .child(label);
    let id = format!("antwort-{number}");
    let h2 = el("h2").class("kern-heading-medium").attr("id", &*id);
    let section = el("section")
        .class("ec-answer")
        .attr("aria-labelledby", &*id)
        .attr("data-register", &*register.component)
        .child(h2.phrase(&name(register), frame.lang))
        .child(el("p").class("ec-tag").child(badge));
    match answer {
        OwnAnswer::Found { issued_at, sections } => {
            let as_of = issued_at.map(|time| (text.as_of)(&LocalTime::of(time).full(frame.lang)));
            let mut correct = Phrase::said(text.wrong);
            correct.cite(&register.contact).say(".");
            section
                .children(as_of.map(|as_of| el("p").class("ec-small").text(&as_of)))
                .children(sections.iter().flat_map(|section| data(frame, section)))
                .child(el("p").class("ec-small").phrase(&correct, frame.lang))
        }
        OwnAnswer::Nothing => section.child(paragraph(text.nothing_text)),
        OwnAnswer::Unreachable => {
            let hidden = el("input").attr("type", "hidden").attr("name", REGISTER);
            let hidden = hidden.attr("value", &*register.component);
            let form = el("form")
                .attr("method", "post")
                .attr("action", frame.href(OWN_ANSWERS));
            let again = button(text.again, "secondary").attr("aria-describedby", &*id);
            section
                .child(paragraph(text.unreachable_text))
                .child(form.child(hidden).child(again))
        }
    }
}

fn data(frame: &Frame, section: &OwnSection) -> [Element; 2] {
    let text = words(frame.lang);
    let h3 = el("h3")
        .class("kern-heading-small")
        .phrase(&Phrase::quoted(&section.title), frame.lang);
    let fields = section.fields.iter().map(|(name, value)| {
        let key = el("dt").class("kern-description-list-item__key");
        let value = match value.as_str() {
            "" => Phrase::said(text.empty),
            value => Phrase::cited(value),
        };
        el("div")
            .class("kern-description-list-item")
            .child(key.phrase(&Phrase::quoted(name), frame.lang))
            .child(
                el("dd")
                    .class("kern-description-list-item__value")
                    .phrase(&value, frame.lang),
            )
    });
    [h3, el("dl").class("kern-description-list").children(fields)]
}

pub(super) fn counters(frame: &Frame, counts: OwnCounts) -> Element {
    let text = words(frame.lang);
    let counters = [
        ("gefragt", text.asked, counts.asked),
        ("gefunden", text.found, counts.found),
        ("nichts", text.nothing, counts.nothing),
        ("unerreichbar", text.unreachable, counts.unreachable),
    ];
    let items = counters.map(|(name, words, count)| {
        let value = el("dd").attr("data-count", name).text(&count.to_string());
        el("div").child(el("dt").text(words)).child(value)
    });
    el("section")
        .class("ec-counts")
        .attr("id", "ergebnis")
        .child(el("h2").class("kern-heading-medium").text(text.result))
        .child(el("dl").children(items))
}

#[cfg(test)]
pub(super) mod tests;
