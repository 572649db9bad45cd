//! The box with the verdict about a page.

use super::frame::Frame;
use crate::language::verdict::{Act, VerdictText};
use crate::language::words::VerdictWords;
use crate::markup::{Element, el};
use crate::proof::verdict::Verdict;

/// The `id` of the box.
pub const VERDICT: &str = "urteil";
/// The `id` of the content of an error page.
pub const ERROR: &str = "fehler";
/// The `id` of the button that makes the device forget.
pub const FORGET: &str = "geraet-vergessen";
/// The `id` of the button with which the citizen says that the number is theirs.
pub const CONFIRM: &str = "nummer-bestaetigen";

/// Makes the box.
pub fn verdict_box(frame: &Frame, verdict: &Verdict, text: &VerdictText) -> Element {
    let words = frame.lang.words().verdict;
    let colour = verdict.colour();
    let role = if matches!(verdict, Verdict::Failed(_)) {
        "alert"
    } else {
        "status"
    };
    let icon = el("span").class(&format!("kern-icon kern-icon--{colour}"));
    let header = el("div")
        .class("kern-alert__header")
        .child(icon.attr("aria-hidden", "true"))
        .child(el("h2").class("kern-title").text(&text.title));
    let paragraph = |line: &String| el("p").class("kern-body").text(line);
    let small = |line: &String| el("p").class("ec-small").text(line);
    let mut body = el("div")
        .class("kern-alert__body")
        .children(text.lines.iter().map(paragraph));
    if !text.items.is_empty() {
        let items = text.items.iter().map(|item| el("li").text(item));
        body = body.child(el("ul").class("kern-list kern-list--bullet").children(items));
    }
    let (forget, acts): (Vec<Act>, Vec<Act>) = text.acts.iter().partition(|act| **act == Act::Forget);
    let more: Vec<Element> = text.more.iter().map(small).collect();
    let forget = forget.into_iter().map(|act| act_view(frame, act, words));
    let body = body.children(text.remarks.iter().map(small));
    let body = body.children(acts.into_iter().map(|act| act_view(frame, act, words)));
    let body = if more.is_empty() {
        body.children(forget)
    } else {
        let summary = el("summary").text(words.more);
        body.child(
            el("details")
                .class("ec-more")
                .child(summary)
                .children(more)
                .children(forget),
        )
    };
    el("div")
        .attr("id", VERDICT)
        .class(&format!("kern-alert kern-alert--{colour}"))
        .attr("role", role)
        .attr("data-verdict", verdict.code())
        .child(header)
        .child(body)
}

fn act_view(frame: &Frame, act: Act, words: &VerdictWords) -> Element {
    let button = |id: &str, class: &str, label: &str| {
        let button = el("button").attr("id", id).attr("type", "button").class(class);
        button.child(el("span").class("kern-label").text(label))
    };
    let element = match act {
        Act::Verify => {
            let link = el("a")
                .class("kern-link")
                .attr("href", frame.public_href("/selbst-pruefen"));
            link.text(words.verify)
        }
        Act::Login => {
            let link = el("a").class("kern-link").attr("href", frame.login_href());
            link.text(words.login)
        }
        Act::Confirm => button(CONFIRM, "kern-btn kern-btn--primary", words.confirm),
        Act::Forget => button(FORGET, "kern-btn kern-btn--tertiary kern-btn--x-small", words.forget),
    };
    el("p").class("kern-body ec-act").child(element)
}
