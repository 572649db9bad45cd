//! A sentence in parts. German names and titles in an English sentence are marked as German (WCAG 3.1.2), and the whole
//! sentence can still be compared as one text.

use serde::{Deserialize, Serialize};

/// A text in parts. Each part is in the page's language, or is marked as German.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phrase(pub Vec<PhrasePart>);

/// One part of a [`Phrase`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhrasePart {
    /// The text.
    pub text: String,
    /// Whether the text is quoted from a record, which is German whatever the page's language.
    pub german: bool,
}

impl Phrase {
    /// Adds text in the page's language.
    pub fn say(&mut self, text: &str) -> &mut Self {
        self.push(text, false)
    }

    /// Adds text quoted from a record, which is German.
    pub fn quote(&mut self, text: &str) -> &mut Self {
        self.push(text, true)
    }

    /// The whole text, as a reader sees it.
    pub fn text(&self) -> String {
        self.0.iter().map(|part| part.text.as_str()).collect()
    }

    fn push(&mut self, text: &str, german: bool) -> &mut Self {
        match self.0.last_mut() {
            Some(last) if last.german == german => last.text.push_str(text),
            _ => self.0.push(PhrasePart {
                text: text.to_owned(),
                german,
            }),
        }
        self
    }
}
