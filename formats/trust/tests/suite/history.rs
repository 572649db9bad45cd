//! The history: what was in force at an index of the log.

use record::{Body, ReferenceKind, SignedEntry, Timestamp, Unsigned};
use tlog::merkle::Index;
use trust::{
    History, HistoryError, Key, Position, RelianceError, SetProblem, SignedChangeSet, Snapshot, TrustKind, Value,
    Version, WriterError,
};

use crate::fixture::{
    DIRECTORY, REGISTERLANDKARTE, body, end, first_set, genesis, origin, propose, put, rule, rules, seed, sign, writer,
};

fn position(index: u32, time: u64) -> Position {
    Position {
        index: Index::from(index),
        time: Timestamp(time),
    }
}

fn at(index: u32) -> Index {
    Index::from(index)
}

/// Applies operations by a set of the authorities 1 and 2.
fn changed(history: &History, kind: TrustKind, place: Position, operations: Vec<trust::Operation>) -> History {
    let set = set(history, kind, place.time, operations);
    history.apply(kind, place, &set).unwrap()
}

fn set(history: &History, kind: TrustKind, time: Timestamp, operations: Vec<trust::Operation>) -> SignedChangeSet {
    sign(propose(history.state(), kind, time.seconds(), operations), &[1, 2])
}

/// The first directory at index 1, a rule at 2, and a new key for the broker at 10.
fn rotated() -> History {
    let history = History::new(genesis())
        .apply(DIRECTORY, position(1, 100), &first_set())
        .unwrap();
    let rule = rules(&[rule("a", 1, "parken")]);
    let history = changed(&history, REGISTERLANDKARTE, position(2, 100), rule);
    changed(&history, DIRECTORY, position(10, 500), vec![put(&writer("broker", 12))])
}

fn entry(key: u8, kind: ReferenceKind) -> SignedEntry {
    let unsigned = Unsigned {
        sequence: record::Sequence::FIRST,
        previous: tlog::Hash([0; 32]),
        time: Timestamp(0),
        body: Body::Reference { kind, refers: at(0) },
    };
    seed(key).sign(unsigned).unwrap()
}

#[test]
fn an_entry_is_judged_by_the_directory_at_its_index() {
    let history = rotated();
    let lost = |key| entry(key, ReferenceKind::Lost);
    // Version 1 is in force after index 1, version 2 after index 10.
    for (index, old, new) in [
        (0, false, false),
        (1, false, false),
        (2, true, false),
        (10, true, false),
        (11, false, true),
    ] {
        assert_eq!(history.check_writer_at(&lost(10), at(index)).is_ok(), old, "{index}");
        assert_eq!(history.check_writer_at(&lost(12), at(index)).is_ok(), new, "{index}");
    }
    assert_eq!(
        history.writer_at(&seed(10).id(), at(5)).unwrap().unwrap().name,
        "broker"
    );
    // The grant has the kinds lost and directory.
    let hold = history.check_writer_at(&entry(10, ReferenceKind::Hold), at(5));
    assert!(matches!(hold, Err(WriterError::Right(_))), "{hold:?}");
}

#[test]
fn versions_are_in_force_for_the_entries_after_their_own() {
    let history = rotated();
    let versions = |kind| [0, 1, 2, 3, 10, 11, 1000].map(|index| history.in_force(kind, at(index)).unwrap().0);
    assert_eq!(versions(DIRECTORY), [0, 0, 1, 1, 1, 2, 2]);
    assert_eq!(versions(REGISTERLANDKARTE), [0, 0, 0, 1, 1, 1, 1]);
    let sets: Vec<_> = history
        .applied(DIRECTORY)
        .map(|set| (set.version.0, set.position))
        .collect();
    assert_eq!(sets, [(1, position(1, 100)), (2, position(10, 500))]);
    let newest = history.applied(DIRECTORY).last().unwrap();
    assert_eq!(
        (newest.root, newest.valid_from),
        (history.state().directory().root(), Timestamp(500))
    );
}

#[test]
fn sets_of_both_kinds_come_in_the_order_of_the_log() {
    let history = rotated();
    let set = set(&history, REGISTERLANDKARTE, Timestamp(600), vec![end("permission/a@1")]);
    for index in [0, 2, 9, 10] {
        let error = history
            .apply(REGISTERLANDKARTE, position(index, 600), &set)
            .unwrap_err();
        assert_eq!(error.problem, SetProblem::Position);
    }
    history.apply(REGISTERLANDKARTE, position(11, 600), &set).unwrap();
}

/// The only check of the time at which a set may be published.
#[test]
fn a_set_is_not_published_before_it_takes_effect() {
    let history = rotated();
    let set = set(&history, DIRECTORY, Timestamp(700), vec![end("writer/broker")]);
    let error = history.apply(DIRECTORY, position(20, 699), &set).unwrap_err();
    assert_eq!(error.problem, SetProblem::Early(Timestamp(699)));
    assert!(!error.has_valid_signatures(), "nobody has signed anything wrong");
    history.apply(DIRECTORY, position(20, 700), &set).unwrap();
}

/// The sets of both kinds in the order of the log, and each by its version.
#[test]
fn sets_are_found_by_index_and_by_version() {
    let history = rotated();
    let from = |index| -> Vec<_> {
        let sets = history.applied_from(at(index));
        sets.map(|(kind, set)| (kind, set.position.index.get())).collect()
    };
    let all = [(DIRECTORY, 1), (REGISTERLANDKARTE, 2), (DIRECTORY, 10)];
    assert_eq!(from(0), all);
    assert_eq!(
        (from(2), from(3), from(11)),
        (all[1..].to_vec(), all[2..].to_vec(), vec![])
    );
    let version = |version| {
        history
            .set_of(DIRECTORY, Version(version))
            .map(|set| set.position.index.get())
    };
    assert_eq!([0, 1, 2, 3].map(version), [None, Some(1), Some(10), None]);
}

#[test]
fn a_superseded_version_can_be_relied_on_for_a_minute() {
    let history = rotated();
    let rely = |version, now| history.may_rely_on(DIRECTORY, Version(version), Timestamp(now));
    assert_eq!(rely(2, 5000), Ok(()));
    for now in [0, 500, 559] {
        assert_eq!(rely(1, now), Ok(()));
    }
    let version = Version(1);
    assert_eq!(rely(1, 560), Err(RelianceError::Superseded { version, seconds: 60 }));
    assert_eq!(rely(3, 500), Err(HistoryError::NotYet(Version(2)).into()));
    let other = history.may_rely_on(REGISTERLANDKARTE, Version(0), Timestamp(160));
    let version = Version(0);
    assert_eq!(other, Err(RelianceError::Superseded { version, seconds: 60 }));
}

/// An earlier version has the root and the proofs that it had.
#[test]
fn an_earlier_version_can_be_built_and_proved() {
    let first = History::new(genesis())
        .apply(DIRECTORY, position(1, 100), &first_set())
        .unwrap();
    let history = changed(
        &rotated(),
        DIRECTORY,
        position(20, 600),
        vec![end("writer/broker"), put(&body("dorf"))],
    );
    let map = history.map_of(DIRECTORY, Version(1)).unwrap();
    assert_eq!(
        (map.version(), map.root()),
        (Version(1), first.state().directory().root())
    );
    let key: Key = "writer/broker".parse().unwrap();
    let proved = map
        .prove(&key)
        .verify(&key, &first_set().header().root)
        .unwrap()
        .unwrap();
    assert_eq!((proved.version, proved.value), (Version(1), writer("broker", 10)));
    assert!(history.map_of(DIRECTORY, Version(0)).unwrap().is_empty());
    let not_yet = history.map_of(DIRECTORY, Version(4)).unwrap_err();
    assert_eq!(not_yet, HistoryError::NotYet(Version(3)));
}

/// A history that begins with a snapshot says what it does not know.
#[test]
fn what_was_before_a_snapshot_is_unknown() {
    let whole = rotated();
    let header = set(
        &History::new(genesis())
            .apply(DIRECTORY, position(1, 100), &first_set())
            .unwrap(),
        DIRECTORY,
        Timestamp(500),
        vec![put(&writer("broker", 12))],
    );
    let bytes = whole.state().directory().to_snapshot(&origin());
    let map = Snapshot::parse(&bytes).unwrap().accept(header.signed()).unwrap();
    let state = genesis().with_snapshots([map]).unwrap();
    let history = History::starting_at(state, Some(position(10, 500)), None);
    let before = HistoryError::Before(Version(2));
    let key: Key = "writer/broker".parse().unwrap();
    assert_eq!(history.value_at(&key, at(10)).unwrap_err(), before);
    assert_eq!(history.writer_at(&seed(10).id(), at(5)).unwrap_err(), before);
    assert_eq!(history.map_of(DIRECTORY, Version(1)).unwrap_err(), before);
    let value = history.value_at(&key, at(11)).unwrap().unwrap();
    assert_eq!(value.value(), &writer("broker", 12));
    assert!(history.writer_at(&seed(12).id(), at(11)).unwrap().is_some());
    // The snapshot's own set shows since when the version before it is superseded.
    assert_eq!(history.may_rely_on(DIRECTORY, Version(1), Timestamp(559)), Ok(()));
    assert_eq!(
        history.may_rely_on(DIRECTORY, Version(0), Timestamp(559)),
        Err(before.into())
    );
    // The Registerlandkarte begins with its empty version.
    assert_eq!(history.in_force(REGISTERLANDKARTE, at(5)), Ok(Version(0)));
    let later = changed(&history, DIRECTORY, position(20, 600), vec![put(&writer("broker", 13))]);
    assert!(matches!(
        later.value_at(&key, at(15)).unwrap().unwrap().value(),
        Value::Writer(grant) if grant.key == seed(12).public()
    ));
    assert_eq!(
        later.map_of(DIRECTORY, Version(2)).unwrap().root(),
        whole.state().directory().root()
    );
}
