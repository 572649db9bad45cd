//! Builds a map from keys in ascending order, the order in which a store returns them.
//!
//! Only the nodes on the right edge are open. As soon as a key lies beyond an open node, the builder closes the node,
//! hashes it and appends it after its children. So each node is hashed once, neighbouring nodes are close together in
//! memory, and the builder keeps no more than one key's path besides the map itself.

use super::trie::{Inner, Map, Place, first_difference};
use super::{Key, Value, inner};

/// The key is not greater than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("keys must come in ascending order, each once")]
pub struct OutOfOrder;

/// Builds a [`Map`] from ascending keys.
#[derive(Debug, Default)]
pub struct MapBuilder {
    map: Map,
    /// The inner nodes whose right half is still growing, from the root down: their bit and left child.
    open: Vec<(u8, Place)>,
    last: Option<(Key, Place)>,
}

impl MapBuilder {
    /// Makes a builder without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key, which must be greater than all keys before.
    ///
    /// # Errors
    /// [`OutOfOrder`] when it is not; the map is unchanged.
    ///
    /// # Panics
    /// When the map has [`Map::MAX_KEYS`] keys already.
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

    /// Returns the map of all keys with its root computed.
    #[must_use]
    pub fn finish(mut self) -> Map {
        if let Some((_, place)) = self.last {
            self.map.root = Some(self.close_below(None, place));
        }
        self.map
    }

    /// Closes the open nodes that split below `bit` and whose right half ends with `right`.
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
