//! What each class accepts, and how an entrance changes it.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::class::{DatatypeC, Paragraph, PersonName, PlaceName, PostalCode, Reference, Title};

fn name(text: &str) -> Result<String, TextError> {
    PersonName::new(text).map(String::from)
}

#[test]
fn one_name_in_nfc_and_in_nfd_is_one_text() {
    assert_eq!(name("Jose\u{301} Mu\u{308}ller").unwrap(), "José Müller");
    assert_eq!(PlaceName::new("Ko\u{308}ln"), PlaceName::new("Köln"));
}

#[test]
fn unusual_legal_names_are_accepted() {
    for text in [
        "",
        "de la Cruz y García-Márquez",
        "O'Brien",
        "O’Brien",
        "von und zu Groß-Gerau",
        "Nguyễn Thị Ánh",
        "Þórsdóttir",
        "Ərəb",
        "ʿAbd ar-Raḥmān",
        "Çetin Iğdır İnci ı",
        "GROẞ",
        "Sr.",
    ] {
        assert_eq!(name(text).unwrap(), text);
    }
    let long = "ế".repeat(200);
    assert_eq!(name(&long).unwrap(), long);
    assert_eq!(name(&format!("{long}a")), Err(TextError::TooLong(200)));
    // Each of these characters is three in NFD, and the length counts those in NFC.
    assert_eq!(name(&"e\u{302}\u{301}".repeat(200)).unwrap(), long);
}

#[test]
fn an_entrance_writes_the_standard_hyphen_apostrophe_and_space() {
    for hyphen in ["\u{2010}", "\u{2011}", "\u{2012}", "\u{2013}", "\u{2212}", "\u{ff0d}"] {
        assert_eq!(name(&format!("Meyer{hyphen}Landrut")).unwrap(), "Meyer-Landrut");
    }
    for apostrophe in ["\u{2018}", "\u{201b}", "\u{2bc}", "\u{2032}", "\u{ff07}"] {
        assert_eq!(name(&format!("O{apostrophe}Brien")).unwrap(), "O’Brien");
    }
    assert_eq!(name("  Anna\u{a0}\u{202f} Maria ").unwrap(), "Anna Maria");
}

#[test]
fn characters_outside_the_standard_are_refused_with_their_position() {
    for (text, position) in [
        ("Ali\u{200f}", 4),
        ("Иван", 1),
        ("Ann\0a", 4),
        ("A\tB", 2),
        ("ﬁn", 1),
        ("A\u{ad}B", 2),
        ("Max 2", 5),
        ("\u{1f600}", 1),
        ("o\u{308}\u{301}x", 2),
    ] {
        assert_eq!(
            name(text),
            Err(TextError::OutsideStandard {
                position,
                datatype: 'A'
            }),
            "{text:?}"
        );
    }
    assert!(PostalCode::new("50667").is_ok());
    assert!(PostalCode::new("SW1A 2AA").is_ok());
    assert_eq!(PostalCode::new(&"1".repeat(21)), Err(TextError::TooLong(20)));
}

#[test]
fn free_text_is_in_any_script_and_visible() {
    for text in [
        "Az. 32-BPA",
        "„§ 35“ – Absatz 1",
        "Αθήνα",
        "Київ",
        "القاهرة",
        "東京",
        "🏛",
        "ก็",
    ] {
        assert_eq!(Title::new(text).unwrap(), text);
    }
    for (text, position) in [
        ("a\0", 2),
        ("a\nb", 2),
        ("a\u{7f}", 2),
        ("a\u{85}", 2),
        ("\u{202e}txt", 1),
        ("a\u{2066}b", 2),
        ("a\u{200b}b", 2),
        ("a\u{feff}", 2),
        ("a\u{ad}", 2),
        ("a\u{2028}", 2),
        ("a\u{fdd0}", 2),
        ("a\u{ffff}", 2),
        ("a\u{10ffff}", 2),
        ("a\u{e000}", 2),
        ("a\u{378}", 2),
        ("a\u{e0041}", 2),
        ("a\u{3164}", 2),
        ("a\u{115f}", 2),
        ("a\u{fe0f}", 2),
        ("a\u{fffd}", 2),
    ] {
        assert_eq!(Title::new(text), Err(TextError::Invisible(position)), "{text:?}");
        assert!(Paragraph::new(text).is_err() && Reference::new(text).is_err());
    }
    assert_eq!(Title::new("\u{301}a"), Err(TextError::Mark(1)));
    assert_eq!(
        Title::new(&format!("x{}", "\u{301}".repeat(5))),
        Err(TextError::Mark(6))
    );
    assert_eq!(Title::new(" "), Err(TextError::Empty));
    assert_eq!(Title::new(""), Err(TextError::Empty));
    assert!(Title::new(&"ä".repeat(200)).is_ok());
    assert_eq!(Title::new(&"ä".repeat(201)), Err(TextError::TooLong(200)));
}

#[test]
fn signed_bytes_must_be_in_canonical_form() {
    assert_eq!(PersonName::exact("José").unwrap(), "José");
    for text in ["Jose\u{301}", " José", "A  B", "O\u{2bc}B"] {
        assert_eq!(PersonName::exact(text), Err(TextError::NotCanonical));
    }
    assert_eq!(Title::exact("Jose\u{301}"), Err(TextError::NotCanonical));
}

#[test]
fn json_is_an_entrance() {
    let read: Result<PersonName, _> = serde_json::from_str("\"Jose\\u0301\"");
    assert_eq!(read.unwrap(), "José");
    assert!(
        serde_json::from_str::<Title>("\"\\ud800\"").is_err(),
        "a lone surrogate"
    );
    assert!(serde_json::from_str::<Title>("\"a\\u0000\"").is_err());
}

#[test]
fn a_personal_text_is_not_shown() {
    assert_eq!(
        format!("{:?}", PersonName::new("Geheim").unwrap()),
        "PersonName(redacted)"
    );
    assert_eq!(
        format!("{:?}", DatatypeC::new("Geheim\n").unwrap()),
        "DatatypeC(redacted)"
    );
    assert_eq!(format!("{:?}", Title::new("KBA").unwrap()), "\"KBA\"");
}

proptest! {
    #[test]
    fn a_canonical_text_stays_as_it_is(text in "\\PC{0,40}") {
        if let Ok(read) = PersonName::new(&text) {
            prop_assert_eq!(PersonName::exact(read.as_str()).unwrap(), read);
        }
        if let Ok(read) = Title::new(&text) {
            prop_assert_eq!(Title::exact(read.as_str()).unwrap(), read);
        }
    }
}
