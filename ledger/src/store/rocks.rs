//! The embedded default: RocksDB, one column family per column.
//!
//! The important settings, and the reasons for them:
//!
//! * `sync = true` for [`Durability::Synced`]: RocksDB calls `fdatasync` on the write-ahead log before the write
//!   returns. A synced write makes earlier lazy writes durable, too, because all column families share one log.
//! * Log files are **recycled**: overwriting a file does not change its size, so the sync needs no journal commit of
//!   the file system.
//! * Recovery stops at the first broken record (`PointInTime`). Only an unsynced tail is lost, and nothing before it.
//! * Batches are inserted in sorted order (`Batch::sorted`), which halves the time for random keys such as labels.
//! * There is no compression, because hashes, signatures and ciphertexts do not compress.
//! * One bound (256 MiB) holds for the memtables of all columns together.
//!
//! A second process may open the same directory for reading while a ledger runs (`open_read_only`). It sees exactly the
//! state that was synced before it opened the store.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode, Options,
    ReadOptions, WriteBatch, WriteOptions,
};

use super::{Batch, Column, Durability, KeyValue, Store, StoreError, Visit};
use crate::failpoints::{self, Point};

const MIB: usize = 1 << 20;
/// The approximate overhead of a row in a batch, in bytes: tag, column family and two lengths.
const ROW_OVERHEAD: usize = 8;
const MAX_ATTEMPTS: u32 = 20;
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// A store on RocksDB.
pub struct RocksStore {
    db: DB,
}

impl From<rocksdb::Error> for StoreError {
    fn from(error: rocksdb::Error) -> Self {
        Self::database(error)
    }
}

impl RocksStore {
    /// Opens the store in `directory` for this process alone; creates it if there is none. RocksDB creates its files
    /// with the umask's mode, so the directory keeps others out: an existing one must not be open to group or others.
    ///
    /// Waits up to a second for another process to release the store.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        service::durable::private_directory(directory).map_err(|error| StoreError::failed(error.to_string(), error))?;
        let mut options = options();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let db = open_with_retries(
            || DB::open_cf_descriptors(&options, directory, families()),
            |e| e.contains("lock"),
        )
        .map_err(explain)?;
        Ok(Self { db })
    }

    /// Opens the store in `directory` for reading while another process may write to it.
    ///
    /// The writer may remove files while they are being opened; opening is then retried.
    pub fn open_read_only(directory: &Path) -> Result<Self, StoreError> {
        let db = open_with_retries(
            || DB::open_cf_descriptors_read_only(&options(), directory, families(), false),
            |_| true,
        )
        .map_err(explain)?;
        Ok(Self { db })
    }

    fn family(&self, column: Column) -> Result<&ColumnFamily, StoreError> {
        self.db
            .cf_handle(column.name())
            .ok_or_else(|| StoreError::Damaged(format!("column family {} is missing", column.name())))
    }
}

/// Recognizes a store with other columns, which another version of the ledger created. Before 1.0, stores are not
/// converted.
fn explain(error: rocksdb::Error) -> StoreError {
    let text: &str = error.as_ref();
    // RocksDB reports the first if the store has an unknown column, and the second if a column is missing.
    if text.contains("Column families not opened") || text.contains("Column family not found") {
        return StoreError::OtherVersion(error.into());
    }
    error.into()
}

fn open_with_retries<T>(
    open: impl Fn() -> Result<T, rocksdb::Error>,
    again: impl Fn(&str) -> bool,
) -> Result<T, rocksdb::Error> {
    for _ in 1..MAX_ATTEMPTS {
        match open() {
            Err(error) if again(error.as_ref()) => std::thread::sleep(RETRY_DELAY),
            other => return other,
        }
    }
    open()
}

fn options() -> Options {
    let mut options = Options::default();
    options.set_recycle_log_file_num(4);
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_db_write_buffer_size(256 * MIB);
    options.set_max_total_wal_size(512 * MIB as u64);
    options.set_bytes_per_sync(MIB as u64);
    options.set_paranoid_checks(true);
    options.set_max_open_files(-1);
    options.set_max_background_jobs(2);
    options.set_keep_log_file_num(4);
    options
}

fn families() -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_lru_cache(64 * MIB);
    let family = |column: Column| {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&cache);
        table.set_block_size(16 << 10);
        let mut options = Options::default();
        options.set_block_based_table_factory(&table);
        options.set_compression_type(DBCompressionType::None);
        options.set_write_buffer_size(64 * MIB);
        ColumnFamilyDescriptor::new(column.name(), options)
    };
    Column::ALL.into_iter().map(family).collect()
}

impl Store for RocksStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get_cf(self.family(column)?, key)?)
    }

    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError> {
        if failpoints::fires(Point::WriteFails) {
            return Err(StoreError::database(
                "No space left on device (injected by a fail point)",
            ));
        }
        let swap = batch.swapped();
        if let Some(swap) = swap {
            // The lock file keeps other processes out, and in this one only the sequencer swaps.
            swap.check(self.get(swap.column, swap.key)?.as_deref())?;
        }
        let (bytes, count) = batch.size();
        let mut rows = WriteBatch::with_capacity_bytes(bytes + count * ROW_OVERHEAD);
        let swapped = swap.map(|swap| (swap.column, swap.key, Some(swap.after)));
        for (column, key, value) in batch.sorted().chain(swapped) {
            let family = self.family(column)?;
            match value {
                Some(value) => rows.put_cf(family, key, value),
                None => rows.delete_cf(family, key),
            }
        }
        let mut how = WriteOptions::default();
        how.set_sync(durability == Durability::Synced && !failpoints::fires(Point::SyncLeftOut));
        how.set_memtable_insert_hint_per_batch(true);
        self.db.write_opt(rows, &how)?;
        if failpoints::fires(Point::SyncFails) {
            return Err(StoreError::database(
                "Input/output error of fdatasync (injected by a fail point)",
            ));
        }
        Ok(())
    }

    fn scan(&self, column: Column, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let mut range = ReadOptions::default();
        range.set_iterate_upper_bound(to);
        let mut rows = self.db.raw_iterator_cf_opt(self.family(column)?, range);
        rows.seek(from);
        while let Some((key, value)) = rows.item() {
            if let ControlFlow::Break(()) = visit(key, value) {
                return Ok(());
            }
            rows.next();
        }
        Ok(rows.status()?)
    }

    fn last(&self, column: Column, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, StoreError> {
        if from >= to {
            return Ok(None);
        }
        let mut range = ReadOptions::default();
        range.set_iterate_lower_bound(from);
        range.set_iterate_upper_bound(to);
        let mut rows = self.db.raw_iterator_cf_opt(self.family(column)?, range);
        rows.seek_to_last();
        let row = rows.item().map(|(key, value)| (key.to_vec(), value.to_vec()));
        rows.status()?;
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_store_is_its_owners_alone_and_refused_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("ledger/store");
        drop(RocksStore::open(&store).unwrap());
        assert_eq!(std::fs::metadata(&store).unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o755)).unwrap();
        let error = RocksStore::open(&store).err().unwrap();
        assert!(error.to_string().contains("chmod 700"), "{error}");
    }

    #[test]
    fn the_rocksdb_store_conforms() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        super::super::conformance::check_reopening(|| RocksStore::open(&path).unwrap());
    }

    #[test]
    fn a_store_of_another_version_is_refused_with_a_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        let mut store = RocksStore::open(&path).unwrap();
        store.db.create_cf("older", &Options::default()).unwrap();
        store.db.drop_cf(Column::Chains.name()).unwrap();
        drop(store);
        for opened in [RocksStore::open(&path), RocksStore::open_read_only(&path)] {
            let error = opened.err().unwrap().to_string();
            assert!(error.contains("another version"), "{error}");
        }
    }

    #[test]
    fn rows_survive_closing_and_can_be_read_while_the_store_is_open() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        let write = |store: &RocksStore, key: &[u8]| {
            let mut batch = Batch::default();
            batch.put(Column::Labels, key, b"value");
            store.write(&batch, Durability::Synced).unwrap();
        };
        write(&RocksStore::open(&path).unwrap(), b"first");
        let store = RocksStore::open(&path).unwrap();
        assert!(RocksStore::open(&path).is_err(), "only one process may write");
        write(&store, b"second");
        let reader = RocksStore::open_read_only(&path).unwrap();
        write(&store, b"third");
        let seen = |key: &[u8]| reader.get(Column::Labels, key).unwrap().is_some();
        assert_eq!((seen(b"first"), seen(b"second"), seen(b"third")), (true, true, false));
        assert!(
            reader
                .write(
                    &{
                        let mut b = Batch::default();
                        b.put(Column::Meta, b"k", b"v");
                        b
                    },
                    Durability::Synced
                )
                .is_err()
        );
    }
}
