//! Random sequences of sets against a naive model that keeps a copy of everything.

use std::collections::BTreeMap;

use proptest::prelude::*;
use record::Timestamp;
use registerlandkarte::{Interval, Rule};
use tlog::map::Map;
use tlog::merkle::Index;
use trust::{
    History, Key, Operation, Position, Section, SignedChangeSet, Snapshot, TrustKind, TrustState, Value, ValueProof,
    Version,
};

use crate::fixture::{
    DIRECTORY, REGISTERLANDKARTE, authority, body, catalogue, certificates, component, delegation, first_directory,
    genesis, origin, put, rule, sign, writer,
};

/// Intervals begin before this time.
pub(crate) const TIMES: u64 = 5;

/// The values of one version: the version that put each, and its bytes.
pub(crate) type Model = BTreeMap<Key, (Version, Vec<u8>)>;

/// A set of the sequence, with the model after it.
pub(crate) struct Step {
    pub(crate) kind: TrustKind,
    index: u32,
    pub(crate) set: SignedChangeSet,
    pub(crate) after: Model,
}

/// Few values, so that the same keys change often and many sets contradict what is there.
fn any_value() -> impl Strategy<Value = Value> {
    let id = |section: &'static str, count: u8| (0..count).prop_map(move |number| format!("{section}{number}"));
    let delegation = (0..3_u8, id("b", 3), id("b", 3), id("c", 4)).prop_map(|(number, operator, body, component)| {
        let parts = [operator.as_str(), body.as_str(), component.as_str()];
        delegation(&format!("d{number}"), parts, Interval::since(Timestamp(0)))
    });
    let parts = (id("r", 3), 1..3_u32, id("p", 2), any_interval(), any_interval());
    let any_rule = parts.prop_map(|(id, version, purpose, valid, recorded)| {
        let Value::Permission(made) = rule(&id, version, &purpose) else {
            panic!()
        };
        Value::Permission(
            Rule {
                valid,
                recorded,
                ..made.as_ref().clone()
            }
            .into(),
        )
    });
    prop_oneof![
        (1..6_u8).prop_map(|number| authority(number, &TrustKind::ALL)),
        id("b", 3).prop_map(|id| body(&id)),
        (id("c", 4), 20..26_u8).prop_map(|(id, key)| component(&id, key)),
        delegation,
        (0..3_u8).prop_map(|issuing| certificates(issuing, &[7])),
        any_rule,
        (id("w", 3), 30..34_u8).prop_map(|(name, key)| writer(&name, key)),
    ]
}

fn any_interval() -> impl Strategy<Value = Interval> {
    (0..TIMES, proptest::option::of(1..4_u64)).prop_map(|(from, len)| Interval {
        from: Timestamp(from),
        until: len.map(|len| Timestamp(from + len)),
    })
}

fn any_operation() -> impl Strategy<Value = Operation> {
    (any_value(), any::<bool>()).prop_map(|(value, keep)| {
        if keep {
            put(&value)
        } else {
            Operation::end(value.key().unwrap())
        }
    })
}

pub(crate) fn any_changes() -> impl Strategy<Value = Vec<(TrustKind, Vec<Operation>)>> {
    let set = proptest::collection::vec(any_operation(), 0..4).prop_map(|operations| {
        let kind = operations
            .first()
            .map_or(DIRECTORY, |first| first.key().section().kind());
        let operations = operations
            .into_iter()
            .filter(|operation| operation.key().section().kind() == kind);
        (kind, operations.collect())
    });
    proptest::collection::vec(set, 0..40)
}

/// Authorities in force that can sign the next set of both kinds.
fn signers(state: &TrustState) -> Vec<u8> {
    let known = (1..6_u8).filter(|number| {
        let id = crate::fixture::seed(*number).id();
        state.authorities().key(&id, DIRECTORY).is_some()
    });
    known.take(state.authorities().threshold().get()).collect()
}

/// Makes the sets of those changes that are accepted. Each entry is two indices after the one before.
pub(crate) fn sequence(changes: Vec<(TrustKind, Vec<Operation>)>) -> Vec<Step> {
    let first = [(DIRECTORY, first_directory()), (REGISTERLANDKARTE, catalogue())];
    let mut state = genesis();
    let mut steps: Vec<Step> = Vec::new();
    for (kind, operations) in first.into_iter().chain(changes) {
        let reason = "Anlass".parse().unwrap();
        let valid_from = state.map(kind).valid_from();
        let Ok(set) = state.propose(kind, valid_from, reason, operations.clone()) else {
            continue;
        };
        let version = set.header.version;
        let set = sign(set, &signers(&state));
        state = state.apply(kind, &set).unwrap();
        let before = steps.iter().rev().find(|step| step.kind == kind);
        let mut after = before.map(|step| step.after.clone()).unwrap_or_default();
        for operation in operations {
            match operation.value() {
                Some(bytes) => after.insert(operation.key().clone(), (version, bytes.to_vec())),
                None => after.remove(operation.key()),
            };
        }
        let index = 2 * u32::try_from(steps.len()).unwrap() + 1;
        steps.push(Step {
            kind,
            index,
            set,
            after,
        });
    }
    steps
}

pub(crate) fn replay(steps: &[Step]) -> History {
    steps.iter().fold(History::new(genesis()), |history, step| {
        let position = Position {
            index: Index::from(step.index),
            time: Timestamp(u64::from(step.index)),
        };
        history.apply(step.kind, position, &step.set).unwrap()
    })
}

/// The map of `tlog` with a model's content.
fn map_of(model: &Model) -> Map {
    let mut map = Map::new();
    for (key, (version, bytes)) in model {
        let value = tlog::map::Value {
            index: Index::from(version.0),
            leaf: tlog::Hash::of(bytes),
        };
        map.insert(key.in_map(), value).unwrap();
    }
    map
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Values, root, proofs and snapshot of the last versions are those of the model.
    #[test]
    fn replaying_the_sets_gives_the_models_state(changes in any_changes()) {
        let steps = sequence(changes);
        let history = replay(&steps);
        for kind in TrustKind::ALL {
            let map = history.state().map(kind);
            let Some(last) = steps.iter().rev().find(|step| step.kind == kind) else {
                prop_assert!(map.is_empty());
                continue;
            };
            let found: Model = map.iter().map(|(key, stored)| {
                (key.clone(), (stored.version(), stored.value().to_bytes()))
            }).collect();
            prop_assert_eq!(&found, &last.after);
            for section in Section::ALL {
                let count = last.after.keys().filter(|key| key.section() == section).count();
                prop_assert_eq!(map.section(section).count(), count);
            }
            prop_assert_eq!(map.root(), map_of(&last.after).root());
            let bytes = map.to_snapshot(&origin());
            let accepted = Snapshot::parse(&bytes).unwrap().accept(last.set.signed()).unwrap();
            prop_assert_eq!(accepted.to_snapshot(&origin()), bytes);
            prop_assert_eq!(accepted.root(), map.root());
            for key in steps.iter().flat_map(|step| step.set.operations().list()).map(Operation::key) {
                if key.section().kind() != kind {
                    continue;
                }
                let proof = ValueProof::parse(&map.prove(key).to_bytes()).unwrap();
                let proved = proof.verify(key, &map.root()).unwrap();
                let expected = last.after.get(key);
                prop_assert_eq!(proved.map(|proved| (proved.version, proved.value.to_bytes())), expected.cloned());
                let other: Key = if key.as_str() == "body/b0" { "body/b1" } else { "body/b0" }.parse().unwrap();
                prop_assert!(proof.verify(&other, &map.root()).is_err());
                prop_assert!(proof.verify(key, &tlog::Hash::of(&map.root().0)).is_err());
            }
        }
    }

    /// For every index and key the history gives the value that the model had there, and each version can be built.
    #[test]
    fn the_history_gives_what_was_in_force(changes in any_changes()) {
        let steps = sequence(changes);
        let history = replay(&steps);
        let keys: Vec<&Key> = steps.iter().flat_map(|step| step.set.operations().list()).map(Operation::key).collect();
        let empty = Model::new();
        let end = steps.last().unwrap().index + 2;
        for index in 0..=end {
            for kind in TrustKind::ALL {
                let before = steps.iter().rev().find(|step| step.kind == kind && step.index < index);
                let version = before.map_or(Version::EMPTY, |step| step.set.header().version);
                prop_assert_eq!(history.in_force(kind, Index::from(index)), Ok(version));
            }
            for key in &keys {
                let kind = key.section().kind();
                let before = steps.iter().rev().find(|step| step.kind == kind && step.index < index);
                let expected = before.map_or(&empty, |step| &step.after).get(*key);
                let found = history.value_at(key, Index::from(index)).unwrap();
                prop_assert_eq!(found.map(|stored| (stored.version(), stored.value().to_bytes())), expected.cloned());
            }
        }
        for step in &steps {
            let header = step.set.header();
            let map = history.map_of(step.kind, header.version).unwrap();
            prop_assert_eq!((map.root(), map.valid_from()), (header.root, header.valid_from));
            prop_assert_eq!(map.len(), step.after.len());
        }
    }

    /// A set is refused at every version but the one that it was made for.
    #[test]
    fn sets_are_accepted_in_their_own_place_only(changes in any_changes()) {
        let steps = sequence(changes);
        let mut state = genesis();
        for step in &steps {
            for other in steps.iter().filter(|other| other.kind == step.kind) {
                let own_place = other.index == step.index;
                prop_assert_eq!(state.apply(other.kind, &other.set).is_ok(), own_place);
            }
            state = state.apply(step.kind, &step.set).unwrap();
        }
    }
}
