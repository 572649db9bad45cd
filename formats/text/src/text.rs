//! A text of one class, parsed once and then known to be in order.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::content::{Class, Content, Public};
use crate::error::TextError;
use crate::unicode::nfc;

/// The most bytes of one character at an entrance, before it is normalised: a character of three bytes may be written
/// with several combining marks. The bound keeps the work of normalising small.
const MAX_BYTES_PER_CHARACTER: usize = 16;

/// A text of the class `C`, in canonical form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<C>(String, PhantomData<C>);

impl<C: Class> Text<C> {
    /// Takes a text at an entrance: brings it into canonical form and checks it.
    ///
    /// # Errors
    /// See [`TextError`].
    pub fn new(text: &str) -> Result<Self, TextError> {
        if text.len() > C::MAX.saturating_mul(MAX_BYTES_PER_CHARACTER) {
            return Err(TextError::TooLong(C::MAX));
        }
        let text = match C::CONTENT {
            Content::Name(_) => nfc(&standard_signs(text)),
            Content::Exact(_) | Content::Free | Content::Optional => nfc(text),
        };
        if text.chars().count() > C::MAX {
            return Err(TextError::TooLong(C::MAX));
        }
        C::CONTENT.check(&text)?;
        Ok(Self(text, PhantomData))
    }

    /// Takes a text that must be in canonical form already, because its bytes are signed.
    ///
    /// # Errors
    /// See [`TextError`].
    pub fn exact(text: &str) -> Result<Self, TextError> {
        let canonical = Self::new(text)?;
        if canonical.0 == text {
            Ok(canonical)
        } else {
            Err(TextError::NotCanonical)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Replaces what a keyboard or a word processor writes in names in place of the standard's hyphen, apostrophe and
/// space, and makes white space single.
fn standard_signs(text: &str) -> String {
    let replaced: String = text
        .chars()
        .map(|c| match c {
            // Hyphen, non-breaking hyphen, figure dash, en dash, minus sign, full-width hyphen.
            '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2013}' | '\u{2212}' | '\u{ff0d}' => '-',
            // Left and reversed quotation mark, modifier apostrophe, prime, full-width apostrophe.
            '\u{2018}' | '\u{201b}' | '\u{2bc}' | '\u{2032}' | '\u{ff07}' => '\u{2019}',
            // No-break space, narrow no-break space.
            '\u{a0}' | '\u{202f}' => ' ',
            other => other,
        })
        .collect();
    // Other white space stays, so that a tab or line end inside a name is refused as outside of the standard.
    let words: Vec<&str> = replaced.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

impl<C: Class> Default for Text<C> {
    /// The empty text, which only classes of names have; see [`Text::is_given`].
    fn default() -> Self {
        Self(String::new(), PhantomData)
    }
}

impl<C> Text<C> {
    /// Whether the text is given, that is, not empty.
    #[must_use]
    pub fn is_given(&self) -> bool {
        !self.0.is_empty()
    }
}

impl<C> Deref for Text<C> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<C> Borrow<str> for Text<C> {
    /// Order, equality and hash of a text are those of its characters.
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<C: Class> FromStr for Text<C> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::new(text)
    }
}

impl<C: Class> fmt::Debug for Text<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if C::PERSONAL {
            write!(f, "{}(redacted)", C::NAME)
        } else {
            fmt::Debug::fmt(&self.0, f)
        }
    }
}

impl<C: Public> fmt::Display for Text<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<C> PartialEq<str> for Text<C> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl<C> PartialEq<&str> for Text<C> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl<C> PartialEq<Text<C>> for String {
    fn eq(&self, other: &Text<C>) -> bool {
        *self == other.0
    }
}

impl<C> From<Text<C>> for String {
    fn from(text: Text<C>) -> Self {
        text.0
    }
}

impl<C> Serialize for Text<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, C: Class> Deserialize<'de> for Text<C> {
    /// JSON is an entrance, so its texts are brought into canonical form. CBOR must be in canonical form.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entrance = deserializer.is_human_readable();
        let text = String::deserialize(deserializer)?;
        let read = if entrance { Self::new(&text) } else { Self::exact(&text) };
        read.map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
