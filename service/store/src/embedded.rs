//! redb as an engine: every table has keys and values of bytes.

use std::ops::ControlFlow;

use redb::{ReadOnlyTable, ReadableTable, TableDefinition};

use crate::error::TableError;
use crate::rows::{ReadRows, Visit, WriteRows};

type Bytes = &'static [u8];

/// A table of a redb transaction.
pub(crate) struct EmbeddedRows<T>(T);

fn definition(name: &str) -> TableDefinition<'_, Bytes, Bytes> {
    TableDefinition::new(name)
}

/// Opens a table for reading.
pub(crate) fn read(
    transaction: &redb::ReadTransaction,
    name: &str,
) -> Result<EmbeddedRows<ReadOnlyTable<Bytes, Bytes>>, TableError> {
    Ok(EmbeddedRows(transaction.open_table(definition(name))?))
}

/// Opens a table for reading and writing; creates it if it is missing.
pub(crate) fn write<'t>(
    transaction: &'t redb::WriteTransaction,
    name: &'static str,
) -> Result<EmbeddedRows<redb::Table<'t, Bytes, Bytes>>, TableError> {
    match transaction.open_table(definition(name)) {
        Err(redb::TableError::TableAlreadyOpen(..)) => Err(TableError::OpenedTwice(name)),
        opened => Ok(EmbeddedRows(opened?)),
    }
}

impl<T: ReadableTable<Bytes, Bytes>> ReadRows for EmbeddedRows<T> {
    fn get(&self, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<(), TableError> {
        if let Some(value) = self.0.get(key)? {
            read(value.value());
        }
        Ok(())
    }

    fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), TableError> {
        for row in self.0.range(from..)? {
            let (key, value) = row?;
            if let ControlFlow::Break(()) = visit(key.value(), value.value())? {
                break;
            }
        }
        Ok(())
    }

    fn len(&self) -> Result<u64, TableError> {
        Ok(self.0.len()?)
    }
}

impl WriteRows for EmbeddedRows<redb::Table<'_, Bytes, Bytes>> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), TableError> {
        self.0.insert(key, value)?;
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), TableError> {
        self.0.remove(key)?;
        Ok(())
    }
}
