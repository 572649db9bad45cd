//! The addresses of a citizen's pages. All of them are proved.

use super::filter::ListQuery;
use super::question::Question;
use crate::proof::verdict::Scope;

/// The address of a page that is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The first page after the login.
    Overview,
    /// A page of the list.
    List(ListQuery),
    /// A page of the citizen's own visits, from 1.
    Visits(usize),
    /// The access whose first entry has this log index.
    Access(u64),
    /// How it is proved.
    Proof(u64),
    /// A letter about it.
    Ask(u64, Question),
}

impl Target {
    /// Reads path and query, after the language. `None` for all other pages.
    pub fn of(path: &str) -> Option<Self> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        match path {
            "/uebersicht" => return Some(Self::Overview),
            "/abrufe" => return Some(Self::List(ListQuery::parse(query))),
            "/besuche" => return Some(Self::Visits(ListQuery::parse(query).page)),
            _ => {}
        }
        let rest = path.strip_prefix("/abrufe/")?;
        let (index, part) = rest.split_once('/').unwrap_or((rest, ""));
        let index = index.parse().ok()?;
        match part {
            "" => Some(Self::Access(index)),
            "pruefung" => Some(Self::Proof(index)),
            "fragen" => Some(Self::Ask(index, Question::parse(query))),
            _ => None,
        }
    }

    /// Path and query, after the language.
    pub fn path(&self) -> String {
        match self {
            Self::Overview => "/uebersicht".to_owned(),
            Self::List(query) => query.path(query.page),
            Self::Visits(1) => "/besuche".to_owned(),
            Self::Visits(page) => format!("/besuche?seite={page}"),
            Self::Access(index) => format!("/abrufe/{index}"),
            Self::Proof(index) => format!("/abrufe/{index}/pruefung"),
            Self::Ask(index, question) => format!("/abrufe/{index}/fragen{}", question.query()),
        }
    }

    /// What the page proves.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Overview | Self::List(_) | Self::Visits(_) => Scope::List,
            Self::Access(_) | Self::Proof(_) | Self::Ask(..) => Scope::Access,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_is_read() {
        for path in [
            "/uebersicht",
            "/abrufe",
            "/abrufe?q=auto&wer=Stadt+M%C3%BCnchen&seite=3",
            "/besuche",
            "/besuche?seite=2",
            "/abrufe/17",
            "/abrufe/17/pruefung",
            "/abrufe/17/fragen",
            "/abrufe/17/fragen?was=auskunft&nummer=ja",
        ] {
            assert_eq!(Target::of(path).map(|target| target.path()).as_deref(), Some(path));
        }
        for path in [
            "/",
            "/abrufe/",
            "/abrufe/x",
            "/abrufe/17/x",
            "/abrufe/beweis",
            "/protokoll",
            "",
        ] {
            assert_eq!(Target::of(path), None, "{path}");
        }
    }
}
