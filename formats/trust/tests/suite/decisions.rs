//! Decisions by two versions, and their replay.

use std::sync::Arc;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use record::{Ars, ParticipantId, Timestamp};
use registerlandkarte::{Denied, NotCompetent, Permission, Subject};
use tlog::merkle::Index;
use trust::{
    Component, ComponentState, History, Operation, OperationProblem, PermitError, Position, ServedRegister, SetProblem,
    Snapshot, Transmission, Value, Version, Versions,
};

use crate::fixture::{
    DIRECTORY, REGISTERLANDKARTE, body, component, end, evidence, genesis, history, origin, propose, put,
    register_component, rule, rules, sign,
};
use crate::properties::{Step, TIMES, any_changes, replay, sequence};

/// How many decisions are recorded and replayed.
const RECORDED: usize = 10_000;

fn id(text: &str) -> ParticipantId {
    text.parse().unwrap()
}

/// What is decided: a consumer, a provider, a purpose.
fn decide(history: &History, versions: Versions, what: [&str; 3], at: u64) -> Result<Permission, Denied> {
    let [consumer, provider, purpose] = what;
    let (consumer, provider) = (id(consumer), id(provider));
    let transmission = Transmission {
        consumer: &consumer,
        provider: &provider,
        evidence_type: "zb1",
        purpose,
        subject: Subject::Natural,
        idnr: true,
        represented: false,
        place: None,
    };
    match history.permit(versions, &transmission, Timestamp(at)) {
        Ok(permission) => Ok(permission),
        Err(PermitError::Denied(denied)) => Err(denied),
        Err(PermitError::History(error)) => panic!("{error}"),
    }
}

/// The versions after the first `count` steps.
fn versions(steps: &[Step], count: usize) -> Versions {
    let last = |kind| {
        let of_kind = steps[..count].iter().rev().find(|step| step.kind == kind);
        of_kind.map_or(Version::EMPTY, |step| step.set.header().version)
    };
    Versions {
        directory: last(DIRECTORY),
        registerlandkarte: last(REGISTERLANDKARTE),
    }
}

fn questions() -> impl Iterator<Item = ([&'static str; 3], u64)> {
    let consumers = ["stadt.parken", "c0", "c1", "c2", "nowhere"].into_iter();
    consumers.flat_map(|consumer| {
        let purposes = ["p0", "p1"].into_iter();
        purposes.flat_map(move |purpose| (0..TIMES + 4).map(move |at| ([consumer, "kba.zfzr", purpose], at)))
    })
}

/// A history that begins with snapshots of these versions.
fn from_snapshots(history: &History, steps: &[Step], versions: Versions) -> History {
    let read = |kind, version| {
        let set = steps
            .iter()
            .find(|step| step.kind == kind && step.set.header().version == version)?;
        let bytes = history.map_of(kind, version).unwrap().to_snapshot(&origin());
        Some(Snapshot::parse(&bytes).unwrap().accept(set.set.signed()).unwrap())
    };
    let maps = [
        read(DIRECTORY, versions.directory),
        read(REGISTERLANDKARTE, versions.registerlandkarte),
    ];
    let place = |map: &Option<_>| {
        map.as_ref().map(|_| Position {
            index: Index::from(1_u32),
            time: Timestamp(1),
        })
    };
    let [directory, registerlandkarte] = [place(&maps[0]), place(&maps[1])];
    let state = genesis().with_snapshots(maps.into_iter().flatten()).unwrap();
    History::starting_at(state, directory, registerlandkarte)
}

/// Random changes of both kinds go on after each decision, corrections of what was decided on among them. Every
/// decision is then made again by its versions, from all change sets and from snapshots.
#[test]
fn ten_thousand_recorded_decisions_are_replayed_from_change_sets_and_from_snapshots() {
    let mut runner = TestRunner::deterministic();
    let (mut recorded, mut permitted, mut superseded) = (0, 0, 0);
    while recorded < RECORDED {
        let steps = sequence(any_changes().new_tree(&mut runner).unwrap().current());
        let all = replay(&steps);
        for count in 1..=steps.len() {
            let (then, versions) = (replay(&steps[..count]), versions(&steps, count));
            let snapshots = from_snapshots(&all, &steps, versions);
            for (what, at) in questions() {
                let decision = decide(&then, versions, what, at);
                assert_eq!(decide(&all, versions, what, at), decision, "{what:?} at {at}");
                assert_eq!(decide(&snapshots, versions, what, at), decision, "{what:?} at {at}");
                recorded += 1;
                permitted += usize::from(decision.is_ok());
                superseded += usize::from(decide(&all, all.newest_versions(), what, at) != decision);
            }
        }
    }
    assert!(permitted > RECORDED / 100, "{permitted} of {recorded} are permitted");
    assert!(
        superseded > RECORDED / 100,
        "{superseded} of {recorded} are not what the newest versions say"
    );
}

fn changed(id: &str, key: u8, change: impl FnOnce(&mut Component)) -> Operation {
    let Value::Component(mut component) = register_component(id, key) else {
        panic!()
    };
    change(&mut component);
    put(&Value::Component(component))
}

const PARKING: [&str; 3] = ["stadt.parken", "kba.zfzr", "parken"];

#[test]
fn a_permission_says_everything_that_records_take_from_it() {
    let history = history(vec![(REGISTERLANDKARTE, rules(&[rule("a", 1, "parken")]))]);
    let versions = history.newest_versions();
    let permission = decide(&history, versions, PARKING, 300).unwrap();
    let header = history.state().registerlandkarte().header();
    assert_eq!(permission.allowed_by().permission, "a@1");
    assert_eq!(permission.allowed_by().registerlandkarte, header);
    assert_eq!(permission.why.legal_basis, "§ 35 StVG");
    assert_eq!(permission.evidence.title, "Zulassungsbescheinigung Teil I");
    // The relation is made once.
    assert!(Arc::ptr_eq(
        &history.relation(versions).unwrap(),
        &history.relation(versions).unwrap()
    ));
    let later = Versions {
        registerlandkarte: Version(2),
        ..versions
    };
    assert!(history.relation(later).is_err());
}

#[test]
fn both_versions_decide_together() {
    let history = history(vec![
        (REGISTERLANDKARTE, rules(&[rule("a", 1, "parken")])),
        (
            DIRECTORY,
            vec![changed("kba.zfzr", 21, |component| {
                component.state = ComponentState::Suspended
            })],
        ),
        (DIRECTORY, vec![changed("kba.zfzr", 21, |_| ())]),
        (REGISTERLANDKARTE, vec![end("permission/a@1")]),
    ]);
    let decide = |directory, registerlandkarte| {
        let versions = Versions {
            directory: Version(directory),
            registerlandkarte: Version(registerlandkarte),
        };
        decide(&history, versions, PARKING, 300).map(|permission| permission.rule.reference())
    };
    assert_eq!(decide(1, 0), Err(Denied::NoRule));
    assert_eq!(decide(1, 1), Ok("a@1".into()));
    assert_eq!(decide(2, 1), Err(Denied::Provider));
    assert_eq!(decide(3, 1), Ok("a@1".into()));
    assert_eq!(decide(3, 2), Err(Denied::NoRule));
}

#[test]
fn a_component_requests_by_the_classes_of_its_body_and_while_it_is_active() {
    let sets = |change: Operation| {
        history(vec![
            (REGISTERLANDKARTE, rules(&[rule("a", 1, "parken")])),
            (DIRECTORY, vec![change]),
        ])
    };
    let decide = |history: &History| decide(history, history.newest_versions(), PARKING, 300).map(|_| ());
    let Value::Body(mut other) = body("stadt") else {
        panic!()
    };
    other.classes = [].into();
    assert_eq!(decide(&sets(put(&Value::Body(other)))), Err(Denied::NoRule));
    for state in [ComponentState::Suspended, ComponentState::Retired] {
        let Value::Component(mut component) = component("stadt.parken", 20) else {
            panic!()
        };
        component.state = state;
        assert_eq!(decide(&sets(put(&Value::Component(component)))), Err(Denied::Consumer));
    }
    assert_eq!(decide(&sets(put(&component("stadt.parken", 40)))), Ok(()));
}

#[test]
fn the_competent_component_has_the_smallest_area_that_contains_the_place() {
    let area = |area: &str| {
        let area: Ars = area.parse().unwrap();
        move |component: &mut Component| {
            let register = component.serves[0].register.clone();
            let areas = [area].into();
            component.serves = [ServedRegister { register, areas }].into();
        }
    };
    let city = changed("stadt.zfzr", 41, area("053150000000"));
    let history = history(vec![
        (REGISTERLANDKARTE, rules(&[rule("a", 1, "parken")])),
        (DIRECTORY, vec![city.clone()]),
    ]);
    let competent = |evidence: &str, place: &str| {
        let found = history.competent(evidence, &place.parse().unwrap(), Timestamp(300));
        found.map(|component| component.to_string())
    };
    assert_eq!(competent("zb1", "053150000000"), Ok("stadt.zfzr".into()));
    assert_eq!(competent("zb1", "010010000000"), Ok("kba.zfzr".into()));
    assert_eq!(competent("zb2", "010010000000"), Err(NotCompetent::Evidence));
    // No second component is competent for the same area; a retired one makes room.
    let refused = |operations| {
        let error = history
            .state()
            .propose(DIRECTORY, Timestamp(300), "Anlass".parse().unwrap(), operations)
            .unwrap_err();
        let SetProblem::Operation { problem, .. } = error.problem else {
            panic!("{error}")
        };
        problem
    };
    let second = changed("dorf.zfzr", 42, area("053150000000"));
    let other = OperationProblem::TwoCompetent {
        other: "component/stadt.zfzr".parse().unwrap(),
        register: "zfzr".parse().unwrap(),
        area: "053150000000".parse().unwrap(),
    };
    assert_eq!(refused(vec![second.clone()]), other);
    let retired = changed("stadt.zfzr", 41, |component| component.state = ComponentState::Retired);
    propose(history.state(), DIRECTORY, 300, vec![second, retired.clone()]);
    let set = sign(propose(history.state(), DIRECTORY, 300, vec![retired]), &[1, 2]);
    let error = history
        .state()
        .apply(DIRECTORY, &set)
        .unwrap()
        .propose(DIRECTORY, Timestamp(400), "Anlass".parse().unwrap(), vec![city])
        .unwrap_err();
    assert!(
        error.to_string().contains("a retired component does not come back"),
        "{error}"
    );
}

#[test]
fn what_others_refer_to_cannot_end_or_be_missing() {
    let history = history(vec![(REGISTERLANDKARTE, rules(&[rule("a", 1, "parken")]))]);
    let refused = |kind, operations| {
        let reason = "Anlass".parse().unwrap();
        let error = history
            .state()
            .propose(kind, Timestamp(300), reason, operations)
            .unwrap_err();
        error.to_string()
    };
    for key in ["class/parken", "register/zfzr", "evidence/zb1"] {
        let error = refused(REGISTERLANDKARTE, vec![end(key)]);
        assert!(error.contains("names it, so it cannot end"), "{error}");
    }
    let error = refused(DIRECTORY, vec![end("body/rz")]);
    assert!(error.contains("names it, so it cannot end"), "{error}");
    let error = refused(REGISTERLANDKARTE, vec![end("norm/stvg")]);
    assert!(error.contains("names it, so it cannot end"), "{error}");
    let second = evidence("zb2", Some("zb1"));
    let error = refused(REGISTERLANDKARTE, vec![put(&second)]);
    assert!(error.contains("evidence/zb1 has the same identifier"), "{error}");
}
