//! The embedded default: RocksDB, one column family per column.
//!
//! Settings that matter, and why:
//!
//! * `sync = true` for [`Durability::Synced`]: `fdatasync` of the write-ahead log before the call returns. The next synced write
//!   makes earlier lazy ones durable too, as all column families share one log.
//! * Log files are **recycled**: an overwritten file does not change its size, so the sync needs no journal commit of the file system.
//! * Recovery stops at the first broken record (`PointInTime`): what follows an unsynced tail is lost, nothing older.
//! * Batches come sorted (`Batch::sorted`), which halves the time of inserting random keys such as labels.
//! * No compression: hashes, signatures and ciphertexts do not compress.
//! * Memtables are bounded together (256 MiB), whatever column is written.
//!
//! A second process may open the same directory for reading while a ledger runs (`open_read_only`): it sees what was synced
//! before it opened, and keeps seeing exactly that.

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
/// What a row of a batch takes besides key and value, about: tag, column family and two lengths.
const ROW_OVERHEAD: usize = 8;
const MAX_ATTEMPTS: u32 = 20;
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// The store.
pub struct RocksStore {
    db: DB,
}

impl From<rocksdb::Error> for StoreError {
    fn from(error: rocksdb::Error) -> Self {
        Self::database(error)
    }
}

impl RocksStore {
    /// Opens the store in `directory` for this process alone, making it if there is none.
    ///
    /// Waits a second for a process that is just ending.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
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

    /// Opens the store in `directory` for reading, beside a process that writes.
    ///
    /// The writer may remove files while they are being opened; then it is tried again.
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

/// Before 1.0 nothing is converted: a store with other columns is another version's.
fn explain(error: rocksdb::Error) -> StoreError {
    let text: &str = error.as_ref();
    // The first when it has a column that is unknown here, the second when one that is read lacks.
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
            return Err(StoreError::database("No space left on device (a fail point says so)"));
        }
        let (bytes, count) = batch.size();
        let mut rows = WriteBatch::with_capacity_bytes(bytes + count * ROW_OVERHEAD);
        for (column, key, value) in batch.sorted() {
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
                "Input/output error of fdatasync (a fail point says so)",
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
    use super::*;

    #[test]
    fn conforms() {
        let directory = tempfile::tempdir().unwrap();
        super::super::conformance::check_reopening(|| RocksStore::open(directory.path()).unwrap());
    }

    #[test]
    fn a_store_of_another_version_is_refused_with_a_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = RocksStore::open(directory.path()).unwrap();
        store.db.create_cf("older", &Options::default()).unwrap();
        store.db.drop_cf(Column::Chains.name()).unwrap();
        drop(store);
        for opened in [
            RocksStore::open(directory.path()),
            RocksStore::open_read_only(directory.path()),
        ] {
            let error = opened.err().unwrap().to_string();
            assert!(error.contains("another version"), "{error}");
        }
    }

    #[test]
    fn survives_closing_and_can_be_read_beside_its_writer() {
        let directory = tempfile::tempdir().unwrap();
        let write = |store: &RocksStore, key: &[u8]| {
            let mut batch = Batch::default();
            batch.put(Column::Labels, key, b"value");
            store.write(&batch, Durability::Synced).unwrap();
        };
        write(&RocksStore::open(directory.path()).unwrap(), b"first");
        let store = RocksStore::open(directory.path()).unwrap();
        assert!(RocksStore::open(directory.path()).is_err(), "one writer only");
        write(&store, b"second");
        let reader = RocksStore::open_read_only(directory.path()).unwrap();
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
