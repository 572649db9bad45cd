//! What is versioned, and the numbers of the versions.

use core::fmt;

use record::{DocumentKind, Kind};
use serde::{Deserialize, Serialize};

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

    /// The kind of the entries that carry this kind's change sets.
    #[must_use]
    pub const fn document_kind(self) -> DocumentKind {
        match self {
            Self::Directory => DocumentKind::Directory,
            Self::Registerlandkarte => DocumentKind::Registry,
        }
    }
}

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
