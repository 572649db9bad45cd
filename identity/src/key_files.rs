//! A folder of keys, each in a file of its own, so that each can be destroyed separately.
//!
//! ```text
//! NAME.key      32 random bytes, hex (service::secret), readable for the owner only
//! NAME.gone     a key that is being destroyed; its content is never used
//! ```
//!
//! Such a folder is replicated but never backed up, so that destroying a key takes effect for every copy of the data
//! encrypted under it.
//!
//! A complete key is on disk before it is handed out. Destroying a key renames the file, overwrites it and unlinks it.
//! A crash in between leaves a `.gone` file, which the next start removes. This module cannot erase copies of
//! overwritten blocks that a disk, a file system or a hypervisor keeps; the folder needs storage that keeps none.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use service::durable;
use service::secret::{SecretError, random, read_seed};
use zeroize::Zeroizing;

const KEY_EXTENSION: &str = "key";
const GONE_EXTENSION: &str = "gone";

/// Why a key cannot be read, created or destroyed.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The folder or a file in it cannot be read or written.
    #[error("the key file {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is not a key file, or no random bytes are available.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// The folder of keys.
#[derive(Debug, Clone)]
pub(crate) struct KeyFolder {
    folder: PathBuf,
}

impl KeyFolder {
    /// Opens or creates the folder, and completes interrupted destructions.
    pub(crate) fn open(folder: &Path) -> Result<Self, KeyFileError> {
        durable::create_private_directory(folder).map_err(|source| io_error(folder, source))?;
        let this = Self {
            folder: folder.to_path_buf(),
        };
        for path in this.files()? {
            if path.extension().is_some_and(|extension| extension == GONE_EXTENSION) {
                erase(&path)?;
            }
        }
        Ok(this)
    }

    /// The names of all keys, in unspecified order.
    pub(crate) fn names(&self) -> Result<Vec<String>, KeyFileError> {
        let keys = self
            .files()?
            .into_iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == KEY_EXTENSION));
        Ok(keys
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect())
    }

    /// The key of that name. `None` if it was never created, if it was destroyed, or if this is the wrong folder.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Zeroizing<[u8; 32]>>, KeyFileError> {
        let path = self.path(name, KEY_EXTENSION);
        match path.try_exists() {
            Ok(false) => Ok(None),
            Ok(true) => Ok(Some(Zeroizing::new(read_seed(&path)?))),
            Err(source) => Err(io_error(&path, source)),
        }
    }

    /// The key of that name, created if it does not exist. The caller must not create keys concurrently.
    pub(crate) fn make(&self, name: &str) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
        if let Some(key) = self.get(name)? {
            return Ok(key);
        }
        let key = Zeroizing::new(random()?);
        let text = Zeroizing::new(format!("{}\n", hex::encode(*key)));
        let path = self.path(name, KEY_EXTENSION);
        durable::write_private(&path, text.as_bytes()).map_err(|source| io_error(&path, source))?;
        Ok(key)
    }

    /// Destroys the key of that name. Does nothing if it does not exist. After an error the key may still exist, so
    /// retry.
    pub(crate) fn destroy(&self, name: &str) -> Result<(), KeyFileError> {
        let (path, gone) = (self.path(name, KEY_EXTENSION), self.path(name, GONE_EXTENSION));
        match std::fs::rename(&path, &gone) {
            Ok(()) => durable::sync_directory_of(&gone).map_err(|source| io_error(&gone, source))?,
            Err(source) if source.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(io_error(&path, source)),
        }
        erase(&gone)
    }

    fn path(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{name}.{extension}"))
    }

    fn files(&self) -> Result<Vec<PathBuf>, KeyFileError> {
        let read = std::fs::read_dir(&self.folder).and_then(|entries| {
            let paths = entries.map(|entry| entry.map(|entry| entry.path()));
            paths.collect::<io::Result<Vec<_>>>()
        });
        read.map_err(|source| io_error(&self.folder, source))
    }
}

/// Overwrites and unlinks a file, if it exists.
fn erase(path: &Path) -> Result<(), KeyFileError> {
    let erased = (|| {
        let length = std::fs::metadata(path)?.len();
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.write_all(&vec![0; usize::try_from(length).unwrap_or(0)])?;
        file.sync_all()?;
        std::fs::remove_file(path)?;
        durable::sync_directory_of(path)
    })();
    match erased {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(io_error(path, source)),
        _ => Ok(()),
    }
}

fn io_error(path: &Path, source: io::Error) -> KeyFileError {
    KeyFileError::Io {
        path: path.to_path_buf(),
        source,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_destroyed_key_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = KeyFolder::open(dir.path()).unwrap();
        let key = folder.make("one").unwrap();
        assert_eq!(*folder.make("one").unwrap(), *key);
        assert_eq!(folder.names().unwrap(), ["one"]);
        folder.destroy("one").unwrap();
        folder.destroy("one").unwrap();
        assert!(folder.get("one").unwrap().is_none() && folder.names().unwrap().is_empty());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_ne!(*folder.make("one").unwrap(), *key);
    }

    #[test]
    fn a_key_that_others_may_reach_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let chmod = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let dir = tempfile::tempdir().unwrap();
        let folder = KeyFolder::open(dir.path()).unwrap();
        folder.make("one").unwrap();
        chmod(&dir.path().join("one.key"), 0o644);
        let error = folder.get("one").unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    /// A crash may happen after the renaming, during overwriting, and while a key is being created.
    #[test]
    fn files_left_by_a_crash_are_not_keys_and_do_not_block_new_keys() {
        let dir = tempfile::tempdir().unwrap();
        for left in ["one.gone", "two.gone", "three.key.tmp"] {
            std::fs::write(dir.path().join(left), [0; 9]).unwrap();
        }
        let folder = KeyFolder::open(dir.path()).unwrap();
        assert!(folder.names().unwrap().is_empty());
        assert!(folder.get("one").unwrap().is_none());
        folder.make("three").unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
