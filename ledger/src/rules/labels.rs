//! The labels and the maps over them (design §5.3).
//!
//! Map 0 and the map of every open period are kept in memory. They are rebuilt from the label rows in the store: column
//! `Labels`, key u32 period ‖ label, value u64 index ‖ leaf hash (which is also the value in the map). A label is
//! unique in its period because a map contains each key at most once.
//!
//! **After a start**, rebuilding a large map takes time. A thread rebuilds it from the rows of the entries that were
//! durable at the start. Labels that are added meanwhile are collected separately, and the rows in the store answer for
//! all others. The log therefore accepts entries at once; only roots, which `map` entries and `final` periods need,
//! have to wait.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use record::{Label, Period};
use tlog::Hash;
use tlog::map::{Key, Map, MapBuilder, Value};
use tlog::merkle::Index;

use crate::store::{Batch, Column, Store, StoreError};

/// The maps of all open periods.
#[derive(Default)]
pub(super) struct Labels {
    /// Complete maps.
    maps: BTreeMap<Period, Map>,
    /// Maps that are being rebuilt.
    rebuilding: BTreeMap<Period, Rebuilding>,
}

fn damaged() -> StoreError {
    StoreError::damaged("a label row is damaged")
}

/// The key of a row in column `Labels`.
pub(super) fn key(period: Period, label: &Label) -> [u8; 36] {
    let mut key = [0; 36];
    key[..4].copy_from_slice(&period.0.to_be_bytes());
    key[4..].copy_from_slice(&label.0);
    key
}

/// Period and label of such a key.
pub(super) fn parse_key(key: &[u8]) -> Option<(Period, Label)> {
    let (period, label) = key.split_first_chunk()?;
    Some((Period(u32::from_be_bytes(*period)), Label(label.try_into().ok()?)))
}

impl Labels {
    /// Loads a small map at once, and calls `each` with the index of each of its entries.
    pub(super) fn load(
        &mut self,
        store: &dyn Store,
        period: Period,
        mut each: impl FnMut(u64),
    ) -> Result<(), StoreError> {
        let map = read_map(store, period, |index| {
            each(index);
            ControlFlow::Continue(true)
        })?;
        self.maps.insert(period, map);
        Ok(())
    }

    /// Starts a thread that rebuilds a map from the entries with an index below `size`.
    pub(super) fn rebuild(&mut self, store: &Arc<dyn Store>, period: Period, size: u64) -> Result<(), StoreError> {
        self.rebuilding
            .insert(period, Rebuilding::start(store.clone(), period, size)?);
        Ok(())
    }

    /// Takes over the maps whose rebuilding has finished; returns whether all maps are complete.
    pub(super) fn finish_rebuilds(&mut self) -> Result<bool, StoreError> {
        let done = |rebuilding: &Rebuilding| rebuilding.thread.as_ref().is_some_and(JoinHandle::is_finished);
        let finished: Vec<Period> = self
            .rebuilding
            .iter()
            .filter(|(_, r)| done(r))
            .map(|(p, _)| *p)
            .collect();
        for period in finished {
            if let Some(mut rebuilding) = self.rebuilding.remove(&period) {
                let added = std::mem::take(&mut rebuilding.added);
                let mut map = rebuilding.finish()?;
                map.insert_batch(added).map_err(|_| damaged())?;
                tracing::info!(period = period.0, labels = map.len(), "map rebuilt");
                self.maps.insert(period, map);
            }
        }
        Ok(self.all_rebuilt())
    }

    /// Whether all maps are complete.
    pub(super) fn all_rebuilt(&self) -> bool {
        self.rebuilding.is_empty()
    }

    /// Prefetches the nodes that lookups of these labels need (see [`Map::prefetch`]).
    pub(super) fn prefetch(&self, keys: &[(Period, Label)]) {
        for (period, map) in &self.maps {
            let of_period = keys.iter().filter(|(of, _)| of == period);
            map.prefetch(of_period.map(|(_, label)| label.0));
        }
    }

    /// The index of the entry with this label.
    pub(super) fn find(&self, store: &dyn Store, period: Period, label: &Label) -> Result<Option<u64>, StoreError> {
        let Some(rebuilding) = self.rebuilding.get(&period) else {
            let value = self.maps.get(&period).and_then(|map| map.get(&label.0));
            return Ok(value.map(|value| value.index.get()));
        };
        if let Some(value) = rebuilding.added.get(&label.0) {
            return Ok(Some(value.index.get()));
        }
        let Some(row) = store.get(Column::Labels, &key(period, label))? else {
            return Ok(None);
        };
        Value::from_bytes(&row)
            .map(|value| Some(value.index.get()))
            .map_err(|_| damaged())
    }

    /// Adds the label of a staged entry. The caller has checked with [`Labels::find`] that the label is unused.
    pub(super) fn add(
        &mut self,
        (period, label): (Period, Label),
        index: u64,
        leaf: Hash,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let value = Value {
            index: Index::new(index)?,
            leaf,
        };
        batch.put(Column::Labels, &key(period, &label), &value.to_bytes());
        let added = match self.rebuilding.get_mut(&period) {
            Some(rebuilding) => rebuilding.added.insert(label.0, value).is_none(),
            None => self.maps.entry(period).or_default().insert(label.0, value).is_ok(),
        };
        if added {
            Ok(())
        } else {
            Err(StoreError::Damaged("a label was added twice".into()))
        }
    }

    /// Adds an empty map for a period that begins.
    pub(super) fn open(&mut self, period: Period) {
        self.maps.entry(period).or_default();
    }

    /// Drops the map of a period that is final.
    pub(super) fn close(&mut self, period: Period) {
        self.maps.remove(&period);
        self.rebuilding.remove(&period);
    }

    /// The root of a period's map; `None` if there is no map or it is being rebuilt.
    pub(super) fn root(&mut self, period: Period) -> Option<Hash> {
        self.maps.get_mut(&period).map(Map::root)
    }

    /// The roots of all open maps in ascending order of periods, map 0 first. All maps must be [`Labels::all_rebuilt`].
    pub(super) fn roots(&mut self) -> Vec<(Period, Hash)> {
        debug_assert!(self.all_rebuilt());
        self.maps.entry(Period::MAP0).or_default();
        self.maps
            .iter_mut()
            .map(|(period, map)| (*period, map.root()))
            .collect()
    }
}

/// Reads a period's map from the store. For each entry index, `take` returns whether the map includes it, or cancels
/// the reading.
fn read_map(
    store: &dyn Store,
    period: Period,
    mut take: impl FnMut(u64) -> ControlFlow<(), bool>,
) -> Result<Map, StoreError> {
    let mut map = MapBuilder::new();
    let mut good = true;
    let first = period.0.to_be_bytes();
    let end = [&first[..], &[0xff; 33]].concat();
    store.scan(Column::Labels, &first, &end, &mut |key, row| {
        let label = key.get(4..).and_then(|label| label.try_into().ok());
        let (Some(label), Ok(value)) = (label, Value::from_bytes(row)) else {
            good = false;
            return ControlFlow::Break(());
        };
        if take(value.index.get())? {
            good &= map.push(label, value).is_ok();
        }
        ControlFlow::Continue(())
    })?;
    if good { Ok(map.finish()) } else { Err(damaged()) }
}

/// A map that a thread is rebuilding. Dropping this cancels the thread and waits for it.
struct Rebuilding {
    /// Labels that were added since the start.
    added: HashMap<Key, Value>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<Map, StoreError>>>,
}

impl Rebuilding {
    fn start(store: Arc<dyn Store>, period: Period, size: u64) -> Result<Self, StoreError> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let take = move |index| {
            if stopped.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            // Rows from `size` on were added since the start, and are in `added`.
            ControlFlow::Continue(index < size)
        };
        let thread = std::thread::Builder::new()
            .name("map".into())
            .spawn(move || read_map(store.as_ref(), period, take))
            .map_err(|error| StoreError::failed("a thread cannot be started", error))?;
        Ok(Self {
            added: HashMap::new(),
            stop,
            thread: Some(thread),
        })
    }

    fn finish(mut self) -> Result<Map, StoreError> {
        let result = self.thread.take().map(JoinHandle::join);
        match result {
            Some(Ok(map)) => map,
            _ => Err(StoreError::Damaged("rebuilding a map was cancelled".into())),
        }
    }
}

impl Drop for Rebuilding {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
