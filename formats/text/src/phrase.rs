//! A text in parts, each with its origin. What the page says itself and what it quotes are kept apart until they are
//! rendered, so that a quoted text can neither change the order of the words around it (Unicode's bidirectional
//! algorithm) nor be read in the wrong language (WCAG 3.1.2). The whole text can still be compared as one.

use serde::{Deserialize, Serialize};

/// A text in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phrase(pub Vec<PhrasePart>);

/// One part of a [`Phrase`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhrasePart {
    /// The text.
    pub text: String,
    /// Who has written it.
    pub origin: Origin,
}

/// Who has written a part of a [`Phrase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// The page or the document, in its language.
    Page,
    /// An authority, in German whatever the page's language.
    German,
    /// Another party, in no particular language: an identifier, a code, the name of a person.
    Identifier,
}

impl Phrase {
    /// Text of the page.
    pub fn said(text: &str) -> Self {
        let mut phrase = Self::default();
        phrase.say(text);
        phrase
    }

    /// Text of an authority.
    pub fn quoted(text: &str) -> Self {
        let mut phrase = Self::default();
        phrase.quote(text);
        phrase
    }

    /// An identifier, a code or the name of a person.
    pub fn cited(text: &str) -> Self {
        let mut phrase = Self::default();
        phrase.cite(text);
        phrase
    }

    /// Adds text of the page.
    pub fn say(&mut self, text: &str) -> &mut Self {
        match self.0.last_mut() {
            Some(last) if last.origin == Origin::Page => {
                last.text.push_str(text);
                self
            }
            _ => self.push(text, Origin::Page),
        }
    }

    /// Adds text of an authority, which is German.
    pub fn quote(&mut self, text: &str) -> &mut Self {
        self.push(text, Origin::German)
    }

    /// Adds an identifier, a code or the name of a person.
    pub fn cite(&mut self, text: &str) -> &mut Self {
        self.push(text, Origin::Identifier)
    }

    /// Adds the parts of another phrase.
    pub fn append(&mut self, other: Self) -> &mut Self {
        for part in other.0 {
            match part.origin {
                Origin::Page => self.say(&part.text),
                _ => self.push(&part.text, part.origin),
            };
        }
        self
    }

    /// The whole text, as a reader sees it.
    pub fn text(&self) -> String {
        self.0.iter().map(|part| part.text.as_str()).collect()
    }

    /// Two quoted texts are never joined: each is isolated from the other one as well.
    fn push(&mut self, text: &str, origin: Origin) -> &mut Self {
        if !text.is_empty() {
            self.0.push(PhrasePart {
                text: text.to_owned(),
                origin,
            });
        }
        self
    }
}
