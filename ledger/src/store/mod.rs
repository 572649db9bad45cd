//! The key-value interface for all durable data.
//!
//! * **Columns** are separate ordered key spaces. Keys are compared bytewise.
//! * A **batch** is applied completely or not at all. With [`Durability::Synced`] it survives a power cut once `write`
//!   has returned, and so does everything written before it. With [`Durability::Lazy`] it may be lost until the next
//!   synced batch.
//! * **Reads** see every batch whose `write` has returned. A scan sees each batch completely or not at all.
//! * **Keys** have 1 to 65 535 bytes. Values may be empty, and may have several megabytes.
//! * **One writer**: a store that is open for writing has the *claim* to its log, and no two stores have it. `rocks`
//!   claims with its lock file. `postgres` claims with a row, so that a process which has lost the claim without
//!   noticing can write nothing ([`StoreError::Fenced`]).
//! * **Swaps**: a batch may require that one row has a certain value ([`Batch::swap`]). The head of the tree is only
//!   changed this way, so no store can lose its fence.
//! * After `write` fails, the state of the batch is unknown, and the caller must stop writing. A failed `fsync` is
//!   never retried, because the kernel may have dropped the pages and would report success the second time. The one
//!   exception is [`StoreError::Unknown`], after which [`write_or_settle`] finds out what became of the batch.
//!
//! Code above this module does not depend on a particular store. `rocks` is the embedded default, and `postgres`
//! survives the loss of a machine. `memory` can lose unsynced batches on demand, and `fjall` is written in pure Rust;
//! both are for tests. All pass the same conformance test (`conformance.rs`). `docs/storage.md` explains what is stored
//! where, and why.

#[cfg(test)]
mod conformance;
pub(crate) mod copy;
mod error;
#[cfg(test)]
mod fjall;
pub mod memory;
pub mod postgres;
pub mod rocks;

use std::fmt;
use std::ops::ControlFlow;

use crate::failpoints::{self, Point};

pub use error::StoreError;

/// A key space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Labels by period; the maps are rebuilt from them.
    Labels,
    /// Indexes of each writer's entries: `rules::chains`.
    Chains,
    /// Intents without an outcome.
    Intents,
    /// Indexes of the entries that carry change sets: `rules::sets`.
    Sets,
    /// Indexes of the `map` entries: `rules::sets`.
    Maps,
}

impl Column {
    /// All columns.
    pub const ALL: [Column; 11] = [
        Column::Entries,
        Column::Tiles,
        Column::Meta,
        Column::Checkpoints,
        Column::Records,
        Column::Documents,
        Column::Labels,
        Column::Chains,
        Column::Intents,
        Column::Sets,
        Column::Maps,
    ];

    /// The stable name of the column's key space.
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
            Column::Sets => "sets",
            Column::Maps => "maps",
        }
    }
}

/// When a batch becomes durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Before `write` returns.
    Synced,
    /// With the next synced batch, or earlier.
    Lazy,
}

/// Changes to rows, in the order in which they were added. A later change to the same row wins.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    rows: Vec<BatchRow>,
    swap: Option<BatchSwap>,
}

struct BatchSwap {
    column: Column,
    key: Vec<u8>,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
}

/// A row that a batch changes only if it has a certain value.
#[derive(Clone, Copy, Debug)]
pub struct Swap<'a> {
    /// The column of the row.
    pub column: Column,
    /// The key of the row.
    pub key: &'a [u8],
    /// The value that the row must have; `None` if it must not exist.
    pub before: Option<&'a [u8]>,
    /// The new value.
    pub after: &'a [u8],
}

impl Swap<'_> {
    /// The error for a row that has another value.
    fn refused(&self) -> StoreError {
        let (column, key) = (self.column.name(), String::from_utf8_lossy(self.key));
        StoreError::Fenced(format!(
            "the row `{key}` of `{column}` has another value than this process wrote"
        ))
    }

    /// Checks the row's present value.
    fn check(&self, present: Option<&[u8]>) -> Result<(), StoreError> {
        (present == self.before).then_some(()).ok_or_else(|| self.refused())
    }
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

    /// Removes a row, whether or not it exists.
    pub fn delete(&mut self, column: Column, key: &[u8]) {
        let key = self.keep(key);
        self.rows.push(BatchRow {
            column,
            key,
            value: None,
        });
    }

    /// Makes the batch conditional: it is applied only if this row has the value `before`, or does not exist if that is
    /// `None`, and it sets the row to `after`. Otherwise `write` fails with [`StoreError::Fenced`] and applies nothing.
    ///
    /// A batch has at most one swap; a second call replaces the first. No other change may concern the same row.
    pub fn swap(&mut self, column: Column, key: &[u8], before: Option<&[u8]>, after: &[u8]) {
        self.swap = Some(BatchSwap {
            column,
            key: key.to_vec(),
            before: before.map(<[u8]>::to_vec),
            after: after.to_vec(),
        });
    }

    /// The condition of the batch.
    pub fn swapped(&self) -> Option<Swap<'_>> {
        self.swap.as_ref().map(|swap| Swap {
            column: swap.column,
            key: &swap.key,
            before: swap.before.as_deref(),
            after: &swap.after,
        })
    }

    /// Removes all changes, but keeps the allocated memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
        self.swap = None;
    }

    /// The total length of keys and values in bytes, and the number of changes.
    pub fn size(&self) -> (usize, usize) {
        (self.bytes.len(), self.rows.len())
    }

    /// The changes as (column, key, value or `None` for removal), sorted by column and key. Changes to one row keep
    /// their order. The swap is not among them.
    ///
    /// Inserting in sorted order halves the time of a batch in an ordered store.
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

/// The callback of a scan, called with key and value of each row. It may end the scan.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// An upper bound of all keys in all columns, for scans of whole columns.
pub const END: [u8; 64] = [0xff; 64];

/// A row: key and value.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// An ordered key-value store.
pub trait Store: Send + Sync + 'static {
    /// The value of a row; `None` if the row does not exist.
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Applies a batch.
    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError>;

    /// Waits until the store can be used again after [`StoreError::Unknown`]. Once it returns, no earlier write takes
    /// effect any more: each either is durable and visible to reads, or never will be.
    ///
    /// Stores in this process never lose their connection, so they need not implement it.
    fn reclaim(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Visits the rows with `from <= key < to` in ascending order of keys.
    fn scan(&self, column: Column, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// The row with the greatest key with `from <= key < to`.
    fn last(&self, column: Column, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, StoreError>;
}

/// How often an interrupted write is repeated. Each attempt waits for the store first.
const MAX_ATTEMPTS: u32 = 10;

/// Writes a batch. If the store cannot say whether it was applied, waits for the store, reads what became of the batch,
/// and writes it again if it was not applied.
///
/// A batch with a swap was applied if the row has the new value. A batch without one is written again in any case: it
/// sets and removes fixed rows, so applying it twice changes nothing.
///
/// # Errors
/// As [`Store::write`]. [`StoreError::Unknown`] only if the store does not become available again.
pub fn write_or_settle(store: &dyn Store, batch: &Batch, durability: Durability) -> Result<(), StoreError> {
    for _ in 1..MAX_ATTEMPTS {
        match store.write(batch, durability) {
            Err(StoreError::Unknown(why)) => {
                tracing::warn!(%why, "a write to the store was interrupted; finding out whether it took effect");
                store.reclaim()?;
                if is_applied(store, batch)? {
                    return Ok(());
                }
            }
            done => return done,
        }
    }
    store.write(batch, durability)
}

/// Whether a batch whose outcome was unknown has been applied and need not be written again.
fn is_applied(store: &dyn Store, batch: &Batch) -> Result<bool, StoreError> {
    let Some(swap) = batch.swapped() else { return Ok(false) };
    let present = store.get(swap.column, swap.key)?;
    if present.as_deref() == Some(swap.after) {
        return Ok(true);
    }
    if failpoints::fires(Point::FenceLeftOut) {
        // Without the fence, nothing notices that another ledger has written meanwhile.
        return Ok(false);
    }
    swap.check(present.as_deref()).map(|()| false)
}

/// The number of rows in a column.
pub(crate) fn count(store: &dyn Store, column: Column) -> Result<u64, StoreError> {
    let mut rows = 0;
    store.scan(column, &[], &END, &mut |_, _| {
        rows += 1;
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}
