//! The map in memory: a crit-bit trie in two flat vectors.
//!
//! An inner node holds the *places* of its two children, and in each place what is asked for there: a child's hash, or, where the
//! child is a leaf, its key. So a walk down touches one inner node a level, and the siblings' hashes for a proof or a new root
//! come with it. 76 bytes an inner node and 40 bytes a value are 116 bytes a label; the vectors grow by doubling, but
//! what they have not filled yet is not resident.
//!
//! An insertion marks its path as stale and hashes nothing; [`Map::root`] and [`Map::prove`] hash what is stale, each node once
//! for everything inserted since. Leaf hashes are not kept: one is needed again only when the node just above changes.

use std::borrow::Borrow;

use super::{EMPTY_ROOT, Key, MapProof, Value, inner, leaf_of, uvarint};
use crate::Hash;

/// So many keys are looked up side by side.
const RUN: usize = 256;

/// The key is in the map already; its value stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the map has this key already, for the entry {}", existing.index)]
pub struct DuplicateKey {
    /// The value that the map has for it.
    pub existing: Value,
}

/// A map label → entry with a Merkle root.
#[derive(Debug, Clone, Default)]
pub struct Map {
    pub(super) values: Vec<Value>,
    pub(super) inners: Vec<Inner>,
    pub(super) root: Option<Place>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Inner {
    /// Left for keys with 0 at `bit`, right for those with 1.
    pub(super) children: [Place; 2],
    pub(super) bit: u8,
}

/// Where a node hangs: in its parent, or at the root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    node: Node,
    /// Of a leaf the key; of an inner node the hash, which means nothing while the node is stale.
    bytes: [u8; 32],
}

/// Reference to a value or an inner node by its position; two bits say which, and whether the inner node is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node(u32);

/// What a [`Place`] holds.
enum Kind {
    Leaf(usize),
    Fresh(usize),
    Stale(usize),
}

impl Place {
    const INNER: u32 = 1 << 31;
    const STALE: u32 = 1 << 30;

    // Positions are below 2^30: `Map::insert` does not go beyond `Map::MAX_KEYS`.
    pub(super) fn leaf(position: usize, key: Key) -> Self {
        Self {
            node: Node(position as u32),
            bytes: key,
        }
    }

    pub(super) fn fresh(position: usize, hash: Hash) -> Self {
        Self {
            node: Node(position as u32 | Self::INNER),
            bytes: hash.0,
        }
    }

    fn stale(position: usize) -> Self {
        Self {
            node: Node(position as u32 | Self::INNER | Self::STALE),
            bytes: [0; 32],
        }
    }

    fn kind(&self) -> Kind {
        let position = (self.node.0 & !(Self::INNER | Self::STALE)) as usize;
        match (self.node.0 & Self::INNER, self.node.0 & Self::STALE) {
            (0, _) => Kind::Leaf(position),
            (_, 0) => Kind::Fresh(position),
            _ => Kind::Stale(position),
        }
    }
}

impl Map {
    /// The most keys that a map can hold; [`Map::insert`] does not go beyond.
    pub const MAX_KEYS: usize = (1 << 30) - 1;

    /// The empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of keys.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it has no key.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds a key. Costs no hashing.
    ///
    /// # Errors
    /// [`DuplicateKey`]; the map is unchanged.
    ///
    /// # Panics
    /// Beyond [`Map::MAX_KEYS`] keys (an eighth of a terabyte).
    pub fn insert(&mut self, key: Key, value: Value) -> Result<(), DuplicateKey> {
        let bit = match self.root.as_ref() {
            Some(root) => Some(self.parting(&key, self.nearest(root, &key))?),
            None => None,
        };
        self.hang(key, value, bit);
        Ok(())
    }

    /// Adds many keys and hashes what they change, several times faster than one after another.
    ///
    /// Keys in order share their way down, and a run of them is looked up side by side, so that the processor waits for
    /// memory once for all of them. Each run is hashed while its nodes are still in the cache.
    ///
    /// # Errors
    /// [`DuplicateKey`] when the map has a key or it comes twice; some of the others may be in the map.
    ///
    /// # Panics
    /// Beyond [`Map::MAX_KEYS`] keys.
    pub fn insert_batch(&mut self, items: impl IntoIterator<Item = (Key, Value)>) -> Result<(), DuplicateKey> {
        let mut items: Vec<_> = items.into_iter().collect();
        items.sort_unstable_by_key(|(key, _)| *key);
        for run in items.chunks(RUN) {
            self.insert_run(run)?;
            self.root();
        }
        Ok(())
    }

    /// Adds ascending keys.
    fn insert_run(&mut self, run: &[(Key, Value)]) -> Result<(), DuplicateKey> {
        let bits = self.partings(run)?;
        let mut last: Option<(Key, Value)> = None;
        for ((key, value), bit) in run.iter().zip(bits) {
            // Of the keys of this run, the one before has the longest prefix in common.
            let from_last = match last {
                Some((last, existing)) => Some(first_difference(&last, key).ok_or(DuplicateKey { existing })?),
                None => None,
            };
            self.hang(*key, *value, bit.max(from_last));
            last = Some((*key, *value));
        }
        Ok(())
    }

    /// For each key the bit at which it parts from the map as it is; `None` if that is empty.
    fn partings(&self, run: &[(Key, Value)]) -> Result<Vec<Option<u8>>, DuplicateKey> {
        let Some(root) = &self.root else {
            return Ok(vec![None; run.len()]);
        };
        let nearest = self.nearest_each(root, run.iter().map(|(key, _)| key));
        let bits = nearest.map(|(key, place)| self.parting(key, place).map(Some));
        bits.collect()
    }

    /// Has the nodes on the way of each key brought into the processor's cache, those of all keys side by side, so that
    /// [`Map::get`] and [`Map::insert`] need not wait for memory at each of them. For some hundred keys, just before.
    pub fn prefetch(&self, keys: impl Iterator<Item = Key>) {
        if let Some(root) = &self.root {
            for (_, place) in self.nearest_each(root, keys) {
                std::hint::black_box(place);
            }
        }
    }

    /// [`Map::nearest`] of each key, a level of all of them at a time.
    fn nearest_each<'a, K: Borrow<Key>>(
        &'a self,
        root: &'a Place,
        keys: impl Iterator<Item = K>,
    ) -> impl Iterator<Item = (K, &'a Place)> {
        let mut places: Vec<_> = keys.map(|key| (key, root)).collect();
        let mut inner = true;
        while inner {
            inner = false;
            for (key, place) in &mut places {
                if let Some(below) = self.below(place, (*key).borrow()) {
                    *place = below;
                    inner = true;
                }
            }
        }
        places.into_iter()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Value> {
        self.parting(key, self.nearest(self.root.as_ref()?, key))
            .err()
            .map(|duplicate| duplicate.existing)
    }

    /// All keys and values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, Value)> {
        let mut places: Vec<&Place> = self.root.iter().collect();
        std::iter::from_fn(move || {
            loop {
                let place = places.pop()?;
                match place.kind() {
                    Kind::Leaf(at) => return Some((&place.bytes, self.values[at])),
                    Kind::Fresh(at) | Kind::Stale(at) => places.extend(self.inners[at].children.iter().rev()),
                }
            }
        })
    }

    /// The root. Hashes what has changed since the last call.
    pub fn root(&mut self) -> Hash {
        let Some(root) = self.root else {
            return EMPTY_ROOT;
        };
        let (root, hash) = self.settle(root);
        self.root = Some(root);
        hash
    }

    /// Proves that a key is in the map or that it is not, under [`Map::root`].
    pub fn prove(&mut self, key: &Key) -> MapProof {
        self.root();
        let Some(mut place) = self.root else {
            return MapProof::Absent(Vec::new());
        };
        let mut path = Vec::new();
        let value = loop {
            let at = match place.kind() {
                Kind::Leaf(at) => break self.values[at],
                Kind::Fresh(at) | Kind::Stale(at) => at,
            };
            let Inner { children, bit } = self.inners[at];
            let side = bit_of(key, bit);
            path.push((bit, self.settle(children[1 - side]).1));
            place = children[side];
        };
        let path = path_bytes(path);
        if place.bytes == *key {
            MapProof::Present(value, path)
        } else {
            MapProof::Absent(absent(&place.bytes, value, &path))
        }
    }

    /// The leaf to which the key's bits lead: the key itself, or one that shares the bits at every inner node on the way, and
    /// so the longest prefix that any key of the map shares with it.
    fn nearest<'a>(&'a self, mut place: &'a Place, key: &Key) -> &'a Place {
        while let Some(below) = self.below(place, key) {
            place = below;
        }
        place
    }

    /// The next place on the key's way down, `None` at a leaf.
    fn below(&self, place: &Place, key: &Key) -> Option<&Place> {
        match place.kind() {
            Kind::Leaf(_) => None,
            Kind::Fresh(at) | Kind::Stale(at) => {
                let inner = &self.inners[at];
                Some(&inner.children[bit_of(key, inner.bit)])
            }
        }
    }

    /// The first bit in which a key differs from its nearest leaf.
    fn parting(&self, key: &Key, nearest: &Place) -> Result<u8, DuplicateKey> {
        first_difference(&nearest.bytes, key).ok_or_else(|| match nearest.kind() {
            Kind::Leaf(at) | Kind::Fresh(at) | Kind::Stale(at) => DuplicateKey {
                existing: self.values[at],
            },
        })
    }

    /// Adds a key that parts from all others at `bit`, or the first one.
    fn hang(&mut self, key: Key, value: Value, bit: Option<u8>) {
        assert!(self.values.len() < Self::MAX_KEYS, "the map is full");
        let new = Place::leaf(self.values.len(), key);
        self.values.push(value);
        if let (Some(bit), Some(root)) = (bit, self.root) {
            let inner = self.inners.len();
            let displaced = self.splice(root, &key, bit, Place::stale(inner));
            let children = if bit_of(&key, bit) == 0 {
                [new, displaced]
            } else {
                [displaced, new]
            };
            self.inners.push(Inner { children, bit });
        } else {
            self.root = Some(new);
        }
    }

    /// Puts `new` in the place on the key's path where a node that parts at `bit` belongs, marks everything above as stale, and
    /// returns what was there.
    fn splice(&mut self, root: Place, key: &Key, bit: u8, new: Place) -> Place {
        let mut parent = None;
        let mut place = root;
        while let Kind::Fresh(at) | Kind::Stale(at) = place.kind() {
            let Inner { children, bit: parts } = &self.inners[at];
            if *parts > bit {
                break;
            }
            let side = bit_of(key, *parts);
            place = children[side];
            self.put(parent, Place::stale(at));
            parent = Some((at, side));
        }
        self.put(parent, new);
        place
    }

    /// Replaces a child (inner node, side), or the root.
    fn put(&mut self, parent: Option<(usize, usize)>, place: Place) {
        match parent {
            Some((at, side)) => self.inners[at].children[side] = place,
            None => self.root = Some(place),
        }
    }

    /// The place with the node's hash in it, and the hash. The depth of the recursion is at most 256, the bits of a key.
    pub(super) fn settle(&mut self, place: Place) -> (Place, Hash) {
        match place.kind() {
            Kind::Leaf(at) => (place, leaf_of(&place.bytes, self.values[at])),
            Kind::Fresh(_) => (place, Hash(place.bytes)),
            Kind::Stale(at) => {
                let Inner { children, bit } = self.inners[at];
                let [(left, left_hash), (right, right_hash)] = children.map(|child| self.settle(child));
                self.inners[at].children = [left, right];
                let hash = inner(u32::from(bit), &left_hash, &right_hash);
                (Place::fresh(at, hash), hash)
            }
        }
    }
}

/// The steps of a path, from the leaf up.
fn path_bytes(path: Vec<(u8, Hash)>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(34 * path.len());
    for (bit, sibling) in path.into_iter().rev() {
        push_uvarint(&mut bytes, u64::from(bit));
        bytes.extend(sibling.0);
    }
    bytes
}

/// The proof that another key stands where the absent one would.
fn absent(found: &Key, value: Value, path: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(74 + path.len());
    for part in [&found[..], &value.to_bytes()] {
        push_uvarint(&mut bytes, part.len() as u64);
        bytes.extend(part);
    }
    bytes.extend(path);
    bytes
}

/// Bit of a key, 0 or 1.
fn bit_of(key: &Key, bit: u8) -> usize {
    usize::from(key[usize::from(bit / 8)] >> (7 - bit % 8) & 1)
}

pub(super) fn first_difference(left: &Key, right: &Key) -> Option<u8> {
    let at = left.iter().zip(right).position(|(left, right)| left != right)?;
    let within = (left[at] ^ right[at]).leading_zeros();
    u8::try_from(at * 8).ok()?.checked_add(within.to_le_bytes()[0])
}

pub(super) fn push_uvarint(bytes: &mut Vec<u8>, number: u64) {
    let (buffer, used) = uvarint(number);
    bytes.extend(&buffer[..used]);
}
