#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use proptest::prelude::*;
use record::cbor;

use super::*;

const T: fn(u64) -> Timestamp = Timestamp;

fn between(from: u64, until: u64) -> Interval {
    Interval {
        from: T(from),
        until: Some(T(until)),
    }
}

fn rule(id: &str, version: u32, valid: Interval, recorded: Interval) -> Rule {
    Rule {
        id: id.into(),
        version,
        consumer: "stadt-koeln.parken".parse().unwrap(),
        provider: "kba.zfzr".parse().unwrap(),
        evidence: EvidenceInfo {
            id: "zulassungsbescheinigung-teil-1".into(),
            title: "Angaben der Zulassungsbescheinigung Teil I".into(),
            categories: vec!["Kennzeichen".into(), "Halter".into()],
        },
        purpose: "bewohnerparkausweis".into(),
        occasion: "Sie haben einen Bewohnerparkausweis beantragt.".into(),
        procedure: "99108005001000".into(),
        legal_basis: "§ 35 Absatz 1 StVG".into(),
        idnr: true,
        preview: true,
        legal_persons: false,
        retention: RetentionClass::IdnrG2y,
        disclosure: DisclosureClass::Immediate,
        valid,
        recorded,
    }
}

fn query() -> Query {
    Query {
        consumer: "stadt-koeln.parken".parse().unwrap(),
        provider: "kba.zfzr".parse().unwrap(),
        evidence_type: "zulassungsbescheinigung-teil-1".into(),
        purpose: "bewohnerparkausweis".into(),
        idnr: true,
    }
}

fn registerlandkarte(rules: Vec<Rule>) -> Registerlandkarte {
    Registerlandkarte::new(1, rules).unwrap()
}

fn decided(registerlandkarte: &Registerlandkarte, valid_at: u64, known_at: u64) -> Result<String, Denied> {
    registerlandkarte
        .decide(&query(), T(valid_at), T(known_at))
        .map(Rule::reference)
}

/// A rule is recorded at 100 as valid from 50. A correction at 200 records that the law permits it only from 150
/// until 300.
fn corrected() -> Registerlandkarte {
    let wrong = rule("parken", 1, Interval::since(T(50)), between(100, 200));
    let right = rule("parken", 2, between(150, 300), Interval::since(T(200)));
    registerlandkarte(vec![right, wrong])
}

#[test]
fn a_decision_can_be_replayed_after_a_correction() {
    let registerlandkarte = corrected();
    for (valid_at, known_at, expected) in [
        // Before any rule was recorded.
        (120, 99, Err(Denied::NoRule)),
        // The decision at that time, based on the wrong rule.
        (120, 100, Ok("parken@1")),
        (120, 199, Ok("parken@1")),
        (49, 150, Err(Denied::NoRule)),
        (1000, 150, Ok("parken@1")),
        // The decision since the correction, also about earlier times.
        (120, 200, Err(Denied::NoRule)),
        (149, 200, Err(Denied::NoRule)),
        (150, 200, Ok("parken@2")),
        (299, 5000, Ok("parken@2")),
        (300, 5000, Err(Denied::NoRule)),
    ] {
        assert_eq!(
            decided(&registerlandkarte, valid_at, known_at),
            expected.map(str::to_owned),
            "{valid_at} {known_at}"
        );
    }
}

#[test]
fn a_change_of_law_follows_without_gap() {
    let before = rule("parken", 1, between(0, 100), Interval::since(T(0)));
    let after = rule("parken", 2, Interval::since(T(100)), Interval::since(T(0)));
    let registerlandkarte = registerlandkarte(vec![before, after]);
    assert_eq!(decided(&registerlandkarte, 99, 5), Ok("parken@1".into()));
    assert_eq!(decided(&registerlandkarte, 100, 5), Ok("parken@2".into()));
}

#[test]
fn every_part_of_the_query_must_match() {
    let registerlandkarte = registerlandkarte(vec![rule("parken", 1, Interval::since(T(0)), Interval::since(T(0)))]);
    assert!(registerlandkarte.decide(&query(), T(1), T(1)).is_ok());
    let others: [fn(&mut Query); 4] = [
        |query| query.consumer = "stadt-bonn.parken".parse().unwrap(),
        |query| query.provider = "kba.fahreignung".parse().unwrap(),
        |query| query.evidence_type = "zulassungsbescheinigung-teil-2".into(),
        |query| query.purpose = "verkehrsordnungswidrigkeit".into(),
    ];
    for change in others {
        let mut query = query();
        change(&mut query);
        assert_eq!(registerlandkarte.decide(&query, T(1), T(1)), Err(Denied::NoRule));
    }
    assert_eq!(
        Registerlandkarte::new(1, vec![]).unwrap().decide(&query(), T(1), T(1)),
        Err(Denied::NoRule)
    );
}

#[test]
fn the_idnr_needs_its_own_permission() {
    let without = Rule {
        idnr: false,
        ..rule("parken", 1, Interval::since(T(0)), Interval::since(T(0)))
    };
    let registerlandkarte = registerlandkarte(vec![without]);
    assert_eq!(registerlandkarte.decide(&query(), T(1), T(1)), Err(Denied::Idnr));
    assert!(
        registerlandkarte
            .decide(&Query { idnr: false, ..query() }, T(1), T(1))
            .is_ok()
    );
}

#[test]
fn ambiguous_duplicate_and_empty_rules_are_refused() {
    let open = Interval::since(T(0));
    let new = |rules| Registerlandkarte::new(1, rules).unwrap_err();
    let (a, b) = (rule("a", 1, open, open), rule("b", 1, open, open));
    assert_eq!(
        new(vec![b.clone(), a.clone()]),
        RegisterlandkarteError::Ambiguous("a@1".into(), "b@1".into())
    );
    assert_eq!(
        new(vec![
            rule("a", 1, between(0, 11), open),
            rule("a", 2, between(10, 20), open)
        ]),
        RegisterlandkarteError::Ambiguous("a@1".into(), "a@2".into())
    );
    let elsewhere = Rule {
        purpose: "anders".into(),
        ..a.clone()
    };
    assert_eq!(
        new(vec![a.clone(), elsewhere]),
        RegisterlandkarteError::Duplicate("a@1".into())
    );
    for empty in [between(5, 5), between(6, 5)] {
        assert_eq!(
            new(vec![rule("a", 1, empty, open)]),
            RegisterlandkarteError::Empty("a@1".into())
        );
        assert_eq!(
            new(vec![rule("a", 1, open, empty)]),
            RegisterlandkarteError::Empty("a@1".into())
        );
    }
    assert_eq!(
        new(vec![Rule {
            legal_persons: true,
            ..a
        }]),
        RegisterlandkarteError::LegalPersons("a@1".into())
    );
}

/// One set of rules has one document. Unsorted, ambiguous or extended documents do not open.
#[test]
fn documents_are_canonical() {
    #[derive(Serialize)]
    struct Plain {
        version: u32,
        rules: Vec<Rule>,
    }
    let rules = corrected().rules().to_vec();
    let parse = |rules: Vec<Rule>| Registerlandkarte::parse(&cbor::to_vec(&Plain { version: 1, rules }));
    assert_eq!(parse(rules.clone()).unwrap(), corrected());
    let reversed = rules.iter().rev().cloned().collect();
    assert!(matches!(
        parse(reversed),
        Err(RegisterlandkarteError::Cbor(cbor::CborError::NotDeterministic(_)))
    ));
    let open = Interval::since(T(0));
    let ambiguous = vec![rule("a", 1, open, open), rule("b", 1, open, open)];
    assert!(matches!(
        parse(ambiguous),
        Err(RegisterlandkarteError::Cbor(cbor::CborError::Shape(_)))
    ));
    assert!(Registerlandkarte::parse(&[0xa0]).is_err());
}

fn any_interval() -> impl Strategy<Value = Interval> {
    (0_u64..20, proptest::option::of(1_u64..10)).prop_map(|(from, len)| Interval {
        from: T(from),
        until: len.map(|len| T(from + len)),
    })
}

proptest! {
    #[test]
    fn intervals_overlap_if_they_share_a_time(a in any_interval(), b in any_interval()) {
        let common = (0..64).any(|time| a.contains(T(time)) && b.contains(T(time)));
        prop_assert_eq!(a.overlaps(&b), common);
        prop_assert_eq!(b.overlaps(&a), common);
    }

    /// Accepted rules match at most once at each pair of times, and their order does not matter.
    #[test]
    fn at_most_one_rule_matches(times in proptest::collection::vec((any_interval(), any_interval(), any::<bool>()), 0..6)) {
        let rules: Vec<Rule> = times.iter().enumerate().map(|(version, (valid, recorded, other))| {
            let rule = rule("parken", u32::try_from(version).unwrap(), *valid, *recorded);
            if *other { Rule { purpose: "anders".into(), ..rule } } else { rule }
        }).collect();
        let reversed = rules.iter().rev().cloned().collect();
        let made = Registerlandkarte::new(1, rules.clone());
        prop_assert_eq!(&made, &Registerlandkarte::new(1, reversed));
        for valid_at in 0..32 {
            for known_at in 0..32 {
                let holds = |rule: &&Rule| rule.purpose == "bewohnerparkausweis"
                    && rule.valid.contains(T(valid_at)) && rule.recorded.contains(T(known_at));
                let matching: Vec<&Rule> = rules.iter().filter(holds).collect();
                match &made {
                    Ok(registerlandkarte) => {
                        prop_assert!(matching.len() <= 1);
                        prop_assert_eq!(registerlandkarte.decide(&query(), T(valid_at), T(known_at)).ok(), matching.first().copied());
                    }
                    Err(error) => prop_assert!(matches!(error, RegisterlandkarteError::Ambiguous(..))),
                }
            }
        }
    }
}

/// Puts a text into one field.
type Change = fn(&mut Rule);

#[test]
fn a_text_that_is_not_what_its_field_may_contain_is_refused() {
    let changes: [(&str, Change); 7] = [
        ("id", |rule| rule.id = "a\nb".into()),
        ("evidence id", |rule| rule.evidence.id = String::new()),
        ("evidence title", |rule| rule.evidence.title = "x\u{200b}".into()),
        ("category", |rule| rule.evidence.categories.push("\u{fdd0}".into())),
        ("purpose", |rule| rule.purpose = "x".repeat(201)),
        ("occasion", |rule| rule.occasion = "Sie \u{202e}haben".into()),
        ("legal_basis", |rule| rule.legal_basis = "§ 1\0".into()),
    ];
    for (field, change) in changes {
        let mut rule = rule("a", 1, Interval::since(T(0)), Interval::since(T(0)));
        change(&mut rule);
        let refused = Registerlandkarte::new(1, vec![rule]);
        assert!(matches!(refused, Err(RegisterlandkarteError::Text(error)) if error.field == field));
    }
}
