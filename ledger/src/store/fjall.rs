//! A store on fjall, a log-structured database in pure Rust. It is for tests, and shows that the trait does not depend
//! on RocksDB.
//!
//! Each column is a keyspace. All keyspaces share one journal, so a synced batch makes earlier lazy batches durable,
//! too. In measurements it had 65–95 % of the throughput of RocksDB and a worse 99th percentile; it is therefore not
//! the default.

use std::ops::ControlFlow;
use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};

use super::{Batch, Column, Durability, KeyValue, Store, StoreError, Visit};

/// A store on fjall.
pub(super) struct FjallStore {
    database: Database,
    keyspaces: Vec<Keyspace>,
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        Self::database(error)
    }
}

impl FjallStore {
    /// Opens the store in `directory`; creates it if there is none.
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let database = Database::builder(directory).open()?;
        let keyspaces = Column::ALL
            .into_iter()
            .map(|column| database.keyspace(column.name(), KeyspaceCreateOptions::default))
            .collect::<Result<_, _>>()?;
        Ok(Self { database, keyspaces })
    }

    fn keyspace(&self, column: Column) -> &Keyspace {
        &self.keyspaces[column as usize]
    }
}

impl Store for FjallStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.keyspace(column).get(key)?.map(|value| value.to_vec()))
    }

    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError> {
        let swap = batch.swapped();
        if let Some(swap) = swap {
            swap.check(self.get(swap.column, swap.key)?.as_deref())?;
        }
        let mut rows = self.database.batch().durability(match durability {
            Durability::Synced => Some(PersistMode::SyncData),
            Durability::Lazy => None,
        });
        // fjall gives equal keys of one batch the same sequence number, so only the last change may be inserted.
        let mut sorted = batch.sorted().peekable();
        while let Some((column, key, value)) = sorted.next() {
            if sorted.peek().is_some_and(|next| (next.0, next.1) == (column, key)) {
                continue;
            }
            match value {
                Some(value) => rows.insert(self.keyspace(column), key, value),
                None => rows.remove(self.keyspace(column), key),
            }
        }
        if let Some(swap) = swap {
            rows.insert(self.keyspace(swap.column), swap.key, swap.after);
        }
        Ok(rows.commit()?)
    }

    fn scan(&self, column: Column, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        // A scan of the keyspace itself, without a snapshot, may see half of a batch.
        for row in self.database.snapshot().range(self.keyspace(column), from..to) {
            let (key, value) = row.into_inner()?;
            if let ControlFlow::Break(()) = visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }

    fn last(&self, column: Column, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, StoreError> {
        if from >= to {
            return Ok(None);
        }
        let row = self
            .database
            .snapshot()
            .range(self.keyspace(column), from..to)
            .next_back();
        let row = row.map(|row| row.into_inner()).transpose()?;
        Ok(row.map(|(key, value)| (key.to_vec(), value.to_vec())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_fjall_store_conforms() {
        let directory = tempfile::tempdir().unwrap();
        super::super::conformance::check_reopening(|| FjallStore::open(directory.path()).unwrap());
    }
}
