//! The query of the list: filter and page, as the address states them. The server and the browser's program read it
//! and choose the rows with the same code.

use std::collections::BTreeSet;

use record::Kind;

use crate::language::local_time::LocalTime;
use crate::proof::access::Access;

/// Rows on one page of the list.
pub const ROWS_PER_PAGE: usize = 25;

/// The kinds of access that the filter distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// An authority requested evidence.
    Exchange,
    /// A reader opened records.
    Inspection,
    /// Identity issued a number that was not used.
    Unused,
}

impl AccessKind {
    /// All kinds, in the order of the form.
    pub const ALL: [Self; 3] = [Self::Exchange, Self::Inspection, Self::Unused];

    /// The value of the query parameter `art`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Exchange => "abruf",
            Self::Inspection => "besuch",
            Self::Unused => "unbenutzt",
        }
    }

    /// The kind of a value of the query parameter `art`.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The kind of an access.
    pub fn of(access: &Access) -> Self {
        match access {
            Access::Exchange(_) => Self::Exchange,
            Access::Inspection { .. } => Self::Inspection,
            Access::Unused { .. } => Self::Unused,
            Access::Expired { kind, .. } => match kind {
                Kind::Inspection => Self::Inspection,
                Kind::Void => Self::Unused,
                _ => Self::Exchange,
            },
        }
    }
}

/// What the reader has chosen. `None` means no restriction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Year of the access in German local time; query parameter `jahr`.
    pub year: Option<i16>,
    /// Name of the consumer or provider; query parameter `behoerde`.
    pub authority: Option<String>,
    /// Kind of the access; query parameter `art`.
    pub kind: Option<AccessKind>,
    /// Number of the page, from 1; query parameter `seite`.
    pub page: usize,
}

/// The rows of one page, and what the page says about the others.
#[derive(Clone, Debug)]
pub struct Chosen<'a> {
    /// The rows of the page, newest first.
    pub rows: Vec<&'a Access>,
    /// Number of accesses that match the filter, on all pages.
    pub matching: usize,
    /// Number of the page, from 1 to `pages`.
    pub page: usize,
    /// Number of pages that the matching accesses fill, at least 1.
    pub pages: usize,
}

impl ListQuery {
    /// Reads the query of an address, without the question mark. What is not understood is no restriction.
    pub fn parse(query: &str) -> Self {
        let mut read = Self {
            page: 1,
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "jahr" => read.year = value.parse().ok(),
                "behoerde" => read.authority = Some(value.into_owned()).filter(|name| !name.is_empty()),
                "art" => read.kind = AccessKind::of_code(&value),
                "seite" => read.page = value.parse().unwrap_or(1),
                _ => {}
            }
        }
        read
    }

    /// Path and query, after the language, of a page of the filtered list.
    pub fn path(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(year) = self.year {
            query.append_pair("jahr", &year.to_string());
        }
        if let Some(authority) = &self.authority {
            query.append_pair("behoerde", authority);
        }
        if let Some(kind) = self.kind {
            query.append_pair("art", kind.code());
        }
        if page > 1 {
            query.append_pair("seite", &page.to_string());
        }
        let query = query.finish();
        if query.is_empty() {
            "/zugriffe".to_owned()
        } else {
            format!("/zugriffe?{query}")
        }
    }

    /// Chooses the rows of the page among all accesses, which are newest first. A page number that is too high means
    /// the last page.
    pub fn choose<'a>(&self, accesses: &'a [Access]) -> Chosen<'a> {
        let matching: Vec<&Access> = accesses.iter().filter(|access| self.matches(access)).collect();
        let pages = matching.len().div_ceil(ROWS_PER_PAGE).max(1);
        let page = self.page.clamp(1, pages);
        let rows = matching.iter().skip((page - 1) * ROWS_PER_PAGE).take(ROWS_PER_PAGE);
        Chosen {
            rows: rows.copied().collect(),
            matching: matching.len(),
            page,
            pages,
        }
    }

    fn matches(&self, access: &Access) -> bool {
        self.year.is_none_or(|chosen| year(access) == chosen)
            && self.kind.is_none_or(|chosen| AccessKind::of(access) == chosen)
            && self
                .authority
                .as_deref()
                .is_none_or(|chosen| parties(access).contains(&chosen))
    }
}

/// The years that the form offers, newest first.
pub(super) fn years(accesses: &[Access]) -> Vec<i16> {
    let years: BTreeSet<i16> = accesses.iter().map(year).collect();
    years.into_iter().rev().collect()
}

/// The authorities that the form offers.
pub(super) fn authorities(accesses: &[Access]) -> BTreeSet<&str> {
    accesses.iter().flat_map(parties).collect()
}

fn year(access: &Access) -> i16 {
    LocalTime::of(access.first().time).year
}

/// The authorities by which the list can be filtered to this access.
fn parties(access: &Access) -> Vec<&str> {
    match access {
        Access::Exchange(exchange) => vec![&exchange.record.consumer.name, &exchange.record.provider.name],
        Access::Inspection { .. } | Access::Unused { .. } | Access::Expired { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_written_as_it_is_read() {
        let query = ListQuery::parse("jahr=2026&behoerde=Stadt+M%C3%BCnchen&art=abruf&seite=3&x=y");
        assert_eq!(
            query.path(3),
            "/zugriffe?jahr=2026&behoerde=Stadt+M%C3%BCnchen&art=abruf&seite=3"
        );
        assert_eq!(ListQuery::parse("jahr=&behoerde=&art=&seite=").path(1), "/zugriffe");
        assert_eq!(ListQuery::parse("jahr=x&art=y&seite=-1"), ListQuery::parse(""));
    }
}
