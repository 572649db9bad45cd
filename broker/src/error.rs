//! Why the broker cannot start or must end.

use store::TableError;

/// Why the broker cannot start or must end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the configuration is missing or wrong.
    #[error("configuration: {0}")]
    Configuration(String),
    /// The ledger cannot be reached, or its log is not the trusted one.
    #[error("the log: {0}")]
    Log(String),
    /// The journal cannot be read or written. The broker forwards nothing without it.
    #[error("the journal: {0}")]
    Journal(#[from] TableError),
    /// The listener failed.
    #[error("listening: {0}")]
    Listen(#[from] std::io::Error),
}
