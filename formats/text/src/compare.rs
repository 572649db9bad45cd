//! When two names are the same.
//!
//! Registers do not agree on how to write a name, so a name is looked up in its *search form*. Two names are the same
//! if and only if their search forms are equal. There is no other similarity: no distance, no sound, no nickname, no
//! missing or reordered part.
//!
//! | in a name | in its search form | source |
//! | --- | --- | --- |
//! | a letter or a sequence of DIN 91379 | its one or two basic letters A to Z | the standard's Suchform |
//! | `'` `’` `` ` `` `´` and the modifier letters ʹ ʾ ʿ ˈ | `'` | here: registers use all of them as an apostrophe |
//! | every other character, among them space and hyphen | itself | |
//!
//! What follows from the standard's table: upper and lower case are the same; ß, ẞ and ss; ı, İ, i; é and e; ä and ae;
//! ø, ö and oe; å and aa; þ and th. `ä` and `a` are different, and so are `ö` and `o`, `ü` and `u`.
//!
//! The variants of hyphen, apostrophe and space that the standard does not contain are replaced when a name enters
//! ([`crate::text`]). A hyphen and a space are different.

use crate::class::{PersonName, PlaceName, PostalCode};
use crate::din91379::{basic_letters, elements};

/// What looks like an apostrophe, within data types A and B.
const APOSTROPHES: [&str; 8] = [
    "'", "\u{2019}", "`", "\u{b4}", "\u{2b9}", "\u{2be}", "\u{2bf}", "\u{2c8}",
];

/// A name in the form in which names are compared. It has no `Debug` and no `Display`, because it is a name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SearchForm(String);

impl SearchForm {
    fn of(name: &str) -> Self {
        let mut form = String::with_capacity(name.len());
        for element in elements(name) {
            match basic_letters(element) {
                Some(basic) => form.push_str(basic),
                None if APOSTROPHES.contains(&element) => form.push('\''),
                None => form.push_str(element),
            }
        }
        Self(form)
    }

    /// The search form as bytes, to be hashed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<&PersonName> for SearchForm {
    fn from(name: &PersonName) -> Self {
        Self::of(name)
    }
}

impl From<&PlaceName> for SearchForm {
    fn from(name: &PlaceName) -> Self {
        Self::of(name)
    }
}

impl From<&PostalCode> for SearchForm {
    fn from(code: &PostalCode) -> Self {
        Self::of(code)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::din91379::Datatype;

    fn form(name: &str) -> String {
        SearchForm::from(&PlaceName::new(name).unwrap()).0
    }

    /// Every line is a rule: the names of a line are the same, and no name is the same as one of another line.
    const SAME: &[&[&str]] = &[
        &["Müller", "Mueller", "MÜLLER", "mu\u{308}ller", "MUELLER"],
        &["Muller", "muller"],
        &["Strauß", "Strauss", "STRAUẞ", "STRAUSS"],
        &["Straus"],
        &["Ilgın", "Ilgin", "İlgin", "ILGIN"],
        &["José", "Jose", "Jose\u{301}"],
        &["Jørgensen", "Jörgensen", "Joergensen"],
        &["Jorgensen"],
        &["Åberg", "Aaberg"],
        &["Aberg"],
        &["Þór", "Thor", "THÓR"],
        &["Đorđević", "Dordevic"],
        &["Djordjevic"],
        &["Łukasz", "Lukasz"],
        &[
            "Meyer-Landrut",
            "Meyer\u{2010}Landrut",
            "Meyer\u{2011}Landrut",
            "Meyer\u{2013}Landrut",
        ],
        &["Meyer Landrut", "Meyer  Landrut", " Meyer\u{a0}Landrut"],
        &["MeyerLandrut"],
        &[
            "O'Brien",
            "O’Brien",
            "O`Brien",
            "O´Brien",
            "O\u{2bc}Brien",
            "O\u{2018}Brien",
            "Oʾbrien",
        ],
        &["OBrien"],
        &["O Brien"],
        &["K\u{35f}halil", "Khalil"],
        &["Halil"],
        &["de la Cruz"],
        &["Cruz"],
        &["Anna Maria"],
        &["Maria Anna"],
        &["Anna"],
    ];

    #[test]
    fn names_are_the_same_exactly_by_the_table() {
        for (at, line) in SAME.iter().enumerate() {
            for (other_at, other) in SAME.iter().enumerate() {
                for (a, b) in line.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
                    assert_eq!(form(a) == form(b), at == other_at, "{a} and {b}");
                }
            }
        }
    }

    #[test]
    fn a_search_form_is_its_own_search_form() {
        for name in SAME.iter().flat_map(|line| line.iter()) {
            assert_eq!(form(&form(name)), form(name));
        }
    }

    proptest! {
        /// What is no letter and no apostrophe is never dropped or replaced, so two names that differ in it differ.
        #[test]
        fn nothing_is_dropped(name in "[A-Za-z' ,.~·ʺ‡¨-]{0,20}", other in "[A-Za-z' ,.~·ʺ‡¨-]{0,20}") {
            prop_assume!(Datatype::A.first_outside(&name).is_none());
            let (name, other) = (PersonName::new(&name).unwrap(), PersonName::new(&other).unwrap());
            let same = name.to_uppercase() == other.to_uppercase();
            prop_assert_eq!(SearchForm::from(&name) == SearchForm::from(&other), same);
            prop_assert_eq!(SearchForm::from(&name).0.chars().count(), name.chars().count());
        }
    }
}
