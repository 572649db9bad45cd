//! Why a text is refused.

/// Why a text is refused. It states positions and rules, never what the text contains, because the text may be a
/// person's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The text has too many characters, counted as code points in NFC.
    #[error("has more than {0} characters")]
    TooLong(usize),
    /// The field must not be empty or blank.
    #[error("is empty")]
    Empty,
    /// A character that the data type does not contain.
    #[error("character {position} is not in data type {datatype} of DIN 91379")]
    OutsideStandard {
        /// Position in the text, from 1, in code points of NFC.
        position: usize,
        /// The data type, `A` to `E`.
        datatype: char,
    },
    /// A control, format, bidirectional or invisible character, a line separator, a code point without a character, or
    /// U+FFFD.
    #[error("character {0} is invisible or controls how text is shown")]
    Invisible(usize),
    /// A combining mark without a base, or more marks on one base than any language needs.
    #[error("character {0} is a combining mark that belongs to no letter, or one too many")]
    Mark(usize),
    /// The text has another spelling in the canonical form.
    #[error("is not in canonical form (NFC, single spaces, standard hyphens and apostrophes)")]
    NotCanonical,
}
