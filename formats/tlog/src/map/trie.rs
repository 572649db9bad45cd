//! The map in memory: a crit-bit trie in two flat vectors.
//!
//! An inner node contains the *places* of its two children. A place contains what a walk needs there: the child's hash
//! or, if the child is a leaf, its key. So a walk down reads one inner node per level, which also contains the
//! sibling's hash for a proof or a new root. An inner node needs 76 bytes and a value 40, together 116 bytes per label.
//! The vectors grow by doubling, but memory that they have not filled yet is not resident.
//!
//! An insertion marks its path as stale and computes no hashes. [`Map::root`] and [`Map::prove`] hash the stale nodes,
//! each once for everything inserted since the last call. The map does not keep leaf hashes: it needs one again only
//! when the node directly above changes.

use std::borrow::Borrow;

use super::{EMPTY_ROOT, Key, MapProof, Value, inner, leaf_of, uvarint};
use crate::Hash;

/// How many keys of a batch are looked up side by side.
const CHUNK_KEYS: usize = 256;

/// The map already has the key; its value is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the map has this key already, for the entry {}", existing.index)]
pub struct DuplicateKey {
    /// The value that the map has for the key.
    pub existing: Value,
}

/// A map from labels to entries with a Merkle root.
#[derive(Debug, Clone, Default)]
pub struct Map {
    pub(super) values: Vec<Value>,
    pub(super) inners: Vec<Inner>,
    pub(super) root: Option<Place>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Inner {
    /// The left child for keys with 0 at `bit`, the right child for keys with 1.
    pub(super) children: [Place; 2],
    pub(super) bit: u8,
}

/// The place of a node, in its parent or at the root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    node: Node,
    /// The key of a leaf, or the hash of an inner node. The hash is meaningless while the node is stale.
    bytes: [u8; 32],
}

/// Position of a value or an inner node. Two bits tell which of them it is, and whether the inner node is stale.
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

    // Positions are below 2^30 because `Map::insert` panics beyond `Map::MAX_KEYS`.
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
    /// The most keys that a map can have; [`Map::insert`] panics beyond.
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

    /// Whether the map has no key.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds a key without computing hashes.
    ///
    /// # Errors
    /// [`DuplicateKey`] when the map has the key; the map is unchanged.
    ///
    /// # Panics
    /// When the map has [`Map::MAX_KEYS`] keys already (an eighth of a terabyte).
    pub fn insert(&mut self, key: Key, value: Value) -> Result<(), DuplicateKey> {
        let bit = match self.root.as_ref() {
            Some(root) => Some(self.parting(&key, self.nearest(root, &key))?),
            None => None,
        };
        self.hang(key, value, bit);
        Ok(())
    }

    /// Adds many keys and hashes the nodes that they change, several times faster than single insertions.
    ///
    /// Keys in ascending order share the upper part of their paths. A run of keys is looked up side by side, so that
    /// the processor waits for memory once for all of them. Each run is hashed while its nodes are still in the cache.
    ///
    /// # Errors
    /// [`DuplicateKey`] when the map has a key already or `items` has it twice; some of the other keys may have been
    /// added.
    ///
    /// # Panics
    /// When the map would have more than [`Map::MAX_KEYS`] keys.
    pub fn insert_batch(&mut self, items: impl IntoIterator<Item = (Key, Value)>) -> Result<(), DuplicateKey> {
        let mut items: Vec<_> = items.into_iter().collect();
        items.sort_unstable_by_key(|(key, _)| *key);
        for run in items.chunks(CHUNK_KEYS) {
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
            // Of all keys of this run, the previous one shares the longest prefix with this key.
            let from_last = match last {
                Some((last, existing)) => Some(first_difference(&last, key).ok_or(DuplicateKey { existing })?),
                None => None,
            };
            self.hang(*key, *value, bit.max(from_last));
            last = Some((*key, *value));
        }
        Ok(())
    }

    /// For each key, the first bit that no key of the present map shares with it; `None` if the map is empty.
    fn partings(&self, run: &[(Key, Value)]) -> Result<Vec<Option<u8>>, DuplicateKey> {
        let Some(root) = &self.root else {
            return Ok(vec![None; run.len()]);
        };
        let nearest = self.nearest_each(root, run.iter().map(|(key, _)| key));
        let bits = nearest.map(|(key, place)| self.parting(key, place).map(Some));
        bits.collect()
    }

    /// Brings the nodes on the paths of all keys into the processor's cache, one level of all keys at a time, so that
    /// [`Map::get`] and [`Map::insert`] do not wait for memory at each node. Call it with some hundred keys directly
    /// before using them.
    pub fn prefetch(&self, keys: impl Iterator<Item = Key>) {
        if let Some(root) = &self.root {
            for (_, place) in self.nearest_each(root, keys) {
                std::hint::black_box(place);
            }
        }
    }

    /// [`Map::nearest`] of each key, one level of all keys at a time.
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

    /// The value of a key, or `None` when the map does not have it.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Value> {
        self.parting(key, self.nearest(self.root.as_ref()?, key))
            .err()
            .map(|duplicate| duplicate.existing)
    }

    /// All keys and values in ascending order of the keys.
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

    /// The root. Hashes the nodes that have changed since the last call.
    pub fn root(&mut self) -> Hash {
        let Some(root) = self.root else {
            return EMPTY_ROOT;
        };
        let (root, hash) = self.settle(root);
        self.root = Some(root);
        hash
    }

    /// Proves the presence or the absence of a key under [`Map::root`].
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

    /// The leaf to which the key's bits lead. It is the key itself or a key with the same bit at every inner node on
    /// the path, which therefore shares the longest prefix that any key of the map shares with it.
    fn nearest<'a>(&'a self, mut place: &'a Place, key: &Key) -> &'a Place {
        while let Some(below) = self.below(place, key) {
            place = below;
        }
        place
    }

    /// The next place on the key's path down, or `None` at a leaf.
    fn below(&self, place: &Place, key: &Key) -> Option<&Place> {
        match place.kind() {
            Kind::Leaf(_) => None,
            Kind::Fresh(at) | Kind::Stale(at) => {
                let inner = &self.inners[at];
                Some(&inner.children[bit_of(key, inner.bit)])
            }
        }
    }

    /// The first bit in which a key differs from its nearest leaf, or [`DuplicateKey`] when it is that leaf.
    fn parting(&self, key: &Key, nearest: &Place) -> Result<u8, DuplicateKey> {
        first_difference(&nearest.bytes, key).ok_or_else(|| match nearest.kind() {
            Kind::Leaf(at) | Kind::Fresh(at) | Kind::Stale(at) => DuplicateKey {
                existing: self.values[at],
            },
        })
    }

    /// Adds a key that first differs from all others at `bit`, or the first key of the map.
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

    /// Puts `new` in the place on the key's path where a node that splits at `bit` belongs, marks all nodes above as
    /// stale, and returns the place that was there.
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

    /// Returns the place with the node's hash in it, and the hash. The recursion is at most 256 deep, one level per bit
    /// of a key.
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

/// Encodes the steps of a path, from the leaf up.
fn path_bytes(path: Vec<(u8, Hash)>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(34 * path.len());
    for (bit, sibling) in path.into_iter().rev() {
        push_uvarint(&mut bytes, u64::from(bit));
        bytes.extend(sibling.0);
    }
    bytes
}

/// Encodes the proof that another key is in the place where the absent key would be.
fn absent(found: &Key, value: Value, path: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(74 + path.len());
    for part in [&found[..], &value.to_bytes()] {
        push_uvarint(&mut bytes, part.len() as u64);
        bytes.extend(part);
    }
    bytes.extend(path);
    bytes
}

/// One bit of a key, as 0 or 1.
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
