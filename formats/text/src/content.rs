//! What a class of texts may contain.
//!
//! Free text may be in any script. It contains no character that is invisible or changes how other text is shown:
//! no control, format or bidirectional character, no line or paragraph separator, no surrogate, private use or
//! unassigned code point (which includes the non-characters), no character that Unicode says to ignore when it is
//! shown, and at most [`MAX_MARKS`] combining marks on one base.

use crate::din91379::Datatype;
use crate::error::TextError;
use crate::unicode::{Appearance, appearance};

/// The most combining marks on one base in free text. Vietnamese needs two, biblical Hebrew four.
pub const MAX_MARKS: usize = 4;

/// What the texts of a class contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The characters of a data type, as they are.
    Exact(Datatype),
    /// The characters of a data type. An entrance makes white space single and replaces variants of hyphen and
    /// apostrophe that the standard does not contain.
    Name(Datatype),
    /// One line of visible characters of any script, at least one of them.
    Free,
    /// The same, or nothing.
    Optional,
}

/// A class of text fields.
pub trait Class {
    /// Name for debugging.
    const NAME: &'static str;
    /// What the texts contain.
    const CONTENT: Content;
    /// The greatest length, in characters.
    const MAX: usize;
    /// Whether the texts are personal data, which `Debug` must not show.
    const PERSONAL: bool = false;
}

/// Classes whose texts are not personal data, so that they may be shown.
pub trait Public: Class {}

impl Content {
    /// Checks a text that is in canonical form.
    pub(crate) fn check(self, text: &str) -> Result<(), TextError> {
        match self {
            Self::Exact(datatype) | Self::Name(datatype) => match datatype.first_outside(text) {
                None => Ok(()),
                Some(position) => Err(TextError::OutsideStandard {
                    position,
                    datatype: datatype.letter(),
                }),
            },
            Self::Optional if text.is_empty() => Ok(()),
            Self::Free | Self::Optional => check_free(text),
        }
    }
}

fn check_free(text: &str) -> Result<(), TextError> {
    let mut marks = MAX_MARKS;
    for (position, c) in (1..).zip(text.chars()) {
        match appearance(c) {
            Appearance::Invisible => return Err(TextError::Invisible(position)),
            Appearance::Mark => {
                marks += 1;
                if marks > MAX_MARKS {
                    return Err(TextError::Mark(position));
                }
            }
            Appearance::Visible => marks = 0,
        }
    }
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    Ok(())
}
