//! `ledger backup` and `ledger restore`: a copy of the store, row by row, that is checked before it counts.
//!
//! A backup is taken beside a running ledger: the reader sees the state that was durable when it opened, and nothing later. It is
//! a store of its own in `DIR/store`, freshly written, so a damaged file of the old one is not carried along. Whatever is in it was
//! compared by [`crate::check`]; a copy that does not pass is removed again.
//!
//! The rows of `Meta`, the head among them, come last and synced: a copy that was broken off is no log.
//!
//! **A backup does not hold the log's key, the writer key and the policy.** And it is old: a log that goes on from it when
//! anybody has seen a newer checkpoint would fork. Start-up refuses a store behind its own published checkpoint or behind a witness; the
//! entries since then are lost to this ledger, and only writers' journals and exports may still have them.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use service::durable;

use crate::check::{Report, check_rows};
use crate::engine::rows::Rows;
use crate::server::{STORE, store_below};
use crate::store::rocks::RocksStore;
use crate::store::{Batch, Column, Durability, END, Store, StoreError};

const MAX_ATTEMPTS: u32 = 3;
/// Bytes that are written at once.
const WRITE_CHUNK: usize = 4 << 20;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no store.
    #[error("there is no ledger's store in {0}")]
    NoStore(PathBuf),
    /// The target is in use.
    #[error("{0} exists: a store is never overwritten; move it away, or choose another directory")]
    Target(PathBuf),
    /// The source is damaged.
    #[error(
        "the store contradicts itself, so it was not copied ({count} findings, the first: {first}); run `ledger check`"
    )]
    Damaged {
        /// The first finding.
        first: String,
        /// How many there are.
        count: u64,
    },
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Files.
    #[error("cannot write the copy: {0}")]
    Io(#[from] io::Error),
}

/// Copies the store of the data directory `from` into the directory `to`, which must not hold one. Both `backup` and `restore`.
///
/// # Errors
/// [`BackupError`]. Nothing is left in `to` then.
pub fn copy(from: &Path, to: &Path) -> Result<Report, BackupError> {
    let source = store_below(from).ok_or_else(|| BackupError::NoStore(from.to_path_buf()))?;
    let target = to.join(STORE);
    if target.exists() {
        return Err(BackupError::Target(target));
    }
    std::fs::create_dir_all(to)?;
    let aside = to.join(format!("{STORE}.tmp-{}", std::process::id()));
    let mut attempt = 1;
    let copied = loop {
        match copy_once(&source, &aside) {
            // A reader that opens while a writer replaces its files may see two moments at once. The check notices.
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
        // What was written is of no use; the reason matters more than whether it could be removed.
        let _ = std::fs::remove_dir_all(&aside);
    }
    placed
}

fn copy_once(source: &Path, aside: &Path) -> Result<Report, BackupError> {
    let from = RocksStore::open_read_only(source)?;
    std::fs::create_dir_all(aside)?;
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
        copy_column(from, to, column, Durability::Lazy)?;
    }
    copy_column(from, to, Column::Meta, Durability::Synced)
}

fn copy_column(from: &dyn Store, to: &dyn Store, column: Column, durability: Durability) -> Result<(), StoreError> {
    let (mut batch, mut bytes, mut failed) = (Batch::default(), 0, None);
    from.scan(column, &[], &END, &mut |key, value| {
        batch.put(column, key, value);
        bytes += key.len() + value.len();
        if bytes < WRITE_CHUNK {
            return ControlFlow::Continue(());
        }
        bytes = 0;
        match to.write(&std::mem::take(&mut batch), durability) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    match failed {
        Some(error) => Err(error),
        None => to.write(&batch, durability),
    }
}
