//! Sets that break a rule. Each is one finding and changes nothing.

use fixtures::sample_log::{START, SampleLog, authority};
use fixtures::{FirstValues, Founders};
use record::{Body, DocumentKind, Timestamp};
use tlog::Hash;
use trust::{ChangeSet, Key, Operation, Operations, SetSignature, SignedChangeSet, Threshold, TrustKind, Value};

use super::super::{findings, small};
use super::{
    DIRECTORY, Kind, REGISTERLANDKARTE, document, end_writer, key, propose, put, put_authority, put_writer, signed,
};

fn put_threshold(number: u8) -> Operation {
    put(&Value::Threshold(Threshold::new(number).unwrap()))
}

/// The next set of the directory, which changes nothing, with another header.
fn altered(log: &SampleLog, alter: impl FnOnce(&mut ChangeSet)) -> SignedChangeSet {
    let mut set = propose(log, DIRECTORY, Vec::new());
    alter(&mut set);
    signed(set)
}

/// The next set of the directory and the one after it.
fn two_sets(log: &SampleLog) -> [SignedChangeSet; 2] {
    let first = signed(propose(
        log,
        DIRECTORY,
        vec![put_writer("second", &key(50), &[Kind::Map])],
    ));
    let state = log.trust().state().apply(DIRECTORY, &first).unwrap();
    let second = state.propose(DIRECTORY, Timestamp(log.now), "Änderung".parse().unwrap(), Vec::new());
    [first, signed(second.unwrap())]
}

/// A set that breaks a rule is one finding, and changes nothing.
#[test]
fn sets_that_do_not_follow_are_found() {
    type Break = fn(&mut SampleLog) -> u64;
    let cases: [(&str, Break); 12] = [
        (
            "directory, version 3: 1 authorities have signed it, and 2 must",
            |log| {
                log.change(
                    DIRECTORY,
                    vec![put_authority(&key(60), &TrustKind::ALL), put_threshold(2)],
                );
                let set = signed(propose(log, DIRECTORY, Vec::new()));
                log.append_set(&set)
            },
        ),
        ("is no authority for the directory before it", |log| {
            let set = propose(log, DIRECTORY, Vec::new()).sign(&[&key(60)]).unwrap();
            log.append_set(&set)
        }),
        ("is no authority for the directory before it", |log| {
            let gone = Operation::end(Key::authority(&authority().id()));
            log.change(DIRECTORY, vec![put_authority(&key(60), &TrustKind::ALL), gone]);
            let set = signed(propose(log, DIRECTORY, Vec::new()));
            log.append_set(&set)
        }),
        ("is no authority for the Registerlandkarte before it", |log| {
            log.change(DIRECTORY, vec![put_authority(&key(60), &[DIRECTORY])]);
            let set = propose(log, REGISTERLANDKARTE, Vec::new()).sign(&[&key(60)]).unwrap();
            log.append_set(&set)
        }),
        ("directory, version 2: the signature of the authority", |log| {
            let set = propose(log, DIRECTORY, Vec::new());
            let mut signature = SetSignature::sign(&set.header, &authority());
            signature.signature[9] ^= 1;
            log.append_set(&set.with(vec![signature]).unwrap())
        }),
        ("directory, version 2: the next version is 3", |log| {
            let [set, _] = two_sets(log);
            log.append_set(&set);
            log.append_set(&set)
        }),
        ("directory, version 3: the next version is 2", |log| {
            let [_, set] = two_sets(log);
            log.append_set(&set)
        }),
        ("directory, version 3: the next version is 2", |log| {
            let [first, second] = two_sets(log);
            let index = log.append_set(&second);
            log.append_set(&first);
            index
        }),
        ("directory, version 2: root ", |log| {
            let set = altered(log, |set| set.header.root.0[31] ^= 1);
            log.append_set(&set)
        }),
        ("directory, version 2: it is for the log log.example/other", |log| {
            let set = altered(log, |set| set.header.origin = "log.example/other".parse().unwrap());
            log.append_set(&set)
        }),
        ("directory, version 2: it takes effect at", |log| {
            let set = altered(log, |set| set.header.valid_from = Timestamp(START - 1));
            log.append_set(&set)
        }),
        ("directory, version 2: writer/second: there is no value to end", |log| {
            let set = altered(log, |set| {
                set.operations = Operations::new(vec![end_writer("second")]).unwrap();
                set.header.operations = set.operations.digest();
            });
            log.append_set(&set)
        }),
    ];
    for (number, (what, break_it)) in cases.into_iter().enumerate() {
        let mut log = small();
        log.now += 10;
        let index = break_it(&mut log);
        log.map();
        log.denial();
        log.map();
        let found = findings(&log);
        assert_eq!(found.len(), 1, "case {number}, {what}: {found:?}");
        assert!(
            found[0].contains(&format!("entry {index}: ")) && found[0].contains(what),
            "case {number}, {what}: {found:?}"
        );
        assert!(found[0].contains(", version "), "case {number}: {found:?}");
    }
}

#[test]
fn a_set_that_takes_effect_after_its_entry_is_found() {
    let mut log = small();
    let set = altered(&log, |set| set.header.valid_from.0 += 1);
    let index = log.append_set(&set);
    let found = findings(&log);
    assert_eq!(found.len(), 1, "{found:?}");
    let what = format!("entry {index}: directory, version 2: it takes effect at");
    assert!(
        found[0].contains(&what) && found[0].contains("and its entry is of"),
        "{found:?}"
    );
}

#[test]
fn a_set_in_an_entry_of_the_other_kind_is_found() {
    let mut log = small();
    let set = signed(propose(&log, DIRECTORY, Vec::new()));
    document(&mut log, &set);
    let (kind, digest) = (DocumentKind::Registry, set.signed().digest());
    log.append_operator(Body::Document { kind, digest });
    let found = findings(&log);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("directory, version 2: its entry is one for the Registerlandkarte"),
        "{found:?}"
    );
}

#[test]
fn a_document_that_is_no_set_is_found() {
    let mut log = small();
    log.documents.insert(Hash::of(b"x").to_string(), b"x".to_vec());
    let (kind, digest) = (DocumentKind::Directory, Hash::of(b"x"));
    log.append_operator(Body::Document { kind, digest });
    let found = findings(&log);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("directory, version 2: not the signed header"),
        "{found:?}"
    );
}

/// The genesis document names other first sets than those in entries 1 and 2, which the same authority has signed.
#[test]
fn first_sets_that_the_genesis_document_does_not_name_are_found() {
    let mut log = SampleLog::bare();
    let authority = authority();
    let (operator, identity) = (log.operator.key.clone(), log.identity.key.clone());
    let log_key = log.log_key.clone();
    let founders = Founders {
        origin: fixtures::sample_log::ORIGIN,
        log: &log_key,
        operator: &operator,
        authority: &authority,
        identity: &identity,
    };
    let named = founders.found(vec![], Timestamp(START)).unwrap();
    let others = FirstValues {
        supervision: Some([77; 32]),
        ..FirstValues::default()
    };
    let [other, _] = founders.found_with(others, Timestamp(START)).unwrap().sets;
    let genesis = named.genesis.to_bytes();
    log.documents.insert(Hash::of(&genesis).to_string(), genesis.clone());
    let [_, registerlandkarte] = named.sets;
    for (kind, digest) in [
        (DocumentKind::Genesis, Hash::of(&genesis)),
        (DocumentKind::Directory, other.signed().digest()),
        (DocumentKind::Registry, registerlandkarte.signed().digest()),
    ] {
        log.append_operator(Body::Document { kind, digest });
    }
    for set in [&other, &registerlandkarte] {
        document(&mut log, set);
    }
    let found = findings(&log);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("entry 1: directory, version 1: the genesis document names"),
        "{found:?}"
    );
}
