//! `testdata/vectors.json`, which `generate.py` makes without this crate.

use record::Timestamp;
use serde_json::Value as Json;
use trust::{Authorities, ChangeSet, Key, SignedChangeSet, Snapshot, TrustKind, TrustState, Value, ValueProof};

use crate::fixture::{seed, threshold};

fn vectors() -> Json {
    serde_json::from_str(include_str!("../../testdata/vectors.json")).unwrap()
}

fn bytes(value: &Json) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn numbers(value: &Json) -> Vec<u8> {
    let numbers = value.as_array().unwrap().iter();
    numbers
        .map(|number| number.as_u64().unwrap().try_into().unwrap())
        .collect()
}

fn kind(value: &Json) -> TrustKind {
    match value.as_str().unwrap() {
        "directory" => TrustKind::Directory,
        _ => TrustKind::Registerlandkarte,
    }
}

fn genesis(vectors: &Json) -> TrustState {
    let keys: Vec<_> = numbers(&vectors["genesis_seeds"])
        .into_iter()
        .map(|number| seed(number).public())
        .collect();
    let needed = u8::try_from(vectors["genesis_threshold"].as_u64().unwrap()).unwrap();
    let origin = vectors["origin"].as_str().unwrap().parse().unwrap();
    TrustState::new(origin, Authorities::genesis(&keys, threshold(needed)).unwrap())
}

/// Applies all sets of the vectors.
fn replayed(vectors: &Json) -> TrustState {
    let sets = vectors["sets"].as_array().unwrap().iter();
    sets.fold(genesis(vectors), |state, set| {
        let signed = SignedChangeSet::parse(&bytes(&set["file"])).unwrap();
        state.apply(kind(&set["kind"]), &signed).unwrap()
    })
}

/// Each set is read, applied, and made again from its operations, with the same bytes.
#[test]
fn sets_match_the_vectors() {
    let vectors = vectors();
    let mut state = genesis(&vectors);
    for vector in vectors["sets"].as_array().unwrap() {
        let (kind, file) = (kind(&vector["kind"]), bytes(&vector["file"]));
        let set = SignedChangeSet::parse(&file).unwrap();
        let header = set.header().clone();
        assert_eq!(u64::from(header.version.0), vector["version"].as_u64().unwrap());
        assert_eq!(set.signed().digest().to_string(), vector["digest"].as_str().unwrap());
        let operations = set.operations().list().to_vec();
        for operation in &operations {
            if let Some(bytes) = operation.value() {
                assert_eq!(Value::parse(operation.key(), bytes).unwrap().to_bytes(), bytes);
            }
        }
        let made: ChangeSet = state
            .propose(kind, header.valid_from, header.reason, operations)
            .unwrap();
        let keys: Vec<_> = numbers(&vector["signers"]).into_iter().map(seed).collect();
        let made = made.sign(&keys.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(hex::encode(made.to_bytes()), hex::encode(&file));
        state = state.apply(kind, &set).unwrap();
        assert_eq!(state.map(kind).root().to_string(), vector["root"].as_str().unwrap());
    }
    assert_eq!(state.directory().valid_from(), Timestamp(2000));
    assert_eq!(state.authorities().threshold(), threshold(1));
}

#[test]
fn snapshots_match_the_vectors() {
    let vectors = vectors();
    let state = replayed(&vectors);
    for (name, snapshot) in vectors["snapshots"].as_object().unwrap() {
        let kind = kind(&Json::from(name.as_str()));
        let snapshot = bytes(snapshot);
        assert_eq!(
            hex::encode(state.map(kind).to_snapshot(state.origin())),
            hex::encode(&snapshot)
        );
        let sets = vectors["sets"].as_array().unwrap().iter().rev();
        let last = sets.map(|set| SignedChangeSet::parse(&bytes(&set["file"])).unwrap());
        let last = last.into_iter().find(|set| set.header().kind == kind).unwrap();
        let map = Snapshot::parse(&snapshot).unwrap().accept(last.signed()).unwrap();
        assert_eq!(map.root(), state.map(kind).root());
    }
}

#[test]
fn proofs_match_the_vectors() {
    let vectors = vectors();
    let state = replayed(&vectors);
    let (mut present, mut absent) = (0, 0);
    for (text, proof) in vectors["proofs"].as_object().unwrap() {
        let key: Key = text.parse().unwrap();
        let map = state.map(key.section().kind());
        let proof = bytes(proof);
        assert_eq!(hex::encode(map.prove(&key).to_bytes()), hex::encode(&proof), "{key}");
        let proved = ValueProof::parse(&proof).unwrap().verify(&key, &map.root()).unwrap();
        match (map.get(&key), proved) {
            (Some(stored), Some(proved)) => {
                assert_eq!((stored.version(), stored.value()), (proved.version, &proved.value));
                present += 1;
            }
            (None, None) => absent += 1,
            other => panic!("{key}: {other:?}"),
        }
    }
    assert_eq!((present, absent), (4, 3));
}
