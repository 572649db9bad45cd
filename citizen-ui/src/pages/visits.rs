//! What the citizen has done: when the records were opened, when registers were asked for the citizen's own data, and
//! what to do if it was another person.

use super::content::Content;
use super::document::document;
use super::filter::ROWS_PER_PAGE;
use super::frame::Frame;
use super::parts::{heading, link_line, pagination, paragraph, title};
use super::rows::rows;
use super::target::Target;
use crate::markup::{Element, Node, el};
use crate::proof::access::{Access, AccessKind};

/// Makes the page. `verdict` is the box with the verdict.
pub(super) fn visits(frame: &Frame, content: &Content, page: usize, verdict: Element) -> Element {
    let text = &frame.lang.citizen().visits;
    let of = |wanted: &[AccessKind]| {
        let is = |access: &&Access| wanted.contains(&AccessKind::of(access));
        content.accesses.iter().filter(is).collect::<Vec<_>>()
    };
    let (own, unused) = (
        of(&[AccessKind::Inspection, AccessKind::OwnRequest]),
        of(&[AccessKind::Unused]),
    );
    let requests = own
        .iter()
        .filter(|access| AccessKind::of(access) == AccessKind::OwnRequest);
    let requests = requests.count();
    let pages = own.len().div_ceil(ROWS_PER_PAGE).max(1);
    let page = page.clamp(1, pages);
    let shown = own.iter().skip((page - 1) * ROWS_PER_PAGE).take(ROWS_PER_PAGE);
    let count = el("p").class("kern-body").attr("id", "anzahl");
    let mut counted = (text.count)(own.len() - requests);
    if requests > 0 {
        counted.push_str(&(text.and_requests)(requests));
    }
    let mut parts = vec![
        title(text.title),
        verdict,
        paragraph(text.lead),
        count.text(&counted),
        rows(frame, shown.copied()),
    ];
    parts.extend(pagination(frame, page, pages, |page| Target::Visits(page).path()));
    let not_you = el("section").class("ec-section ec-next").child(heading(text.not_you));
    parts.push(not_you.children(text.not_you_text.iter().map(|text| paragraph(text))));
    let technical = el("section").class("ec-section").attr("id", "technisches");
    let technical = technical
        .child(heading(text.technical))
        .child(paragraph(text.technical_text));
    parts.extend((!unused.is_empty()).then(|| technical.child(rows(frame, unused.iter().copied()))));
    parts.push(link_line(frame.href("/abrufe"), text.back));
    document(frame, text.title, parts.into_iter().map(Node::Element))
}
