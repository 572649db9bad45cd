//! Backups of identity's state.
//!
//! A backup is `state.redb`, copied while identity does not run: reservations, whose labels are whose, and the period secrets
//! *wrapped* ([`crate::wrapping`]). It holds neither `wrapping/` nor `daykeys/`: those are replicated, never backed up, and what is
//! destroyed there is destroyed in every backup. The writer's journal is not in it either: identity's chain goes on from the
//! log's own head.
//!
//! A restored state may be older than the log, and catches up with it ([`crate::catch_up`]), except for the secret of a period that
//! began since: back up at least daily. The replica comes first, a backup last.

use std::path::{Path, PathBuf};

use record::Period;

use crate::committer::StoreError;
use crate::state::IdentityState;
use crate::wrapping::{WrappingError, WrappingKeys};

const STATE_FILE: &str = "state.redb";
const WRAPPING_FOLDER: &str = "wrapping";

/// Why a backup or restoration was not made. Nothing that was there is changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The state cannot be opened: identity runs on it, or it is none.
    #[error("the state in {0} cannot be opened; end identity first: {1}")]
    State(PathBuf, StoreError),
    /// The target exists.
    #[error("{0} exists; nothing is overwritten")]
    Exists(PathBuf),
    /// Reading or writing failed.
    #[error("{0}: {1}")]
    Io(PathBuf, std::io::Error),
    /// The wrapping keys cannot be read.
    #[error(transparent)]
    Wrapping(#[from] WrappingError),
}

/// What a backup or a restored state holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Contents {
    /// Periods whose secret is in it.
    pub living: Vec<Period>,
    /// Those of them whose wrapping key is not in the data directory: identity will not start until the folder is back.
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
    // Opened for as long as it is copied: identity cannot start meanwhile.
    let state = open(&from)?;
    copy(&from, to)?;
    contents(&state, data, &from)
}

/// Copies a backup to `data`, where there is no state yet.
///
/// # Errors
/// [`BackupError`].
pub fn restore(from: &Path, data: &Path) -> Result<Contents, BackupError> {
    let to = data.join(STATE_FILE);
    std::fs::create_dir_all(data).map_err(|error| BackupError::Io(data.to_path_buf(), error))?;
    copy(from, &to)?;
    let checked = open(&to).and_then(|state| contents(&state, data, &to));
    if checked.is_err() {
        // It was not a backup; what was copied is ours to remove.
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
    let bytes = std::fs::read(from).map_err(|error| BackupError::Io(from.to_path_buf(), error))?;
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
