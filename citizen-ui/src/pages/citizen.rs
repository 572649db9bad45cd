//! A citizen's page, from its address and from what is known about the citizen.

use super::content::Content;
use super::frame::Frame;
use super::target::Target;
use crate::markup::Element;

/// Makes a page. `verdict` is the box with the verdict. `None` if the citizen has no access with the index of the
/// address.
pub fn citizen_page(frame: &Frame, target: &Target, content: &Content, verdict: Element) -> Option<Element> {
    match target {
        Target::Overview => Some(super::overview::overview(frame, content, verdict)),
        Target::List(query) => Some(super::list::list(frame, content, query, verdict)),
        Target::Visits(page) => Some(super::visits::visits(frame, content, *page, verdict)),
        Target::Access(index) => Some(super::access::detail(frame, content.access(*index)?, verdict)),
        Target::Proof(index) => Some(super::steps::steps(frame, content, content.access(*index)?, verdict)),
        Target::Ask(index, question) => super::ask::ask(frame, content, content.access(*index)?, *question, verdict),
    }
}
