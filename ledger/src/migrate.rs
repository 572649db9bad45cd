//! `ledger migrate`: moves a log from one store to another, for example from RocksDB to PostgreSQL.
//!
//! One log has one sequencer. If both stores were served after a move, the log would fork, so at every moment at most
//! one of them can be: each has a mark ([`Mark`]) that opening a log obeys.
//!
//! | Step | Source | Target |
//! | --- | --- | --- |
//! | 1. both are opened for writing, so neither is served | – | – |
//! | 2. the target is marked | – | arriving |
//! | 3. the log is checked as by `ledger check`; all rows are copied, and both stores are compared | – | arriving |
//! | 4. the source is marked | moved | arriving |
//! | 5. the target is marked | moved | arrived |
//!
//! A move that was interrupted is repeated with the same command. Before step 4 the source may be served meanwhile: the
//! copy is compared again and follows it.
//!
//! A check reads many single rows, which takes long over a network. It is therefore made on the store that is in this
//! process; the comparison shows that it holds for the other one.
//!
//! `--undo` moves the log back as long as the target has no new entry: the target is marked as moved, and then the mark
//! of the source is removed. Later, a move back is a move of its own, into an empty store.

use std::path::Path;

use service::secret::{self, SecretError};

use crate::check::{Report, check_rows};
use crate::config::{Config, ConfigError, StoreConfig};
use crate::engine::mark::{KEY, Mark};
use crate::engine::rows::{Rows, TreeHead};
use crate::failpoints::{Point, reach};
use crate::server::{STORE, open_store};
use crate::store::copy::{copy_column, count_differences, is_empty};
use crate::store::{Column, Durability, StoreError};

/// Why the log was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configurations are of two logs.
    #[error("the configurations are of two logs: `{0}` must be the same in both")]
    Different(&'static str),
    /// The source has no log.
    #[error("there is no log in {0}")]
    NoLog(String),
    /// The store cannot be opened for writing.
    #[error("{0} cannot be opened; stop the ledger that uses it: {1}")]
    Open(String, StoreError),
    /// The target has rows of something else.
    #[error("{0} is not empty: choose an empty directory or database")]
    Occupied(String),
    /// The source is an incomplete copy.
    #[error("{0} has an incomplete copy of a log: move the log from its source")]
    Incomplete(String),
    /// The source was moved to another store.
    #[error("the log in {0} was moved to {1}: move it from there")]
    Moved(String, String),
    /// The log is inconsistent.
    #[error("the log is inconsistent, so it was not moved ({count} findings, the first: {first}); run `ledger check`")]
    Damaged {
        /// The first finding.
        first: String,
        /// The number of findings.
        count: u64,
    },
    /// The target does not return what was written to it.
    #[error("{0} has other rows of `{1}` than were written to it; nothing was moved")]
    Differs(String, &'static str),
    /// The target does not have the source's head.
    #[error("{0} does not have the head of {1}; nothing was moved")]
    Head(String, String),
    /// There is no move that could be undone.
    #[error("the log was not moved from {0} to {1}")]
    NotMoved(String, String),
    /// The target has new entries.
    #[error("the log has new entries since it was moved to {0}: move it back with `migrate` into an empty store")]
    Grown(String),
    /// There are no random numbers.
    #[error(transparent)]
    Random(#[from] SecretError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A store that is open for writing, its name in messages, and whether it is in this process.
struct Side {
    name: String,
    rows: Rows,
    embedded: bool,
}

impl Side {
    fn open(config: &Config, must_exist: bool) -> Result<Self, MigrateError> {
        let name = name(config);
        if must_exist && matches!(config.store, StoreConfig::Rocks) && !config.data.join(STORE).is_dir() {
            return Err(MigrateError::NoLog(name));
        }
        match open_store(config) {
            Ok(store) => Ok(Self {
                rows: Rows::new(store),
                embedded: matches!(config.store, StoreConfig::Rocks),
                name,
            }),
            Err(error) => Err(MigrateError::Open(name, error)),
        }
    }

    fn mark(&self) -> Result<Option<Mark>, StoreError> {
        Mark::of(&self.rows)
    }

    fn head(&self) -> Result<TreeHead, MigrateError> {
        self.rows.head()?.ok_or_else(|| MigrateError::NoLog(self.name.clone()))
    }
}

/// The store of a configuration, in words.
fn name(config: &Config) -> String {
    match &config.store {
        StoreConfig::Rocks => format!("RocksDB in {}", absolute(&config.data).display()),
        StoreConfig::Postgres(store) => format!("PostgreSQL ({}, database {})", store.hosts.join(", "), store.database),
    }
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// The stores of both configurations, opened for writing. The same ledger must be able to run with either.
fn open_both(from: &Config, to: &Config) -> Result<(Side, Side), MigrateError> {
    if from.origin != to.origin {
        return Err(MigrateError::Different("origin"));
    }
    if from.genesis != to.genesis {
        return Err(MigrateError::Different("genesis"));
    }
    to.policy()?;
    Ok((Side::open(from, true)?, Side::open(to, false)?))
}

/// Moves the log from the store of one configuration to that of another. `progress` is called with each column and its
/// number of rows once it has been copied. Returns the head of the log.
///
/// # Errors
/// [`MigrateError`]. The source can be served as before then, unless this or an earlier call has marked it.
pub fn migrate(from: &Config, to: &Config, progress: &mut dyn FnMut(&str, u64)) -> Result<TreeHead, MigrateError> {
    let (from, to) = open_both(from, to)?;
    move_log(&from, &to, progress)
}

/// Moves the log back to the store it came from, as long as it has no new entry. Returns the head of the log.
///
/// # Errors
/// [`MigrateError`].
pub fn undo(from: &Config, to: &Config, progress: &mut dyn FnMut(&str, u64)) -> Result<TreeHead, MigrateError> {
    let (from, to) = open_both(from, to)?;
    move_back(&from, &to, progress)
}

/// How far a move has come.
enum Stage {
    /// The rows are to be copied.
    Copying(String),
    /// The source is marked; the target is not.
    Leaving(String),
    Done,
}

fn move_log(from: &Side, to: &Side, progress: &mut dyn FnMut(&str, u64)) -> Result<TreeHead, MigrateError> {
    let head = from.head()?;
    let id = match stage(from, to)? {
        Stage::Done => return Ok(head),
        Stage::Leaving(id) => id,
        Stage::Copying(id) => {
            if from.embedded {
                check(&check_rows(&from.rows)?)?;
            }
            copy_all(from, to, progress)?;
            compare_all(from, to)?;
            if to.embedded || !from.embedded {
                check(&check_rows(&to.rows)?)?;
            }
            reach(Point::Copied);
            id
        }
    };
    if to.rows.head()? != Some(head) {
        return Err(MigrateError::Head(to.name.clone(), from.name.clone()));
    }
    Mark::set(&from.rows, Some(&Mark::Moved(id.clone(), to.name.clone())))?;
    reach(Point::SourceMarked);
    Mark::set(&to.rows, Some(&Mark::Arrived(id)))?;
    Ok(head)
}

/// Finds out how far the move has come. Marks an empty target.
fn stage(from: &Side, to: &Side) -> Result<Stage, MigrateError> {
    Ok(match (from.mark()?, to.mark()?) {
        (Some(Mark::Moved(id, _)), Some(Mark::Arriving(other))) if id == other => Stage::Leaving(id),
        (Some(Mark::Moved(id, _)), Some(Mark::Arrived(other))) if id == other => Stage::Done,
        (Some(Mark::Moved(_, place)), _) => return Err(MigrateError::Moved(from.name.clone(), place)),
        (Some(Mark::Arriving(_)), _) => return Err(MigrateError::Incomplete(from.name.clone())),
        (_, Some(Mark::Arriving(id))) => Stage::Copying(id),
        (_, None) if is_empty(to.rows.store().as_ref())? => {
            let id = hex::encode(&secret::random()?[..16]);
            Mark::set(&to.rows, Some(&Mark::Arriving(id.clone())))?;
            Stage::Copying(id)
        }
        _ => return Err(MigrateError::Occupied(to.name.clone())),
    })
}

/// Copies all rows but the mark. The last write, of the rows of `Meta` with the head, is synced.
fn copy_all(from: &Side, to: &Side, progress: &mut dyn FnMut(&str, u64)) -> Result<(), StoreError> {
    let (source, target) = (from.rows.store().as_ref(), to.rows.store().as_ref());
    let but_meta = Column::ALL.into_iter().filter(|column| *column != Column::Meta);
    for column in but_meta {
        let rows = copy_column(source, target, column, None, Durability::Lazy)?;
        progress(column.name(), rows);
    }
    let rows = copy_column(source, target, Column::Meta, Some(KEY), Durability::Synced)?;
    progress(Column::Meta.name(), rows);
    Ok(())
}

fn compare_all(from: &Side, to: &Side) -> Result<(), MigrateError> {
    let (source, target) = (from.rows.store().as_ref(), to.rows.store().as_ref());
    for column in Column::ALL {
        if count_differences(source, target, column, Some(KEY))? > 0 {
            return Err(MigrateError::Differs(to.name.clone(), column.name()));
        }
    }
    Ok(())
}

fn check(report: &Report) -> Result<(), MigrateError> {
    match report.findings.first_findings().first() {
        None => Ok(()),
        Some(first) => Err(MigrateError::Damaged {
            first: first.clone(),
            count: report.findings.count(),
        }),
    }
}

fn move_back(from: &Side, to: &Side, progress: &mut dyn FnMut(&str, u64)) -> Result<TreeHead, MigrateError> {
    let not_moved = || MigrateError::NotMoved(from.name.clone(), to.name.clone());
    let (Some(Mark::Moved(id, _)), Some(Mark::Arrived(other) | Mark::Moved(other, _))) = (from.mark()?, to.mark()?)
    else {
        return Err(not_moved());
    };
    if id != other {
        return Err(not_moved());
    }
    let head = from.head()?;
    if to.rows.head()? != Some(head) {
        return Err(MigrateError::Grown(to.name.clone()));
    }
    // Without a new entry, checkpoints may have been published, and records been erased.
    copy_all(to, from, progress)?;
    Mark::set(&to.rows, Some(&Mark::Moved(id, from.name.clone())))?;
    reach(Point::SourceMarked);
    Mark::set(&from.rows, None)?;
    Ok(head)
}

#[cfg(test)]
#[path = "migrate_tests.rs"]
mod tests;
