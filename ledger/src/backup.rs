//! `ledger backup` and `ledger restore`: copy the store row by row, and check the copy before it is put in place.
//!
//! A backup can be taken while the ledger runs. It has exactly the state that was durable when the source was opened. A
//! backup is a store of its own in `DIR/store`, written from scratch, so a damaged file of the source is not copied.
//! [`crate::check`] checks the copy; a copy that fails the check is removed.
//!
//! The rows of `Meta`, which include the head, are written last and synced. A cancelled copy therefore has no head and
//! cannot be opened as a log.
//!
//! **A backup does not contain the log's key, the writer key or the policy.** It is also old: new entries on it fork
//! the log if anyone has seen a newer checkpoint. Start-up refuses a store that is behind its own published checkpoint
//! or behind a witness. The ledger loses the entries since the backup; only writers' journals and exports may still
//! have them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use service::durable;

use crate::check::{Report, check_rows};
use crate::engine::rows::Rows;
use crate::server::{STORE, find_store};
use crate::store::copy::copy_column;
use crate::store::rocks::RocksStore;
use crate::store::{Column, Durability, Store, StoreError};

const MAX_ATTEMPTS: u32 = 3;

/// Why the store was not copied.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The source directory has no store.
    #[error("there is no ledger's store in {0}")]
    NoStore(PathBuf),
    /// The target exists.
    #[error("{0} exists: a store is never overwritten; move it away, or choose another directory")]
    Target(PathBuf),
    /// The copy failed the check.
    #[error(
        "the store is inconsistent, so it was not copied ({count} findings, the first: {first}); run `ledger check`"
    )]
    Damaged {
        /// The first finding.
        first: String,
        /// The number of findings.
        count: u64,
    },
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or directory cannot be written.
    #[error("cannot write the copy: {0}")]
    Io(#[from] io::Error),
}

/// Copies the store of the data directory `from` into the directory `to`, which must not have a store. Used by `backup`
/// and `restore`.
///
/// # Errors
/// [`BackupError`]. Nothing remains in `to` then.
pub fn copy(from: &Path, to: &Path) -> Result<Report, BackupError> {
    let source = find_store(from).ok_or_else(|| BackupError::NoStore(from.to_path_buf()))?;
    let target = to.join(STORE);
    if target.exists() {
        return Err(BackupError::Target(target));
    }
    let aside = to.join(format!("{STORE}.tmp-{}", std::process::id()));
    let mut attempt = 1;
    let copied = loop {
        match copy_once(&source, &aside) {
            // If the writer replaces files while they are opened, the reader may see a mixed state, which the check
            // detects.
            Err(BackupError::Damaged { .. } | BackupError::Store(_)) if attempt < MAX_ATTEMPTS => attempt += 1,
            done => break done,
        }
        std::fs::remove_dir_all(&aside)?;
    };
    let placed = copied.and_then(|report| {
        std::fs::rename(&aside, &target)?;
        durable::sync_directory_of(&target)?;
        Ok(report)
    });
    if placed.is_err() {
        // The incomplete copy is useless. The original error matters more than a failure to remove it.
        let _ = std::fs::remove_dir_all(&aside);
    }
    placed
}

fn copy_once(source: &Path, aside: &Path) -> Result<Report, BackupError> {
    let from = RocksStore::open_read_only(source)?;
    let to: Arc<dyn Store> = Arc::new(RocksStore::open(aside)?);
    copy_rows(&from, to.as_ref())?;
    let report = check_rows(&Rows::new(to))?;
    match report.findings.first_findings().first() {
        None => Ok(report),
        Some(first) => Err(BackupError::Damaged {
            first: first.clone(),
            count: report.findings.count(),
        }),
    }
}

fn copy_rows(from: &dyn Store, to: &dyn Store) -> Result<(), StoreError> {
    let but_meta = Column::ALL.into_iter().filter(|column| *column != Column::Meta);
    for column in but_meta {
        copy_column(from, to, column, None, Durability::Lazy)?;
    }
    copy_column(from, to, Column::Meta, None, Durability::Synced).map(drop)
}
