//! A redb file that only its owner may read.
//!
//! * **Private.** A file is created with mode 0600, and a missing directory with 0700. A file with a wider mode is
//!   refused ([`durable::Exposed`]), because its rows may have been read. The process that owns an existing directory
//!   checks its mode ([`durable::private_directory`]).
//! * **Exclusive.** A second process that opens the file gets an error. Two processes with one file would each act on
//!   rows that the other one changes.
//! * **Small.** Room of removed rows is used again, and a start gives it back to the disk.
//! * **Durable.** redb syncs a transaction before its commit returns. After a crash the file shows either all or
//!   nothing of a transaction.
//!
//! Concurrent writes share a transaction and its sync ([`crate::group_commit`]). Reads run on tokio's blocking pool,
//! because redb reads the disk on the calling thread.
//!
//! [`TableFile`] gives redb's own transactions to identity and the ledger's client, whose files are never in a
//! database. Others use [`crate::Store`].

use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Database, ReadTransaction, ReadableDatabase, WriteTransaction};
use service::durable;

use crate::error::TableError;
use crate::group_commit::GroupCommit;

/// The memory that a file may use for its pages. The default of redb, 1 GiB, would let every file fill it: pages that
/// were written once stay cached until there is no room for them.
const CACHE_BYTES: usize = 16 << 20;

/// A redb file. Clones share the open file; it is closed when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct TableFile {
    // Ends before the database is closed.
    writer: Arc<GroupCommit<Arc<Database>>>,
    database: Arc<Database>,
}

impl TableFile {
    /// Opens the file at `path`, or creates it and its directory.
    ///
    /// # Errors
    /// [`TableError::File`] and [`TableError::Store`]; the latter also when another process has opened the file.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            |source| TableError::File {
                path,
                source: Arc::new(source),
            }
        };
        if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            durable::create_private_directory(directory).map_err(failed(directory))?;
        }
        let file = durable::open_private(path).map_err(failed(path))?;
        let mut database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(FileBackend::new(file)?)?;
        // Removed rows leave room that later ones fill, but the file keeps its length until here: while it is in use,
        // every writer would have to wait.
        database.compact()?;
        let database = Arc::new(database);
        let writer = GroupCommit::start(database.clone()).map_err(redb::Error::Io)?;
        Ok(Self {
            writer: Arc::new(writer),
            database,
        })
    }

    /// Begins a transaction that reads one consistent state of the file. Blocks on the disk.
    ///
    /// # Errors
    /// [`TableError::Store`].
    pub fn begin_read(&self) -> Result<ReadTransaction, TableError> {
        Ok(self.database.begin_read()?)
    }

    /// Begins the one transaction that may write; waits for the end of another one. Blocks on the disk.
    ///
    /// # Errors
    /// [`TableError::Store`].
    pub fn begin_write(&self) -> Result<WriteTransaction, TableError> {
        Ok(self.database.begin_write()?)
    }

    /// Runs `change` in a transaction and commits it; the transaction is on disk on return. Blocks on the disk.
    ///
    /// # Errors
    /// The error of `change`, or [`TableError::Store`]. Nothing is committed in either case.
    pub fn write<T, E: From<TableError>>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.begin_write()?;
        let value = change(&transaction)?;
        transaction.commit().map_err(TableError::from)?;
        Ok(value)
    }

    /// Runs `change` in one transaction with all other changes that wait, and returns when it is on disk. The inner
    /// error is that of `change`; it aborts the changes of the same transaction too, so a change that only refuses
    /// returns its refusal as a value. The change takes place also when the caller stops waiting.
    ///
    /// # Errors
    /// [`TableError`]; then nothing is committed.
    pub async fn commit<T: Send + 'static, E: Send + 'static>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, TableError> {
        self.writer.write(change).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use redb::TableDefinition;

    use super::*;

    const ROWS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("rows");

    #[test]
    fn a_start_gives_the_room_of_removed_rows_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.redb");
        let file = TableFile::open(&path).unwrap();
        let fill = |transaction: &WriteTransaction| -> Result<(), TableError> {
            let mut table = transaction.open_table(ROWS)?;
            for key in 0..2000 {
                table.insert(key, [1; 4000].as_slice())?;
            }
            Ok(())
        };
        file.write(fill).unwrap();
        file.write(|transaction| -> Result<(), TableError> {
            Ok(transaction.open_table(ROWS)?.retain(|key, _| key == 7)?)
        })
        .unwrap();
        drop(file);
        let full = std::fs::metadata(&path).unwrap().len();
        let file = TableFile::open(&path).unwrap();
        let kept = std::fs::metadata(&path).unwrap().len();
        assert!(full > 8_000_000 && kept < full / 4, "{full} {kept}");
        let table = file.begin_read().unwrap().open_table(ROWS).unwrap();
        assert_eq!(table.get(7).unwrap().unwrap().value(), [1; 4000]);
    }

    #[test]
    fn file_and_directory_are_private_and_one_process_has_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/state.redb");
        let parent = path.parent().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let chmod = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let file = TableFile::open(&path).unwrap();
        assert!(TableFile::open(&path).is_err(), "one process per file");
        drop(file);
        assert_eq!((mode(&path), mode(parent)), (0o600, 0o700));
        chmod(&path, 0o644);
        let error = TableFile::open(&path).unwrap_err();
        assert!(matches!(error, TableError::File { .. }), "{error}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
        chmod(&path, 0o600);
        TableFile::open(&path).unwrap();
    }

    #[test]
    fn a_failed_change_commits_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = TableFile::open(&dir.path().join("state.redb")).unwrap();
        let failed: Result<(), TableError> = file.write(|transaction| {
            transaction.open_table(ROWS)?.insert(1, [1].as_slice())?;
            Err(TableError::Ending)
        });
        assert!(matches!(failed, Err(TableError::Ending)));
        assert!(file.begin_read().unwrap().open_table(ROWS).is_err());
    }
}
