//! What an engine provides: a table of bytes within a transaction.

use std::ops::ControlFlow;

use crate::error::TableError;

/// Receives the rows of a scan.
pub(crate) type Visit<'v> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, TableError> + 'v;

/// Reads a table within a transaction.
pub(crate) trait ReadRows {
    /// Gives the value of `key` to `read`, if there is one.
    fn get(&self, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<(), TableError>;

    /// Visits the rows from the key `from` on in the order of their keys.
    fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), TableError>;

    /// How many rows there are.
    fn len(&self) -> Result<u64, TableError>;
}

/// Reads and writes a table within a transaction.
pub(crate) trait WriteRows: ReadRows {
    /// Writes a row, in place of an older one.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), TableError>;

    /// Removes a row, if there is one.
    fn remove(&mut self, key: &[u8]) -> Result<(), TableError>;
}
