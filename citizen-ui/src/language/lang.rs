//! The languages of the portal. The language is the first segment of every path (`/de/…`, `/en/…`, `/leicht/…`). German
//! is the default.

use serde::{Deserialize, Serialize};

/// A language of the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lang {
    /// German, the default.
    De,
    /// English.
    En,
    /// German in short sentences and easy words ("Einfach erklärt"). People with learning difficulties have not
    /// checked it, so it does not bear the name "Leichte Sprache". A citizen's pages have it, and the first page of
    /// each public topic.
    Leicht,
}

impl Lang {
    /// All languages, German first.
    pub const ALL: [Lang; 3] = [Lang::De, Lang::En, Lang::Leicht];
    /// The languages of the public pages.
    pub const PUBLIC: [Lang; 2] = [Lang::De, Lang::En];

    /// The path segment.
    pub fn code(self) -> &'static str {
        match self {
            Lang::De => "de",
            Lang::En => "en",
            Lang::Leicht => "leicht",
        }
    }

    /// The value of `lang` attributes (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Lang::De => "de",
            Lang::En => "en",
            Lang::Leicht => "de-simple",
        }
    }

    /// The language of a path segment, if there is one.
    pub fn of_segment(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == segment)
    }

    /// The other languages, in the order of [`Lang::ALL`].
    pub fn others(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |lang| *lang != self)
    }

    /// The language in which the public page at this path (after the language) is, for a reader of this one.
    #[must_use]
    pub fn public(self, path: &str) -> Self {
        match self {
            Lang::Leicht if !Self::is_easy(path) => Lang::De,
            lang => lang,
        }
    }

    /// Whether the public page at this path is in easy German, too: a topic's first page is, what is below it or
    /// searched on it is not.
    pub fn is_easy(path: &str) -> bool {
        !path.get(1..).is_some_and(|rest| rest.contains(['/', '?', '.']))
    }

    /// Chooses among three tables of words.
    pub const fn choose_easy<T>(self, german: &'static T, english: &'static T, easy: &'static T) -> &'static T {
        match self {
            Lang::De => german,
            Lang::En => english,
            Lang::Leicht => easy,
        }
    }

    /// Chooses between two tables of words of public pages that are not in easy German.
    pub const fn choose<T>(self, german: &'static T, english: &'static T) -> &'static T {
        match self {
            Lang::De | Lang::Leicht => german,
            Lang::En => english,
        }
    }

    /// Whether the texts of authorities, which are German, are in this language.
    pub fn is_german(self) -> bool {
        self != Lang::En
    }

    /// The language for a header `Accept-Language`: the first that it lists, and German if it lists neither German nor
    /// English. Quality values are ignored, because browsers list languages in order of preference.
    pub fn preferred(accept_language: &str) -> Self {
        accept_language
            .split(',')
            .filter_map(|range| Self::of_segment(range.trim().get(..2)?))
            .next()
            .unwrap_or(Lang::De)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_of_a_public_topic_is_in_easy_german() {
        for (path, lang) in [
            ("/", Lang::Leicht),
            ("/hilfe", Lang::Leicht),
            ("/protokoll/zeugen", Lang::De),
            ("/registerlandkarte?q=a", Lang::De),
            ("/registerlandkarte.csv", Lang::De),
        ] {
            assert_eq!(Lang::Leicht.public(path), lang, "{path}");
            assert_eq!(Lang::En.public(path), Lang::En, "{path}");
        }
    }

    #[test]
    fn german_is_chosen_unless_english_is_listed_first() {
        for (header, lang) in [
            ("", Lang::De),
            ("fr-FR,fr", Lang::De),
            ("de-DE,de;q=0.9,en;q=0.8", Lang::De),
            ("en-US,en;q=0.9,de;q=0.8", Lang::En),
            ("ü", Lang::De),
        ] {
            assert_eq!(Lang::preferred(header), lang, "{header}");
        }
        assert_eq!(Lang::of_segment("xx"), None);
        assert_eq!(Lang::of_segment("leicht"), Some(Lang::Leicht));
    }
}
