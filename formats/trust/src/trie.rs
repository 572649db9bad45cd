//! The authenticated map in memory: a persistent trie.
//!
//! It has the root and the proofs of [`tlog::map`]. That map only grows; this one also replaces and removes, and a
//! change copies the path to the root and shares everything else with the map before it.

use std::sync::Arc;

use tlog::Hash;
use tlog::map::{EMPTY_ROOT, Key, MapProof, Value, bit, inner, leaf};

/// A map from keys to values with a Merkle root.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trie {
    root: Option<Arc<Node>>,
}

#[derive(Debug)]
struct Node {
    hash: Hash,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Leaf {
        key: Key,
        value: Value,
    },
    /// The left child has the keys with 0 at `bit`, the right child those with 1.
    Inner {
        bit: u8,
        children: [Arc<Node>; 2],
    },
}

impl Node {
    fn leaf(key: Key, value: Value) -> Arc<Self> {
        Arc::new(Self {
            hash: leaf(&key, &value.to_bytes()),
            form: Form::Leaf { key, value },
        })
    }

    fn inner(bit: u8, children: [Arc<Self>; 2]) -> Arc<Self> {
        Arc::new(Self {
            hash: inner(u32::from(bit), &children[0].hash, &children[1].hash),
            form: Form::Inner { bit, children },
        })
    }

    /// An inner node in which `child` replaces one of the children.
    fn with(bit: u8, children: &[Arc<Self>; 2], side: usize, child: Arc<Self>) -> Arc<Self> {
        let mut children = children.clone();
        children[side] = child;
        Self::inner(bit, children)
    }
}

impl Trie {
    /// The root.
    pub(crate) fn root(&self) -> Hash {
        self.root.as_ref().map_or(EMPTY_ROOT, |root| root.hash)
    }

    /// Puts a value, which replaces an earlier one.
    pub(crate) fn put(&mut self, key: Key, value: Value) {
        let Some(root) = &self.root else {
            self.root = Some(Node::leaf(key, value));
            return;
        };
        let parting = first_difference(nearest(root, &key).0, &key);
        self.root = Some(put(root, &key, value, parting));
    }

    /// Removes a key. Without it nothing changes.
    pub(crate) fn remove(&mut self, key: &Key) {
        if let Some(root) = &self.root
            && nearest(root, key).0 == key
        {
            self.root = remove(root, key);
        }
    }

    /// Proves the value or the absence of a key under [`Trie::root`].
    pub(crate) fn prove(&self, key: &Key) -> MapProof {
        let Some(mut node) = self.root.as_deref() else {
            return MapProof::Absent(Vec::new());
        };
        let mut path = Vec::new();
        let (found, value) = loop {
            match &node.form {
                Form::Leaf { key, value } => break (key, *value),
                Form::Inner { bit, children } => {
                    let side = side(key, *bit);
                    path.push((*bit, children[1 - side].hash));
                    node = &children[side];
                }
            }
        };
        let mut bytes = Vec::with_capacity(74 + 34 * path.len());
        if found != key {
            for part in [&found[..], &value.to_bytes()] {
                push_number(&mut bytes, part.len().to_le_bytes()[0]);
                bytes.extend(part);
            }
        }
        for (bit, sibling) in path.into_iter().rev() {
            push_number(&mut bytes, bit);
            bytes.extend(sibling.0);
        }
        if found == key {
            MapProof::Present(value, bytes)
        } else {
            MapProof::Absent(bytes)
        }
    }
}

/// The leaf to which the key's bits lead. Of all keys, its key shares the longest prefix with the wanted one.
fn nearest<'a>(mut node: &'a Node, wanted: &Key) -> (&'a Key, Value) {
    loop {
        match &node.form {
            Form::Leaf { key, value } => return (key, *value),
            Form::Inner { bit, children } => node = &children[side(wanted, *bit)],
        }
    }
}

/// Puts a value below `node`. `parting` is the first bit that no key shares with this one, or none if the trie has the
/// key. The recursion is at most 256 deep, one level for each bit.
fn put(node: &Arc<Node>, key: &Key, value: Value, parting: Option<u8>) -> Arc<Node> {
    match (&node.form, parting) {
        (Form::Inner { bit, children }, parting) if parting.is_none_or(|parting| *bit < parting) => {
            let side = side(key, *bit);
            Node::with(*bit, children, side, put(&children[side], key, value, parting))
        }
        (_, Some(parting)) => {
            let new = Node::leaf(*key, value);
            let children = if side(key, parting) == 0 {
                [new, node.clone()]
            } else {
                [node.clone(), new]
            };
            Node::inner(parting, children)
        }
        (_, None) => Node::leaf(*key, value),
    }
}

/// Removes a key, to whose leaf its bits lead. Returns `None` when nothing remains.
fn remove(node: &Arc<Node>, key: &Key) -> Option<Arc<Node>> {
    match &node.form {
        Form::Leaf { .. } => None,
        Form::Inner { bit, children } => {
            let side = side(key, *bit);
            Some(match remove(&children[side], key) {
                Some(child) => Node::with(*bit, children, side, child),
                None => children[1 - side].clone(),
            })
        }
    }
}

/// The child of an inner node at `at` to which the key's bits lead.
fn side(key: &Key, at: u8) -> usize {
    usize::from(bit(key, u32::from(at)))
}

fn first_difference(left: &Key, right: &Key) -> Option<u8> {
    (0..=u8::MAX).find(|at| side(left, *at) != side(right, *at))
}

/// LEB128.
fn push_number(bytes: &mut Vec<u8>, number: u8) {
    if number < 0x80 {
        bytes.push(number);
    } else {
        bytes.extend([number, 1]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use tlog::map::{Map, verify_absent, verify_present};
    use tlog::merkle::Index;

    use super::*;

    /// Few keys, some of which differ in late bits only.
    fn key(number: u8) -> Key {
        let mut key = Hash::of(&[number / 8]).0;
        key[31] ^= number % 4;
        key[16] ^= (number / 4 % 2) << 7;
        key
    }

    fn value(number: u8) -> Value {
        Value {
            index: Index::from(u32::from(number)),
            leaf: Hash::of(&[number]),
        }
    }

    proptest! {
        /// After every change root and proofs are those of `tlog::map` with the same content.
        #[test]
        fn the_trie_is_the_map_of_tlog(changes in proptest::collection::vec((any::<u8>(), any::<Option<u8>>()), 0..60)) {
            let (mut trie, mut model) = (Trie::default(), BTreeMap::new());
            let mut before = Vec::new();
            for (number, new) in changes {
                let key = key(number);
                match new {
                    Some(new) => {
                        trie.put(key, value(new));
                        model.insert(key, value(new));
                    }
                    None => {
                        trie.remove(&key);
                        model.remove(&key);
                    }
                }
                before.push((trie.clone(), trie.root()));
            }
            let mut map = Map::new();
            map.insert_batch(model.clone()).unwrap();
            let root = map.root();
            prop_assert_eq!(trie.root(), root);
            for number in 0..=u8::MAX {
                let key = key(number);
                let proof = trie.prove(&key);
                prop_assert_eq!(&proof, &map.prove(&key));
                match (proof, model.get(&key)) {
                    (MapProof::Present(value, proof), Some(known)) => {
                        prop_assert_eq!(value, *known);
                        prop_assert_eq!(verify_present(&root, &key, &value.to_bytes(), &proof), Ok(()));
                    }
                    (MapProof::Absent(proof), None) => prop_assert_eq!(verify_absent(&root, &key, &proof), Ok(())),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            // Later changes do not reach the tries that share nodes with this one.
            for (trie, root) in before {
                prop_assert_eq!(trie.root(), root);
            }
        }
    }
}
