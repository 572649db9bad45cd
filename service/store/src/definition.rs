//! Name and types of a table.

use std::marker::PhantomData;

use crate::error::TableError;
use crate::key::Key;

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

/// Name and types of a table.
pub struct TableDefinition<K, V> {
    pub(crate) name: &'static str,
    pub(crate) encoding: Encoding<V>,
    keys: PhantomData<fn(K)>,
}

impl<K, V> Clone for TableDefinition<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for TableDefinition<K, V> {}

impl<K: Key, V> TableDefinition<K, V> {
    pub(crate) fn new(name: &'static str, encoding: Encoding<V>) -> Self {
        Self {
            name,
            encoding,
            keys: PhantomData,
        }
    }

    pub(crate) fn decode(&self, value: &[u8]) -> Result<V, TableError> {
        (self.encoding.decode)(value).map_err(|reason| self.damaged(reason))
    }

    pub(crate) fn decode_key(&self, key: &[u8]) -> Result<K, TableError> {
        K::from_bytes(key).map_err(|_| self.damaged("its key has another length".into()))
    }

    fn damaged(&self, reason: String) -> TableError {
        TableError::Damaged {
            table: self.name,
            reason,
        }
    }
}
