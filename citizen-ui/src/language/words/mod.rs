//! The words that sentences, facts and islands need, in both languages: one table, so that a missing word does not compile.
//!
//! Pages have a table of their own ([`crate::language::text`]), which never becomes part of the browser's program. What the
//! proof code returns as data ([`crate::proof`]) becomes a sentence in [`status`].

mod de;
mod en;
mod status;
mod table;

use crate::language::lang::Lang;

pub use table::Words;

impl Lang {
    /// The words of this language.
    pub fn words(self) -> &'static Words {
        match self {
            Lang::De => &de::WORDS,
            Lang::En => &en::WORDS,
        }
    }
}
