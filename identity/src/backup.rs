//! Backup and restoration of identity's state.
//!
//! A backup is a copy of `state.redb`, made while identity is not running. It contains the reservations, the owners of
//! the labels, and the period secrets in wrapped form ([`crate::wrapping`]). It contains neither `wrapping/` nor
//! `daykeys/`. Those folders are replicated and never backed up, so that destroying a key in them takes effect in every
//! backup. It does not contain the writer's journal either, because identity's chain continues from the log's head.
//!
//! A restored state may be older than the log and catches up with it ([`crate::catch_up`]). The secret of a period that
//! began after the backup cannot be recovered, so back up at least daily. Prefer the replica to a backup.

use std::path::{Path, PathBuf};

use record::Period;

use crate::committer::StoreError;
use crate::state::IdentityState;
use crate::wrapping::{WrappingError, WrappingKeys};

const STATE_FILE: &str = "state.redb";
const WRAPPING_FOLDER: &str = "wrapping";

/// Why a backup or restoration failed. Existing files are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The state cannot be opened: identity is running, or the file is not a state.
    #[error("the state in {0} cannot be opened (identity must not be running): {1}")]
    State(PathBuf, StoreError),
    /// The target file exists.
    #[error("{0} already exists and is not overwritten")]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    Io(PathBuf, std::io::Error),
    /// The wrapping keys cannot be read.
    #[error(transparent)]
    Wrapping(#[from] WrappingError),
}

/// The contents of a backup or of a restored state.
#[derive(Debug, PartialEq, Eq)]
pub struct Contents {
    /// The periods whose secret it contains.
    pub living: Vec<Period>,
    /// Those of them whose wrapping key is not in the data directory. Identity does not start until the folder is
    /// restored.
    pub without_key: Vec<Period>,
}

/// Copies the state of `data` to the new file `to`.
///
/// # Errors
/// [`BackupError`].
pub fn backup(data: &Path, to: &Path) -> Result<Contents, BackupError> {
    let from = data.join(STATE_FILE);
    if !from.exists() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(BackupError::Io(from, missing));
    }
    ensure_absent(to)?;
    // The state stays open during the copy, so identity cannot start meanwhile.
    let state = open(&from)?;
    copy(&from, to)?;
    contents(&state, data, &from)
}

/// Copies a backup into `data`, which must not contain a state.
///
/// # Errors
/// [`BackupError`].
pub fn restore(from: &Path, data: &Path) -> Result<Contents, BackupError> {
    let to = data.join(STATE_FILE);
    service::durable::create_private_directory(data).map_err(|error| BackupError::Io(data.to_path_buf(), error))?;
    copy(from, &to)?;
    let checked = open(&to).and_then(|state| contents(&state, data, &to));
    if checked.is_err() {
        // The file was not a backup, so remove the copy.
        let _ = std::fs::remove_file(&to);
    }
    checked
}

fn open(path: &Path) -> Result<IdentityState, BackupError> {
    IdentityState::open(path).map_err(|error| BackupError::State(path.to_path_buf(), error))
}

fn ensure_absent(to: &Path) -> Result<(), BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_path_buf()));
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    ensure_absent(to)?;
    let bytes = service::durable::read_private(from).map_err(|error| BackupError::Io(from.to_path_buf(), error))?;
    service::durable::create_private(to, &bytes).map_err(|error| BackupError::Io(to.to_path_buf(), error))
}

fn contents(state: &IdentityState, data: &Path, path: &Path) -> Result<Contents, BackupError> {
    let rows = state
        .periods()
        .map_err(|error| BackupError::State(path.to_path_buf(), error))?;
    let living: Vec<Period> = rows
        .iter()
        .filter(|(_, row)| row.wrapped.is_some())
        .map(|(period, _)| *period)
        .collect();
    let keys = WrappingKeys::open(&data.join(WRAPPING_FOLDER))?;
    let mut without_key = Vec::new();
    for period in &living {
        if keys.get(*period)?.is_none() {
            without_key.push(*period);
        }
    }
    Ok(Contents { living, without_key })
}
