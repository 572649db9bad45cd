//! The first page after the login: the verdict, what is new, two years as a picture, and what to do.

use super::content::Content;
use super::document::document;
use super::filter::exchanges;
use super::frame::Frame;
use super::parts::{acts, heading, link_line, paragraph};
use super::phrase::Phrased;
use super::picture::picture;
use super::rows::rows;
use crate::language::local_time::LocalTime;
use crate::markup::{Element, Node, el};
use text::phrase::Phrase;

/// How many of the newest exchanges are shown.
const NEWEST: usize = 3;
/// How many new ones are shown at most.
const MAX_NEW: usize = 10;

/// Makes the page. `verdict` is the box with the verdict.
pub(super) fn overview(frame: &Frame, content: &Content, verdict: Element) -> Element {
    let text = &frame.lang.citizen().overview;
    let mut greeting = Phrase::said(text.greeting);
    let name = frame.session.as_ref().map(|session| session.name.as_str());
    greeting.cite(name.unwrap_or_default());
    let h1 = el("h1").class("kern-heading-x-large").attr("id", "gruss");
    let mut parts = vec![h1.phrase(&greeting, frame.lang), verdict, newest(frame, content)];
    parts.extend(picture(frame, content));
    let todo = el("section").class("ec-section").child(heading(text.acts));
    parts.push(todo.child(acts([
        (frame.href("/abrufe"), text.act_understand),
        (frame.public_href("/was-wird-aufgezeichnet"), text.act_permissions),
        (frame.href("/abrufe#mitnehmen"), text.act_take),
    ])));
    document(frame, text.title, parts.into_iter().map(Node::Element))
}

/// What is new since the last visit with this device; on the page as the server sends it, the newest exchanges.
fn newest(frame: &Frame, content: &Content) -> Element {
    let text = &frame.lang.citizen().overview;
    let exchanges = exchanges(content.accesses);
    let all = exchanges.len();
    let last = content.device.and_then(|device| device.last);
    let section = el("section").class("ec-section").attr("id", "neu");
    let mut section = match last {
        Some(last) => {
            let title = (text.new_since)(&LocalTime::of(last.as_of).date);
            let new = exchanges.into_iter().filter(|access| access.first().index >= last.size);
            let new: Vec<_> = new.take(MAX_NEW).collect();
            let section = section.child(heading(&title));
            if new.is_empty() {
                section.child(paragraph(text.nothing_new))
            } else {
                section.child(rows(frame, new))
            }
        }
        None => {
            let section = section.child(heading(text.newest));
            section.child(rows(frame, exchanges.into_iter().take(NEWEST)))
        }
    };
    section = match all {
        0 => section.child(paragraph(text.none)),
        all => section.child(link_line(frame.href("/abrufe"), &(text.all)(all))),
    };
    section
}
