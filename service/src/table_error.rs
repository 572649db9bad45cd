//! Why a table cannot be read or written.

use std::path::PathBuf;
use std::sync::Arc;

/// Why a table cannot be read or written.
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
    /// redb failed: the disk is full, the file is damaged, or another process has opened it. Nothing was committed.
    #[error("store: {0}")]
    Store(#[source] Arc<redb::Error>),
    /// A stored value is not in the encoding that this version writes.
    #[error("a row of table {table} cannot be read: {reason}")]
    Damaged {
        /// Name of the table.
        table: &'static str,
        /// The decoder's message.
        reason: String,
    },
    /// Another write of the same transaction failed. Nothing was committed.
    #[error("another write of the same transaction failed")]
    Aborted,
    /// The task that reads or writes was cancelled or has panicked, or the file's writer has ended.
    #[error("the process is ending")]
    Ending,
}

impl<E: Into<redb::Error>> From<E> for TableError {
    fn from(error: E) -> Self {
        Self::Store(Arc::new(error.into()))
    }
}
