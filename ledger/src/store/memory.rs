//! A store in memory, for tests: it can lose what was not synced, and it can fail.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Batch, Column, Durability, KeyValue, Store, StoreError, Visit};

type Key = (Column, Vec<u8>);
type Rows = BTreeMap<Key, Vec<u8>>;

/// The store.
#[derive(Default)]
pub struct MemoryStore(Mutex<MemoryState>);

/// How writes fail.
#[derive(Clone, Copy, Debug)]
pub struct WriteFault {
    /// This many succeed before.
    pub after: u32,
    /// Whether the first that fails takes effect all the same, as after an error that is reported too late.
    pub applied: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FailedWrite {
    No,
    With,
    Without,
}

impl WriteFault {
    fn next(&mut self) -> FailedWrite {
        if let Some(after) = self.after.checked_sub(1) {
            self.after = after;
            return FailedWrite::No;
        }
        // Only one takes effect: the next comes from a caller that should have stopped.
        if std::mem::take(&mut self.applied) {
            FailedWrite::With
        } else {
            FailedWrite::Without
        }
    }
}

#[derive(Default)]
struct MemoryState {
    live: Rows,
    durable: Rows,
    unsynced: Vec<(Key, Option<Vec<u8>>)>,
    fault: Option<WriteFault>,
}

impl MemoryState {
    fn sync(&mut self) {
        for (key, value) in self.unsynced.drain(..) {
            set(&mut self.durable, key, value);
        }
    }
}

fn set(rows: &mut Rows, key: Key, value: Option<Vec<u8>>) {
    match value {
        Some(value) => rows.insert(key, value),
        None => rows.remove(&key),
    };
}

/// `from <= key < to` in a column; `None` if there are no such keys, for which `BTreeMap` would panic.
fn range(column: Column, from: &[u8], to: &[u8]) -> Option<(Bound<Key>, Bound<Key>)> {
    let bounds = || {
        (
            Bound::Included((column, from.to_vec())),
            Bound::Excluded((column, to.to_vec())),
        )
    };
    (from < to).then(bounds)
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A power cut: what was not synced is gone.
    pub fn crash(&self) {
        let mut state = self.state();
        state.unsynced.clear();
        state.live = state.durable.clone();
    }

    /// Lets writes fail from now on; `None`: no longer.
    pub fn set_fault(&self, fault: Option<WriteFault>) {
        self.state().fault = fault;
    }

    fn state(&self) -> MutexGuard<'_, MemoryState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().live.get(&(column, key.to_vec())).cloned())
    }

    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError> {
        let mut state = self.state();
        let failing = state.fault.as_mut().map(WriteFault::next);
        if failing == Some(FailedWrite::Without) {
            return Err(StoreError::database("told to fail"));
        }
        for (column, key, value) in batch.sorted() {
            let (key, value) = ((column, key.to_vec()), value.map(<[u8]>::to_vec));
            set(&mut state.live, key.clone(), value.clone());
            state.unsynced.push((key, value));
        }
        if durability == Durability::Synced {
            state.sync();
        }
        match failing {
            Some(FailedWrite::With) => Err(StoreError::database("told to fail, though it was written")),
            _ => Ok(()),
        }
    }

    fn scan(&self, column: Column, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        let Some(range) = range(column, from, to) else {
            return Ok(());
        };
        let rows: Vec<_> = self
            .state()
            .live
            .range(range)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect();
        for (key, value) in rows {
            if let ControlFlow::Break(()) = visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }

    fn last(&self, column: Column, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, StoreError> {
        let state = self.state();
        let row = range(column, from, to).and_then(|range| state.live.range(range).next_back());
        Ok(row.map(|((_, key), value)| (key.clone(), value.clone())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn conforms() {
        super::super::conformance::check(&MemoryStore::new());
    }

    #[test]
    fn a_crash_loses_exactly_what_was_not_synced() {
        let store = MemoryStore::new();
        let put = |key: &[u8], durability| {
            let mut batch = Batch::default();
            batch.put(Column::Meta, key, b"x");
            store.write(&batch, durability).unwrap();
        };
        put(b"lazy, then synced by the next", Durability::Lazy);
        put(b"synced", Durability::Synced);
        put(b"lazy", Durability::Lazy);
        store.crash();
        assert!(
            store
                .get(Column::Meta, b"lazy, then synced by the next")
                .unwrap()
                .is_some()
        );
        assert!(store.get(Column::Meta, b"synced").unwrap().is_some());
        assert!(store.get(Column::Meta, b"lazy").unwrap().is_none());
    }
}
