//! The index decides as a plain scan does, and what is recorded later changes no past decision.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use record::{ParticipantId, Timestamp};

use super::sample::*;
use crate::*;

const CLASSES: [&str; 3] = ["k1", "k2", "k3"];
const REGISTERS: [&str; 2] = ["r1", "r2"];
const EVIDENCE: [(&str, &str); 3] = [("e1", "r1"), ("e2", "r1"), ("e3", "r2")];
const PURPOSES: [&str; 2] = ["p1", "p2"];
const BODIES: [&str; 3] = ["b1", "b2", "b3"];
const COMPONENTS: [&str; 3] = ["c1", "c2", "c3"];
const AREAS: [&str; 6] = ["", "05", "06", "05315", "053155001001", "053155001002"];
const END: u64 = 6;

fn times() -> impl Strategy<Value = Interval> {
    (0..END, prop::option::of(1..END)).prop_map(|(from, length)| Interval {
        from: T(from),
        until: length.map(|length| T(from + length)),
    })
}

fn a_rule() -> impl Strategy<Value = Rule> {
    let who = (prop::bool::ANY, 0..3_usize, prop::bool::weighted(0.2), 0..3_usize);
    let what = (0..3_usize, 0..2_usize, 0..3_usize, 0..3_usize);
    (who, what, any::<(bool, bool, bool)>(), times(), times()).prop_map(|(who, what, conditions, valid, recorded)| {
        let (evidence, register) = EVIDENCE[what.0];
        let subjects = Subjects::ALL[what.3];
        Rule {
            consumer: match who.0 {
                true => Consumer::Class(CLASSES[who.1].parse().unwrap()),
                false => Consumer::Body(BODIES[who.1].parse().unwrap()),
            },
            provider: match who.2 {
                true => Provider::Component(COMPONENTS[who.3].parse().unwrap()),
                false => Provider::Register(register.parse().unwrap()),
            },
            evidence: evidence.parse().unwrap(),
            purpose: PURPOSES[what.1].parse().unwrap(),
            area: AreaRelation::ALL[what.2],
            subjects,
            idnr: conditions.0 && !subjects.legal(),
            representation: conditions.1,
            preview: conditions.2,
            valid,
            recorded,
            ..rule("r", 1)
        }
    })
}

fn a_body() -> impl Strategy<Value = ListedBody> {
    let classes = prop::sample::subsequence(CLASSES.to_vec(), 0..=2);
    (0..3_usize, 0..AREAS.len(), classes, times(), times()).prop_map(|(id, area, classes, valid, recorded)| {
        ListedBody {
            valid,
            recorded,
            ..body(BODIES[id], AREAS[area], &classes)
        }
    })
}

fn an_instance() -> impl Strategy<Value = RegisterInstance> {
    let areas = prop::sample::subsequence(AREAS.to_vec(), 1..=2);
    (0..3_usize, 0..2_usize, areas, times(), times()).prop_map(|(id, register, areas, valid, recorded)| {
        RegisterInstance {
            areas: areas.iter().map(|area| area.parse().unwrap()).collect(),
            valid,
            recorded,
            ..instance(COMPONENTS[id], REGISTERS[register], BODIES[id], "")
        }
    })
}

/// Rules, bodies and components, in any order and with any contradictions.
fn rows() -> impl Strategy<Value = Tables> {
    let rules = prop::collection::vec(a_rule(), 0..12);
    let bodies = prop::collection::vec(a_body(), 0..8);
    let instances = prop::collection::vec(an_instance(), 0..8);
    (rules, bodies, instances).prop_map(|(permissions, bodies, instances)| Tables {
        permissions,
        bodies,
        instances,
        ..Tables::default()
    })
}

fn catalogue() -> Tables {
    Tables {
        classes: CLASSES.map(class).into(),
        registers: REGISTERS.map(|id| register(id, Subjects::Both)).into(),
        evidence: EVIDENCE.map(|(id, register)| evidence(id, register)).into(),
        norms: vec![norm("bmg-34")],
        ..Tables::default()
    }
}

/// Adds rows to tables without problems, and leaves out those that contradict earlier rows.
fn add(mut tables: Tables, rows: Tables) -> Tables {
    let number = tables.permissions.len();
    tables.bodies.extend(rows.bodies);
    tables.instances.extend(rows.instances);
    for (at, rule) in rows.permissions.into_iter().enumerate() {
        let id = format!("r{}", number + at).parse().unwrap();
        tables.permissions.push(Rule { id, ..rule });
    }
    while let Some(problem) = check(&tables).first() {
        match problem.place.table {
            Table::Permission => drop(tables.permissions.remove(problem.place.row)),
            Table::Body => drop(tables.bodies.remove(problem.place.row)),
            Table::Instance => drop(tables.instances.remove(problem.place.row)),
            table => panic!("{table:?}: {problem}"),
        }
    }
    tables
}

/// Decides by looking at every row.
fn scan(tables: &Tables, query: &Query<'_>, valid: u64, known: u64) -> Option<String> {
    let now = |times: &(Interval, Interval)| times.0.contains(T(valid)) && times.1.contains(T(known));
    let body = tables
        .bodies
        .iter()
        .find(|body| body.id == *query.consumer && now(&(body.valid, body.recorded)))?;
    let evidence = tables.evidence.iter().find(|evidence| evidence.id == *query.evidence)?;
    let instance = tables.instances.iter().find(|instance| {
        instance.component == *query.provider
            && instance.register == evidence.register
            && now(&(instance.valid, instance.recorded))
    })?;
    let mut found: Vec<&Rule> = tables.permissions.iter().collect();
    found.retain(|rule| {
        let consumer = match &rule.consumer {
            Consumer::Body(id) => id == query.consumer,
            Consumer::Class(class) => body.classes.contains(class),
        };
        let provider = match &rule.provider {
            Provider::Component(id) => id == query.provider,
            Provider::Register(register) => *register == evidence.register,
        };
        let area = match rule.area {
            AreaRelation::Any => true,
            AreaRelation::Own => instance.areas.iter().any(|area| area.is_nested_with(&body.area)),
            AreaRelation::Person => query
                .place
                .is_some_and(|place| instance.areas.iter().any(|area| area.contains(place))),
        };
        let subject = match query.subject {
            Subject::Natural => rule.subjects != Subjects::Legal,
            Subject::Legal => rule.subjects != Subjects::Natural,
        };
        consumer
            && provider
            && area
            && subject
            && rule.evidence == *query.evidence
            && rule.purpose.as_str() == query.purpose
            && now(&(rule.valid, rule.recorded))
            && (rule.idnr || !query.idnr)
            && (rule.representation || !query.represented)
    });
    let order = |rule: &&Rule| (rule.consumer.clone(), rule.provider.clone());
    found.into_iter().min_by_key(order).map(Rule::reference)
}

/// Asks every question that the tables can answer, with every combination of conditions.
fn questions(mut ask: impl FnMut(&Query<'_>)) {
    let place: Ars = "053155001001".parse().unwrap();
    for (consumer, provider) in BODIES
        .iter()
        .flat_map(|body| COMPONENTS.map(|component| (body, component)))
    {
        let (consumer, provider) = (consumer.parse().unwrap(), provider.parse().unwrap());
        for (evidence, purpose) in EVIDENCE
            .iter()
            .flat_map(|(evidence, _)| PURPOSES.map(|purpose| (evidence, purpose)))
        {
            let evidence = evidence.parse().unwrap();
            for bits in 0..16_u8 {
                ask(&Query {
                    consumer: &consumer,
                    provider: &provider,
                    evidence: &evidence,
                    purpose,
                    subject: if bits & 1 == 0 {
                        Subject::Natural
                    } else {
                        Subject::Legal
                    },
                    idnr: bits & 2 != 0,
                    represented: bits & 4 != 0,
                    place: (bits & 8 != 0).then_some(&place),
                });
            }
        }
    }
}

/// What the service area of a component is on one side: a request names the place that it serves.
fn place<'a>(relation: &'a Registerlandkarte, query: &Query<'_>, time: Timestamp) -> Option<&'a Ars> {
    let register = &relation.evidence(query.evidence)?.register;
    let instance = relation.tables().instances.iter().find(|instance| {
        instance.component == *query.provider
            && instance.register == *register
            && instance.valid.contains(time)
            && instance.recorded.contains(time)
    })?;
    instance.areas.first()
}

/// The difference, by asking both sides every question.
fn asked(sides: &[Registerlandkarte; 2], time: Timestamp) -> BTreeMap<ChangeKey, (u64, BTreeSet<Request>)> {
    let mut pairs: BTreeMap<ChangeKey, BTreeMap<(BodyId, ParticipantId), BTreeSet<Request>>> = BTreeMap::new();
    questions(|query| {
        let request = Request {
            legal: query.subject == Subject::Legal,
            idnr: query.idnr,
            represented: query.represented,
            place: query.place.is_some(),
        };
        if request.legal && request.idnr {
            return;
        }
        let [before, after] = [0, 1].map(|side| {
            let relation = &sides[side];
            let place = query.place.and_then(|_| place(relation, query, time));
            relation.decide(&Query { place, ..*query }, time, time).ok()
        });
        let effect = match (before, after) {
            (None, Some(_)) => Effect::Permits,
            (Some(_), None) => Effect::Forbids,
            (Some(before), Some(after)) if before.preview != after.preview => Effect::Alters,
            _ => return,
        };
        let key = ChangeKey {
            evidence: query.evidence.clone(),
            purpose: query.purpose.to_owned(),
            effect,
            before: before.map(Rule::reference),
            after: after.map(Rule::reference),
        };
        let pair = (query.consumer.clone(), query.provider.clone());
        pairs.entry(key).or_default().entry(pair).or_default().insert(request);
    });
    let total = |pairs: BTreeMap<_, BTreeSet<Request>>| {
        let requests = pairs.values().flatten().copied().collect();
        (pairs.len() as u64, requests)
    };
    pairs.into_iter().map(|(key, pairs)| (key, total(pairs))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_index_decides_as_a_scan_does(rows in rows(), valid in 0..END, known in 0..END) {
        let tables = add(catalogue(), rows);
        let relation = Registerlandkarte::new(tables.clone()).unwrap();
        questions(|query| {
            let decided = relation.decide(query, T(valid), T(known)).ok().map(Rule::reference);
            assert_eq!(decided, scan(&tables, query, valid, known), "{query:?}");
        });
    }

    #[test]
    fn competence_is_as_a_scan_finds_it(rows in rows(), valid in 0..END, known in 0..END) {
        let tables = add(catalogue(), rows);
        let relation = Registerlandkarte::new(tables.clone()).unwrap();
        for (evidence, register) in EVIDENCE {
            for place in AREAS {
                let (evidence, place): (_, Ars) = (evidence.parse().unwrap(), place.parse().unwrap());
                let mut found: Vec<(usize, &RegisterInstance)> = Vec::new();
                for instance in &tables.instances {
                    let in_force = instance.valid.contains(T(valid)) && instance.recorded.contains(T(known));
                    let areas = instance.areas.iter().filter(|area| place.as_str().starts_with(area.as_str()));
                    if let (true, Some(area)) = (in_force && instance.register.as_str() == register, areas.max()) {
                        found.push((area.as_str().len(), instance));
                    }
                }
                let nearest = found.into_iter().max_by_key(|(length, _)| *length).map(|(_, instance)| instance);
                prop_assert_eq!(relation.competent(&evidence, &place, T(valid), T(known)).ok(), nearest);
            }
        }
    }

    /// The bodies, the components or the rules stay as they were in some cases, so that what has not changed is left
    /// out only where it cannot matter.
    #[test]
    fn a_difference_is_what_asking_every_pair_finds(
        before in rows(),
        mut after in rows(),
        same in any::<(bool, bool, bool)>(),
        time in 0..END,
    ) {
        if same.0 {
            after.permissions = before.permissions.clone();
        }
        if same.1 {
            after.bodies = before.bodies.clone();
        }
        if same.2 {
            after.instances = before.instances.clone();
        }
        let relation = |rows| Registerlandkarte::new(add(catalogue(), rows)).unwrap();
        let sides = [relation(before), relation(after)];
        let view = |side: usize| View { relation: &sides[side], valid_at: T(time), known_at: T(time) };
        let found = difference(view(0), view(1));
        let found: BTreeMap<_, _> = found.into_iter().map(|(key, extent)| (key, (extent.pairs, extent.requests))).collect();
        prop_assert_eq!(found, asked(&sides, T(time)));
    }

    /// At the time 3 rows are added, and the recorded time of others ends. Decisions on the knowledge before stay.
    #[test]
    fn what_is_recorded_later_changes_no_past_decision(
        before in rows(),
        later in rows(),
        ended in prop::collection::vec(any::<bool>(), 32),
        valid in 0..END,
        known in 0..3_u64,
    ) {
        const NOW: u64 = 3;
        let before = add(catalogue(), before);
        let mut corrected = before.clone();
        let mut ended = ended.into_iter().cycle();
        let mut end = |recorded: &mut Interval| {
            if ended.next().unwrap() && recorded.from < T(NOW) && recorded.until.is_none_or(|until| until > T(NOW)) {
                recorded.until = Some(T(NOW));
            }
        };
        corrected.permissions.iter_mut().for_each(|rule| end(&mut rule.recorded));
        corrected.bodies.iter_mut().for_each(|body| end(&mut body.recorded));
        corrected.instances.iter_mut().for_each(|instance| end(&mut instance.recorded));
        let mut later = later;
        let recorded = Interval::since(T(NOW));
        later.permissions.iter_mut().for_each(|rule| rule.recorded = recorded);
        later.bodies.iter_mut().for_each(|body| body.recorded = recorded);
        later.instances.iter_mut().for_each(|instance| instance.recorded = recorded);
        let corrected = add(corrected, later);
        let (before, after) = (Registerlandkarte::new(before).unwrap(), Registerlandkarte::new(corrected).unwrap());
        questions(|query| {
            let decided = before.decide(query, T(valid), T(known));
            assert_eq!(decided.is_ok(), after.decide(query, T(valid), T(known)).is_ok());
            // A rule may have been ended meanwhile, so only its name is compared.
            let again = after.decide(query, T(valid), T(known));
            assert_eq!(decided.map(Rule::reference), again.map(Rule::reference));
        });
    }
}
