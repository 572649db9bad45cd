//! Phrases as elements.

use crate::language::lang::Lang;
use crate::markup::{Element, el};
use text::phrase::{Origin, Phrase};

/// What can contain a phrase.
pub(super) trait Phrased {
    /// Adds a phrase. Each quoted part is isolated (`<bdi>`), so that it cannot turn around the words beside it, and is
    /// marked as German where that is not the language of the page.
    fn phrase(self, phrase: &Phrase, lang: Lang) -> Self;
}

impl Phrased for Element {
    fn phrase(self, phrase: &Phrase, lang: Lang) -> Self {
        self.children(phrase.0.iter().map(|part| {
            let element = match part.origin {
                Origin::Page => el("span"),
                Origin::German if !lang.is_german() => el("bdi").attr("lang", "de"),
                Origin::German | Origin::Identifier => el("bdi"),
            };
            element.text(&part.text)
        }))
    }
}
