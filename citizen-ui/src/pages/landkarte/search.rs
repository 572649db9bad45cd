//! Search with plain words: "Wer darf meine Meldedaten sehen?" finds the permissions about the Melderegister.
//!
//! Every word of the search must be found in what a permission says. Words that every question has are left out, and an
//! ending is cut off, because a word may be declined.

/// Words that say nothing about the permission that is searched for.
const STOP: [&str; 48] = [
    "wer", "was", "wann", "wo", "wie", "wozu", "warum", "welche", "welcher", "welches", "darf", "duerfen", "kann",
    "koennen", "mein", "meine", "meinen", "meiner", "ich", "mich", "mir", "ueber", "von", "vom", "bei", "beim", "aus",
    "der", "die", "das", "den", "dem", "ein", "eine", "und", "oder", "sehen", "abrufen", "wissen", "haben", "who",
    "what", "may", "my", "the", "see", "data", "daten",
];
/// Endings that are cut off a word that is still long enough.
const ENDINGS: [&str; 6] = ["daten", "en", "er", "e", "n", "s"];
/// How long the rest of a word must be.
const LEAST: usize = 4;
/// The most words of a search.
const MAX_WORDS: usize = 12;

/// A text in the form in which texts are compared: small letters, and no umlauts.
pub(super) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 8);
    for character in text.chars().flat_map(char::to_lowercase) {
        match character {
            'ä' => folded.push_str("ae"),
            'ö' => folded.push_str("oe"),
            'ü' => folded.push_str("ue"),
            'ß' => folded.push_str("ss"),
            character => folded.push(character),
        }
    }
    folded
}

/// The words of a search.
pub(super) fn words(text: &str) -> Vec<String> {
    let text = folded(text);
    let words = text.split(|character: char| !character.is_alphanumeric() && character != '§');
    let words = words.filter(|word| !word.is_empty() && !STOP.contains(word));
    words.map(|word| stem(word).to_owned()).take(MAX_WORDS).collect()
}

/// Whether a folded text has all words.
pub(super) fn matches(text: &str, words: &[String]) -> bool {
    words.iter().all(|word| text.contains(word.as_str()))
}

fn stem(word: &str) -> &str {
    let rests = ENDINGS.iter().filter_map(|ending| word.strip_suffix(ending));
    let mut rests = rests.filter(|rest| rest.chars().count() >= LEAST);
    rests.next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_finds_what_its_words_say() {
        let text = folded("Wohngeldbehörde Melderegister Derzeitige Anschrift § 33 WoGG");
        for question in [
            "Wer darf meine Meldedaten sehen?",
            "ANSCHRIFTEN",
            "Wohngeldbehoerde",
            "wohngeldbehörden, melderegister",
            "§ 33",
            "",
        ] {
            assert!(matches(&text, &words(question)), "{question}");
        }
        for question in ["Polizei", "Melderegister Polizei"] {
            assert!(!matches(&text, &words(question)), "{question}");
        }
        assert!(words(&"wort ".repeat(1_000)).len() <= MAX_WORDS);
    }
}
