//! DIN 91379: the characters and sequences that German authorities must be able to process.
//!
//! SPEC: DIN 91379:2022-08, as KoSIT's schema `din-norm-91379-datatypes.xsd` expresses its data types, and the search
//! form (Suchform) that maps each letter to basic letters. The tables are generated, see `tables/generate.py`.
//!
//! | data type | for |
//! | --- | --- |
//! | A | names of natural persons |
//! | B | other names, such as places and streets with numbers |
//! | C | all normative characters, including line ends |
//! | D | B and the extended non-letters and Greek letters, for legal persons and products |
//! | E | everything in the standard, including Greek, Cyrillic and line ends |
//!
//! A text of any data type is in NFC: the sequences contain only what has no single character, and no data type
//! contains a combining mark alone.

mod table;

/// A data type of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datatype {
    /// Names of natural persons.
    A,
    /// Other names.
    B,
    /// All normative characters.
    C,
    /// Names of legal persons and products.
    D,
    /// All normative and extended characters.
    E,
}

/// The longest sequence, in characters.
const LONGEST: usize = 3;

impl Datatype {
    /// The letter of the data type.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
            Self::C => 'C',
            Self::D => 'D',
            Self::E => 'E',
        }
    }

    const fn ranges(self) -> &'static [(char, char)] {
        match self {
            Self::A => table::A,
            Self::B => table::B,
            Self::C => table::C,
            Self::D => table::D,
            Self::E => table::E,
        }
    }

    fn has(self, c: char) -> bool {
        let ranges = self.ranges();
        let after = ranges.partition_point(|(first, _)| *first <= c);
        after > 0 && c <= ranges[after - 1].1
    }

    /// Finds the first character that the data type does not contain. Its position is counted in characters from 1.
    #[must_use]
    pub fn first_outside(self, text: &str) -> Option<usize> {
        let mut position = 1;
        for element in elements(text) {
            let mut chars = element.chars();
            let one = chars.next().filter(|_| chars.next().is_none());
            if one.is_some_and(|c| !self.has(c)) {
                return Some(position);
            }
            position += element.chars().count();
        }
        None
    }
}

/// Splits a text into the sequences of the standard, the longest first, and single characters.
pub(crate) fn elements(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let mut ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST);
        let mut length = first.len_utf8();
        ends.next();
        for end in ends {
            if table::SEQUENCES.binary_search(&&rest[..end]).is_ok() {
                length = end;
            }
        }
        let (element, after) = rest.split_at(length);
        rest = after;
        Some(element)
    })
}

/// The basic letters of a letter or sequence; `None` for what is no letter.
pub(crate) fn basic_letters(element: &str) -> Option<&'static str> {
    let at = table::SEARCH_FORM
        .binary_search_by(|(letter, _)| (*letter).cmp(element))
        .ok()?;
    Some(table::SEARCH_FORM[at].1)
}

#[cfg(test)]
mod tests;
