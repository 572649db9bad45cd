//! A store in memory, for tests. It can lose unsynced batches and fail on demand.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Batch, Column, Durability, KeyValue, Store, StoreError, Visit};

type Key = (Column, Vec<u8>);
type Rows = BTreeMap<Key, Vec<u8>>;

/// A store in memory.
#[derive(Default)]
pub struct MemoryStore(Mutex<MemoryState>);

/// How writes fail on demand.
#[derive(Clone, Copy, Debug)]
pub struct WriteFault {
    /// How many writes succeed first.
    pub after: u32,
    /// Whether the first failing write takes effect nevertheless, like a write whose error is reported too late.
    pub applied: bool,
    /// Whether the failure is [`StoreError::Unknown`], as when a connection breaks. Later writes succeed then.
    pub unknown: bool,
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
        // Only one failing write takes effect: the caller should have stopped before the next.
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

/// The range `from <= key < to` in a column; `None` for an empty range, for which `BTreeMap` would panic.
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

    /// Simulates a power cut: discards all unsynced batches.
    pub fn crash(&self) {
        let mut state = self.state();
        state.unsynced.clear();
        state.live = state.durable.clone();
    }

    /// Makes writes fail from now on; `None` makes them succeed again.
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
        let interrupted = state.fault.is_some_and(|fault| fault.unknown) && failing != Some(FailedWrite::No);
        if interrupted {
            state.fault = None;
        }
        let failure = |what: &str| match interrupted {
            true => StoreError::Unknown(what.into()),
            false => StoreError::database(what),
        };
        if failing == Some(FailedWrite::Without) {
            return Err(failure("injected write failure"));
        }
        let swap = batch.swapped();
        if let Some(swap) = swap {
            let present = state.live.get(&(swap.column, swap.key.to_vec()));
            swap.check(present.map(Vec::as_slice))?;
        }
        let swapped = swap.map(|swap| (swap.column, swap.key, Some(swap.after)));
        for (column, key, value) in batch.sorted().chain(swapped) {
            let (key, value) = ((column, key.to_vec()), value.map(<[u8]>::to_vec));
            set(&mut state.live, key.clone(), value.clone());
            state.unsynced.push((key, value));
        }
        if durability == Durability::Synced {
            state.sync();
        }
        match failing {
            Some(FailedWrite::With) => Err(failure("injected write failure after the write")),
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
    fn the_memory_store_conforms() {
        super::super::conformance::check(&MemoryStore::new());
    }

    #[test]
    fn an_interrupted_write_is_settled_and_never_applied_twice() {
        let store = MemoryStore::new();
        for (number, applied) in [(0u8, true), (1, false)] {
            store.set_fault(Some(WriteFault {
                after: 0,
                applied,
                unknown: true,
            }));
            let mut batch = Batch::default();
            let before = [number];
            let before = (number > 0).then_some(before.as_slice());
            batch.swap(Column::Meta, b"head", before, &[number + 1]);
            batch.put(Column::Entries, &[number], b"entry");
            super::super::write_or_settle(&store, &batch, Durability::Synced).unwrap();
            assert_eq!(store.get(Column::Meta, b"head").unwrap(), Some(vec![number + 1]));
            assert!(store.get(Column::Entries, &[number]).unwrap().is_some());
        }
    }

    #[test]
    fn an_interrupted_write_is_fenced_if_another_process_has_written() {
        let store = MemoryStore::new();
        store.set_fault(Some(WriteFault {
            after: 1,
            applied: false,
            unknown: true,
        }));
        let swap = |before: Option<&[u8]>, after: &[u8]| {
            let mut batch = Batch::default();
            batch.swap(Column::Meta, b"head", before, after);
            batch
        };
        store.write(&swap(None, b"another's"), Durability::Synced).unwrap();
        let own = super::super::write_or_settle(&store, &swap(None, b"own"), Durability::Synced);
        assert!(matches!(own, Err(StoreError::Fenced(_))), "{own:?}");
        assert_eq!(store.get(Column::Meta, b"head").unwrap().unwrap(), b"another's");
    }

    #[test]
    fn a_crash_loses_exactly_the_unsynced_batches() {
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
