//! Where a log is read from: the read API of a ledger, or an export in a directory. Both have the same paths.
//!
//! A missing file is an answer, and usually a finding. A source that cannot be reached is a [`SourceError`] and ends
//! the audit without a verdict.

use std::path::{Path, PathBuf};

use service::http::{CallError, Client};
use service::secret::Credential;

/// Size of the longest possible file of a log, a full bundle of 256 entries of 65 535 bytes. Longer files are not read.
const MAX_FILE_BYTES: u64 = 256 * (2 + 65_535);

/// The log could not be read, so there is no verdict.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SourceError(String);

impl SourceError {
    pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        SourceError(format!("{} cannot be read: {error}", path.display()))
    }

    pub(crate) fn task(error: tokio::task::JoinError) -> Self {
        SourceError(format!("reading was cancelled: {error}"))
    }
}

/// A place where a log can be read.
#[derive(Clone, Debug)]
pub enum Source {
    /// An export (`ledger export`).
    Directory(PathBuf),
    /// A ledger's base URL without trailing slash, and a client (with a credential if records are to be read).
    Http(String, Client),
}

impl Source {
    /// Opens a URL (`http://…`, `https://…`) or a directory.
    ///
    /// # Errors
    /// If there is no such directory, or no HTTP client can be set up.
    pub fn new(place: &str, credential: Option<Credential>) -> Result<Source, SourceError> {
        if !place.starts_with("http://") && !place.starts_with("https://") {
            return Source::directory(Path::new(place));
        }
        let client = Client::new().map_err(|error| SourceError(error.to_string()))?;
        let client = match credential {
            Some(credential) => client.with_credential(credential),
            None => client,
        };
        Ok(Source::Http(place.trim_end_matches('/').to_owned(), client))
    }

    /// Opens an export in a directory.
    ///
    /// # Errors
    /// If there is no such directory.
    pub fn directory(path: &Path) -> Result<Source, SourceError> {
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => Ok(Source::Directory(path.to_owned())),
            Ok(_) => Err(SourceError(format!("{} is not a directory", path.display()))),
            Err(error) => Err(SourceError::unreadable(path, &error)),
        }
    }

    /// The path, if the source is a directory.
    pub fn root(&self) -> Option<&Path> {
        match self {
            Source::Directory(root) => Some(root),
            Source::Http(..) => None,
        }
    }

    /// Whether concurrent reads make the audit faster.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Source::Http(..))
    }

    /// Reads the file at a path below the log's prefix. `None` if there is no such file.
    ///
    /// # Errors
    /// If the source cannot be reached. The caller may retry the audit.
    pub async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, SourceError> {
        match self {
            Source::Directory(root) => read_file(&root.join(path)),
            Source::Http(base, client) => match client.get_optional(&format!("{base}/{path}")).await {
                Ok(body) => Ok(body),
                Err(CallError::Refused(problem)) if problem.status == 401 || problem.status == 403 => Err(SourceError(
                    format!("{base}/{path} needs a credential (--credential FILE)"),
                )),
                Err(error) => Err(SourceError(format!("{base}/{path}: {error}"))),
            },
        }
    }
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>, SourceError> {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    // A link could lead to a file outside of the export. The listing reports it, and here it counts as missing.
    match std::fs::symlink_metadata(path) {
        Ok(meta) if !meta.is_file() || meta.len() > MAX_FILE_BYTES => return Ok(None),
        _ => {}
    }
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | IsADirectory) => Ok(None),
        Err(error) => Err(SourceError::unreadable(path, &error)),
    }
}
