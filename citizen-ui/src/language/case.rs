//! Upper and lower case of the letters that names have: Latin with all its marks (the letters of DIN 91379), Greek and
//! Cyrillic. Unicode's tables of all letters would be a fortieth of the browser's program.

/// The text without the difference between upper and lower case, for searching and sorting.
pub fn folded(text: &str) -> String {
    text.chars().map(folded_letter).collect()
}

/// The letter in upper case, if it has one.
pub fn upper(letter: char) -> char {
    [1, 32, 80]
        .into_iter()
        .filter_map(|distance| char::from_u32(u32::from(letter).checked_sub(distance)?))
        .find(|upper| *upper != letter && folded_letter(*upper) == letter)
        .unwrap_or(letter)
}

fn folded_letter(letter: char) -> char {
    let code = u32::from(letter);
    let distance = match letter {
        'A'..='Z' | 'À'..='Ö' | 'Ø'..='Þ' | 'Α'..='Ρ' | 'Σ'..='Ϋ' | 'А'..='Я' => 32,
        'Ѐ'..='Џ' => 80,
        // Lower case follows upper case. The capital is even here …
        'Ā'..='į' | 'Ĳ'..='ķ' | 'Ŋ'..='ŷ' | 'Ǟ'..='ǯ' | 'Ǹ'..='ȟ' | 'Ȣ'..='ȳ' | 'Ḁ'..='ẕ' | 'Ạ'..='ỿ' => {
            1 - code % 2
        }
        // … and odd here.
        'Ĺ'..='ň' | 'Ź'..='ž' | 'Ǎ'..='ǜ' => code % 2,
        'ẞ' => return 'ß',
        'Ÿ' => return 'ÿ',
        'İ' => return 'i',
        'Ά' => return 'ά',
        'Έ'..='Ί' => 37,
        'Ό' => 64,
        'Ύ'..='Ώ' => 63,
        'ς' => return 'σ',
        _ => 0,
    };
    char::from_u32(code + distance).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Unicode's own tables, in the blocks that this module knows.
    #[test]
    fn letters_are_folded_as_unicode_says() {
        let blocks = [0x00..=0x17f, 0x1cd..=0x1dc, 0x1de..=0x1ef, 0x1f8..=0x21f, 0x222..=0x233];
        let further = [0x370..=0x3ce, 0x400..=0x44f, 0x1e00..=0x1eff];
        for letter in blocks.into_iter().chain(further).flatten().filter_map(char::from_u32) {
            let expected: String = match letter {
                'İ' => "i".into(),
                'ς' => "σ".into(),
                // Archaic Greek, which no name has.
                'Ͱ' | 'Ͳ' | 'Ͷ' | 'Ϳ' => continue,
                letter => letter.to_lowercase().collect(),
            };
            assert_eq!(folded(&letter.to_string()), expected, "{letter}");
        }
        assert_eq!(folded("Łódź, ÄÖÜẞ, ΑΣ"), "łódź, äöüß, ασ");
        assert_eq!(folded("漢字"), "漢字");
    }

    #[test]
    fn the_first_letter_of_a_sentence_is_a_capital() {
        for (letter, capital) in [
            ('d', 'D'),
            ('ö', 'Ö'),
            ('ž', 'Ž'),
            ('ł', 'Ł'),
            ('я', 'Я'),
            ('ß', 'ß'),
            ('D', 'D'),
        ] {
            assert_eq!(upper(letter), capital);
        }
    }
}
