//! Where a log is read from: the read API of a ledger, or an export in a directory. Both have the same paths.
//!
//! A missing file is an answer, and usually a finding. A source that cannot be reached is a [`SourceError`] and ends
//! the audit without a verdict.

use std::path::{Path, PathBuf};

use text::Damage;

use super::bundle;
use super::layout::{self, TILE};
use super::remote::{Access, Remote};
use super::source_error::{MAX_FILE_BYTES, SourceError};

/// A place where a log can be read.
#[derive(Clone, Debug)]
pub enum Source {
    /// An export (`ledger export`).
    Directory(PathBuf),
    /// A ledger, or any server of the same files.
    Http(Remote),
}

impl Source {
    /// Opens a URL (`http://…`, `https://…`) or a directory.
    ///
    /// # Errors
    /// If there is no such directory, or no HTTP client can be set up.
    pub fn new(place: &str, access: Access) -> Result<Source, SourceError> {
        if place.starts_with("http://") || place.starts_with("https://") {
            Remote::new(place, access).map(Source::Http)
        } else {
            Source::directory(Path::new(place))
        }
    }

    /// Opens an export in a directory.
    ///
    /// # Errors
    /// If there is no such directory.
    pub fn directory(path: &Path) -> Result<Source, SourceError> {
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => Ok(Source::Directory(path.to_owned())),
            Ok(_) => Err(SourceError::new(format!("{} is not a directory", path.display()))),
            Err(error) => Err(SourceError::unreadable(path, &error)),
        }
    }

    /// The path, if the source is a directory.
    pub fn root(&self) -> Option<&Path> {
        match self {
            Source::Directory(root) => Some(root),
            Source::Http(_) => None,
        }
    }

    /// Whether concurrent reads make the audit faster.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Source::Http(_))
    }

    /// Reads the file at a path below the log's prefix. `None` if there is no such file.
    ///
    /// # Errors
    /// If the source cannot be reached. The caller may retry the audit.
    pub async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, SourceError> {
        match self {
            Source::Directory(root) => read_file(&root.join(path)),
            Source::Http(remote) => remote.read(path).await,
        }
    }

    /// Reads a checkpoint. It is text, so a checkout or a proxy may have changed it.
    ///
    /// # Errors
    /// As [`Source::read`]; [`SourceError::Unusable`] if it was changed as a whole.
    pub(crate) async fn checkpoint(&self, path: &str) -> Result<Option<Vec<u8>>, SourceError> {
        let read = self.read(path).await?;
        match read.as_deref().and_then(Damage::of_lines) {
            Some(damage) => Err(SourceError::damaged(path, damage)),
            None => Ok(read),
        }
    }

    /// Reads a tile in the form that the size implies. A log may delete a partial tile once the full one exists
    /// (tlog-tiles, TT-6); then the full tile is read and cut.
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(crate) async fn tile(&self, size: u64, level: u8, index: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let width = layout::tile_width(size, level, index);
        let read = self.read(&layout::tile_path(size, level, index)).await?;
        if read.is_some() || width == TILE {
            return Ok(read);
        }
        let full = self.read(&layout::full_tile_path(level, index)).await?;
        Ok(full.filter(|full| full.len() as u64 == TILE * 32).map(|mut full| {
            full.truncate(usize::try_from(width * 32).unwrap_or(0));
            full
        }))
    }

    /// Reads a bundle in the form that the size implies, or cuts it from the full one, like [`Source::tile`].
    ///
    /// # Errors
    /// As [`Source::read`].
    pub(crate) async fn bundle(&self, size: u64, index: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let width = layout::tile_width(size, 0, index);
        let read = self.read(&layout::bundle_path(size, index)).await?;
        if read.is_some() || width == TILE {
            return Ok(read);
        }
        let full = self.read(&layout::full_bundle_path(index)).await?;
        Ok(full.and_then(|full| bundle::cut(full, width)))
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
