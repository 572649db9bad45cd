//! Why a table cannot be read or written.

use std::path::PathBuf;
use std::sync::Arc;

use crate::postgres::PostgresError;

/// Why a table cannot be read or written. Nothing was committed, whatever the error. [`TableError::Ending`] and
/// [`TableError::Fenced`] alone leave that open, as a crash does.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TableError {
    /// The directory or the file cannot be created or opened.
    #[error("cannot open {path}: {source}")]
    File {
        /// The directory or file.
        path: PathBuf,
        /// The error of the operating system.
        source: Arc<std::io::Error>,
    },
    /// The store is to be in a database, and there is a file with its rows.
    #[error(
        "{0} has rows of this store, which are not in the database: take `store` out of the configuration, or move the file away if nothing in it is needed"
    )]
    LeftBehind(PathBuf),
    /// redb failed: the disk is full, the file is damaged, or another process has opened it.
    #[error("store: {0}")]
    Store(#[source] Arc<redb::Error>),
    /// The database refused, is not replicated, or cannot be reached.
    #[error("store: {0}")]
    Database(#[source] Arc<PostgresError>),
    /// Another process has the store of this database open.
    #[error("another process has opened the store {0}")]
    InUse(String),
    /// Another process has taken over the store of this database. This process must end: what it has in memory is no
    /// longer what the store has.
    #[error("another process has taken over the store {0}: this process must end")]
    Fenced(String),
    /// The connection to the database broke in a transaction, and another one was committed before it could continue.
    #[error("the connection to the database broke in a transaction; it was undone")]
    Interrupted,
    /// Another version has created the tables.
    #[error("another version has created the store {0}: use that version, or an empty database")]
    OtherVersion(String),
    /// A stored value is not in the encoding that this version writes.
    #[error("a row of table {table} cannot be read: {reason}")]
    Damaged {
        /// Name of the table.
        table: &'static str,
        /// The decoder's message.
        reason: String,
    },
    /// A transaction has opened this table twice at the same time.
    #[error("table {0} is opened twice in one transaction")]
    OpenedTwice(&'static str),
    /// Another write of the same transaction failed.
    #[error("another write of the same transaction failed")]
    Aborted,
    /// The task that reads or writes was cancelled or has panicked, or the store's writer has ended.
    #[error("the process is ending")]
    Ending,
}

impl<E: Into<redb::Error>> From<E> for TableError {
    fn from(error: E) -> Self {
        Self::Store(Arc::new(error.into()))
    }
}

impl TableError {
    /// An error of the database.
    pub(crate) fn database(error: PostgresError) -> Self {
        Self::Database(Arc::new(error))
    }

    /// Whether the same read may succeed later.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Database(error) if matches!(**error, PostgresError::Unknown(_)))
    }
}
