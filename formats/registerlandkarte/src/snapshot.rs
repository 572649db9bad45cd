//! A logged version of the map: the signed document, its digest, and the decision that names it.

use record::{Allowed, DocumentError, SignedDocument, Timestamp, VerifyingKey};
use thiserror::Error;
use tlog::Hash;

use crate::{Denied, MapError, Query, Registerlandkarte, Rule};

/// Why a document is no version of the map. All of these are final.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// The signed document.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// What it says.
    #[error(transparent)]
    Map(#[from] MapError),
}

/// A version of the map whose authority's signature has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    map: Registerlandkarte,
    digest: Hash,
}

/// A permission that was found: the rule, and the version of the map that it stands in, so that the decision can be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The rule.
    pub rule: Rule,
    /// Digest of the signed map.
    pub registry: Hash,
}

impl Permission {
    /// As records say it.
    #[must_use]
    pub fn allowed_by(&self) -> Allowed {
        self.rule.allowed_by(self.registry)
    }
}

impl Snapshot {
    /// Reads a signed map and verifies its authority's signature.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn open(bytes: &[u8], authorities: &[VerifyingKey]) -> Result<Self, SnapshotError> {
        let document = SignedDocument::open(bytes, authorities)?;
        Ok(Self {
            map: Registerlandkarte::parse(document.payload())?,
            digest: document.digest(),
        })
    }

    /// The map.
    #[must_use]
    pub const fn map(&self) -> &Registerlandkarte {
        &self.map
    }

    /// SHA-256 of the signed document: what the `registry` entry says.
    #[must_use]
    pub const fn digest(&self) -> Hash {
        self.digest
    }

    /// Decides as [`Registerlandkarte::decide`], and names this version in the permission.
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn decide(&self, query: &Query, valid_at: Timestamp, known_at: Timestamp) -> Result<Permission, Denied> {
        let rule = self.map.decide(query, valid_at, known_at)?.clone();
        Ok(Permission {
            rule,
            registry: self.digest,
        })
    }
}
