//! The Merkle prefix tree against published roots, a slow second implementation and damaged proofs.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tlog::Hash;
use tlog::encoding::from_hex;
use tlog::map::{
    EMPTY_ROOT, Key, Map, MapBuilder, MapError, MapProof, OutOfOrder, Value, bit, inner, leaf, verify_absent,
    verify_present,
};
use tlog::merkle::Index;

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// The root by the definition: split where the keys first differ.
fn slow_root(entries: &Entries) -> Hash {
    match entries.as_slice() {
        [] => EMPTY_ROOT,
        [(key, value)] => leaf(key, value),
        more => {
            let (at, left, right) = split(more);
            inner(at, &slow_root(&left), &slow_root(&right))
        }
    }
}

fn split(entries: &[(Vec<u8>, Vec<u8>)]) -> (u32, Entries, Entries) {
    let differ = |at: &u32| entries.iter().any(|(key, _)| bit(key, *at) != bit(&entries[0].0, *at));
    let at = (0..).find(differ).unwrap();
    let (right, left) = entries.iter().cloned().partition(|(key, _)| bit(key, at));
    (at, left, right)
}

/// The proof for a key by the definition.
fn slow_proof(entries: &Entries, key: &[u8]) -> (bool, Vec<u8>) {
    let mut steps: Vec<Vec<u8>> = Vec::new();
    let mut rest = entries.clone();
    while rest.len() > 1 {
        let (at, left, right) = split(&rest);
        let (same, other) = if bit(key, at) { (right, left) } else { (left, right) };
        steps.push([&uvarint(at)[..], &slow_root(&other).0].concat());
        rest = same;
    }
    let path: Vec<u8> = steps.into_iter().rev().flatten().collect();
    match rest.first() {
        None => (false, path),
        Some((found, _)) if found == key => (true, path),
        Some((found, value)) => {
            let length = |bytes: &[u8]| uvarint(u32::try_from(bytes.len()).unwrap());
            (
                false,
                [length(found), found.clone(), length(value), value.clone(), path].concat(),
            )
        }
    }
}

fn uvarint(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 128 {
        bytes.push(u8::try_from(number % 128).unwrap() | 128);
        number /= 128;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

fn entries(pairs: &[(&str, &str)]) -> Entries {
    pairs
        .iter()
        .map(|(key, value)| (from_hex(key).unwrap(), from_hex(value).unwrap()))
        .collect()
}

#[test]
fn roots_are_the_published_ones() {
    let zeros = "00".repeat(32);
    let ones_then = |tail: &str| format!("{}{tail}", "ff".repeat(16));
    let high = format!("80{}", "00".repeat(31));
    let (end_0, end_1) = (
        ones_then(&"00".repeat(16)),
        ones_then(&format!("80{}", "00".repeat(15))),
    );
    let cases = [
        (
            vec![],
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            vec![("ab", "cd")],
            "e2803f59293564e96b6c5c16157cec731a294631aefb5d08d18630ed6a27184c",
        ),
        (
            vec![("", "")],
            "709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c",
        ),
        (
            vec![
                (
                    &*zeros,
                    "920c9d26acc22861bcd8de8737683b0b4cfaf0dfb7e80b4774421517bf8489c8",
                ),
                (
                    &high,
                    "5f9895fa7d0d2ecb5d14d6dd0bda94f6b86cd8b197377445405576ac04279d3b",
                ),
            ],
            "6b6f242a8dcfacd8bc1213d4453852a2127b398c65a7684a2e1af666f6356061",
        ),
        (
            vec![
                (
                    &end_0,
                    "a3b93625e143e33744bc532953260c66bcdb124ff930e6a55257558871df9e72",
                ),
                (
                    &end_1,
                    "4f02252ceaba90d9997b0f84bface6cd661dcb1779c5beb55d1eec2510680464",
                ),
            ],
            "55664663e0148e90b47b18ec9660b0a9c5d83b03fc0235fcb8938763d7d3ed7f",
        ),
        (
            vec![
                ("ab", "01"),
                ("ab00", "02"),
                ("ab00fe", "04"),
                ("ab00ff", "03"),
                ("ab01", "05"),
            ],
            "d3dc99aeacd7edf707a7b5f12753a5069726c3b6520c71fa44027e4a1ed63290",
        ),
    ];
    for (pairs, root) in cases {
        let entries = entries(&pairs);
        assert_eq!(slow_root(&entries).to_string(), root);
        for (key, value) in &entries {
            let (present, proof) = slow_proof(&entries, key);
            assert!(present);
            assert_eq!(verify_present(&root.parse().unwrap(), key, value, &proof), Ok(()));
        }
    }
}

#[test]
fn the_published_absence_proof_verifies() {
    let entries = entries(&[
        (
            "682c42c526e3f5e87eecea25694c435c16a00bf316bd1a8dc6079bcd1d8f9e46",
            "6370040cdc5ae2cc980582fd877723e32bea9ed2844ff4ae7218711f161265b3",
        ),
        (
            "e3ee6cc705f06140f832d62316f3cb1c7a324f04d4cba9dc8d0f8125e5f5393c",
            "016a4fde9eff72a846636f8e5981cabc9e7d34041a6e9080691259fc9d2bffa8",
        ),
        (
            "d1318ac2288d45fd05e788897f6672de3761c8e1565bef41c350e578283a9d6f",
            "c35b501388708557ba0bab3b2b62c2e14cc405b1415d565a62b3ff1bc59399e2",
        ),
    ]);
    let root = slow_root(&entries);
    assert_eq!(
        root.to_string(),
        "4a79f8c72c1e6aef51da667b958a4a60d9d54eeb4e71e169c97f6f0ef2462223"
    );
    let key = from_hex("c51cbe39ee7ed29027d1c54fffb0b31d0475a502b811bd866b98b66bb0afd1f4").unwrap();
    let proof = from_hex(
        "20d1318ac2288d45fd05e788897f6672de3761c8e1565bef41c350e578283a9d6f20c35b501388708557ba0bab3b2b62c2e14cc405b1415d\
         565a62b3ff1bc59399e20216a5fadb9ec081b9111a6e731c4a5cea7315ebc862fe48f75b0e658966e59df2005586c5702eb4abc508d685b0\
         833e8f83050c864796d18ae25dc3d22073038fb8",
    )
    .unwrap();
    assert_eq!(slow_proof(&entries, &key), (false, proof.clone()));
    assert_eq!(verify_absent(&root, &key, &proof), Ok(()));
    for (present, _) in &entries {
        assert!(verify_absent(&root, present, &proof).is_err());
    }
}

/// Keys with long common prefixes, so that the trie is deep as well as wide.
fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        any::<[u8; 32]>(),
        (0_u8..4, 0_usize..32, 0_u8..4).prop_map(|(fill, at, byte)| {
            let mut key = [fill; 32];
            key[at] = byte;
            key
        }),
    ]
}

fn value(n: u32) -> Value {
    Value {
        index: Index::from(n),
        leaf: Hash::of(&n.to_be_bytes()),
    }
}

proptest! {
    // Fewer cases, because the second implementation is slow.
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn roots_and_proofs_follow_the_definition(keys in proptest::collection::vec(key(), 0..40), probes in proptest::collection::vec(key(), 8)) {
        let mut map = Map::new();
        let mut content = BTreeMap::new();
        for (n, key) in (0..).zip(&keys) {
            let known = content.contains_key(key);
            prop_assert_eq!(map.insert(*key, value(n)).is_err(), known);
            content.entry(*key).or_insert_with(|| value(n));
            // Roots in between, so that cached hashes are used and invalidated.
            if n % 7 == 0 {
                map.root();
            }
        }
        prop_assert_eq!(map.len(), content.len());
        prop_assert!(map.iter().eq(content.iter().map(|(key, value)| (key, *value))));
        let entries: Entries = content.iter().map(|(key, value)| (key.to_vec(), value.to_bytes().to_vec())).collect();
        let root = map.root();
        prop_assert_eq!(root, slow_root(&entries));
        for key in keys.iter().chain(&probes) {
            let (present, expected) = slow_proof(&entries, key);
            let proof = map.prove(key);
            prop_assert_eq!(proof.as_bytes(), &expected);
            prop_assert_eq!(map.get(key), content.get(key).copied());
            match &proof {
                MapProof::Present(value, bytes) => {
                    prop_assert!(present && content.get(key) == Some(value));
                    prop_assert_eq!(verify_present(&root, key, &value.to_bytes(), bytes), Ok(()));
                    prop_assert!(verify_absent(&root, key, bytes).is_err());
                    let mut other = value.to_bytes();
                    other[39] ^= 1;
                    prop_assert!(verify_present(&root, key, &other, bytes).is_err());
                }
                MapProof::Absent(bytes) => {
                    prop_assert!(!present);
                    prop_assert_eq!(verify_absent(&root, key, bytes), Ok(()));
                }
            }
        }
    }

    #[test]
    fn the_order_of_insertion_does_not_matter(mut keys in proptest::collection::btree_set(key(), 0..40)) {
        let items: Vec<(Key, Value)> = keys.iter().map(|key| (*key, value(u32::from(key[0])))).collect();
        let (mut forward, mut backward) = (Map::new(), Map::new());
        forward.insert_batch(items.iter().copied()).unwrap();
        for item in items.iter().rev() {
            backward.insert(item.0, item.1).unwrap();
            backward.root();
        }
        prop_assert_eq!(forward.root(), backward.root());
        if let Some(last) = keys.pop_last() {
            let duplicate = forward.insert(last, value(999)).unwrap_err();
            prop_assert_eq!(Some(duplicate.existing), backward.get(&last));
            prop_assert_eq!(forward.root(), backward.root());
        }
    }

    #[test]
    fn keys_in_order_build_the_same_map(content in proptest::collection::btree_map(key(), any::<u32>(), 0..60), later in key()) {
        let (mut builder, mut map) = (MapBuilder::new(), Map::new());
        for (key, number) in &content {
            builder.push(*key, value(*number)).unwrap();
            prop_assert_eq!(builder.push(*key, value(0)), Err(OutOfOrder));
            map.insert(*key, value(*number)).unwrap();
        }
        if content.len() > 1 {
            prop_assert_eq!(builder.push(*content.first_key_value().unwrap().0, value(0)), Err(OutOfOrder));
        }
        let mut built = builder.finish();
        prop_assert_eq!((built.root(), built.len()), (map.root(), map.len()));
        prop_assert_eq!(built.prove(&later), map.prove(&later));
        // The built map accepts further keys like any other.
        prop_assert_eq!(built.insert(later, value(7)), map.insert(later, value(7)));
        prop_assert_eq!(built.root(), map.root());
        prop_assert!(content.iter().all(|(key, number)| built.get(key) == Some(value(*number))));
    }

    #[test]
    fn damaged_proofs_prove_nothing(keys in proptest::collection::btree_set(key(), 1..30), probe in key()) {
        let mut map = Map::new();
        map.insert_batch(keys.iter().map(|key| (*key, value(1)))).unwrap();
        let root = map.root();
        let verify = |proof: &MapProof, bytes: &[u8]| match proof {
            MapProof::Present(value, _) => verify_present(&root, &probe, &value.to_bytes(), bytes),
            MapProof::Absent(_) => verify_absent(&root, &probe, bytes),
        };
        let proof = map.prove(&probe);
        let good = proof.as_bytes();
        prop_assert_eq!(verify(&proof, good), Ok(()));
        for at in 0..good.len() {
            let mut flipped = good.to_vec();
            flipped[at] ^= 1 << (at % 8);
            prop_assert!(verify(&proof, &flipped).is_err());
            prop_assert!(verify(&proof, &good[..at]).is_err());
        }
        prop_assert!(verify(&proof, &[good, &[0]].concat()).is_err());
    }
}

proptest! {
    // Batches of several chunks, with keys that share long prefixes within and across chunks.
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_batch_gives_the_same_map_as_single_insertions(batches in proptest::collection::vec(proptest::collection::vec(key(), 0..700), 1..4)) {
        let (mut batched, mut single) = (Map::new(), Map::new());
        for batch in batches {
            // The strategy `key` repeats keys.
            let new: BTreeMap<Key, Value> = (0..).zip(batch).filter(|(_, key)| single.get(key).is_none())
                .map(|(number, key)| (key, value(number))).collect();
            batched.insert_batch(new.iter().rev().map(|(key, value)| (*key, *value))).unwrap();
            for (key, value) in &new {
                single.insert(*key, *value).unwrap();
            }
            prop_assert_eq!((batched.root(), batched.len()), (single.root(), single.len()));
            if let Some((key, found)) = new.first_key_value() {
                let known = batched.insert_batch([(*key, value(9_999))]).unwrap_err();
                let twice = Map::new().insert_batch([(*key, *found), (*key, *found)]).unwrap_err();
                prop_assert_eq!((known.existing, twice.existing), (*found, *found));
            }
        }
    }
}

#[test]
fn an_absence_cannot_be_proved_from_another_place() {
    let keys: Vec<Key> = (0..8).map(|n| [n * 32; 32]).collect();
    let mut map = Map::new();
    map.insert_batch(keys.iter().map(|key| (*key, value(0)))).unwrap();
    let root = map.root();
    // The true path of another leaf, presented for a key that is in the map.
    let MapProof::Present(shown, path) = map.prove(&keys[0]) else {
        panic!()
    };
    let mut forged = vec![32];
    forged.extend(keys[0]);
    forged.push(40);
    forged.extend(shown.to_bytes());
    forged.extend(path);
    assert_eq!(verify_absent(&root, &[1; 32], &forged), Ok(()));
    for key in &keys[1..] {
        assert_eq!(verify_absent(&root, key, &forged), Err(MapError::OtherPlace));
    }
    assert_eq!(verify_absent(&root, &keys[0], &forged), Err(MapError::KeyPresent));
    assert_eq!(verify_absent(&root, &keys[0], &[]), Err(MapError::RootMismatch));
    assert_eq!(verify_absent(&EMPTY_ROOT, &keys[0], &[]), Ok(()));
    assert_eq!(Map::new().prove(&keys[0]), MapProof::Absent(vec![]));
}

#[test]
fn numbers_not_in_their_shortest_form_are_refused() {
    let (low, high) = ([0; 32], [0xff; 32]);
    let mut map = Map::new();
    map.insert_batch([(low, value(0)), (high, value(1))]).unwrap();
    let root = map.root();
    let MapProof::Present(value, proof) = map.prove(&low) else {
        panic!()
    };
    assert_eq!(proof[0], 0);
    let mut long = vec![0x80, 0x00];
    long.extend(&proof[1..]);
    assert_eq!(
        verify_present(&root, &low, &value.to_bytes(), &long),
        Err(MapError::Malformed)
    );
    let endless = [0xff; 40];
    assert_eq!(
        verify_present(&root, &low, &value.to_bytes(), &endless),
        Err(MapError::Malformed)
    );
    // Bits that do not decrease.
    let twice = [&proof[..], &proof].concat();
    assert_eq!(
        verify_present(&root, &low, &value.to_bytes(), &twice),
        Err(MapError::Malformed)
    );
    assert_eq!(verify_present(&root, &[0; 1025], b"", &[]), Err(MapError::Malformed));
}

#[test]
fn a_value_reads_back_as_written() {
    let value = value(77);
    assert_eq!(Value::from_bytes(&value.to_bytes()), Ok(value));
    assert!(Value::from_bytes(&[0; 39]).is_err() && Value::from_bytes(&[0xff; 40]).is_err());
    assert!(Value::from_bytes(&[0; 41]).is_err() && Value::from_bytes(&[]).is_err());
}
