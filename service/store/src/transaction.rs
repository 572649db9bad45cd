//! Transactions over several tables.

use std::marker::PhantomData;
use std::ops::ControlFlow;

use crate::definition::TableDefinition;
use crate::embedded;
use crate::error::TableError;
use crate::key::Key;
use crate::postgres::{GroupRows, PostgresSnapshot, Writer};
use crate::rows::{ReadRows, WriteRows};

/// One consistent state of a store. It is read on a thread that may block.
pub struct Snapshot(pub(crate) ReadEngine);

pub(crate) enum ReadEngine {
    Embedded(redb::ReadTransaction),
    Postgres(PostgresSnapshot),
}

impl Snapshot {
    /// Opens a table.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn open<K: Key, V>(&self, table: TableDefinition<K, V>) -> Result<ReadTable<'_, K, V>, TableError> {
        let rows: Box<dyn ReadRows> = match &self.0 {
            ReadEngine::Embedded(transaction) => Box::new(embedded::read(transaction, table.name)?),
            ReadEngine::Postgres(snapshot) => Box::new(snapshot.rows(table.name)),
        };
        Ok(ReadTable { rows, table })
    }
}

/// A transaction that writes. It sees its own writes, and no others until it ends.
pub struct Transaction<'t>(pub(crate) WriteEngine<'t>);

pub(crate) enum WriteEngine<'t> {
    Embedded(&'t redb::WriteTransaction),
    Postgres(&'t Writer),
}

impl<'t> Transaction<'t> {
    /// Opens a table, which must have been created ([`crate::Table::open`]).
    ///
    /// # Errors
    /// [`TableError::OpenedTwice`] while the transaction has it open already; any other [`TableError`].
    pub fn open<K: Key, V>(&self, table: TableDefinition<K, V>) -> Result<OpenTable<'t, K, V>, TableError> {
        let rows: Box<dyn WriteRows + 't> = match self.0 {
            WriteEngine::Embedded(transaction) => Box::new(embedded::write(transaction, table.name)?),
            WriteEngine::Postgres(writer) => Box::new(GroupRows::open(writer, table.name)?),
        };
        Ok(OpenTable {
            rows,
            table,
            keys: PhantomData,
        })
    }
}

/// A table that is read.
pub struct ReadTable<'t, K, V> {
    rows: Box<dyn ReadRows + 't>,
    table: TableDefinition<K, V>,
}

impl<K: Key, V> ReadTable<'_, K, V> {
    /// The value of `key`.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn get(&self, key: &K) -> Result<Option<V>, TableError> {
        get(&*self.rows, self.table, key)
    }

    /// The first rows, at most `limit` of them, or those that follow the key `after`.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn page(&self, after: Option<&K>, limit: usize) -> Result<Vec<(K, V)>, TableError> {
        page(&*self.rows, self.table, after, limit)
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn count(&self) -> Result<u64, TableError> {
        self.rows.len()
    }
}

/// A table that is read and written.
pub struct OpenTable<'t, K, V> {
    rows: Box<dyn WriteRows + 't>,
    table: TableDefinition<K, V>,
    keys: PhantomData<K>,
}

impl<K: Key, V> OpenTable<'_, K, V> {
    /// The value of `key`.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn get(&self, key: &K) -> Result<Option<V>, TableError> {
        get(&*self.rows, self.table, key)
    }

    /// The first rows, at most `limit` of them, or those that follow the key `after`.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn page(&self, after: Option<&K>, limit: usize) -> Result<Vec<(K, V)>, TableError> {
        page(&*self.rows, self.table, after, limit)
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn count(&self) -> Result<u64, TableError> {
        self.rows.len()
    }

    /// Writes the value of `key`, in place of an older one.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn put(&mut self, key: &K, value: &V) -> Result<(), TableError> {
        self.put_bytes(key, &(self.table.encoding.encode)(value))
    }

    /// Writes the value of `key` if it has none; returns whether it had none.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn insert_if_absent(&mut self, key: &K, value: &V) -> Result<bool, TableError> {
        let mut present = false;
        self.rows.get(key.to_bytes().as_ref(), &mut |_| present = true)?;
        if !present {
            self.put(key, value)?;
        }
        Ok(!present)
    }

    /// Removes the row of `key`, if there is one.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn remove(&mut self, key: &K) -> Result<(), TableError> {
        self.rows.remove(key.to_bytes().as_ref())
    }

    /// Removes rows from the smallest key on while `expired` holds, at most `limit` of them. Returns how many were
    /// removed.
    ///
    /// # Errors
    /// [`TableError`]; then it has removed none.
    pub fn remove_leading(&mut self, limit: usize, expired: impl Fn(&V) -> bool) -> Result<usize, TableError> {
        let (table, mut keys) = (self.table, Vec::new());
        if limit > 0 {
            self.rows.scan(&[], &mut |key, value| {
                if !expired(&table.decode(value)?) {
                    return Ok(ControlFlow::Break(()));
                }
                keys.push(key.to_vec());
                Ok(stop_if(keys.len() >= limit))
            })?;
        }
        for key in &keys {
            self.rows.remove(key)?;
        }
        Ok(keys.len())
    }

    /// Writes an encoded value.
    pub(crate) fn put_bytes(&mut self, key: &K, value: &[u8]) -> Result<(), TableError> {
        self.rows.put(key.to_bytes().as_ref(), value)
    }
}

fn stop_if(ended: bool) -> ControlFlow<()> {
    if ended {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

fn get<K: Key, V>(rows: &dyn ReadRows, table: TableDefinition<K, V>, key: &K) -> Result<Option<V>, TableError> {
    let mut value = None;
    rows.get(key.to_bytes().as_ref(), &mut |bytes| value = Some(table.decode(bytes)))?;
    value.transpose()
}

fn page<K: Key, V>(
    rows: &dyn ReadRows,
    table: TableDefinition<K, V>,
    after: Option<&K>,
    limit: usize,
) -> Result<Vec<(K, V)>, TableError> {
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    // The least key that is larger.
    let from = after.map_or_else(Vec::new, |key| [key.to_bytes().as_ref(), &[0]].concat());
    rows.scan(&from, &mut |key, value| {
        found.push((table.decode_key(key)?, table.decode(value)?));
        Ok(stop_if(found.len() >= limit))
    })?;
    Ok(found)
}
