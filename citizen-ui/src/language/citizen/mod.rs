//! The texts of a citizen's pages: one typed table per language, so that a missing text does not compile.
//!
//! A text with a value in it is a function. Sentences are short, they address the reader, and one thing has one word:
//! Abruf, Besuch, Eintrag, Protokoll, Beweis, Unterlage.

mod de;
mod en;
mod leicht;
mod tables;

use crate::language::lang::Lang;

pub use tables::{
    ActText, AskText, CitizenText, DetailText, FilterText, ListText, OverviewText, ProofText, ResultText, VisitsText,
};

impl Lang {
    /// The texts of a citizen's pages in this language.
    pub fn citizen(self) -> &'static CitizenText {
        match self {
            Lang::De => &de::TEXT,
            Lang::En => &en::TEXT,
            Lang::Leicht => &leicht::TEXT,
        }
    }
}
