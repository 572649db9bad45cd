//! Why a store failed.

use std::error::Error;

use tlog::merkle::RangeError;

type Source = Box<dyn Error + Send + Sync>;

/// Why a store failed. Every failure but [`StoreError::Unknown`] is fatal: the process stops writing and reports the
/// reason.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database below failed.
    #[error("the store failed: {0}")]
    Database(#[source] Source),
    /// The store has other columns. Before version 1.0, stores are not converted.
    #[error(
        "the store failed: another version of the ledger created it; use that version, or begin a new log in an empty directory ({0})"
    )]
    OtherVersion(#[source] Source),
    /// A row is missing or does not have the required format.
    #[error("the store failed: {0}")]
    Damaged(String),
    /// A number is too large for an index or a size.
    #[error("the store failed: {0}")]
    Range(#[from] RangeError),
    /// Another process writes to this log, or has written to it. Nothing of the batch was applied. This process must
    /// end: what it has in memory is no longer the log.
    #[error(
        "another ledger has taken over this log ({0}): this process must end. Start it again to compete for the log"
    )]
    Fenced(String),
    /// Another process has the log open for writing.
    #[error("another ledger has this log open")]
    InUse,
    /// The database does not replicate synchronously, so a receipt could be lost with its machine. At most the last
    /// batch was applied without a copy. It was not acknowledged.
    #[error(
        "the database does not replicate synchronously ({0}): a receipt could be lost, so the log writes nothing. Set `synchronous_standby_names` and restart the ledger"
    )]
    NotReplicated(String),
    /// It is unknown whether the batch was applied, because the connection to the database broke.
    #[error("there is no usable connection to the database: {0}")]
    Unknown(String),
    /// Another failure that prevents writing.
    #[error("the store failed: {what}: {source}")]
    Failed {
        /// What failed.
        what: String,
        /// The cause.
        source: Source,
    },
}

impl StoreError {
    /// An error of the database below.
    pub fn database(source: impl Into<Source>) -> Self {
        Self::Database(source.into())
    }

    /// An error for damaged rows. `what` states the damage; the message adds the remedy.
    pub fn damaged(what: impl std::fmt::Display) -> Self {
        Self::Damaged(format!("{what}: restore from a backup"))
    }

    /// An error in which `what` failed because of `source`.
    pub fn failed(what: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Failed {
            what: what.into(),
            source: source.into(),
        }
    }
}
