//! A sentence in parts, so that German names and titles in an English sentence can be marked as German (WCAG 3.1.2) and the
//! sentence still is one text that can be compared.

use serde::{Deserialize, Serialize};

/// A text whose parts know whether they are German, whatever the page's language is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phrase(pub Vec<PhrasePart>);

/// A part of a [`Phrase`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhrasePart {
    /// The text.
    pub text: String,
    /// Whether it is German in a text of another language.
    pub german: bool,
}

impl Phrase {
    /// Adds words in the page's language.
    pub fn say(&mut self, text: &str) -> &mut Self {
        self.push(text, false)
    }

    /// Adds what the record says, which is German.
    pub fn quote(&mut self, text: &str) -> &mut Self {
        self.push(text, true)
    }

    /// The whole text: what a reader sees.
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
