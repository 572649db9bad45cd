//! The tables against the rules of the standard.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::unicode::nfc;

const ALL: [Datatype; 5] = [Datatype::A, Datatype::B, Datatype::C, Datatype::D, Datatype::E];

fn characters(datatype: Datatype) -> impl Iterator<Item = char> {
    datatype.ranges().iter().flat_map(|(first, last)| *first..=*last)
}

#[test]
fn the_tables_have_the_sizes_of_the_schema() {
    let sizes = ALL.map(|datatype| characters(datatype).count());
    assert_eq!(sizes, [518, 578, 588, 695, 761]);
    assert_eq!((table::SEQUENCES.len(), table::SEARCH_FORM.len()), (149, 649));
}

#[test]
fn the_tables_are_sorted() {
    for datatype in ALL {
        assert!(datatype.ranges().is_sorted_by(|a, b| a.1 < b.0));
    }
    assert!(table::SEQUENCES.is_sorted_by(|a, b| a < b));
    assert!(table::SEARCH_FORM.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn each_data_type_contains_the_smaller_one() {
    for (small, large) in [
        (Datatype::A, Datatype::B),
        (Datatype::B, Datatype::C),
        (Datatype::B, Datatype::D),
        (Datatype::C, Datatype::E),
        (Datatype::D, Datatype::E),
    ] {
        assert!(characters(small).all(|c| large.has(c)), "{small:?} in {large:?}");
    }
}

#[test]
fn every_text_of_the_standard_is_in_nfc() {
    let singles: Vec<String> = characters(Datatype::E).map(String::from).collect();
    let elements: Vec<&str> = singles
        .iter()
        .map(String::as_str)
        .chain(table::SEQUENCES.iter().copied())
        .collect();
    for element in &elements {
        assert_eq!(nfc(element), *element);
        // Only a character that composes with the one before it could make a text that is not in NFC.
        assert_eq!(nfc(&format!("A{element}")), format!("A{element}"));
    }
}

#[test]
fn letters_of_names_have_basic_letters_and_other_characters_have_none() {
    for c in characters(Datatype::A) {
        let letter = basic_letters(c.encode_utf8(&mut [0; 4])).is_some();
        assert_eq!(
            letter,
            c.is_alphabetic() && !('\u{2b9}'..='\u{2cc}').contains(&c),
            "{c:?}"
        );
    }
    assert!(
        table::SEQUENCES
            .iter()
            .all(|sequence| basic_letters(sequence).is_some())
    );
}

#[test]
fn a_sequence_is_one_element_and_its_parts_alone_are_outside() {
    assert_eq!(
        elements("aK\u{35f}hC\u{328}\u{306}").collect::<Vec<_>>(),
        ["a", "K\u{35f}h", "C\u{328}\u{306}"]
    );
    assert_eq!(Datatype::A.first_outside("Müller-Lüdenscheidt"), None);
    assert_eq!(Datatype::A.first_outside("M\u{301}x"), Some(2));
    assert_eq!(Datatype::A.first_outside("\u{301}"), Some(1));
    assert_eq!(Datatype::A.first_outside("K\u{35f}x"), Some(2));
    assert_eq!(Datatype::A.first_outside("Straße 5"), Some(8));
    assert_eq!(Datatype::B.first_outside("Straße 5"), None);
    assert_eq!(Datatype::B.first_outside("Α"), Some(1));
    assert_eq!(Datatype::D.first_outside("Α"), None);
    assert_eq!(Datatype::D.first_outside("Б"), Some(1));
    assert_eq!(Datatype::E.first_outside("Б"), None);
    assert_eq!(Datatype::E.first_outside("دعد"), Some(1));
}
