//! Parts that several pages share.

use crate::markup::{Element, el};

/// The page's heading.
pub(super) fn title(title: &str) -> Element {
    el("h1").class("kern-heading-x-large").text(title)
}
