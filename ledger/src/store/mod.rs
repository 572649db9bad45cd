//! The narrow key-value trait that everything durable goes through.
//!
//! * **Columns** are separate ordered key spaces. Keys compare bytewise.
//! * A **batch** is applied whole or not at all. With [`Durability::Synced`] it survives a power cut once `write` has returned,
//!   and so does everything written before it. With [`Durability::Lazy`] it may be lost until the next synced batch.
//! * **Reads** see every batch whose `write` has returned; a scan sees each batch whole or not at all.
//! * **Keys** have 1 to 65 535 bytes; values may be empty and have megabytes.
//! * After an error of `write` nothing is known about the batch; the caller must stop writing (a failed `fsync` is never retried:
//!   the kernel may have dropped the pages and will report success the second time).
//!
//! Nothing above this module knows which store is behind it. `rocks` is the embedded default; `memory` loses on demand what
//! was not synced, and `fjall` is pure Rust: both are for tests. All pass the same conformance test (`conformance.rs`).
//! `docs/storage.md` says what lies where and why.

#[cfg(test)]
mod conformance;
mod error;
#[cfg(test)]
mod fjall;
pub mod memory;
pub mod rocks;

use std::fmt;
use std::ops::ControlFlow;

pub use error::StoreError;

/// A key space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Runs of entries: `engine::rows`.
    Entries,
    /// Tiles of the tree: `engine::rows`.
    Tiles,
    /// Head of the tree, checkpoints, settings: `engine::rows`.
    Meta,
    /// Published checkpoints by size: `engine::rows`.
    Checkpoints,
    /// Sealed records by entry index.
    Records,
    /// Public documents by digest.
    Documents,
    /// Labels by period: what the maps are rebuilt from.
    Labels,
    /// Where a writer's entries stand: `rules::chains`.
    Chains,
    /// Intents without outcome.
    Intents,
}

impl Column {
    /// All of them.
    pub const ALL: [Column; 9] = [
        Column::Entries,
        Column::Tiles,
        Column::Meta,
        Column::Checkpoints,
        Column::Records,
        Column::Documents,
        Column::Labels,
        Column::Chains,
        Column::Intents,
    ];

    /// A stable name for stores that name their key spaces.
    pub fn name(self) -> &'static str {
        match self {
            Column::Entries => "entries",
            Column::Tiles => "tiles",
            Column::Meta => "meta",
            Column::Checkpoints => "checkpoints",
            Column::Records => "records",
            Column::Documents => "documents",
            Column::Labels => "labels",
            Column::Chains => "chains",
            Column::Intents => "intents",
        }
    }
}

/// When a batch is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Before `write` returns.
    Synced,
    /// With the next synced batch, or earlier.
    Lazy,
}

/// Rows of a batch, in the order in which they were added; later ones win.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    rows: Vec<BatchRow>,
}

#[derive(Clone, Copy)]
struct BatchRow {
    column: Column,
    key: (usize, usize),
    value: Option<(usize, usize)>,
}

impl Batch {
    /// Sets a row.
    pub fn put(&mut self, column: Column, key: &[u8], value: &[u8]) {
        self.put_parts(column, key, &[value]);
    }

    /// Sets a row whose value is the concatenation of `parts`.
    pub fn put_parts(&mut self, column: Column, key: &[u8], parts: &[&[u8]]) {
        let key = self.keep(key);
        let start = self.bytes.len();
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        let value = Some((start, self.bytes.len()));
        self.rows.push(BatchRow { column, key, value });
    }

    /// Removes a row, whether or not it is there.
    pub fn delete(&mut self, column: Column, key: &[u8]) {
        let key = self.keep(key);
        self.rows.push(BatchRow {
            column,
            key,
            value: None,
        });
    }

    /// Empties it; the memory that it has taken is kept for the next rows.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
    }

    /// Bytes of all keys and values, and number of rows.
    pub fn size(&self) -> (usize, usize) {
        (self.bytes.len(), self.rows.len())
    }

    /// Rows as (column, key, value or `None` for removal), sorted by column and key, equal keys in the order of adding.
    ///
    /// Sorted insertion halves the time of a batch in an ordered store.
    pub fn sorted(&self) -> impl Iterator<Item = (Column, &[u8], Option<&[u8]>)> {
        let mut rows = self.rows.clone();
        rows.sort_by(|a, b| {
            a.column
                .cmp(&b.column)
                .then_with(|| self.slice(a.key).cmp(self.slice(b.key)))
        });
        rows.into_iter().map(|row| {
            (
                row.column,
                self.slice(row.key),
                row.value.map(|value| self.slice(value)),
            )
        })
    }

    fn keep(&mut self, bytes: &[u8]) -> (usize, usize) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        (start, self.bytes.len())
    }

    fn slice(&self, (start, end): (usize, usize)) -> &[u8] {
        &self.bytes[start..end]
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} rows, {} bytes)", self.rows.len(), self.bytes.len())
    }
}

/// What a scan calls for each row: key, value; it may break off.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Above every key of every column: the end of a scan of all.
pub const END: [u8; 64] = [0xff; 64];

/// A row: key and value.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// An ordered key-value store.
pub trait Store: Send + Sync + 'static {
    /// The value of a row.
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Applies a batch.
    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError>;

    /// Visits the rows with `from <= key < to` in ascending order of keys.
    fn scan(&self, column: Column, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// The row with the greatest key of `from <= key < to`.
    fn last(&self, column: Column, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, StoreError>;
}

/// Number of rows of a column.
pub(crate) fn count(store: &dyn Store, column: Column) -> Result<u64, StoreError> {
    let mut rows = 0;
    store.scan(column, &[], &END, &mut |_, _| {
        rows += 1;
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}
