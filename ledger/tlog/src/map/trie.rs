//! The map in memory: a crit-bit trie in two flat vectors.
//!
//! Leaves are 72 bytes, inner nodes 44; references are 32-bit, their top bit says leaf or inner. An insertion clears the
//! hashes on its path and computes none; [`Map::root`] and [`Map::prove`] compute what is missing. Leaf hashes are not kept:
//! one is needed again only when a node just above changes.

use super::{EMPTY_ROOT, Key, MapProof, Value, inner, leaf, uvarint};
use crate::Hash;

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
    leaves: Vec<Leaf>,
    inners: Vec<Inner>,
    root: Option<Node>,
}

#[derive(Debug, Clone, Copy)]
struct Leaf {
    key: Key,
    value: Value,
}

#[derive(Debug, Clone, Copy)]
struct Inner {
    /// Left for keys with 0 at `bit`, right for those with 1.
    children: [Node; 2],
    /// `None` when something below has changed.
    hash: Option<Hash>,
    bit: u8,
}

/// Reference to a leaf or an inner node by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node(u32);

/// What a [`Node`] refers to.
enum Kind {
    Leaf(usize),
    Inner(usize),
}

impl Node {
    const INNER: u32 = 1 << 31;

    // Positions are below 2^31: `Map::insert` does not go beyond `Map::MAX_KEYS`.
    fn leaf(position: usize) -> Self {
        Self(position as u32)
    }

    fn inner(position: usize) -> Self {
        Self(position as u32 | Self::INNER)
    }

    fn kind(self) -> Kind {
        let position = (self.0 & !Self::INNER) as usize;
        if self.0 & Self::INNER == 0 {
            Kind::Leaf(position)
        } else {
            Kind::Inner(position)
        }
    }
}

impl Map {
    /// The most keys that a map can hold; [`Map::insert`] does not go beyond.
    pub const MAX_KEYS: usize = (1 << 31) - 1;

    /// The empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of keys.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether it has no key.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Makes room for more keys, so that a load of known size does not copy.
    pub fn reserve(&mut self, keys: usize) {
        self.leaves.reserve(keys);
        self.inners.reserve(keys);
    }

    /// Adds a key. Costs no hashing.
    ///
    /// # Errors
    /// [`DuplicateKey`]; the map is unchanged.
    ///
    /// # Panics
    /// Beyond [`Map::MAX_KEYS`] keys (a quarter of a terabyte).
    pub fn insert(&mut self, key: Key, value: Value) -> Result<(), DuplicateKey> {
        assert!(self.leaves.len() < Self::MAX_KEYS, "the map is full");
        let Some(root) = self.root else {
            self.leaves.push(Leaf { key, value });
            self.root = Some(Node::leaf(0));
            return Ok(());
        };
        let nearest = self.nearest(root, &key);
        let Some(bit) = first_difference(&nearest.key, &key) else {
            return Err(DuplicateKey {
                existing: nearest.value,
            });
        };
        let new_leaf = Node::leaf(self.leaves.len());
        let new_inner = Node::inner(self.inners.len());
        let displaced = self.splice(root, &key, bit, new_inner);
        let children = if bit_of(&key, bit) == 0 {
            [new_leaf, displaced]
        } else {
            [displaced, new_leaf]
        };
        self.leaves.push(Leaf { key, value });
        self.inners.push(Inner {
            children,
            hash: None,
            bit,
        });
        Ok(())
    }

    /// Adds many keys.
    ///
    /// # Errors
    /// [`DuplicateKey`] at the first key that the map has; those before it are in the map.
    pub fn insert_batch(&mut self, items: impl IntoIterator<Item = (Key, Value)>) -> Result<(), DuplicateKey> {
        items.into_iter().try_for_each(|(key, value)| self.insert(key, value))
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Value> {
        let nearest = self.nearest(self.root?, key);
        (nearest.key == *key).then_some(nearest.value)
    }

    /// All keys and values, in the order of their insertion.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, Value)> {
        self.leaves.iter().map(|leaf| (&leaf.key, leaf.value))
    }

    /// The root. Hashes what has changed since the last call.
    pub fn root(&mut self) -> Hash {
        match self.root {
            Some(root) => self.hash(root),
            None => EMPTY_ROOT,
        }
    }

    /// Proves that a key is in the map or that it is not, under [`Map::root`].
    pub fn prove(&mut self, key: &Key) -> MapProof {
        let Some(mut node) = self.root else {
            return MapProof::Absent(Vec::new());
        };
        let mut path = Vec::new();
        let leaf = loop {
            match node.kind() {
                Kind::Leaf(at) => break self.leaves[at],
                Kind::Inner(at) => {
                    let Inner { children, bit, .. } = self.inners[at];
                    let side = bit_of(key, bit);
                    path.push((bit, self.hash(children[1 - side])));
                    node = children[side];
                }
            }
        };
        let mut bytes = Vec::new();
        if leaf.key != *key {
            for part in [&leaf.key[..], &leaf.value.to_bytes()] {
                push_uvarint(&mut bytes, part.len() as u64);
                bytes.extend(part);
            }
        }
        for (bit, sibling) in path.into_iter().rev() {
            push_uvarint(&mut bytes, u64::from(bit));
            bytes.extend(sibling.0);
        }
        if leaf.key == *key {
            MapProof::Present(leaf.value, bytes)
        } else {
            MapProof::Absent(bytes)
        }
    }

    /// The leaf to which the key's bits lead: the key itself, or one that shares the bits at every inner node on the way.
    fn nearest(&self, mut node: Node, key: &Key) -> Leaf {
        loop {
            match node.kind() {
                Kind::Leaf(at) => return self.leaves[at],
                Kind::Inner(at) => node = self.inners[at].children[bit_of(key, self.inners[at].bit)],
            }
        }
    }

    /// Puts `new` in the place on the key's path where a node that parts at `bit` belongs, clears the hashes above, and
    /// returns what was there.
    fn splice(&mut self, root: Node, key: &Key, bit: u8, new: Node) -> Node {
        let mut node = root;
        let mut parent = None;
        while let Kind::Inner(at) = node.kind() {
            let inner = &mut self.inners[at];
            if inner.bit > bit {
                break;
            }
            inner.hash = None;
            let side = bit_of(key, inner.bit);
            parent = Some((at, side));
            node = inner.children[side];
        }
        match parent {
            Some((at, side)) => self.inners[at].children[side] = new,
            None => self.root = Some(new),
        }
        node
    }

    /// Hash of a node. The depth of the recursion is at most 256, the bits of a key.
    fn hash(&mut self, node: Node) -> Hash {
        match node.kind() {
            Kind::Leaf(at) => leaf(&self.leaves[at].key, &self.leaves[at].value.to_bytes()),
            Kind::Inner(at) => {
                let Inner { children, hash, bit } = self.inners[at];
                if let Some(hash) = hash {
                    return hash;
                }
                let (left, right) = (self.hash(children[0]), self.hash(children[1]));
                let hash = inner(u32::from(bit), &left, &right);
                self.inners[at].hash = Some(hash);
                hash
            }
        }
    }
}

/// Bit of a key, 0 or 1.
fn bit_of(key: &Key, bit: u8) -> usize {
    usize::from(key[usize::from(bit / 8)] >> (7 - bit % 8) & 1)
}

fn first_difference(left: &Key, right: &Key) -> Option<u8> {
    let at = left.iter().zip(right).position(|(left, right)| left != right)?;
    let within = (left[at] ^ right[at]).leading_zeros();
    u8::try_from(at * 8).ok()?.checked_add(within.to_le_bytes()[0])
}

pub(super) fn push_uvarint(bytes: &mut Vec<u8>, number: u64) {
    let (buffer, used) = uvarint(number);
    bytes.extend(&buffer[..used]);
}
