//! Why a log cannot be read.

use std::path::Path;

use text::Damage;

/// Size of the longest possible file of a log, a full bundle of 256 entries of 65 535 bytes. Longer files are not read.
pub(super) const MAX_FILE_BYTES: u64 = 256 * (2 + 65_535);

/// There is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The log cannot be read now.
    #[error("{0}")]
    Unreachable(String),
    /// A file was damaged on its way and has to be fetched again.
    #[error("{0}")]
    Unusable(String),
}

impl SourceError {
    pub(super) fn new(text: String) -> Self {
        SourceError::Unreachable(text)
    }

    pub(super) fn damaged(place: &str, damage: Damage) -> Self {
        SourceError::Unusable(format!("{place} {damage}"))
    }

    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        SourceError::Unreachable(format!("{} cannot be read: {error}", path.display()))
    }

    pub(crate) fn task(error: tokio::task::JoinError) -> Self {
        SourceError::Unreachable(format!("reading was cancelled: {error}"))
    }
}
