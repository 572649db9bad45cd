//! The texts of sentences, facts and islands: one typed table per language, so that a missing text does not compile.
//!
//! The texts of pages are in a table of their own ([`crate::language::text`]), which is not part of the browser's
//! program. [`status`] turns the results of the proof code ([`crate::proof`]) into sentences.

mod de;
mod en;
mod leicht;
mod status;
mod table;
mod verdict;
mod verdict_de;
mod verdict_en;
mod verdict_leicht;

use crate::language::lang::Lang;

pub use table::Words;
pub use verdict::VerdictWords;

impl Lang {
    /// The texts of sentences, facts and islands in this language.
    pub fn words(self) -> &'static Words {
        match self {
            Lang::De => &de::WORDS,
            Lang::En => &en::WORDS,
            Lang::Leicht => &leicht::WORDS,
        }
    }
}
