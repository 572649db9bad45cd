//! The texts of the public pages, which the browser's program does not have, and of the frame around every page: one
//! typed table per language, so that a missing or surplus text does not compile.
//!
//! A text with a value in it is a function, so that a forgotten value does not compile either. The texts are in plain
//! language: sentences are short, they address the reader, and they explain a term of law or technology at its first
//! use.

mod de;
mod en;
mod leicht;
mod tables;

use crate::language::lang::Lang;

pub use tables::{ErrorTexts, FrameText, RecordedText, Section, SectionsText, StartText, Text, VerifyText};

impl Lang {
    /// The texts of the frame around every page.
    pub fn frame(self) -> &'static FrameText {
        match self {
            Lang::De => &de::FRAME,
            Lang::En => &en::FRAME,
            Lang::Leicht => &leicht::FRAME,
        }
    }

    /// The texts of the public pages in this language.
    pub fn text(self) -> &'static Text {
        match self {
            Lang::De => &de::TEXT,
            Lang::En => &en::TEXT,
            Lang::Leicht => &leicht::TEXT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In NOOTS a "Nachweis" is what a register says of a person. Here it is an "Unterlage", and a proof is a "Beweis".
    #[test]
    fn one_word_does_not_mean_both_proof_and_evidence() {
        let german = format!("{:?} {:?} {:?}", Lang::De.text(), Lang::De.citizen(), Lang::De.words());
        assert!(german.contains("Unterlage") && german.contains("Beweis"));
        assert!(!german.contains("Nachweis") && !german.contains("nachgewiesen"));
    }
}
