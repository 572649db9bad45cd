//! The state of a connector, a file or in a database: tables with values in deterministic CBOR, which are a consumer's
//! journal or a provider's served intents.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use service::Shutdown;
use store::{Encoding, Store, StoreConfig, Table, TableError};

use crate::alarm;

/// Name of the store.
const STORE: &str = "state";
/// Name of its file in the connector's directory, unless it is in a database.
#[cfg(test)]
pub(crate) const FILE: &str = "state.redb";

/// A table with 16-byte keys.
pub(crate) type StateTable<V> = Table<[u8; 16], V>;

/// Opens or creates the store, which is a file in `directory` or in a database.
pub(crate) fn open_store(config: &StoreConfig, directory: &Path) -> Result<Store, TableError> {
    Store::open(config, directory, STORE)
}

/// Ends the process when another one has taken over its store.
pub(crate) fn end_when_taken_over(store: &Store, shutdown: Shutdown) {
    let taken_over = store.taken_over();
    tokio::spawn(async move {
        tokio::select! {
            error = taken_over => {
                alarm::raise("state", None, &error.to_string());
                shutdown.trigger();
            }
            () = shutdown.wait() => {}
        }
    });
}

/// Opens or creates the file in `directory`.
#[cfg(test)]
pub(crate) fn open_file(directory: &Path) -> Result<Store, TableError> {
    open_store(&StoreConfig::Redb, directory)
}

/// Opens or creates the file in `directory`, with this one table.
#[cfg(test)]
fn open<V: Serialize + DeserializeOwned + Send + 'static>(
    directory: &Path,
    table: &'static str,
) -> Result<StateTable<V>, TableError> {
    open_table(&open_file(directory)?, table)
}

/// Opens or creates a table of the store.
pub(crate) fn open_table<V: Serialize + DeserializeOwned + Send + 'static>(
    store: &Store,
    table: &'static str,
) -> Result<StateTable<V>, TableError> {
    let encoding = Encoding {
        encode: |value| record::cbor::to_vec(value),
        decode: |bytes| record::cbor::from_slice(bytes).map_err(|error| error.to_string()),
    };
    Table::open(store, table, encoding)
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
        let table: StateTable<String> = open(directory.path(), "t").unwrap();
        table.put(index_key(1), &"one".to_owned()).await.unwrap();
        table.put(index_key(2), &"two".to_owned()).await.unwrap();
        table.remove(index_key(1)).await.unwrap();
        drop(table);
        let table: StateTable<String> = open(directory.path(), "t").unwrap();
        assert_eq!(table.get(index_key(1)).await.unwrap(), None);
        assert_eq!(table.all().await.unwrap(), [(index_key(2), "two".to_owned())]);
    }
}
