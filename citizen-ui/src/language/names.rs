//! The words around the name of an authority in a German sentence, such as its article.
//!
//! A record has a name such as "Kraftfahrt-Bundesamt" or "Stadt Musterhausen" without its grammatical gender. For
//! nearly all authorities the first word determines the gender. For the others the name is put in quotation marks,
//! without an article, which is always correct.

/// First words of feminine names, and the endings of such words.
const FEMININE: [&str; 14] = [
    "stadt",
    "gemeinde",
    "behörde",
    "stelle",
    "agentur",
    "verwaltung",
    "kasse",
    "kammer",
    "zentrale",
    "versicherung",
    "polizei",
    "direktion",
    "anstalt",
    "präfektur",
];
/// First words of neuter names, and the endings of such words.
const NEUTER: [&str; 8] = [
    "amt",
    "register",
    "ministerium",
    "zentrum",
    "gericht",
    "präsidium",
    "institut",
    "referat",
];
/// First words of masculine names, and the endings of such words.
const MASCULINE: [&str; 6] = ["kreis", "bezirk", "senat", "verband", "dienst", "bund"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Gender {
    Feminine,
    Neuter,
    Masculine,
}

fn gender(name: &str) -> Option<Gender> {
    let first = name.split([' ', ',', '(']).next()?.to_lowercase();
    // "Darmstadt" is the name of a town and has no article; "Stadt" and "Landeshauptstadt" have one.
    let with_article = ["hauptstadt", "hansestadt", "kreisstadt", "universitätsstadt"];
    if first.ends_with("stadt") && first != "stadt" && !with_article.iter().any(|word| first.ends_with(word)) {
        return None;
    }
    let is = |words: &[&str]| words.iter().any(|word| first.ends_with(word));
    if is(&FEMININE) {
        Some(Gender::Feminine)
    } else if is(&NEUTER) {
        Some(Gender::Neuter)
    } else if is(&MASCULINE) {
        Some(Gender::Masculine)
    } else {
        None
    }
}

/// The words before and after the name when it is the subject at the beginning of a sentence: "Die Stadt
/// Musterhausen".
pub(crate) fn subject(name: &str) -> (&'static str, &'static str) {
    match gender(name) {
        Some(Gender::Feminine) => ("Die ", ""),
        Some(Gender::Neuter) => ("Das ", ""),
        Some(Gender::Masculine) => ("Der ", ""),
        None => ("„", "“"),
    }
}

/// The words before and after the name with the preposition "bei" (at): "beim Kraftfahrt-Bundesamt".
pub(crate) fn at(name: &str) -> (&'static str, &'static str) {
    match gender(name) {
        Some(Gender::Feminine) => ("bei der ", ""),
        Some(Gender::Neuter | Gender::Masculine) => ("beim ", ""),
        None => ("bei „", "“"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_article_of_their_gender() {
        for (name, first, second) in [
            (
                "Kraftfahrt-Bundesamt",
                "Das Kraftfahrt-Bundesamt",
                "beim Kraftfahrt-Bundesamt",
            ),
            (
                "Stadt Musterhausen",
                "Die Stadt Musterhausen",
                "bei der Stadt Musterhausen",
            ),
            (
                "Landeshauptstadt Stuttgart",
                "Die Landeshauptstadt Stuttgart",
                "bei der Landeshauptstadt Stuttgart",
            ),
            ("Landkreis Aurich", "Der Landkreis Aurich", "beim Landkreis Aurich"),
            (
                "Handelsregister Köln",
                "Das Handelsregister Köln",
                "beim Handelsregister Köln",
            ),
            (
                "Bundesamt für Justiz",
                "Das Bundesamt für Justiz",
                "beim Bundesamt für Justiz",
            ),
            ("Darmstadt", "„Darmstadt“", "bei „Darmstadt“"),
            ("Ludwigsburg", "„Ludwigsburg“", "bei „Ludwigsburg“"),
            ("", "„“", "bei „“"),
        ] {
            let around = |(before, after)| format!("{before}{name}{after}");
            assert_eq!(around(subject(name)), first);
            assert_eq!(around(at(name)), second);
        }
    }
}
