//! Decision and competence with 10 000 bodies, 10 000 components and 2 000 rules by class, which permit 20 million
//! pairs and more. `cargo bench -p registerlandkarte`.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use record::{DisclosureClass, ParticipantId, RetentionClass, Timestamp};
use registerlandkarte::{
    AreaRelation, Ars, BodyClass, BodyId, Consumer, EvidenceType, EvidenceTypeId, Interval, ListedBody, Norm,
    NormSource, Provider, Query, RegisterInstance, RegisterType, Registerlandkarte, Rule, Subject, Subjects, Tables,
};

const BODIES: usize = 10_000;
const CLASSES: usize = 50;
const REGISTERS: usize = 40;
const EVIDENCE: usize = 80;
const PURPOSES: usize = 25;
const NOW: Timestamp = Timestamp(100);

const fn always() -> Interval {
    Interval::since(Timestamp(1))
}

/// The area of the body with this number: a municipality.
fn area(number: usize) -> Ars {
    format!("{:02}{:010}", number % 16 + 1, number).parse().unwrap()
}

fn class(number: usize) -> String {
    format!("klasse-{}", number % CLASSES)
}

fn register(number: usize) -> String {
    format!("register-{}", number % REGISTERS)
}

fn norm() -> Norm {
    Norm {
        id: "norm".parse().unwrap(),
        law: "BMG".parse().unwrap(),
        section: "§ 34".parse().unwrap(),
        heading: None,
        permits: "Übermittlung".parse().unwrap(),
        source: NormSource {
            repository: "kmein/gesetze".parse().unwrap(),
            path: "laws/BMG.md".parse().unwrap(),
            commit: "00".repeat(20).parse().unwrap(),
            read: "2026-11-29".parse().unwrap(),
        },
    }
}

/// Rule `number`: each pair of evidence type and purpose has one, for the classes in turn.
fn rule(number: usize) -> Rule {
    let evidence = number % EVIDENCE;
    Rule {
        id: format!("regel-{number}").parse().unwrap(),
        version: 1,
        consumer: Consumer::Class(class(number / EVIDENCE + evidence).parse().unwrap()),
        provider: Provider::Register(register(evidence).parse().unwrap()),
        evidence: format!("nachweis-{evidence}").parse().unwrap(),
        purpose: format!("zweck-{}", number / EVIDENCE).parse().unwrap(),
        occasion: "Antrag".parse().unwrap(),
        procedure: None,
        norms: vec!["norm".parse().unwrap()],
        area: AreaRelation::Any,
        subjects: Subjects::Natural,
        idnr: true,
        preview: false,
        representation: false,
        retention: RetentionClass::IdnrG2y,
        disclosure: DisclosureClass::Immediate,
        valid: always(),
        recorded: always(),
    }
}

fn tables() -> Tables {
    let body = |number: usize| ListedBody {
        id: format!("stelle-{number}").parse().unwrap(),
        name: "Stadt".parse().unwrap(),
        area: area(number),
        classes: (0..4).map(|next| class(number + next).parse().unwrap()).collect(),
        valid: always(),
        recorded: always(),
    };
    let instance = |number: usize| RegisterInstance {
        component: format!("komponente-{number}").parse().unwrap(),
        register: register(number).parse().unwrap(),
        body: format!("stelle-{number}").parse().unwrap(),
        areas: [area(number)].into(),
        valid: always(),
        recorded: always(),
    };
    Tables {
        classes: (0..CLASSES)
            .map(|number| BodyClass {
                id: class(number).parse().unwrap(),
                name: "Klasse".parse().unwrap(),
            })
            .collect(),
        registers: (0..REGISTERS)
            .map(|number| RegisterType {
                id: register(number).parse().unwrap(),
                name: "Register".parse().unwrap(),
                vip: None,
                idnrg: None,
                subjects: Subjects::Both,
                norm: "norm".parse().unwrap(),
            })
            .collect(),
        evidence: (0..EVIDENCE)
            .map(|number| EvidenceType {
                uri: None,
                id: format!("nachweis-{number}").parse().unwrap(),
                register: register(number).parse().unwrap(),
                title: "Nachweis".parse().unwrap(),
                categories: vec!["Name".parse().unwrap()],
            })
            .collect(),
        norms: vec![norm()],
        permissions: (0..EVIDENCE * PURPOSES).map(rule).collect(),
        bodies: (0..BODIES).map(body).collect(),
        instances: (0..BODIES).map(instance).collect(),
    }
}

/// A question for each number, of which the rules permit some.
#[derive(Clone)]
struct Question {
    consumer: BodyId,
    provider: ParticipantId,
    evidence: EvidenceTypeId,
    purpose: String,
    place: Ars,
}

impl Question {
    fn new(number: usize) -> Self {
        // A number without a common factor with the count visits all of them in an order that no cache foresees.
        let mixed = number * 7_919 % BODIES;
        let evidence = mixed % EVIDENCE;
        let provider = mixed / EVIDENCE * EVIDENCE % BODIES + evidence;
        Self {
            consumer: format!("stelle-{mixed}").parse().unwrap(),
            provider: format!("komponente-{provider}").parse().unwrap(),
            evidence: format!("nachweis-{evidence}").parse().unwrap(),
            purpose: format!("zweck-{}", number % PURPOSES),
            place: area(provider),
        }
    }

    fn query(&self) -> Query<'_> {
        Query {
            consumer: &self.consumer,
            provider: &self.provider,
            evidence: &self.evidence,
            purpose: &self.purpose,
            subject: Subject::Natural,
            idnr: true,
            represented: false,
            place: Some(&self.place),
        }
    }
}

/// How many pairs of body and component the rules permit.
fn pairs(tables: &Tables) -> usize {
    let of_rule = |rule: &Rule| {
        let (Consumer::Class(class), Provider::Register(register)) = (&rule.consumer, &rule.provider) else {
            return 0;
        };
        let bodies = tables.bodies.iter().filter(|body| body.classes.contains(class)).count();
        let instances = tables
            .instances
            .iter()
            .filter(|instance| instance.register == *register)
            .count();
        bodies * instances
    };
    tables.permissions.iter().map(of_rule).sum()
}

fn class_relation(criterion: &mut Criterion) {
    let tables = tables();
    assert_eq!(tables.permissions.len(), 2_000);
    assert!(pairs(&tables) >= 20_000_000);
    let relation = Registerlandkarte::new(tables).unwrap();
    let questions: Vec<Question> = (0..BODIES).map(Question::new).collect();
    let permitted = questions
        .iter()
        .filter(|question| relation.decide(&question.query(), NOW, NOW).is_ok())
        .count();
    assert!(permitted > 0 && permitted < BODIES);
    // A query has just been read when it is decided, so it is in the cache; the relation need not be.
    let batch = BatchSize::NumIterations(64);
    let mut next = questions.iter().cycle().cloned();
    criterion.bench_function("class/decide", |bencher| {
        bencher.iter_batched_ref(
            || next.next().unwrap(),
            |question| black_box(relation.decide(&question.query(), NOW, NOW)).is_ok(),
            batch,
        );
    });
    let mut next = questions.iter().cycle().cloned();
    criterion.bench_function("class/competence", |bencher| {
        bencher.iter_batched_ref(
            || next.next().unwrap(),
            |question| black_box(relation.competent(&question.evidence, &question.place, NOW, NOW)).is_ok(),
            batch,
        );
    });
}

criterion_group!(benches, class_relation);
criterion_main!(benches);
