//! A letter about one exchange: to understand it, or to use a right of the General Data Protection Regulation.
//!
//! The whole page follows from its address, so nothing that the citizen writes reaches the server: the letter is
//! changed in the browser and sent by the citizen's own mail program. The recipients are those of the record, which has
//! them from the directory, so a server cannot put its own address there. The number is in the letter only if the
//! citizen wants it.

use super::content::Content;
use super::document::document;
use super::frame::Frame;
use super::parts::{heading, link, link_line, paragraph, title};
use super::phrase::Phrased;
use super::question::Question;
use crate::language::letter::{Letter, letter};
use crate::markup::{Element, Node, el};
use crate::proof::access::{Access, Exchange};
use text::phrase::Phrase;

use crate::language::letter::Act;

/// The `id` of the text of the letter.
pub const LETTER: &str = "brief";
/// The `id` of the button that copies it.
pub const COPY: &str = "kopieren";
/// The `id` of the text that says that it is copied.
pub const COPIED: &str = "kopiert";

/// Makes the page. `None` for an access that is no exchange, or whose record has expired.
pub(super) fn ask(
    frame: &Frame,
    content: &Content,
    access: &Access,
    question: Question,
    verdict: Element,
) -> Option<Element> {
    let Access::Exchange(exchange) = access else {
        return None;
    };
    let text = &frame.lang.citizen().ask;
    let index = access.first().index;
    let mut parts = vec![
        link_line(frame.href(&format!("/abrufe/{index}")), text.back),
        title(text.title),
        verdict,
        paragraph(text.lead),
        choice(frame, index, question),
    ];
    if let Some(act) = question.act {
        let number = content.person.filter(|_| question.number);
        let letter = letter(exchange, act, number.map(|person| person.expose()), frame.lang);
        parts.extend(letter_view(frame, content, exchange, question, &letter));
    }
    Some(document(frame, text.title, parts.into_iter().map(Node::Element)))
}

/// The form with which the citizen chooses.
fn choice(frame: &Frame, index: u64, question: Question) -> Element {
    let text = &frame.lang.citizen().ask;
    let acts = Act::ALL.into_iter().map(|act| {
        let id = format!("was-{}", act.code());
        let input = el("input").class("kern-form-check__radio").attr("id", &*id);
        let input = input
            .attr("type", "radio")
            .attr("name", "was")
            .attr("value", act.code());
        let input = input.flag("required", true).flag("checked", question.act == Some(act));
        let label = el("label")
            .class("kern-label")
            .attr("for", &*id)
            .text(act.text(frame.lang).name);
        el("div").class("kern-form-check").child(input).child(label)
    });
    let number = el("input").class("kern-form-check__checkbox").attr("id", "nummer");
    let number = number
        .attr("type", "checkbox")
        .attr("name", "nummer")
        .attr("value", "ja");
    let number = number.flag("checked", question.number);
    let number_label = el("label").class("kern-label").attr("for", "nummer").text(text.number);
    let number = el("div").class("kern-form-check").child(number).child(number_label);
    let submit = el("button").class("kern-btn kern-btn--primary").attr("type", "submit");
    let submit = submit.child(el("span").class("kern-label").text(text.show));
    let legend = el("legend").class("kern-label kern-label--large").text(text.choose);
    let fieldset = el("fieldset").class("kern-fieldset").child(legend).children(acts);
    let form = el("form").attr("id", "was").class("ec-choice").attr("method", "get");
    form.attr("action", frame.href(&format!("/abrufe/{index}/fragen")))
        .child(fieldset)
        .child(number)
        .child(submit)
}

fn letter_view(
    frame: &Frame,
    content: &Content,
    exchange: &Exchange,
    question: Question,
    letter: &Letter,
) -> Vec<Element> {
    let text = &frame.lang.citizen().ask;
    let to = match &letter.to {
        Some(to) => {
            let mut phrase = Phrase::said(text.to);
            phrase.quote(&letter.name).say(", ").cite(to);
            phrase
        }
        None => Phrase::said(text.to_supervision),
    };
    let to = el("p")
        .class("kern-body")
        .attr("id", "empfaenger")
        .phrase(&to, frame.lang);
    let label = el("label")
        .class("kern-label")
        .attr("for", LETTER)
        .text(text.letter_text);
    let area = el("textarea")
        .class("kern-form-input__input")
        .attr("id", LETTER)
        .attr("rows", "16");
    let area = area
        .attr("lang", "de")
        .attr("dir", "auto")
        .attr("aria-describedby", "brief-hinweis");
    let hint = el("p")
        .class("ec-small")
        .attr("id", "brief-hinweis")
        .text(text.letter_hint);
    let mail = link(letter.mailto(), text.mail).attr("id", "mail");
    let copy = content.device.map(|device| {
        let button = el("button")
            .attr("id", COPY)
            .attr("type", "button")
            .class("kern-btn kern-btn--secondary");
        let button = button.child(el("span").class("kern-label").text(text.copy));
        let copied = el("span").attr("id", COPIED).attr("role", "status");
        let copied = copied.text(if device.input.copied { text.copied } else { "" });
        el("p").class("ec-act").child(button).text(" ").child(copied)
    });
    let pdf = format!("/abrufe/{}/brief.pdf{}", exchange.intent.index, question.query());
    let pdf = link(frame.href(&pdf), text.pdf).flag("download", true);
    let receipt = frame.href(&format!("/abrufe/{}/quittung", exchange.intent.index));
    let receipt = link(receipt, &(frame.lang.citizen().detail.receipt)(exchange.intent.index));
    let section = el("section").class("ec-section ec-letter").child(heading(text.letter));
    let section = section
        .child(to)
        .child(
            el("div")
                .class("kern-form-input")
                .child(label)
                .child(area.text(&letter.body))
                .child(hint),
        )
        .children(copy)
        .child(el("p").class("kern-body").child(mail))
        .child(el("p").class("kern-body").child(pdf))
        .child(el("p").class("ec-small").text(text.print));
    let next = el("section").class("ec-section ec-next").child(heading(text.what_next));
    let happens = question.act.map(|act| paragraph(act.text(frame.lang).next));
    let next = next.children(happens).child(
        el("p")
            .class("kern-body")
            .text(&format!("{} ", text.attach))
            .child(receipt.flag("download", true)),
    );
    vec![section, next]
}
