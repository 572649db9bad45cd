//! The root of a version's authenticated map, computed from its values alone.
//!
//! The ledger and its clients compute this root with the trie of the crate `trust`, which changes nodes along the path
//! of a key. With the same code the audit would repeat every error of that trie. So this is a second implementation of
//! the specification (`docs/change-set.cddl`, and `tlog::map` for the tree): the values in the order of their hashed
//! keys, and one recursion over that list. Both share SHA-256 and nothing else.
//!
//! ```text
//! key              = SHA-256(text of the key)
//! value            = u64 version of the set that put it ‖ SHA-256(CBOR of the value)
//! leaf             = SHA-256(0x00 ‖ 32 ‖ key ‖ 40 ‖ value)
//! inner(b, l, r)   = SHA-256(0x01 ‖ uvarint(b) ‖ l ‖ r)     b: the first bit in which the keys below it differ
//! ```
//!
//! In a sorted list, the first and the last key differ in that bit, and the keys with 0 there come first. The root of
//! the keys with one first byte is kept until one of them changes, so a set that changes a few values computes about
//! 1/256 of all hashes for each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tlog::Hash;
use trust::{Operation, Version};

type Node = [u8; 32];

/// A hashed key, with the hash of its leaf or of the tree of all keys that begin like it.
type Item = (Node, Node);

/// The values of a version, as far as the root depends on them. A clone shares what does not change.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValueRoot {
    /// The keys by their first byte.
    runs: BTreeMap<u8, Arc<Run>>,
}

#[derive(Clone, Debug, Default)]
struct Run {
    /// Ascending.
    leaves: Vec<Item>,
    root: Node,
}

impl ValueRoot {
    /// Carries out the operations of the set that makes `version`.
    pub(crate) fn change<'a>(&mut self, version: Version, operations: impl IntoIterator<Item = &'a Operation>) {
        let leaves = operations.into_iter().map(|operation| {
            let value = operation.value();
            (
                operation.key().as_str(),
                value.map(|value| (version, Sha256::digest(value).into())),
            )
        });
        self.set(leaves);
    }

    /// Sets values by the texts of their keys: version and digest, or `None` to remove the key.
    pub(crate) fn set<'a>(&mut self, values: impl IntoIterator<Item = (&'a str, Option<(Version, Node)>)>) {
        let mut changed = BTreeSet::new();
        for (key, value) in values {
            let key: Node = Sha256::digest(key).into();
            let run = Arc::make_mut(self.runs.entry(key[0]).or_default());
            run.set(key, value.map(|(version, digest)| leaf(&key, version, &digest)));
            changed.insert(key[0]);
        }
        for first in changed {
            match self.runs.get_mut(&first).map(Arc::make_mut) {
                Some(run) if !run.leaves.is_empty() => run.root = root_of(&run.leaves),
                _ => {
                    self.runs.remove(&first);
                }
            }
        }
    }

    /// The root.
    pub(crate) fn root(&self) -> Hash {
        let runs = self.runs.values();
        let items: Vec<Item> = runs
            .filter_map(|run| run.leaves.first().map(|(key, _)| (*key, run.root)))
            .collect();
        Hash(root_of(&items))
    }
}

impl Run {
    fn set(&mut self, key: Node, leaf: Option<Node>) {
        match (self.leaves.binary_search_by_key(&key, |(key, _)| *key), leaf) {
            (Ok(at), Some(leaf)) => self.leaves[at].1 = leaf,
            (Ok(at), None) => {
                self.leaves.remove(at);
            }
            (Err(at), Some(leaf)) => self.leaves.insert(at, (key, leaf)),
            (Err(_), None) => {}
        }
    }
}

/// The root over items in ascending order of their keys. Its depth is at most 256, one level for each bit.
fn root_of(items: &[Item]) -> Node {
    match items {
        [] => Sha256::digest([]).into(),
        [(_, hash)] => *hash,
        [(first, _), .., (last, _)] => {
            // All keys are different, so these two differ in the last bit if in no other.
            let bit = (0..u8::MAX).find(|bit| is_set(first, *bit) != is_set(last, *bit));
            let bit = bit.unwrap_or(u8::MAX);
            let (left, right) = items.split_at(items.partition_point(|(key, _)| !is_set(key, bit)));
            inner(bit, &root_of(left), &root_of(right))
        }
    }
}

/// A bit of a key, from the top one of the first byte.
fn is_set(key: &Node, bit: u8) -> bool {
    key[usize::from(bit / 8)] >> (7 - bit % 8) & 1 == 1
}

fn leaf(key: &Node, version: Version, digest: &Node) -> Node {
    let hasher = Sha256::new().chain_update([0, 32]).chain_update(key);
    let hasher = hasher
        .chain_update([40])
        .chain_update(u64::from(version.0).to_be_bytes());
    hasher.chain_update(digest).finalize().into()
}

fn inner(bit: u8, left: &Node, right: &Node) -> Node {
    let hasher = Sha256::new().chain_update([1]);
    // LEB128: a number from 128 to 255 has its low seven bits, marked by the top bit, and then 1.
    let hasher = match bit {
        0..128 => hasher.chain_update([bit]),
        128.. => hasher.chain_update([bit, 1]),
    };
    hasher.chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::collections::BTreeMap;

    use serde_json::Value as Json;
    use tlog::map::{Map, Value};
    use tlog::merkle::Index;
    use trust::{SignedChangeSet, TrustKind};

    use super::*;

    /// The sets that `formats/trust/testdata/generate.py` has made without our code.
    #[test]
    fn roots_are_those_of_the_published_vectors() {
        let vectors = include_str!("../../../formats/trust/testdata/vectors.json");
        let vectors: Json = serde_json::from_str(vectors).unwrap();
        let mut roots: BTreeMap<TrustKind, ValueRoot> = BTreeMap::new();
        let sets = vectors["sets"].as_array().unwrap();
        for set in sets {
            let file = hex::decode(set["file"].as_str().unwrap()).unwrap();
            let read = SignedChangeSet::parse(&file).unwrap();
            let root = roots.entry(read.header().kind).or_default();
            root.change(read.header().version, read.operations().list());
            assert_eq!(root.root().to_string(), set["root"].as_str().unwrap());
        }
        assert_eq!((roots.len(), sets.len()), (2, 6));
    }

    /// Keys whose first difference is at each bit, also where the number of the bit has two bytes.
    #[test]
    fn nodes_are_those_of_the_map_for_every_bit() {
        let value = Value {
            index: Index::from(7_u32),
            leaf: Hash([9; 32]),
        };
        let item = |key: &Node| (*key, leaf(key, Version(7), &value.leaf.0));
        let mut all = BTreeSet::from([[0x5a; 32]]);
        for bit in 0..=u8::MAX {
            let mut other = [0x5a; 32];
            other[usize::from(bit / 8)] ^= 0x80 >> (bit % 8);
            all.insert(other);
            for keys in [BTreeSet::from([[0x5a; 32], other]), all.clone()] {
                let mut map = Map::new();
                map.insert_batch(keys.iter().map(|key| (*key, value)).collect::<BTreeMap<_, _>>())
                    .unwrap();
                let items: Vec<Item> = keys.iter().map(item).collect();
                assert_eq!(Hash(root_of(&items)), map.root(), "bit {bit}");
            }
        }
    }

    /// Each run of keys is computed again when one of them is put, replaced or removed, and only then.
    #[test]
    fn kept_roots_follow_every_change() {
        let keys: Vec<String> = (0..600).map(|number| format!("body/{number}")).collect();
        let mut model = BTreeMap::new();
        let mut root = ValueRoot::default();
        assert_eq!(root.root(), tlog::map::EMPTY_ROOT);
        for step in 0..1800_u32 {
            let key = &keys[(step as usize * 7) % keys.len()];
            let value = (step % 3 != 2).then_some((Version(step), [step.to_le_bytes()[0]; 32]));
            root.set([(key.as_str(), value)]);
            let hashed: Node = Sha256::digest(key).into();
            match value {
                Some((version, digest)) => model.insert(hashed, leaf(&hashed, version, &digest)),
                None => model.remove(&hashed),
            };
            let items: Vec<Item> = model.iter().map(|(key, leaf)| (*key, *leaf)).collect();
            assert_eq!(root.root(), Hash(root_of(&items)), "step {step}");
        }
        root.set(keys.iter().map(|key| (key.as_str(), None)));
        assert!(root.runs.is_empty() && root.root() == tlog::map::EMPTY_ROOT);
    }
}
