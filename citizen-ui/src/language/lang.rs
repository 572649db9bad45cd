//! The two languages of the portal. The language is the first segment of every path (`/de/…`, `/en/…`). German is
//! the default.

use serde::{Deserialize, Serialize};

/// A language of the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lang {
    /// German, the default.
    De,
    /// English.
    En,
}

impl Lang {
    /// Both languages, German first.
    pub const ALL: [Lang; 2] = [Lang::De, Lang::En];

    /// The path segment and the value of `lang` attributes: `de` or `en`.
    pub fn code(self) -> &'static str {
        match self {
            Lang::De => "de",
            Lang::En => "en",
        }
    }

    /// The language of a path segment, if there is one.
    pub fn of_segment(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == segment)
    }

    /// The other language.
    pub fn other(self) -> Self {
        match self {
            Lang::De => Lang::En,
            Lang::En => Lang::De,
        }
    }

    /// The language for a header `Accept-Language`: the first of the two that it lists, and German if it lists neither.
    /// Quality values are ignored, because browsers list languages in order of preference.
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
    }
}
