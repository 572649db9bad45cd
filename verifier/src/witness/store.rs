//! The last cosigned checkpoint of each log, stored durably.

use std::fs::File;
use std::path::{Path, PathBuf};

use tlog::Hash;
use tlog::checkpoint::{Checkpoint, Origin};
use tlog::merkle::Size;
use tlog::note::{Note, VerifierKey};

/// Why the state cannot be used. Deleting the file is no repair in any of these cases, because it would roll the
/// witness back.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointStoreError {
    /// The directory or a file cannot be read or written.
    #[error("state {path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process uses the directory.
    #[error("another witness uses the state directory {0}")]
    InUse(PathBuf),
    /// A file does not hold a checkpoint that this witness has cosigned. It must be restored from a copy.
    #[error("state {0} is not a checkpoint of its log that this witness has cosigned")]
    Damaged(PathBuf),
}

/// The state directory, locked for this process.
#[derive(Debug)]
pub(crate) struct CheckpointStore {
    directory: PathBuf,
    /// Keeps the lock until the store is dropped.
    _lock: File,
}

impl CheckpointStore {
    pub(crate) fn open(directory: &Path) -> Result<CheckpointStore, CheckpointStoreError> {
        let io = |source| CheckpointStoreError::Io {
            path: directory.to_owned(),
            source,
        };
        std::fs::create_dir_all(directory).map_err(io)?;
        let lock = File::create(directory.join("lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(CheckpointStore {
                directory: directory.to_owned(),
                _lock: lock,
            }),
            Err(std::fs::TryLockError::WouldBlock) => Err(CheckpointStoreError::InUse(directory.to_owned())),
            Err(std::fs::TryLockError::Error(source)) => Err(io(source)),
        }
    }

    fn path(&self, origin: &Origin) -> PathBuf {
        self.directory.join(format!("{}.checkpoint", origin.hash()))
    }

    /// Reads the stored note with its size and root. `own` must have cosigned it.
    pub(crate) fn read(
        &self,
        origin: &Origin,
        own: &VerifierKey,
    ) -> Result<Option<StoredCheckpoint>, CheckpointStoreError> {
        let path = self.path(origin);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(CheckpointStoreError::Io { path, source }),
        };
        let stored = StoredCheckpoint::parse(bytes, origin, own).ok_or(CheckpointStoreError::Damaged(path))?;
        Ok(Some(stored))
    }

    /// Replaces the note durably: it is on disk when this returns.
    pub(crate) fn write(&self, origin: &Origin, note: &str) -> Result<(), CheckpointStoreError> {
        let path = self.path(origin);
        service::durable::write_atomic(&path, note.as_bytes())
            .map_err(|source| CheckpointStoreError::Io { path, source })
    }
}

/// The checkpoint that was cosigned last.
#[derive(Clone, Debug)]
pub(crate) struct StoredCheckpoint {
    pub(crate) size: Size,
    pub(crate) root: Hash,
    pub(crate) note: String,
}

impl StoredCheckpoint {
    fn parse(bytes: Vec<u8>, origin: &Origin, own: &VerifierKey) -> Option<StoredCheckpoint> {
        let note = Note::open(&bytes, &[own]).ok()?;
        let checkpoint: Checkpoint = note.text().parse().ok()?;
        let note = String::from_utf8(bytes).ok()?;
        (checkpoint.origin == *origin).then_some(StoredCheckpoint {
            size: checkpoint.size,
            root: checkpoint.root,
            note,
        })
    }
}
