//! What is versioned, and the numbers of the versions.

use core::fmt;
use core::str::FromStr;

use record::{DocumentKind, Kind};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which of the two sequences of versions a change set belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustKind {
    /// The directory: authorities, writers, bodies, components, delegations.
    Directory,
    /// The Registerlandkarte: who may fetch which evidence.
    #[serde(rename = "registry")]
    Registerlandkarte,
}

impl TrustKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Directory, Self::Registerlandkarte];

    /// The kind of an entry of the log; `None` if entries of this kind carry no change set.
    #[must_use]
    pub fn of_entry(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Directory => Some(Self::Directory),
            Kind::Registry => Some(Self::Registerlandkarte),
            _ => None,
        }
    }

    /// The kind's name in URLs, arguments, metrics and formats.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Registerlandkarte => "registry",
        }
    }

    /// The kind of the entries that carry this kind's change sets.
    #[must_use]
    pub const fn document_kind(self) -> DocumentKind {
        match self {
            Self::Directory => DocumentKind::Directory,
            Self::Registerlandkarte => DocumentKind::Registry,
        }
    }
}

/// The text is not the name of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a kind is `directory` or `registry`")]
pub struct UnknownKind;

impl FromStr for TrustKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let mut kinds = Self::ALL.into_iter();
        kinds.find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

/// The kind's name in a sentence.
impl fmt::Display for TrustKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "directory",
            Self::Registerlandkarte => "Registerlandkarte",
        })
    }
}

/// The number of a version: 1 for the first change set, one more for each later one. Version 0 is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u32);

impl Version {
    /// The version before the first change set, which has no values.
    pub const EMPTY: Self = Self(0);

    /// The version after this one; `None` after the last.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_kind_has_one_name_in_texts_and_formats() {
        for kind in TrustKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            let name = record::cbor::to_vec(kind.as_str());
            assert_eq!(record::cbor::to_vec(&kind), name);
        }
        for text in ["", "Directory", "Registerlandkarte", "map"] {
            assert_eq!(text.parse::<TrustKind>(), Err(UnknownKind), "{text}");
        }
    }
}
