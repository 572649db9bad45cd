//! The query of the list: search, filter, order and page, as the address states them. The server and the browser's
//! program read it and choose the rows with the same code.

use super::rows::row_text;
use crate::language::case::folded;
use crate::language::lang::Lang;
use crate::language::local_time::LocalTime;
use crate::language::sentence::capitalised;
use crate::proof::access::{Access, AccessKind, Ending};
use crate::sorted::sorted;

/// Rows on one page of the list.
pub const ROWS_PER_PAGE: usize = 25;
/// The most characters of a search.
const MAX_WORDS: usize = 200;

/// What the reader has chosen. `None` means no restriction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Words that all are in the text of the row; query parameter `q`.
    pub words: Option<String>,
    /// Name of the authority that asked; query parameter `wer`.
    pub who: Option<String>,
    /// Name of the authority that was asked; query parameter `bei`.
    pub at: Option<String>,
    /// First and last day in German local time, as `2026-11-21`; query parameters `von` and `bis`.
    pub from: Option<String>,
    /// See `from`.
    pub until: Option<String>,
    /// How it ended; query parameter `ergebnis`.
    pub ending: Option<Ending>,
    /// The law that the authority names; query parameter `recht`.
    pub law: Option<String>,
    /// Order of the rows; query parameter `sort`.
    pub sort: Sort,
    /// Number of the page, from 1; query parameter `seite`.
    pub page: usize,
}

/// The order of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// By the name of the authority that asked; newest first within it.
    Authority,
}

impl Sort {
    /// All orders, as in the form.
    pub const ALL: [Self; 3] = [Self::Newest, Self::Oldest, Self::Authority];

    /// The value of the query parameter `sort`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Newest => "neueste",
            Self::Oldest => "aelteste",
            Self::Authority => "behoerde",
        }
    }
}

/// The rows of one page, and what the page says about the others.
#[derive(Clone, Debug)]
pub struct Chosen<'a> {
    /// The groups of the page, each with its rows.
    pub groups: Vec<Group<'a>>,
    /// The position of the first row of the page, from 1.
    pub first: usize,
    /// Number of exchanges that match, on all pages.
    pub matching: usize,
    /// Number of all exchanges.
    pub all: usize,
    /// Number of the page, from 1 to `pages`.
    pub page: usize,
    /// Number of pages that the matching exchanges fill, at least 1.
    pub pages: usize,
}

/// Rows under one heading.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The heading: a month, or the name of an authority.
    pub title: String,
    /// Number of matching exchanges under this heading, on all pages.
    pub matching: usize,
    /// Those on this page.
    pub rows: Vec<&'a Access>,
}

impl ListQuery {
    /// Reads the query of an address, without the question mark. What is not understood is no restriction.
    pub fn parse(query: &str) -> Self {
        let mut read = Self {
            page: 1,
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let text = || Some(value.trim().chars().take(MAX_WORDS).collect()).filter(|text: &String| !text.is_empty());
            match name.as_ref() {
                "q" => read.words = text(),
                "wer" => read.who = text(),
                "bei" => read.at = text(),
                "von" => read.from = text().filter(|day| is_day(day)),
                "bis" => read.until = text().filter(|day| is_day(day)),
                "ergebnis" => read.ending = Ending::of_code(&value),
                "recht" => read.law = text(),
                "sort" => {
                    let known = Sort::ALL.into_iter().find(|sort| sort.code() == value);
                    read.sort = known.unwrap_or_default();
                }
                "seite" => read.page = value.parse().unwrap_or(1).max(1),
                _ => {}
            }
        }
        read
    }

    /// Path and query, after the language, of a page of the filtered list.
    pub fn path(&self, page: usize) -> String {
        self.address("/abrufe", page)
    }

    /// Path and query, after the language, of a file with all pages of the filtered list.
    pub fn file_path(&self, ending: &str) -> String {
        self.address(&format!("/abrufe.{ending}"), 1)
    }

    fn address(&self, path: &str, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("q", &self.words),
            ("wer", &self.who),
            ("bei", &self.at),
            ("von", &self.from),
            ("bis", &self.until),
        ] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        if let Some(ending) = self.ending {
            query.append_pair("ergebnis", ending.code());
        }
        if let Some(law) = &self.law {
            query.append_pair("recht", law);
        }
        if self.sort != Sort::default() {
            query.append_pair("sort", self.sort.code());
        }
        if page > 1 {
            query.append_pair("seite", &page.to_string());
        }
        let query = query.finish();
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }

    /// Whether some exchanges may be left out.
    pub fn restricts(&self) -> bool {
        let none = Self {
            sort: self.sort,
            page: self.page,
            ..Self::default()
        };
        *self != none
    }

    /// Whether one of the fields is chosen that the form shows on demand.
    pub fn has_more(&self) -> bool {
        let texts = [&self.at, &self.from, &self.until, &self.law];
        texts.into_iter().any(Option::is_some) || self.sort != Sort::default()
    }

    /// Chooses the rows of the page among all accesses, which are newest first. A page number that is too high means
    /// the last page.
    pub fn choose<'a>(&self, accesses: &'a [Access], lang: Lang) -> Chosen<'a> {
        self.chosen(accesses, lang, ROWS_PER_PAGE)
    }

    /// The rows of all pages, as one page.
    #[cfg(feature = "ssr")]
    pub fn choose_all<'a>(&self, accesses: &'a [Access], lang: Lang) -> Chosen<'a> {
        self.chosen(accesses, lang, usize::MAX)
    }

    fn chosen<'a>(&self, accesses: &'a [Access], lang: Lang, rows_per_page: usize) -> Chosen<'a> {
        let exchanges = exchanges(accesses);
        let all = exchanges.len();
        let mut matching: Vec<&Access> = exchanges.into_iter().filter(|row| self.matches(row, lang)).collect();
        match self.sort {
            Sort::Newest => {}
            Sort::Oldest => matching.reverse(),
            Sort::Authority => matching = sorted(matching, |access| folded(who(access))),
        }
        let pages = matching.len().div_ceil(rows_per_page).max(1);
        let page = self.page.clamp(1, pages);
        let skipped = (page - 1) * rows_per_page;
        let shown = skipped..skipped.saturating_add(rows_per_page);
        let mut groups: Vec<Group> = Vec::new();
        for (at, access) in matching.iter().enumerate() {
            let title = self.group_of(access, lang);
            if groups.last().is_none_or(|group| group.title != title) {
                groups.push(Group {
                    title,
                    matching: 0,
                    rows: Vec::new(),
                });
            }
            let Some(group) = groups.last_mut() else { continue };
            group.matching += 1;
            if shown.contains(&at) {
                group.rows.push(access);
            }
        }
        groups.retain(|group| !group.rows.is_empty());
        Chosen {
            groups,
            first: skipped + 1,
            matching: matching.len(),
            all,
            page,
            pages,
        }
    }

    fn group_of(&self, access: &Access, lang: Lang) -> String {
        match self.sort {
            Sort::Newest | Sort::Oldest => LocalTime::of(access.first().time).month.name(lang),
            Sort::Authority => match who(access) {
                "" => lang.citizen().result.erased.to_owned(),
                who => capitalised(who),
            },
        }
    }

    fn matches(&self, access: &Access, lang: Lang) -> bool {
        let is = |chosen: &Option<String>, value: &str| chosen.as_deref().is_none_or(|chosen| chosen == value);
        let day = LocalTime::of(access.first().time).form_date();
        is(&self.who, who(access))
            && is(&self.at, at(access))
            && is(&self.law, law(access))
            && self.ending.is_none_or(|ending| Ending::of(access) == ending)
            && self.from.as_ref().is_none_or(|from| *from <= day)
            && self.until.as_ref().is_none_or(|until| day <= *until)
            && self.words.as_ref().is_none_or(|words| has_words(access, words, lang))
    }
}

/// Whether the text of the row has every word, in upper or lower case.
fn has_words(access: &Access, words: &str, lang: Lang) -> bool {
    let text = folded(&row_text(access, lang));
    folded(words).split_whitespace().all(|word| text.contains(word))
}

/// The accesses that are exchanges or releases, in the given order.
pub(super) fn exchanges(accesses: &[Access]) -> Vec<&Access> {
    let is_listed = |access: &&Access| AccessKind::of(access).is_listed();
    accesses.iter().filter(is_listed).collect()
}

/// A day of the form `2026-11-21`.
fn is_day(text: &str) -> bool {
    let form = |(at, byte): (usize, u8)| {
        if matches!(at, 4 | 7) {
            byte == b'-'
        } else {
            byte.is_ascii_digit()
        }
    };
    text.len() == 10 && text.bytes().enumerate().all(form)
}

/// The name of the authority that asked or received; empty if it is erased.
pub(crate) fn who(access: &Access) -> &str {
    match access {
        Access::Exchange(exchange) => &exchange.record.consumer.name,
        Access::Release { record, .. } => &record.receiver.name,
        _ => "",
    }
}

/// The name of the authority that was asked; empty for a release, which identity makes.
pub(crate) fn at(access: &Access) -> &str {
    match access {
        Access::Exchange(exchange) => &exchange.record.provider.name,
        _ => "",
    }
}

/// The law that the authority names.
pub(crate) fn law(access: &Access) -> &str {
    match access {
        Access::Exchange(exchange) => &exchange.record.why.legal_basis,
        Access::Release { record, .. } => &record.why.legal_basis,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use record::{Outcome, SharedPart};

    use super::*;
    use crate::samples;

    #[test]
    fn a_query_is_written_as_it_is_read() {
        let query = "q=auto+park&wer=Stadt+M%C3%BCnchen&bei=KBA&von=2026-01-01&bis=2026-12-31&ergebnis=abgelehnt\
                     &recht=%C2%A7+1&sort=aelteste&seite=3";
        let read = ListQuery::parse(&format!("{query}&x=y"));
        assert_eq!(read.path(3), format!("/abrufe?{query}"));
        assert!(read.restricts() && read.has_more());
        let file = query.strip_suffix("&seite=3").unwrap();
        assert_eq!(read.file_path("pdf"), format!("/abrufe.pdf?{file}"));
        let empty = ListQuery::parse("q=&wer=&bei=&von=&bis=&ergebnis=&recht=&sort=&seite=");
        assert_eq!(empty.path(1), "/abrufe");
        assert!(!empty.restricts());
        assert_eq!(ListQuery::parse("von=x&ergebnis=y&seite=-1"), ListQuery::parse(""));
    }

    /// Exchanges of the 21st of each month, newest first: of two authorities, with two results.
    fn accesses(count: u64) -> Vec<Access> {
        let access = |at: u64| {
            let result = if at.is_multiple_of(2) {
                Outcome::Delivered
            } else {
                Outcome::Refused
            };
            let mut opened = vec![samples::intent(), samples::outcome(result)];
            for entry in &mut opened {
                entry.stamp.time -= (count - 1 - at) * 30 * 86_400;
                entry.stamp.index += at * 10;
                entry.refers = entry.refers.map(|_| 17 + at * 10);
                if let (Some(SharedPart::Exchange(record)), 0) = (&mut entry.shared, at % 3) {
                    record.consumer.name = "Amt Aurich".into();
                    record.consumer.subject = "das Amt Aurich".into();
                }
            }
            Access::of(opened).unwrap()
        };
        let mut accesses: Vec<Access> = (0..count).rev().map(access).collect();
        accesses.push(Access::of(vec![samples::inspection()]).unwrap());
        accesses
    }

    fn count(query: &str, accesses: &[Access]) -> usize {
        ListQuery::parse(query).choose(accesses, Lang::De).matching
    }

    #[test]
    fn each_filter_leaves_those_that_match() {
        let accesses = accesses(6);
        assert_eq!(count("", &accesses), 6, "a visit is no exchange");
        assert_eq!(count("wer=Amt+Aurich", &accesses), 2);
        assert_eq!(count("bei=Kraftfahrt-Bundesamt", &accesses), 6);
        assert_eq!(count("bei=Amt+Aurich", &accesses), 0);
        assert_eq!(count("ergebnis=abgelehnt", &accesses), 3);
        assert_eq!(count("recht=%C2%A7+45+Abs.+1b+StVO", &accesses), 6);
        assert_eq!(count("von=2026-11-01", &accesses), 1);
        assert_eq!(count("bis=2026-11-01", &accesses), 5);
        assert_eq!(count("q=AURICH+abgelehnt", &accesses), 1);
        assert_eq!(
            count("q=21.11.", &accesses),
            1,
            "what is shown of the time is searched, too"
        );
        assert_eq!(count("q=unsichtbar", &accesses), 0);
    }

    #[test]
    fn rows_are_grouped_by_month_or_authority_and_in_the_chosen_order() {
        let accesses = accesses(30);
        let chosen = ListQuery::parse("seite=2").choose(&accesses, Lang::De);
        let rows: usize = chosen.groups.iter().map(|group| group.rows.len()).sum();
        assert_eq!((chosen.first, chosen.matching, chosen.pages, rows), (26, 30, 2, 5));
        let newest = ListQuery::parse("").choose(&accesses, Lang::De);
        assert_eq!(newest.groups[0].title, "November 2026");
        let oldest = ListQuery::parse("sort=aelteste").choose(&accesses, Lang::De);
        assert!(oldest.groups[0].rows[0].first().index < newest.groups[0].rows[0].first().index);
        let by_authority = ListQuery::parse("sort=behoerde").choose(&accesses, Lang::De);
        let titles: Vec<&str> = by_authority.groups.iter().map(|group| group.title.as_str()).collect();
        assert_eq!(titles, ["Amt Aurich", "Stadt Musterhausen"]);
        let all = ListQuery::parse("seite=2").choose_all(&accesses, Lang::De);
        let rows: usize = all.groups.iter().map(|group| group.rows.len()).sum();
        assert_eq!((all.first, all.pages, rows), (1, 1, 30), "a file has all pages");
        assert_eq!(by_authority.groups[0].matching, 10);
        assert_eq!(
            by_authority.groups[1].matching, 20,
            "those on the next page are counted"
        );
    }
}
