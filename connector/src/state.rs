//! The state file of a connector: tables with values in deterministic CBOR, which are a consumer's journal or a
//! provider's served intents.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use service::table::{Encoding, Table, TableError, TableFile};

/// Name of the file in the connector's directory.
pub(crate) const FILE: &str = "state.redb";

/// A table with 16-byte keys.
pub(crate) type StateTable<V> = Table<[u8; 16], V, Vec<u8>>;

/// Opens or creates the file in `directory`.
pub(crate) fn open_file(directory: &Path) -> Result<TableFile, TableError> {
    TableFile::open(&directory.join(FILE))
}

/// Opens or creates the file in `directory`, with this one table.
#[cfg(test)]
fn open<V: Serialize + DeserializeOwned + Send + 'static>(
    directory: &Path,
    table: &'static str,
) -> Result<StateTable<V>, TableError> {
    open_table(&open_file(directory)?, table)
}

/// Opens or creates a table of the file.
pub(crate) fn open_table<V: Serialize + DeserializeOwned + Send + 'static>(
    file: &TableFile,
    table: &'static str,
) -> Result<StateTable<V>, TableError> {
    let encoding = Encoding {
        encode: |value| record::cbor::to_vec(value),
        decode: |bytes| record::cbor::from_slice(bytes).map_err(|error| error.to_string()),
    };
    Table::open(file, table, encoding)
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
