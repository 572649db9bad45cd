//! The labels and the maps over them (design §5.3).
//!
//! Map 0 and the map of every open period live in memory; the label rows in the store are what they are rebuilt from:
//! column `Labels`, key u32 period ‖ label, value u64 index ‖ leaf hash (which is also the map's value). A label is unique in its
//! period because a map has a key once.
//!
//! **After a start** a large map takes a while. It is rebuilt by a thread beside the log, from the rows of entries that were durable
//! at the start; labels added meanwhile are collected beside it, and the rows answer what is not among those.
//! So entries are taken at once, and only roots (for `map` entries and `final` periods) have to wait.

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

/// The open maps.
#[derive(Default)]
pub(super) struct Labels {
    /// Whole maps.
    maps: BTreeMap<Period, Map>,
    /// Those that are not whole yet.
    rebuilding: BTreeMap<Period, Rebuilding>,
}

fn damaged() -> StoreError {
    StoreError::damaged("a label row is damaged")
}

/// The key of `Labels`.
pub(super) fn key(period: Period, label: &Label) -> [u8; 36] {
    let mut key = [0; 36];
    key[..4].copy_from_slice(&period.0.to_be_bytes());
    key[4..].copy_from_slice(&label.0);
    key
}

impl Labels {
    /// Rebuilds a small map at once and calls `each` with the indexes of its entries.
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

    /// Starts to rebuild a map from the entries before `size`.
    pub(super) fn rebuild(&mut self, store: &Arc<dyn Store>, period: Period, size: u64) -> Result<(), StoreError> {
        self.rebuilding
            .insert(period, Rebuilding::start(store.clone(), period, size)?);
        Ok(())
    }

    /// Puts maps in place that have been rebuilt; whether all are.
    pub(super) fn settle(&mut self) -> Result<bool, StoreError> {
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
        Ok(self.settled())
    }

    /// Whether all maps are whole.
    pub(super) fn settled(&self) -> bool {
        self.rebuilding.is_empty()
    }

    /// Fetches what will be asked for these labels: see [`Map::prefetch`].
    pub(super) fn prefetch(&self, keys: &[(Period, Label)]) {
        for (period, map) in &self.maps {
            let of_period = keys.iter().filter(|(of, _)| of == period);
            map.prefetch(of_period.map(|(_, label)| label.0));
        }
    }

    /// The entry that has the label.
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

    /// Notes a staged entry, whose label has been looked for before.
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

    /// Opens the map of a period that begins.
    pub(super) fn open(&mut self, period: Period) {
        self.maps.entry(period).or_default();
    }

    /// Forgets the map of a period that is final.
    pub(super) fn close(&mut self, period: Period) {
        self.maps.remove(&period);
    }

    /// The root of a period's map; `None` if there is none or not yet.
    pub(super) fn root(&mut self, period: Period) -> Option<Hash> {
        self.maps.get_mut(&period).map(Map::root)
    }

    /// The roots of all open maps, ascending, map 0 first. To be asked for when all are [`Labels::settled`].
    pub(super) fn roots(&mut self) -> Vec<(Period, Hash)> {
        debug_assert!(self.settled());
        self.maps.entry(Period::MAP0).or_default();
        self.maps
            .iter_mut()
            .map(|(period, map)| (*period, map.root()))
            .collect()
    }
}

/// Reads a period's map. `take` says for each entry whether it belongs to it, or breaks off.
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

/// A map that a thread is rebuilding; the thread ends with it.
struct Rebuilding {
    /// What was added since the start.
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
            // Later rows were added since the start, and are known.
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
