//! Measures change sets at the size of Germany: 10 000 bodies, 10 000 components and 2 000 rules.
//!
//! `measure` prints a JSON object. It makes the values, publishes them in sets of 256 operations, each signed by two
//! authorities, and measures the
//! thread CPU time of checking and applying the sets, the bytes of sets and proofs, and the resident memory of a
//! follower with its history.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Instant;

use record::{Ars, DisclosureClass, IdentityKeys, Kind, RetentionClass, SigningKey, Timestamp, WriterGrant};
use registerlandkarte::{
    AreaRelation, BodyClass, Consumer, EvidenceType, EvidenceTypeId, Interval, Norm, NormSource, Provider, Query,
    RegisterType, Rule, Subject, Subjects,
};
use tlog::merkle::Index;
use trust::{
    Authorities, Authority, Body, BodyRole, Component, ComponentState, Forms, History, Key, Level, Operation, Position,
    ServedRegister, SignedChangeSet, Snapshot, SupervisionKey, Threshold, Transmission, TrustKind, TrustState, Value,
};

const BODIES: u32 = 10_000;
const COMPONENTS: u32 = 10_000;
const RULES: u32 = CLASSES * REGISTERS;
/// Each body has one class, so each class has 250 bodies.
const CLASSES: u32 = 40;
/// Each component serves a register of one type, so each type has 200 components. A rule permits a class one type.
const REGISTERS: u32 = 50;
const OPERATIONS: usize = 256;

fn main() {
    let keys = [SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32])];
    let genesis = genesis(&keys);
    let files = publish(&genesis, &keys);
    // The first replay fills the memory that making the sets has freed, and stays. The second one needs fresh memory.
    let first = replay(&genesis, &files);
    let before = resident();
    let start = cpu();
    let history = replay(&genesis, &files);
    let apply = cpu() - start;
    let follower = resident() - before;
    drop(first);
    let state = history.state();

    let (directory, rules) = (state.directory(), state.registerlandkarte());
    let operations = u64::from(BODIES + COMPONENTS + RULES + 7) + catalogue().len() as u64;
    let snapshot = directory.to_snapshot(state.origin());
    let header = files.iter().rev().find_map(|(kind, file)| {
        let set = SignedChangeSet::parse(file).unwrap();
        (*kind == TrustKind::Directory).then(|| set.signed().clone())
    });
    let start = cpu();
    let accepted = Snapshot::parse(&snapshot).unwrap().accept(&header.unwrap()).unwrap();
    let restart = cpu() - start;
    assert!(accepted.root() == directory.root());

    let start = cpu();
    let first = history.map_of(TrustKind::Directory, trust::Version(1)).unwrap();
    let rebuild = cpu() - start;
    assert!(first.len() < directory.len());

    let join = [put(&body(BODIES)), put(&component(COMPONENTS))];
    let join = one_set(state, &keys, TrustKind::Directory, join.to_vec());
    let change = one_set(state, &keys, TrustKind::Registerlandkarte, vec![put(&rule(RULES))]);
    let in_bulk: usize = files.iter().map(|(_, file)| file.len()).sum();
    let component_key: Key = format!("component/k.{:05}", COMPONENTS / 2).parse().unwrap();
    let start = cpu();
    history.relation(history.newest_versions()).unwrap();
    let first_decision = cpu() - start;
    let with_relation = resident() - before;
    let Times {
        decision,
        permission,
        competence,
    } = decide(&history);
    let values = serde_json::json!({
        "apply_10000_ops_s": rounded(apply * 10_000.0 / operations as f64),
        "sets": files.len(),
        "follower_mb": rounded(follower as f64 / 1e6),
        "snapshot_bytes": snapshot.len(),
        "accept_snapshot_s": rounded(restart),
        "build_version_1_s": rounded(rebuild),
        "bytes_per_value_in_bulk": in_bulk as u64 / operations,
        "bytes_per_join": join.to_bytes().len(),
        "change_bytes": change.to_bytes().len(),
        "header_bytes": change.signed().bytes().len(),
        "proof_bytes": directory.prove(&component_key).to_bytes().len(),
        "follower_with_relation_mb": rounded(with_relation as f64 / 1e6),
        "decide_p50_us": rounded(decision * 1e6),
        "permit_p50_us": rounded(permission * 1e6),
        "competence_p50_us": rounded(competence * 1e6),
        "first_decision_ms": rounded(first_decision * 1e3),
        "values": directory.len() + rules.len(),
    });
    output::stdout!("{values}").unwrap();
}

/// Two authorities, both of which must sign.
type Keys = [SigningKey; 2];

fn genesis(keys: &Keys) -> TrustState {
    let public = keys.each_ref().map(|key| key.public());
    let authorities = Authorities::genesis(&public, Threshold::new(2).unwrap()).unwrap();
    TrustState::new("log.example/einsicht".parse().unwrap(), authorities)
}

/// All sets in the order of the log, as files.
fn publish(genesis: &TrustState, keys: &Keys) -> Vec<(TrustKind, Vec<u8>)> {
    let authority = |name: &str, key: &SigningKey| {
        Value::Authority(Authority {
            name: name.parse().unwrap(),
            key: key.public(),
            signs: TrustKind::ALL.into_iter().collect(),
        })
    };
    let first = [
        authority("Registerbehörde", &keys[0]),
        authority("Zweite Registerbehörde", &keys[1]),
        Value::Threshold(Threshold::new(2).unwrap()),
        Value::Identity(IdentityKeys {
            signing: seed(0, 7).public(),
            sealing: [7; 32],
        }),
        Value::Supervision(SupervisionKey { sealing: [8; 32] }),
        writer("broker", 8),
        writer("operator", 9),
    ];
    let mut sets = vec![(TrustKind::Directory, first.iter().map(put).collect::<Vec<_>>())];
    let values = (0..BODIES).map(body).chain((0..COMPONENTS).map(component));
    let operations: Vec<Operation> = values.map(|value| put(&value)).collect();
    let chunks = operations.chunks(OPERATIONS);
    sets.extend(chunks.map(|chunk| (TrustKind::Directory, chunk.to_vec())));
    let rows = catalogue().into_iter().chain((0..RULES).map(rule));
    let operations: Vec<Operation> = rows.map(|value| put(&value)).collect();
    let chunks = operations.chunks(OPERATIONS);
    sets.extend(chunks.map(|chunk| (TrustKind::Registerlandkarte, chunk.to_vec())));
    let mut state = genesis.clone();
    sets.into_iter()
        .map(|(kind, operations)| {
            let set = one_set(&state, keys, kind, operations);
            state = state.apply(kind, &set).unwrap();
            (kind, set.to_bytes())
        })
        .collect()
}

fn one_set(state: &TrustState, keys: &Keys, kind: TrustKind, operations: Vec<Operation>) -> SignedChangeSet {
    let reason = "Beitritt weiterer Stellen".parse().unwrap();
    let set = state
        .propose(kind, Timestamp(1_796_000_000), reason, operations)
        .unwrap();
    set.sign(&keys.each_ref()).unwrap()
}

/// What a follower does with the sets.
fn replay(genesis: &TrustState, files: &[(TrustKind, Vec<u8>)]) -> History {
    let mut history = History::new(genesis.clone());
    for (index, (kind, file)) in (1_u32..).zip(files) {
        let position = Position {
            index: Index::from(index),
            time: Timestamp(1_796_000_000),
        };
        let set = SignedChangeSet::parse(file).unwrap();
        history = history.apply(*kind, position, &set).unwrap();
    }
    history
}

/// Seconds of one call, the median of [`BATCHES`].
struct Times {
    /// Of the decision alone.
    decision: f64,
    /// Of the decision and what a record takes from it.
    permission: f64,
    /// Of the question for the competent component.
    competence: f64,
}

const BATCHES: u32 = 201;
/// Reading the clock takes a part of the time of a call, so the calls of a batch are timed together.
const BATCH: u32 = 1000;

/// The time of one call in the median batch.
fn median(mut call: impl FnMut(u32)) -> f64 {
    let mut times: Vec<f64> = (0..BATCHES)
        .map(|batch| {
            let start = Instant::now();
            (batch * BATCH..(batch + 1) * BATCH).for_each(&mut call);
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2] / f64::from(BATCH)
}

fn decide(history: &History) -> Times {
    let now = Timestamp(1_796_000_000);
    let versions = history.newest_versions();
    let relation = history.relation(versions).unwrap();
    let names = |number: u32| format!("k.{number:05}").parse().unwrap();
    let parties: Vec<record::ParticipantId> = (0..COMPONENTS).map(names).collect();
    let bodies: Vec<record::BodyId> = (0..BODIES).map(body_id).collect();
    let evidence: Vec<EvidenceTypeId> = (0..REGISTERS).map(evidence_id).collect();
    let places: Vec<Ars> = (0..COMPONENTS).map(area).collect();
    let pair = |round: u32| {
        let (consumer, provider) = (round * 7919 % COMPONENTS, round * 104_729 % COMPONENTS);
        (
            consumer as usize,
            provider as usize,
            &evidence[(provider % REGISTERS) as usize],
        )
    };
    let purpose = "bewohnerparkausweis";
    let decision = median(|round| {
        let (consumer, provider, evidence) = pair(round);
        let query = Query {
            consumer: &bodies[consumer],
            provider: &parties[provider],
            evidence,
            purpose,
            subject: Subject::Natural,
            idnr: true,
            represented: false,
            place: None,
        };
        assert!(relation.decide(&query, now, now).is_ok());
    });
    let permission = median(|round| {
        let (consumer, provider, evidence) = pair(round);
        let transmission = Transmission {
            consumer: &parties[consumer],
            provider: &parties[provider],
            evidence_type: evidence.as_str(),
            purpose,
            subject: Subject::Natural,
            idnr: true,
            represented: false,
            place: None,
        };
        assert!(history.permit(versions, &transmission, now).is_ok());
    });
    let competence = median(|round| {
        let (_, provider, evidence) = pair(round);
        let competent = history.competent(evidence.as_str(), &places[provider], now);
        assert!(competent.as_ref() == Ok(&parties[provider]));
    });
    Times {
        decision,
        permission,
        competence,
    }
}

fn evidence_id(number: u32) -> EvidenceTypeId {
    format!("nachweis-{number}").parse().unwrap()
}

fn area(number: u32) -> Ars {
    format!("{:02}{number:010}", 1 + number % 16).parse().unwrap()
}

fn seed(section: u8, number: u32) -> SigningKey {
    let mut seed = [section; 32];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    SigningKey::from_seed(seed)
}

fn put(value: &Value) -> Operation {
    Operation::put(value).unwrap()
}

fn writer(name: &str, number: u32) -> Value {
    Value::Writer(WriterGrant {
        name: name.into(),
        key: seed(0, number).public(),
        kinds: vec![Kind::Intent, Kind::Outcome, Kind::Denial],
    })
}

fn body(number: u32) -> Value {
    Value::Body(Box::new(Body {
        id: body_id(number),
        name: format!("Stadt Musterhausen an der Beispiel {number}").parse().unwrap(),
        level: Level::Municipal,
        ars: area(number),
        classes: [class(number % CLASSES).parse().unwrap()].into(),
        roles: [BodyRole::Responsible].into(),
        contact: format!("klaerungsstelle@stadt-{number}.example").parse().unwrap(),
        data_protection: format!("datenschutz@stadt-{number}.example").parse().unwrap(),
        forms: Forms {
            subject: "die ~".parse().unwrap(),
            at: "bei der ~".parse().unwrap(),
        },
    }))
}

fn component(number: u32) -> Value {
    let mut sealing_key = [9; 32];
    sealing_key[..4].copy_from_slice(&number.to_be_bytes());
    Value::Component(Box::new(Component {
        id: format!("k.{number:05}").parse().unwrap(),
        directory: "DVDV".parse().unwrap(),
        identifier: format!("ags:{number:08}").parse().unwrap(),
        name: format!("komponente-{number}").parse().unwrap(),
        signing_key: seed(1, number).public(),
        sealing_key,
        previous: None,
        consumer: true,
        provider: true,
        body: body_id(number),
        operator: None,
        state: ComponentState::Active,
        serves: [ServedRegister {
            register: register(number % REGISTERS).parse().unwrap(),
            areas: [area(number)].into(),
        }]
        .into(),
        endpoint: None,
        software: None,
        ceilings: None,
    }))
}

fn body_id(number: u32) -> record::BodyId {
    format!("0204:{number:012}").parse().unwrap()
}

fn class(number: u32) -> String {
    format!("klasse-{number}")
}

fn register(number: u32) -> String {
    format!("register-{number}")
}

/// What the rules refer to.
fn catalogue() -> Vec<Value> {
    let norm = Value::Norm(Box::new(Norm {
        id: "stvo-45".parse().unwrap(),
        law: "StVO".parse().unwrap(),
        section: "§ 45 Absatz 1b Satz 1 Nummer 2a".parse().unwrap(),
        heading: Some("Verkehrszeichen und Verkehrseinrichtungen".parse().unwrap()),
        permits: "Die Straßenverkehrsbehörde ordnet das Bewohnerparken an."
            .parse()
            .unwrap(),
        source: NormSource {
            repository: "beispiel/gesetze".parse().unwrap(),
            path: "stvo.md".parse().unwrap(),
            commit: "0a".repeat(20).parse().unwrap(),
            read: "2026-11-29".parse().unwrap(),
        },
    }));
    let classes = (0..CLASSES).map(|number| {
        Value::Class(BodyClass {
            id: class(number).parse().unwrap(),
            name: "Straßenverkehrsbehörde der Gemeinde".parse().unwrap(),
        })
    });
    let registers = (0..REGISTERS).map(|number| {
        Value::Register(Box::new(RegisterType {
            id: register(number).parse().unwrap(),
            name: "Zentrales Fahrzeugregister".parse().unwrap(),
            vip: None,
            idnrg: Some(1),
            subjects: Subjects::Both,
            norm: "stvo-45".parse().unwrap(),
        }))
    });
    let evidence = (0..REGISTERS).map(|number| {
        let categories = ["Kennzeichen", "Halter", "Anschrift des Halters"];
        Value::Evidence(Box::new(EvidenceType {
            id: evidence_id(number),
            uri: None,
            register: register(number).parse().unwrap(),
            title: "Angaben der Zulassungsbescheinigung Teil I".parse().unwrap(),
            categories: categories.iter().map(|category| category.parse().unwrap()).collect(),
        }))
    });
    [norm]
        .into_iter()
        .chain(classes)
        .chain(registers)
        .chain(evidence)
        .collect()
}

/// A rule for each class and type of register, and one more for a change.
fn rule(number: u32) -> Value {
    let (kind, purpose) = match number {
        RULES => (0, "bewohnerparkausweis-zwei"),
        _ => (number % REGISTERS, "bewohnerparkausweis"),
    };
    Value::Permission(
        Rule {
            id: format!("parken-{number}").parse().unwrap(),
            version: 1,
            consumer: Consumer::Class(class(number / REGISTERS % CLASSES).parse().unwrap()),
            provider: Provider::Register(register(kind).parse().unwrap()),
            evidence: format!("nachweis-{kind}").parse().unwrap(),
            purpose: purpose.parse().unwrap(),
            occasion: "Sie haben einen Bewohnerparkausweis beantragt.".parse().unwrap(),
            procedure: Some("99108005001000".parse().unwrap()),
            norms: vec!["stvo-45".parse().unwrap()],
            area: AreaRelation::Any,
            subjects: Subjects::Natural,
            idnr: true,
            preview: true,
            representation: false,
            retention: RetentionClass::IdnrG2y,
            disclosure: DisclosureClass::Immediate,
            valid: Interval::since(Timestamp(0)),
            recorded: Interval::since(Timestamp(0)),
        }
        .into(),
    )
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// CPU seconds that this thread has used.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: u64 = text.split(' ').next().unwrap().parse().unwrap();
    nanoseconds as f64 / 1e9
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
