//! The maps of the periods, rebuilt from the public entries alone (design: label → index and leaf hash, no secret
//! needed).
//!
//! Map 0 holds the `period` entries, and map *p* holds the labels of period *p*. The format is the documented MPT
//! format.

use std::collections::BTreeMap;

use record::{Label, Period};
use tlog::Hash;
use tlog::map::{Map, Value};
use tlog::merkle::Index;

/// One label with its value: period, label, index, leaf hash.
pub(crate) type PlacedLabel = (u32, [u8; 32], u64, [u8; 32]);

/// The maps that can still change.
#[derive(Debug)]
pub(crate) struct Maps {
    maps: BTreeMap<Period, Map>,
    /// The labels of these maps in the order of their entries, if the state will be saved.
    placed: Option<Vec<PlacedLabel>>,
}

impl Maps {
    /// Creates an empty map 0. With `keep`, the labels are kept for [`Maps::placed`].
    pub(crate) fn new(keep: bool) -> Maps {
        Maps {
            maps: BTreeMap::from([(Period::MAP0, Map::new())]),
            placed: keep.then(Vec::new),
        }
    }

    /// Adds the empty map of a period that begins.
    pub(crate) fn open(&mut self, period: Period) {
        self.maps.entry(period).or_default();
    }

    /// Removes the map of a period that is final, because it cannot change any more.
    pub(crate) fn close(&mut self, period: Period) {
        self.maps.remove(&period);
        if let Some(placed) = &mut self.placed {
            placed.retain(|(number, ..)| *number != period.0);
        }
    }

    /// Adds a label to the map of its period. A label of a period that has not begun or is final is ignored; the rules
    /// report it.
    ///
    /// # Errors
    /// The index of the earlier entry with the same label.
    pub(crate) fn insert(&mut self, period: Period, label: Label, index: u64, leaf: Hash) -> Result<(), u64> {
        let Some(map) = self.maps.get_mut(&period) else {
            return Ok(());
        };
        let place = Index::new(index).map_err(|_| index)?;
        map.insert(label.0, Value { index: place, leaf })
            .map_err(|duplicate| duplicate.existing.index.get())?;
        if let Some(placed) = &mut self.placed {
            placed.push((period.0, label.0, index, leaf.0));
        }
        Ok(())
    }

    /// Root of a period's map.
    pub(crate) fn root(&mut self, period: Period) -> Option<Hash> {
        self.maps.get_mut(&period).map(|map| map.root())
    }

    /// The roots of map 0 and of the maps of the open periods, ascending. A map entry must state exactly these.
    pub(crate) fn roots(&mut self) -> Vec<(Period, Hash)> {
        self.maps
            .iter_mut()
            .map(|(period, map)| (*period, map.root()))
            .collect()
    }

    /// The arguments of [`Maps::insert`] for the maps that can still change, in order.
    pub(crate) fn placed(&self) -> &[PlacedLabel] {
        self.placed.as_deref().unwrap_or_default()
    }
}
