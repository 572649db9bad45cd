//! Small files whose replacement is atomic: the new content is written to a temporary file, synced, renamed, and the
//! directory synced. After a crash at any point the file has either its old or its new content.
//!
//! A *private* file or directory holds secrets: keys, credentials, or the state of a compartment. It is created with
//! mode 0600 or 0700, whatever the umask. When it is opened and others may reach it, it is refused with [`Exposed`] and
//! not narrowed, because its secrets may have been read and only an operator can decide what to do about that. Each
//! process opens its own directory with [`private_directory`] when it starts.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// A private file or directory that others may reach. The functions of this module return it within an [`io::Error`]
/// of the kind [`io::ErrorKind::PermissionDenied`].
#[derive(Debug, thiserror::Error)]
#[error("others may reach {}: run `chmod {mode} '{}'`, and replace the secrets in it if they may have been read",
    path.display(), path.display())]
pub struct Exposed {
    /// The file or directory.
    pub path: PathBuf,
    /// The mode that it must have, in octal digits.
    mode: &'static str,
}

impl From<Exposed> for io::Error {
    fn from(exposed: Exposed) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, exposed)
    }
}

/// Replaces the file at `path`; the umask decides who may read it.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, 0o644)
}

/// Replaces the file at `path`; only its owner may read it.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, 0o600)
}

/// Creates the file at `path`, which must not exist yet; only its owner may read it.
pub fn create_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_directory_of(path)
}

/// Reads the file at `path`, which must be private.
pub fn read_private(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    refuse_exposed(path, &metadata)?;
    // Room for the whole content, so that no copy is left behind when the buffer grows.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens the file at `path` for reading and writing. It is created if it is missing, and must be private otherwise.
pub fn open_private(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().read(true).write(true))
}

/// Opens the file at `path` for appending. It is created if it is missing, and must be private otherwise.
pub fn append_private(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().append(true))
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = options.create(true).truncate(false).mode(0o600).open(path)?;
    refuse_exposed(path, &file.metadata()?)?;
    Ok(file)
}

/// Creates the directory at `path` and its missing parents with mode 0700. Does nothing if the directory exists,
/// whatever its mode.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates the directory at `path` like [`create_private_directory`]. If the directory exists, it must be private.
pub fn private_directory(path: &Path) -> io::Result<()> {
    create_private_directory(path)?;
    refuse_exposed(path, &std::fs::metadata(path)?)
}

fn refuse_exposed(path: &Path, metadata: &Metadata) -> io::Result<()> {
    if metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::from(Exposed {
        path: path.to_path_buf(),
        mode: if metadata.is_dir() { "700" } else { "600" },
    }))
}

fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let mut aside = name.to_os_string();
    aside.push(".tmp");
    let aside = path.with_file_name(aside);
    match std::fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&aside, path)?;
    sync_directory_of(path)
}

/// Makes creation, renaming or removal of `path` durable.
pub fn sync_directory_of(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn chmod(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Fails if the umask decides the mode. 022 is the umask of most systems, and that of a test may be stricter.
    #[test]
    fn private_files_and_directories_are_created_for_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (parent, inner) = (dir.path().join("a"), dir.path().join("a/b"));
        create_private_directory(&inner).unwrap();
        assert_eq!((mode(&parent), mode(&inner)), (0o700, 0o700));
        let path = |name: &str| inner.join(name);
        open_private(&path("opened")).unwrap();
        append_private(&path("appended")).unwrap();
        create_private(&path("created"), b"").unwrap();
        write_private(&path("written"), b"").unwrap();
        for name in ["opened", "appended", "created", "written"] {
            assert_eq!(mode(&path(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn files_and_directories_that_others_may_reach_are_refused_and_stay_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        let directory = dir.path().join("directory");
        create_private(&file, b"secret").unwrap();
        create_private_directory(&directory).unwrap();
        assert_eq!(read_private(&file).unwrap().as_slice(), b"secret");
        for group_or_others in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
            chmod(&file, 0o600 | group_or_others);
            chmod(&directory, 0o700 | group_or_others);
            let commands = [
                (read_private(&file).map(|_| ()), "chmod 600", &file),
                (open_private(&file).map(|_| ()), "chmod 600", &file),
                (append_private(&file).map(|_| ()), "chmod 600", &file),
                (private_directory(&directory), "chmod 700", &directory),
            ];
            for (result, command, path) in commands {
                let error = result.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
                let command = format!("{command} '{}'", path.display());
                assert!(error.to_string().contains(&command), "{error}");
            }
            assert_eq!(
                (mode(&file), mode(&directory)),
                (0o600 | group_or_others, 0o700 | group_or_others)
            );
        }
        chmod(&file, 0o400);
        assert_eq!(
            read_private(&file).unwrap().as_slice(),
            b"secret",
            "its owner may have less"
        );
    }

    #[test]
    fn a_replacement_is_complete_and_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        write_atomic(&path, b"one").unwrap();
        std::fs::write(dir.path().join("state.tmp"), b"left by a crash").unwrap();
        write_private(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn create_private_does_not_overwrite_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create_private(&path, b"one").unwrap();
        assert_eq!(
            create_private(&path, b"two").unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
    }
}
