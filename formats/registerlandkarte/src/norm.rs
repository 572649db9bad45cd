//! The norm that permits a transmission, and the source in which it was read.
//!
//! A norm has a citation, the heading of its section, and in our own words what it permits. The law's text is not
//! copied. The source says which file of which public collection was read, at which commit and on which day, so that
//! anyone can read the same text.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};
use text::{Paragraph, Reference};
use thiserror::Error;

use crate::name::NormId;

/// A norm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Norm {
    /// The name.
    pub id: NormId,
    /// The law's abbreviation: `BMG`.
    pub law: Reference,
    /// The place in the law: `§ 34 Absatz 1 Satz 1`.
    pub section: Reference,
    /// The heading of the section; `None` if the law gives it none.
    pub heading: Option<Paragraph>,
    /// What it permits, in our own words.
    pub permits: Paragraph,
    /// Where it was read.
    pub source: NormSource,
}

impl Norm {
    /// The citation: `§ 34 Absatz 1 Satz 1 BMG`.
    #[must_use]
    pub fn citation(&self) -> String {
        format!("{} {}", self.section, self.law)
    }
}

/// Where a norm was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormSource {
    /// The repository of the collection: `kmein/gesetze`.
    pub repository: Reference,
    /// The file in it.
    pub path: Reference,
    /// The commit of the collection.
    pub commit: Commit,
    /// The day on which it was read.
    pub read: Day,
}

/// A commit of git: 40 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Commit(String);

/// The text is not a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a commit has 40 of the digits 0-9 and a-f")]
pub struct CommitError;

impl TryFrom<String> for Commit {
    type Error = CommitError;

    fn try_from(text: String) -> Result<Self, CommitError> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 40 && text.bytes().all(digit) {
            Ok(Self(text))
        } else {
            Err(CommitError)
        }
    }
}

impl FromStr for Commit {
    type Err = CommitError;

    fn from_str(text: &str) -> Result<Self, CommitError> {
        text.to_owned().try_into()
    }
}

impl From<Commit> for String {
    fn from(commit: Commit) -> Self {
        commit.0
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A day of the calendar: `2026-11-29`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(String);

/// The text is not a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a day like 2026-11-29")]
pub struct DayError;

impl TryFrom<String> for Day {
    type Error = DayError;

    fn try_from(text: String) -> Result<Self, DayError> {
        let date: jiff::civil::Date = text.parse().map_err(|_| DayError)?;
        if date.to_string() == text {
            Ok(Self(text))
        } else {
            Err(DayError)
        }
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        text.to_owned().try_into()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.0
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days_of_the_calendar() {
        assert!("2026-02-28".parse::<Day>().is_ok());
        for text in ["2026-02-29", "2026-2-1", "20260228", "2026-02-28T00:00:00Z", ""] {
            assert_eq!(text.parse::<Day>(), Err(DayError), "{text}");
        }
    }

    #[test]
    fn commits_are_forty_digits() {
        assert!("0a".repeat(20).parse::<Commit>().is_ok());
        for text in ["0A".repeat(20), "0a".repeat(19), "0g".repeat(20)] {
            assert_eq!(text.parse::<Commit>(), Err(CommitError), "{text}");
        }
    }
}
