//! The texts of the pages: one typed table per language, so that a missing or surplus text does not compile.
//!
//! A text with a value in it is a function: a forgotten value does not compile either. Plain language: short sentences, the
//! reader is addressed, a term of law or technology is explained where it first appears.

mod de;
mod en;
mod tables;

use crate::language::lang::Lang;

pub use tables::{
    DetailText, ErrorTexts, FrameText, ListText, LogText, RecordedText, Section, SectionsText, StartText, Text,
    VerifyText,
};

impl Lang {
    /// The texts of the pages in this language.
    pub fn text(self) -> &'static Text {
        match self {
            Lang::De => &de::TEXT,
            Lang::En => &en::TEXT,
        }
    }
}
