//! Why a log cannot be read.

use std::path::Path;

/// Size of the longest possible file of a log, a full bundle of 256 entries of 65 535 bytes. Longer files are not read.
pub(super) const MAX_FILE_BYTES: u64 = 256 * (2 + 65_535);

/// The log could not be read, so there is no verdict.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(String);

impl SourceError {
    pub(super) fn new(text: String) -> Self {
        SourceError(text)
    }

    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        SourceError(format!("{} cannot be read: {error}", path.display()))
    }

    pub(crate) fn task(error: tokio::task::JoinError) -> Self {
        SourceError(format!("reading was cancelled: {error}"))
    }
}
