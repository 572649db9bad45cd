//! One proof for many keys of a map, which contains each hash once.
//!
//! The proof is the part of the trie through which the keys' bits lead, in preorder. A hash replaces each subtree into
//! which no key leads. The verifier derives from the keys where these hashes are, so the proof does not mark them:
//!
//! ```text
//! node   = 0 ‖ key[32] ‖ value[40]                        a leaf
//!        | uvarint(distance) ‖ side(0) ‖ side(1)          an inner node; distance ≥ 1 from the bit above
//! side   = node                                           if a key has this bit
//!        | hash[32]                                       if none has
//! proof  = node, or nothing for the empty map or for no keys
//! ```
//!
//! The bit above the root counts as −1. The leaf to which a key's bits lead is the only place where the key could be,
//! so that leaf shows whether the key is in the map.

use super::trie::push_uvarint;
use super::verify::{MapError, Reader};
use super::{EMPTY_ROOT, Key, Map, MapProof, Value, bit, inner, leaf};
use crate::Hash;

const LEAF: u64 = 0;

/// Proves for each key its value or its absence, for [`verify_lookups`]. The proof depends on the set of the keys and
/// not on their order.
#[must_use]
pub fn prove_lookups(map: &mut Map, keys: &[Key]) -> Vec<u8> {
    let mut proof = Vec::new();
    if map.is_empty() || keys.is_empty() {
        return proof;
    }
    let paths: Vec<Path> = keys.iter().filter_map(|key| Path::of(map, key)).collect();
    write(&paths.iter().collect::<Vec<_>>(), 0, -1, &mut proof);
    proof
}

/// The path of one key: the leaf, and the bit and sibling hash of each inner node from the root down.
struct Path {
    key: Key,
    leaf: (Key, [u8; 40]),
    steps: Vec<(u8, Hash)>,
}

impl Path {
    /// Takes the path from a proof of [`Map::prove`].
    fn of(map: &mut Map, key: &Key) -> Option<Self> {
        let proof = map.prove(key);
        let mut reader = Reader(proof.as_bytes());
        let leaf = match &proof {
            MapProof::Present(value, _) => (*key, value.to_bytes()),
            MapProof::Absent(_) => (
                reader.bytes().ok()?.try_into().ok()?,
                reader.bytes().ok()?.try_into().ok()?,
            ),
        };
        let mut steps = Vec::new();
        while !reader.0.is_empty() {
            let bit = u8::try_from(reader.number().ok()?).ok()?;
            steps.push((bit, Hash(*reader.array().ok()?)));
        }
        steps.reverse();
        Some(Self { key: *key, leaf, steps })
    }
}

/// Writes the node at `depth`, through which all `paths` lead.
fn write(paths: &[&Path], depth: usize, above: i32, out: &mut Vec<u8>) {
    let Some(first) = paths.first() else { return };
    let Some((at, _)) = first.steps.get(depth) else {
        push_uvarint(out, LEAF);
        out.extend(first.leaf.0);
        out.extend(first.leaf.1);
        return;
    };
    push_uvarint(out, u64::from((i32::from(*at) - above).unsigned_abs()));
    let (right, left): (Vec<&Path>, Vec<&Path>) = paths.iter().partition(|path| bit(&path.key, u32::from(*at)));
    for (side, other) in [(&left, &right), (&right, &left)] {
        match (side.is_empty(), other.first()) {
            (true, Some(other)) => out.extend(other.steps[depth].1.0),
            _ => write(side, depth + 1, i32::from(*at), out),
        }
    }
}

/// Verifies a proof of [`prove_lookups`] and returns, for each key in its order, the value that the map with `root` has
/// for it, or `None` when the map does not have the key.
///
/// # Errors
/// [`MapError`] when the proof does not hold; then nothing is proved about any key.
pub fn verify_lookups(root: &Hash, keys: &[Key], proof: &[u8]) -> Result<Vec<Option<Value>>, MapError> {
    let mut lookup = Lookup {
        keys,
        found: vec![None; keys.len()],
        rest: Reader(proof),
        path: Vec::new(),
    };
    if keys.is_empty() {
        return if proof.is_empty() {
            Ok(lookup.found)
        } else {
            Err(MapError::Malformed)
        };
    }
    let computed = if proof.is_empty() {
        EMPTY_ROOT
    } else {
        lookup.node(&(0..keys.len()).collect::<Vec<_>>())?
    };
    if !lookup.rest.0.is_empty() {
        Err(MapError::Malformed)
    } else if computed == *root {
        Ok(lookup.found)
    } else {
        Err(MapError::RootMismatch)
    }
}

struct Lookup<'a> {
    keys: &'a [Key],
    found: Vec<Option<Value>>,
    rest: Reader<'a>,
    /// The bits of the inner nodes above, and the side that the walk took at each.
    path: Vec<(u8, bool)>,
}

impl Lookup<'_> {
    /// Reads a node through which the keys at these positions lead and returns its hash. The recursion is at most 256
    /// deep.
    fn node(&mut self, keys: &[usize]) -> Result<Hash, MapError> {
        let distance = self.rest.number()?;
        if distance == LEAF {
            return self.leaf(keys);
        }
        let above = self.path.last().map_or(-1, |(at, _)| i64::from(*at));
        let at = i64::try_from(distance).map_err(|_| MapError::Malformed)? + above;
        let at = u8::try_from(at).map_err(|_| MapError::Malformed)?;
        let (right, left): (Vec<usize>, Vec<usize>) =
            keys.iter().partition(|key| bit(&self.keys[**key], u32::from(at)));
        let left = self.side(&left, at, false)?;
        let right = self.side(&right, at, true)?;
        Ok(inner(u32::from(at), &left, &right))
    }

    fn side(&mut self, keys: &[usize], at: u8, side: bool) -> Result<Hash, MapError> {
        if keys.is_empty() {
            return Ok(Hash(*self.rest.array()?));
        }
        self.path.push((at, side));
        let hash = self.node(keys);
        self.path.pop();
        hash
    }

    fn leaf(&mut self, keys: &[usize]) -> Result<Hash, MapError> {
        let key: Key = *self.rest.array()?;
        let bytes: [u8; 40] = *self.rest.array()?;
        if self.path.iter().any(|(at, side)| bit(&key, u32::from(*at)) != *side) {
            return Err(MapError::OtherPlace);
        }
        let value = Value::from_bytes(&bytes).map_err(|_| MapError::Malformed)?;
        for position in keys {
            if self.keys[*position] == key {
                self.found[*position] = Some(value);
            }
        }
        Ok(leaf(&key, &bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::merkle::Index;

    fn key(number: u32) -> Key {
        Hash::of(&number.to_be_bytes()).0
    }

    fn value(number: u32) -> Value {
        Value {
            index: Index::from(number),
            leaf: Hash::of(b"leaf"),
        }
    }

    fn map(keys: u32) -> Map {
        let mut map = Map::new();
        (0..keys).for_each(|n| map.insert(key(n), value(n)).unwrap());
        map
    }

    /// For maps of every size below 40: every second key of the map and as many absent keys.
    #[test]
    fn present_keys_are_found_and_absent_keys_are_not() {
        for size in 0..40 {
            let mut map = map(size);
            let numbers: Vec<u32> = (0..size).step_by(2).chain(1000..1000 + size / 2 + 1).collect();
            let keys: Vec<Key> = numbers.iter().map(|n| key(*n)).collect();
            let expected: Vec<Option<Value>> = keys.iter().map(|key| map.get(key)).collect();
            let proof = prove_lookups(&mut map, &keys);
            assert_eq!(verify_lookups(&map.root(), &keys, &proof), Ok(expected), "{size}");
        }
    }

    /// A key that differs from all others only in bits that no inner node compares still leads to a leaf.
    #[test]
    fn keys_off_the_compressed_paths_are_absent() {
        let mut map = Map::new();
        let with = |byte: usize, bits: u8| {
            let mut key = [0; 32];
            key[byte] = bits;
            key
        };
        for (number, key) in [with(31, 1), with(31, 2), with(5, 0x80)].into_iter().enumerate() {
            map.insert(key, value(number as u32)).unwrap();
        }
        let keys = [with(0, 0x80), with(9, 1), with(31, 1), with(31, 3), with(5, 0x81)];
        let proof = prove_lookups(&mut map, &keys);
        let found = verify_lookups(&map.root(), &keys, &proof).unwrap();
        assert_eq!(found, [None, None, Some(value(0)), None, None]);
    }

    #[test]
    fn changed_cut_and_extended_proofs_are_refused() {
        let mut map = map(200);
        let root = map.root();
        let keys = [key(3), key(4), key(900), key(901), key(902)];
        let proof = prove_lookups(&mut map, &keys);
        assert!(verify_lookups(&root, &keys, &proof).is_ok());
        for at in 0..proof.len() {
            let mut bad = proof.clone();
            bad[at] ^= 1;
            assert!(verify_lookups(&root, &keys, &bad).is_err(), "{at}");
            assert!(verify_lookups(&root, &keys, &proof[..at]).is_err(), "{at}");
        }
        assert!(verify_lookups(&root, &keys, &[&proof[..], &[0]].concat()).is_err());
        let others = [key(3), key(4), key(900), key(901), key(5)];
        assert!(
            verify_lookups(&root, &others, &proof).is_err(),
            "the proof belongs to its own keys"
        );
        assert!(verify_lookups(&Hash([1; 32]), &keys, &proof).is_err());
        assert_eq!(verify_lookups(&root, &[], &[]), Ok(Vec::new()));
        assert!(verify_lookups(&root, &[], &proof).is_err());
        assert!(verify_lookups(&root, &keys, &[]).is_err());
    }

    /// A leaf in a place to which its own key does not lead proves nothing, even under a root that was built for it.
    #[test]
    fn a_leaf_in_another_place_than_its_keys_is_refused() {
        let (zero, one) = ([0; 32], [0xff; 32]);
        let hash = |key: &Key| leaf(key, &value(1).to_bytes());
        let mut proof = vec![1];
        push_uvarint(&mut proof, LEAF);
        proof.extend(one);
        proof.extend(value(1).to_bytes());
        proof.extend(hash(&zero).0);
        let root = inner(0, &hash(&one), &hash(&zero));
        assert_eq!(verify_lookups(&root, &[zero], &proof), Err(MapError::OtherPlace));
    }

    #[test]
    fn one_proof_of_many_keys_is_smaller_than_single_proofs() {
        let mut map = map(5000);
        let keys: Vec<Key> = (10_000..10_060).map(key).collect();
        let single: usize = keys.iter().map(|key| map.prove(key).as_bytes().len()).sum();
        assert!(prove_lookups(&mut map, &keys).len() * 4 < single * 3);
    }
}
