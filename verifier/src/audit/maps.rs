//! The periods' maps, rebuilt from the public entries alone (design: label → index and leaf hash, no secret needed).
//!
//! Map 0 holds the `period` entries, map *p* the labels of period *p*. The map's format is the documented MPT format.

use std::collections::BTreeMap;

use record::{Label, Period};
use tlog::Hash;
use tlog::map::{Map, Value};
use tlog::merkle::Index;

/// One label with its place: period, label, index, leaf hash.
pub(crate) type PlacedLabel = (u32, [u8; 32], u64, [u8; 32]);

/// All maps that still change.
#[derive(Debug)]
pub(crate) struct Maps {
    maps: BTreeMap<Period, Map>,
    /// The same again in order, if it has to be saved.
    placed: Option<Vec<PlacedLabel>>,
}

impl Maps {
    /// With an empty map 0. `keep`: remember the labels for [`Maps::placed`].
    pub(crate) fn new(keep: bool) -> Maps {
        Maps {
            maps: BTreeMap::from([(Period::MAP0, Map::new())]),
            placed: keep.then(Vec::new),
        }
    }

    /// A period begins: its map is empty.
    pub(crate) fn open(&mut self, period: Period) {
        self.maps.entry(period).or_default();
    }

    /// A period is final: its map is not needed any more.
    pub(crate) fn close(&mut self, period: Period) {
        self.maps.remove(&period);
        if let Some(placed) = &mut self.placed {
            placed.retain(|(number, ..)| *number != period.0);
        }
    }

    /// Puts a label into its period's map. A label of a period that has not begun, or is final, is not kept (and a
    /// finding of the rules).
    ///
    /// # Errors
    /// The index of the entry that has the label.
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

    /// Map 0 and the maps of the open periods, ascending: what a map entry must state.
    pub(crate) fn roots(&mut self) -> Vec<(Period, Hash)> {
        self.maps
            .iter_mut()
            .map(|(period, map)| (*period, map.root()))
            .collect()
    }

    /// What [`Maps::insert`] was given for the maps that still change, in order.
    pub(crate) fn placed(&self) -> &[PlacedLabel] {
        self.placed.as_deref().unwrap_or_default()
    }
}
