//! Snapshots: accepted only under the root of their version.

use tlog::Hash;
use trust::{SetSignature, SignedHeader, Snapshot, SnapshotError, TrustState, Version};

use crate::fixture::{
    DIRECTORY, REGISTERLANDKARTE, body, first_set, first_state, genesis, origin, propose, put, seed, sign,
};

fn snapshot() -> Vec<u8> {
    first_state().directory().to_snapshot(&origin())
}

#[test]
fn a_follower_that_starts_from_a_snapshot_continues_like_the_others() {
    let (state, set) = (first_state(), first_set());
    let map = Snapshot::parse(&snapshot()).unwrap().accept(set.signed()).unwrap();
    let started: TrustState = genesis().with_snapshots([map]).unwrap();
    assert_eq!(started.authorities(), state.authorities());
    assert_eq!(started.directory().valid_from(), state.directory().valid_from());
    let next = sign(propose(&state, DIRECTORY, 200, vec![put(&body("dorf"))]), &[1, 2]);
    let (replayed, started) = (
        state.apply(DIRECTORY, &next).unwrap(),
        started.apply(DIRECTORY, &next).unwrap(),
    );
    assert_eq!(replayed.directory().root(), started.directory().root());
    assert_eq!(
        replayed.directory().to_snapshot(&origin()),
        started.directory().to_snapshot(&origin())
    );
}

#[test]
fn any_changed_byte_of_a_snapshot_is_refused() {
    let (bytes, set) = (snapshot(), first_set());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let accepted = Snapshot::parse(&changed).and_then(|snapshot| snapshot.accept(set.signed()));
        assert!(accepted.is_err(), "byte {at}");
        assert!(Snapshot::parse(&bytes[..at]).is_err(), "{at} bytes");
    }
    assert!(matches!(
        Snapshot::parse(&[&bytes[..], &[0xf6]].concat()),
        Err(SnapshotError::Count { .. })
    ));
}

/// The items of a snapshot, the head first.
fn items(snapshot: &[u8]) -> Vec<Vec<u8>> {
    let items = record::cbor::sequence(snapshot).unwrap();
    items.into_iter().map(<[u8]>::to_vec).collect()
}

#[test]
fn values_of_a_snapshot_come_in_order_and_once() {
    let sound = items(&snapshot());
    let mut swapped = sound.clone();
    swapped.swap(4, 5);
    let mut twice = sound.clone();
    twice[5] = twice[4].clone();
    for items in [swapped, twice] {
        let refused = Snapshot::parse(&items.concat());
        assert!(matches!(refused, Err(SnapshotError::Order(_))), "{refused:?}");
    }
    let mut fewer = sound;
    fewer.pop();
    let (said, found) = (13, 12);
    assert_eq!(
        Snapshot::parse(&fewer.concat()).unwrap_err(),
        SnapshotError::Count { said, found }
    );
}

#[test]
fn values_of_a_snapshot_are_of_its_versions() {
    let bytes = first_state().directory().to_snapshot(&origin());
    for version in [0, 2] {
        let mut items = items(&bytes);
        let stadt = body("stadt");
        let item = (
            stadt.key().unwrap(),
            Version(version),
            record::bytes::Form(stadt.to_bytes()),
        );
        // After the head come three authorities and then the bodies rz and stadt.
        items[5] = record::cbor::to_vec(&item);
        let refused = Snapshot::parse(&items.concat());
        assert!(matches!(refused, Err(SnapshotError::NoSuchVersion(_))), "{refused:?}");
    }
}

#[test]
fn a_snapshot_counts_only_under_its_own_set() {
    let (snapshot, set) = (Snapshot::parse(&snapshot()).unwrap(), first_set());
    assert_eq!(snapshot.head().version, Version(1));
    let accept = |change: fn(&mut trust::SetHeader)| {
        let mut header = set.header().clone();
        change(&mut header);
        let signature = SetSignature::sign(&header, &seed(1));
        let signed = SignedHeader::new(header, vec![signature]).unwrap();
        snapshot.clone().accept(&signed).unwrap_err()
    };
    let other = SnapshotError::OtherVersion;
    assert_eq!(accept(|header| header.version = Version(2)), other);
    assert_eq!(accept(|header| header.kind = REGISTERLANDKARTE), other);
    assert_eq!(accept(|header| header.origin = "other.example".parse().unwrap()), other);
    let computed = set.header().root;
    let named = Hash([1; 32]);
    assert_eq!(
        accept(|header| header.root = Hash([1; 32])),
        SnapshotError::Root { named, computed }
    );
}
