//! One table of a redb file, with values in deterministic CBOR: a consumer's journal, or a provider's served intents.
//!
//! A write is synced before the call returns. The database calls block, so they run on the blocking pool.

use std::path::Path;
use std::sync::Arc;

use redb::{Database, Durability, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Name of the file in the connector's directory.
pub(crate) const FILE: &str = "state.redb";

/// The state file could not be read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the state file: {0}")]
pub(crate) struct StoreError(String);

fn fault(error: impl std::fmt::Display) -> StoreError {
    StoreError(error.to_string())
}

/// A table with 16-byte keys.
pub(crate) struct Store<V> {
    database: Arc<Database>,
    table: TableDefinition<'static, [u8; 16], Vec<u8>>,
    value: std::marker::PhantomData<fn() -> V>,
}

impl<V> Clone for Store<V> {
    fn clone(&self) -> Self {
        Self {
            database: self.database.clone(),
            table: self.table,
            value: std::marker::PhantomData,
        }
    }
}

impl<V> std::fmt::Debug for Store<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl<V: Serialize + DeserializeOwned + Send + 'static> Store<V> {
    /// Opens or creates the file in `directory`, with this one table.
    pub(crate) fn open(directory: &Path, table: &'static str) -> Result<Self, StoreError> {
        let table = TableDefinition::new(table);
        let database = Database::create(directory.join(FILE)).map_err(fault)?;
        let write = database.begin_write().map_err(fault)?;
        write.open_table(table).map_err(fault)?;
        write.commit().map_err(fault)?;
        Ok(Self {
            database: Arc::new(database),
            table,
            value: std::marker::PhantomData,
        })
    }

    /// Writes a value, replacing an older one.
    pub(crate) async fn put(&self, key: [u8; 16], value: &V) -> Result<(), StoreError> {
        let bytes = record::cbor::to_vec(value);
        self.write(move |table| table.insert(key, bytes).map(|_| ()).map_err(fault))
            .await
    }

    /// Removes a value.
    pub(crate) async fn remove(&self, key: [u8; 16]) -> Result<(), StoreError> {
        self.write(move |table| table.remove(key).map(|_| ()).map_err(fault))
            .await
    }

    /// Reads a value.
    pub(crate) async fn get(&self, key: [u8; 16]) -> Result<Option<V>, StoreError> {
        let store = self.clone();
        blocking(move || {
            let read = store.database.begin_read().map_err(fault)?;
            let table = read.open_table(store.table).map_err(fault)?;
            let bytes = table.get(key).map_err(fault)?;
            bytes
                .map(|bytes| record::cbor::from_slice(&bytes.value()).map_err(fault))
                .transpose()
        })
        .await
    }

    /// Reads all.
    pub(crate) async fn all(&self) -> Result<Vec<([u8; 16], V)>, StoreError> {
        let store = self.clone();
        blocking(move || {
            let read = store.database.begin_read().map_err(fault)?;
            let table = read.open_table(store.table).map_err(fault)?;
            let mut values = Vec::new();
            for row in table.iter().map_err(fault)? {
                let (key, bytes) = row.map_err(fault)?;
                values.push((key.value(), record::cbor::from_slice(&bytes.value()).map_err(fault)?));
            }
            Ok(values)
        })
        .await
    }

    async fn write(
        &self,
        change: impl FnOnce(&mut redb::Table<'_, [u8; 16], Vec<u8>>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        blocking(move || {
            let mut write = store.database.begin_write().map_err(fault)?;
            write.set_durability(Durability::Immediate).map_err(fault)?;
            {
                let mut table = write.open_table(store.table).map_err(fault)?;
                change(&mut table)?;
            }
            write.commit().map_err(fault)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(fault)?
}

/// The key of an exchange.
pub(crate) fn exchange_key(exchange: uuid::Uuid) -> [u8; 16] {
    exchange.into_bytes()
}

/// The key of an index.
pub(crate) fn index_key(index: u64) -> [u8; 16] {
    u128::from(index).to_be_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[tokio::test]
    async fn values_survive_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let store: Store<String> = Store::open(directory.path(), "t").unwrap();
        store.put(index_key(1), &"one".to_owned()).await.unwrap();
        store.put(index_key(2), &"two".to_owned()).await.unwrap();
        store.remove(index_key(1)).await.unwrap();
        drop(store);
        let store: Store<String> = Store::open(directory.path(), "t").unwrap();
        assert_eq!(store.get(index_key(1)).await.unwrap(), None);
        assert_eq!(store.all().await.unwrap(), [(index_key(2), "two".to_owned())]);
    }
}
