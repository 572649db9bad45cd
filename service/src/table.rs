//! Small durable tables: redb files that only their owner may read.
//!
//! [`TableFile`] is the file. It is for a compartment whose transactions span several tables; such a compartment
//! defines its own redb tables. [`Table`] is one table of a file, with values in the compartment's own encoding
//! ([`Encoding`]).
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

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{
    Database, Key, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata as _, TableDefinition,
    Value, WriteTransaction,
};

use crate::durable;
use crate::group_commit::GroupCommit;
pub use crate::table_error::TableError;

/// The memory that a file may use for its pages. The default of redb, 1 GiB, would let every file fill it: pages that
/// were written once stay cached until there is no room for them.
const CACHE_BYTES: usize = 16 << 20;

/// A redb file. Clones share the open file; it is closed when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct TableFile {
    // Ends before the database is closed.
    writer: Arc<GroupCommit>,
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

/// How a compartment writes its values as bytes, and reads them.
pub struct Encoding<V> {
    /// Writes a value.
    pub encode: fn(&V) -> Vec<u8>,
    /// Reads a value; the error names the reason for an operator and must not quote personal data.
    pub decode: fn(&[u8]) -> Result<V, String>,
}

impl<V> Clone for Encoding<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Encoding<V> {}

/// The redb type of an encoded value. `&[u8]` is the usual one; `Vec<u8>` is for files that were written with it.
pub trait StoredBytes: Value + Send + 'static {
    /// The bytes as a redb value.
    fn from_bytes_ref(bytes: &[u8]) -> Self::SelfType<'_>;

    /// The bytes of a redb value.
    fn as_bytes_ref<'a>(value: &'a Self::SelfType<'_>) -> &'a [u8];
}

impl StoredBytes for &'static [u8] {
    fn from_bytes_ref(bytes: &[u8]) -> &[u8] {
        bytes
    }

    fn as_bytes_ref<'a>(value: &'a &[u8]) -> &'a [u8] {
        value
    }
}

impl StoredBytes for Vec<u8> {
    fn from_bytes_ref(bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }

    fn as_bytes_ref(value: &Vec<u8>) -> &[u8] {
        value
    }
}

/// One table of a [`TableFile`]: keys `K` in their order, values `V` in their own encoding, kept as `S`. Cheap to
/// clone.
pub struct Table<K: Key + 'static, V, S: StoredBytes = &'static [u8]> {
    file: TableFile,
    name: &'static str,
    definition: TableDefinition<'static, K, S>,
    encoding: Encoding<V>,
}

impl<K: Key + 'static, V, S: StoredBytes> Clone for Table<K, V, S> {
    fn clone(&self) -> Self {
        Self {
            file: self.file.clone(),
            name: self.name,
            definition: self.definition,
            encoding: self.encoding,
        }
    }
}

impl<K: Key + 'static, V, S: StoredBytes> std::fmt::Debug for Table<K, V, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table({})", self.name)
    }
}

impl<K, V, S> Table<K, V, S>
where
    K: Key + for<'a> Value<SelfType<'a> = K> + Send + 'static,
    V: Send + 'static,
    S: StoredBytes,
{
    /// Opens the table `name` of `file`, or creates it. Blocks on the disk.
    ///
    /// # Errors
    /// [`TableError::Store`], also when the table has other types.
    pub fn open(file: &TableFile, name: &'static str, encoding: Encoding<V>) -> Result<Self, TableError> {
        let definition = TableDefinition::new(name);
        file.write(|transaction| transaction.open_table(definition).map(drop).map_err(TableError::from))?;
        Ok(Self {
            file: file.clone(),
            name,
            definition,
            encoding,
        })
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn get(&self, key: K) -> Result<Option<V>, TableError> {
        let this = self.clone();
        blocking(move || {
            let table = this.file.begin_read()?.open_table(this.definition)?;
            let value = table.get(key)?;
            value.map(|value| this.decode(&value.value())).transpose()
        })
        .await
    }

    /// All rows in the order of their keys.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn all(&self) -> Result<Vec<(K, V)>, TableError> {
        self.page(None, usize::MAX).await
    }

    /// The first rows, at most `limit` of them, or those that follow the key `after`, in the order of their keys.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn page(&self, after: Option<K>, limit: usize) -> Result<Vec<(K, V)>, TableError> {
        let this = self.clone();
        blocking(move || {
            let table = this.file.begin_read()?.open_table(this.definition)?;
            let first = after.map_or(Bound::Unbounded, Bound::Excluded);
            let mut rows = Vec::new();
            for row in table.range::<K>((first, Bound::Unbounded))?.take(limit) {
                let (key, value) = row?;
                rows.push((key.value(), this.decode(&value.value())?));
            }
            Ok(rows)
        })
        .await
    }

    /// Writes the value of `key`, in place of an older one; it is on disk on return.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn put(&self, key: K, value: &V) -> Result<(), TableError> {
        let bytes = (self.encoding.encode)(value);
        self.change(move |table| {
            table.insert(key, S::from_bytes_ref(&bytes))?;
            Ok(())
        })
        .await
    }

    /// Removes the row of `key`, if there is one; the removal is on disk on return.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn remove(&self, key: K) -> Result<(), TableError> {
        self.change(move |table| {
            table.remove(key)?;
            Ok(())
        })
        .await
    }

    /// Changes the row of `key` in one transaction: keeps it if `change` returns true, removes it otherwise. Does
    /// nothing if there is no such row.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn update(&self, key: K, change: impl FnOnce(&mut V) -> bool + Send + 'static) -> Result<(), TableError>
    where
        K: Clone,
    {
        let (name, encoding) = (self.name, self.encoding);
        self.change(move |table| {
            let stored = table.get(key.clone())?;
            let stored = stored.map(|value| decode::<V, S>(name, encoding, &value.value()));
            let mut value = match stored.transpose() {
                Ok(None) => return Ok(Ok(())),
                Ok(Some(value)) => value,
                // Nothing is changed, so the other changes of the transaction need not fail.
                Err(damaged) => return Ok(Err(damaged)),
            };
            if change(&mut value) {
                table.insert(key, S::from_bytes_ref(&(encoding.encode)(&value)))?;
            } else {
                table.remove(key)?;
            }
            Ok(Ok(()))
        })
        .await?
    }

    /// How many rows there are. It reads none of them.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn count(&self) -> Result<u64, TableError> {
        let this = self.clone();
        blocking(move || Ok(this.file.begin_read()?.open_table(this.definition)?.len()?)).await
    }

    /// Removes rows from the smallest key on while `expired` holds, at most `limit` of them, in one transaction.
    /// Returns how many were removed.
    ///
    /// # Errors
    /// [`TableError`].
    pub async fn remove_leading(
        &self,
        limit: usize,
        expired: impl Fn(&V) -> bool + Send + 'static,
    ) -> Result<usize, TableError> {
        let (name, encoding) = (self.name, self.encoding);
        self.change(move |table| {
            let mut removed = 0;
            while removed < limit {
                let first = match table.first()? {
                    Some((key, value)) => match decode::<V, S>(name, encoding, &value.value()) {
                        Ok(value) if expired(&value) => key.value(),
                        Ok(_) => break,
                        Err(damaged) => return Ok(Err(damaged)),
                    },
                    None => break,
                };
                table.remove(first)?;
                removed += 1;
            }
            Ok(Ok(removed))
        })
        .await?
    }

    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut redb::Table<'_, K, S>) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, TableError> {
        // Without a handle of the file, so that the last one is never dropped by a write.
        let definition = self.definition;
        self.file
            .commit(move |transaction| change(&mut transaction.open_table(definition)?))
            .await?
    }

    fn decode(&self, value: &S::SelfType<'_>) -> Result<V, TableError> {
        decode::<V, S>(self.name, self.encoding, value)
    }
}

fn decode<V, S: StoredBytes>(
    table: &'static str,
    encoding: Encoding<V>,
    value: &S::SelfType<'_>,
) -> Result<V, TableError> {
    (encoding.decode)(S::as_bytes_ref(value)).map_err(|reason| TableError::Damaged { table, reason })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TableError> + Send + 'static,
) -> Result<T, TableError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| TableError::Ending)?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const TEXT: Encoding<String> = Encoding {
        encode: |text| text.as_bytes().to_vec(),
        decode: |bytes| String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string()),
    };

    fn open(path: &Path) -> Table<u64, String> {
        Table::open(&TableFile::open(path).unwrap(), "sample", TEXT).unwrap()
    }

    #[tokio::test]
    async fn rows_survive_a_restart_in_the_order_of_their_keys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.redb");
        let table = open(&path);
        for (key, value) in [(300, "three"), (2, "two"), (1, "one")] {
            table.put(key, &value.to_owned()).await.unwrap();
        }
        table.remove(1).await.unwrap();
        assert_eq!(table.count().await.unwrap(), 2);
        let keys = async |after, limit| {
            let rows = table.page(after, limit).await.unwrap();
            rows.into_iter().map(|(key, _)| key).collect::<Vec<u64>>()
        };
        assert_eq!(keys(None, 1).await, [2]);
        assert_eq!((keys(Some(2), 9).await, keys(Some(300), 9).await), (vec![300], vec![]));
        assert!(TableFile::open(&path).is_err(), "one process per file");
        drop(table);
        let table = open(&path);
        assert_eq!(table.get(1).await.unwrap(), None);
        assert_eq!(
            table.all().await.unwrap(),
            [(2, "two".to_owned()), (300, "three".to_owned())]
        );
    }

    #[test]
    fn a_start_gives_the_room_of_removed_rows_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.redb");
        let rows: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("rows");
        let file = TableFile::open(&path).unwrap();
        let fill = |transaction: &WriteTransaction| -> Result<(), TableError> {
            let mut table = transaction.open_table(rows)?;
            for key in 0..2000 {
                table.insert(key, [1; 4000].as_slice())?;
            }
            Ok(())
        };
        file.write(fill).unwrap();
        file.write(|transaction| -> Result<(), TableError> {
            Ok(transaction.open_table(rows)?.retain(|key, _| key == 7)?)
        })
        .unwrap();
        drop(file);
        let full = std::fs::metadata(&path).unwrap().len();
        let file = TableFile::open(&path).unwrap();
        let kept = std::fs::metadata(&path).unwrap().len();
        assert!(full > 8_000_000 && kept < full / 4, "{full} {kept}");
        let table = file.begin_read().unwrap().open_table(rows).unwrap();
        assert_eq!(table.get(7).unwrap().unwrap().value(), [1; 4000]);
    }

    #[tokio::test]
    async fn an_update_keeps_or_removes_a_row_and_creates_none() {
        let dir = tempfile::tempdir().unwrap();
        let table = open(&dir.path().join("state.redb"));
        table.update(1, |_| true).await.unwrap();
        assert_eq!(table.get(1).await.unwrap(), None);
        table.put(1, &"a".to_owned()).await.unwrap();
        let append = |text: &mut String| {
            text.push('b');
            true
        };
        table.update(1, append).await.unwrap();
        assert_eq!(table.get(1).await.unwrap().as_deref(), Some("ab"));
        table.update(1, |_| false).await.unwrap();
        assert!(table.all().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn leading_rows_are_removed_up_to_the_first_that_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let table = open(&dir.path().join("state.redb"));
        for (key, value) in [(1, "old"), (2, "old"), (3, "old"), (4, "new"), (5, "old")] {
            table.put(key, &value.to_owned()).await.unwrap();
        }
        let removed = |limit| table.remove_leading(limit, |value| value == "old");
        assert_eq!(removed(2).await.unwrap(), 2);
        assert_eq!(removed(10).await.unwrap(), 1);
        assert_eq!(removed(10).await.unwrap(), 0);
        let keys: Vec<u64> = table.all().await.unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, [4, 5]);
    }

    #[tokio::test]
    async fn a_row_in_another_encoding_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let file = TableFile::open(&dir.path().join("state.redb")).unwrap();
        let bytes = Encoding {
            encode: Vec::clone,
            decode: |bytes| Ok(bytes.to_vec()),
        };
        let raw: Table<u64, Vec<u8>> = Table::open(&file, "sample", bytes).unwrap();
        raw.put(1, &vec![0xff]).await.unwrap();
        let table: Table<u64, String> = Table::open(&file, "sample", TEXT).unwrap();
        assert!(matches!(
            table.get(1).await,
            Err(TableError::Damaged { table: "sample", .. })
        ));
    }

    #[test]
    fn file_and_directory_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/state.redb");
        let parent = path.parent().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let chmod = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        drop(TableFile::open(&path).unwrap());
        assert_eq!((mode(&path), mode(parent)), (0o600, 0o700));
        chmod(&path, 0o644);
        let error = TableFile::open(&path).unwrap_err();
        assert!(matches!(error, TableError::File { .. }), "{error}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
        chmod(&path, 0o600);
        TableFile::open(&path).unwrap();
    }

    #[tokio::test]
    async fn a_failed_change_commits_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = TableFile::open(&dir.path().join("state.redb")).unwrap();
        let table: Table<u64, String, Vec<u8>> = Table::open(&file, "sample", TEXT).unwrap();
        let failed: Result<(), TableError> = file.write(|transaction| {
            transaction.open_table(table.definition)?.insert(1, vec![b'a'])?;
            Err(TableError::Ending)
        });
        assert!(matches!(failed, Err(TableError::Ending)));
        assert_eq!(table.get(1).await.unwrap(), None);
    }
}
