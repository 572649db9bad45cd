//! Why a store failed.

use std::error::Error;

use tlog::merkle::RangeError;

type Source = Box<dyn Error + Send + Sync>;

/// A store failed. Fatal: the process stops writing and says why.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database below failed.
    #[error("the store failed: {0}")]
    Database(#[source] Source),
    /// A store with other columns; before version 1.0 nothing is converted.
    #[error(
        "the store failed: another version of the ledger made it, use that one or begin a new log in an empty directory ({0})"
    )]
    OtherVersion(#[source] Source),
    /// A row is missing, or does not have the form that it must have.
    #[error("the store failed: {0}")]
    Damaged(String),
    /// A number from the store is too large for an index or a size.
    #[error("the store failed: {0}")]
    Range(#[from] RangeError),
    /// Something else that makes writing impossible.
    #[error("the store failed: {what}: {source}")]
    Failed {
        /// What failed.
        what: String,
        /// The cause.
        source: Source,
    },
}

impl StoreError {
    /// The database below failed.
    pub fn database(source: impl Into<Source>) -> Self {
        Self::Database(source.into())
    }

    /// A row, named by `what`, is damaged; the message names the remedy.
    pub fn damaged(what: impl std::fmt::Display) -> Self {
        Self::Damaged(format!("{what}: restore from a backup"))
    }

    /// `what` failed because of `source`.
    pub fn failed(what: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Failed {
            what: what.into(),
            source: source.into(),
        }
    }
}
