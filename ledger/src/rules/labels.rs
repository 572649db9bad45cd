//! The labels and the maps over them (design §5.3).
//!
//! Map 0 and the map of every open period live in memory; the label rows in the store are what they are rebuilt from:
//! column `Labels`, key u32 period ‖ label, value u64 index ‖ leaf hash (which is also the map's value). A label is unique in its
//! period because a map has a key once.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use record::{Label, Period};
use tlog::Hash;
use tlog::map::{Map, MapBuilder, Value};
use tlog::merkle::Index;

use crate::store::{Batch, Column, Store, StoreError};

/// The open maps.
#[derive(Default)]
pub(super) struct Labels(BTreeMap<Period, Map>);

fn damaged() -> StoreError {
    StoreError("a label row is damaged: restore from a backup".into())
}

/// The key of `Labels`.
pub(super) fn key(period: Period, label: &Label) -> [u8; 36] {
    let mut key = [0; 36];
    key[..4].copy_from_slice(&period.0.to_be_bytes());
    key[4..].copy_from_slice(&label.0);
    key
}

impl Labels {
    /// Rebuilds a period's map and calls `each` with the indexes of its entries.
    pub(super) fn load(
        &mut self,
        store: &dyn Store,
        period: Period,
        mut each: impl FnMut(u64),
    ) -> Result<(), StoreError> {
        let mut map = MapBuilder::new();
        let mut good = true;
        let first = period.0.to_be_bytes();
        let end = [&first[..], &[0xff; 33]].concat();
        store.scan(Column::Labels, &first, &end, &mut |key, row| {
            let label = key.get(4..).and_then(|label| label.try_into().ok());
            match (label, Value::from_bytes(row)) {
                (Some(label), Ok(value)) => {
                    good &= map.push(label, value).is_ok();
                    each(value.index.get());
                }
                _ => good = false,
            }
            if good {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        if !good {
            return Err(damaged());
        }
        self.0.insert(period, map.finish());
        Ok(())
    }

    /// The entry that has the label.
    pub(super) fn find(&self, period: Period, label: &Label) -> Option<u64> {
        self.0.get(&period)?.get(&label.0).map(|value| value.index.get())
    }

    /// Notes a staged entry, whose label has been looked for before.
    pub(super) fn add(
        &mut self,
        (period, label): (Period, Label),
        index: u64,
        leaf: Hash,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let index = Index::new(index).map_err(|error| StoreError(error.to_string()))?;
        let value = Value { index, leaf };
        batch.put(Column::Labels, &key(period, &label), &value.to_bytes());
        let inserted = self.0.entry(period).or_default().insert(label.0, value);
        inserted.map_err(|_| StoreError("a label was added twice".into()))
    }

    /// Opens the map of a period that begins.
    pub(super) fn open(&mut self, period: Period) {
        self.0.entry(period).or_default();
    }

    /// Forgets the map of a period that is final.
    pub(super) fn close(&mut self, period: Period) {
        self.0.remove(&period);
    }

    /// The root of a period's map.
    pub(super) fn root(&mut self, period: Period) -> Option<Hash> {
        self.0.get_mut(&period).map(Map::root)
    }

    /// The roots of all open maps, ascending, map 0 first.
    pub(super) fn roots(&mut self) -> Vec<(Period, Hash)> {
        self.0.entry(Period::MAP0).or_default();
        self.0.iter_mut().map(|(period, map)| (*period, map.root())).collect()
    }
}
