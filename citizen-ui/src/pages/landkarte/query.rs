//! What the reader searches for, as the address states it.

use record::{LegalDay, Timestamp};

/// Permissions on one page.
pub const PERMISSIONS_PER_PAGE: usize = 25;
/// The most characters of a search that are read.
const MAX_SEARCH: usize = 200;

/// The query of a page about the Registerlandkarte. What is empty restricts nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LandkarteQuery {
    /// Plain words; `q`.
    pub words: String,
    /// The class of bodies, or the body, that may retrieve; `wer`.
    pub consumer: String,
    /// The type of register, or the component, that provides; `bei`.
    pub provider: String,
    /// The law; `recht`.
    pub law: String,
    /// The day as of which the page is; `stand`. Without it, now.
    pub day: Option<LegalDay>,
    /// Number of the page, from 1; `seite`.
    pub page: usize,
}

impl LandkarteQuery {
    /// Reads the query of an address, without the question mark. What is not understood restricts nothing.
    pub fn parse(query: &str) -> Self {
        let mut read = Self {
            page: 1,
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let text = || value.trim().chars().take(MAX_SEARCH).collect::<String>();
            match name.as_ref() {
                "q" => read.words = text(),
                "wer" => read.consumer = text(),
                "bei" => read.provider = text(),
                "recht" => read.law = text(),
                "stand" => read.day = value.parse().ok(),
                "seite" => read.page = value.parse().unwrap_or(1),
                _ => {}
            }
        }
        read
    }

    /// The instant as of which the page is: the end of the day, but no time that is still to come.
    pub fn instant(&self, now: Timestamp) -> Timestamp {
        self.day.map_or(now, |day| day.end().before(1).min(now))
    }

    /// The query as part of an address, with its question mark; empty if nothing is restricted.
    pub fn to_address(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let pairs = [
            ("q", &self.words),
            ("wer", &self.consumer),
            ("bei", &self.provider),
            ("recht", &self.law),
        ];
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        if let Some(day) = self.day {
            query.append_pair("stand", &day.to_string());
        }
        if page > 1 {
            query.append_pair("seite", &page.to_string());
        }
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }

    /// The same day alone, as part of an address.
    pub fn day_address(&self) -> String {
        self.day.map(|day| format!("?stand={day}")).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_query_is_written_as_it_is_read() {
        let query = LandkarteQuery::parse("q=Wohn+geld&wer=&bei=melderegister&recht=WoGG&stand=2026-11-29&seite=2&x=y");
        assert_eq!(
            query.to_address(query.page),
            "?q=Wohn+geld&bei=melderegister&recht=WoGG&stand=2026-11-29&seite=2"
        );
        assert_eq!(LandkarteQuery::parse("stand=2026-02-30&seite=x").to_address(1), "");
    }

    #[test]
    fn a_day_means_its_end_and_never_the_future() {
        let query = LandkarteQuery::parse("stand=2026-11-29");
        let end: Timestamp = "2026-11-29T22:59:59Z".parse().unwrap();
        assert_eq!(query.instant(Timestamp(u64::MAX)), end);
        assert_eq!(query.instant(Timestamp(5)), Timestamp(5));
        assert_eq!(LandkarteQuery::parse("").instant(end), end);
    }
}
