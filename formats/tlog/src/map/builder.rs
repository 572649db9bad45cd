//! Building a map from keys that come in order, as a store's rows do.
//!
//! Only the nodes on the right edge are open: each is closed, hashed and put behind those below it as soon as a key comes that lies beyond.
//! So every node is hashed once, nodes that belong together lie together, and beside the map itself there is never more than
//! one key's path in memory.

use super::trie::{Inner, Map, Place, first_difference};
use super::{Key, Value, inner};

/// A key that is not above the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("keys must come in ascending order, each once")]
pub struct OutOfOrder;

/// Builds a [`Map`] from ascending keys.
#[derive(Debug, Default)]
pub struct MapBuilder {
    map: Map,
    /// Inner nodes whose right half is still growing, from the root down: their bit and left child.
    open: Vec<(u8, Place)>,
    last: Option<(Key, Place)>,
}

impl MapBuilder {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key that must be above all before.
    ///
    /// # Errors
    /// [`OutOfOrder`]; nothing is added.
    ///
    /// # Panics
    /// Beyond [`Map::MAX_KEYS`] keys.
    pub fn push(&mut self, key: Key, value: Value) -> Result<(), OutOfOrder> {
        assert!(self.map.len() < Map::MAX_KEYS, "the map is full");
        if let Some((last, place)) = self.last {
            let bit = first_difference(&last, &key).filter(|_| last < key).ok_or(OutOfOrder)?;
            let left = self.close_below(Some(bit), place);
            self.open.push((bit, left));
        }
        self.last = Some((key, Place::leaf(self.map.len(), key)));
        self.map.values.push(value);
        Ok(())
    }

    /// The map of all keys, its root known.
    #[must_use]
    pub fn finish(mut self) -> Map {
        if let Some((_, place)) = self.last {
            self.map.root = Some(self.close_below(None, place));
        }
        self.map
    }

    /// Closes the open nodes that part below `bit`, whose right half ends with `right`.
    fn close_below(&mut self, bit: Option<u8>, mut right: Place) -> Place {
        while let Some((below, left)) = self.open.pop_if(|(open, _)| bit.is_none_or(|bit| *open > bit)) {
            let (left_hash, right_hash) = (self.map.settle(left).1, self.map.settle(right).1);
            let hash = inner(u32::from(below), &left_hash, &right_hash);
            let position = self.map.inners.len();
            self.map.inners.push(Inner {
                children: [left, right],
                bit: below,
            });
            right = Place::fresh(position, hash);
        }
        right
    }
}
