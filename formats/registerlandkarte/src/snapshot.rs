//! A logged version of the Registerlandkarte: the signed document, its digest, and decisions that name the digest.

use record::{Allowed, DocumentError, SignedDocument, Timestamp, VerifyingKey};
use thiserror::Error;
use tlog::Hash;

use crate::{Denied, Query, Registerlandkarte, RegisterlandkarteError, Rule};

/// Why a document is not a version of the Registerlandkarte. None of these goes away on a retry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SnapshotError {
    /// The signed document is not accepted.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The content is not a Registerlandkarte.
    #[error(transparent)]
    Registerlandkarte(#[from] RegisterlandkarteError),
}

/// A version of the Registerlandkarte with a verified signature by an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    relation: Registerlandkarte,
    digest: Hash,
}

/// A permission: the rule, and the version of the Registerlandkarte that contains it, so that the decision can be
/// replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The rule.
    pub rule: Rule,
    /// The digest of the signed Registerlandkarte.
    pub registerlandkarte: Hash,
}

impl Permission {
    /// The permission in the form that records contain.
    #[must_use]
    pub fn allowed_by(&self) -> Allowed {
        self.rule.allowed_by(self.registerlandkarte)
    }
}

impl Snapshot {
    /// Reads a signed Registerlandkarte and verifies the signature by one of `authorities`.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn open(bytes: &[u8], authorities: &[VerifyingKey]) -> Result<Self, SnapshotError> {
        let document = SignedDocument::open(bytes, authorities)?;
        Ok(Self {
            relation: Registerlandkarte::parse(document.payload())?,
            digest: document.digest(),
        })
    }

    /// The relation.
    #[must_use]
    pub const fn relation(&self) -> &Registerlandkarte {
        &self.relation
    }

    /// SHA-256 of the signed document, which the `registry` entry carries.
    #[must_use]
    pub const fn digest(&self) -> Hash {
        self.digest
    }

    /// Decides as [`Registerlandkarte::decide`] does, and names this version in the permission.
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn decide(&self, query: &Query, valid_at: Timestamp, known_at: Timestamp) -> Result<Permission, Denied> {
        let rule = self.relation.decide(query, valid_at, known_at)?.clone();
        Ok(Permission {
            rule,
            registerlandkarte: self.digest,
        })
    }
}
