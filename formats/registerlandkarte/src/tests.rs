#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod problems;
mod properties;
mod sample;

use record::Timestamp;
use sample::{T, interval, rule, tables};

use super::*;

fn query<'a>(consumer: &'a BodyId, provider: &'a record::ParticipantId, evidence: &'a EvidenceTypeId) -> Query<'a> {
    Query {
        consumer,
        provider,
        evidence,
        purpose: "wohngeld",
        subject: Subject::Natural,
        idnr: false,
        represented: false,
        place: None,
    }
}

/// Decides for a body and a component of the sample.
fn decide(relation: &Registerlandkarte, consumer: &str, provider: &str, change: impl Fn(&mut Query<'_>)) -> String {
    let (consumer, provider) = (consumer.parse().unwrap(), provider.parse().unwrap());
    let evidence = "anschrift".parse().unwrap();
    let mut query = query(&consumer, &provider, &evidence);
    change(&mut query);
    match relation.decide(&query, T(50), T(50)) {
        Ok(rule) => rule.reference(),
        Err(denied) => denied.to_string(),
    }
}

#[test]
fn every_body_of_the_class_may_ask_every_register_of_the_type() {
    let relation = Registerlandkarte::new(tables()).unwrap();
    for consumer in ["stadt-a", "stadt-b"] {
        for provider in ["melde-a", "melde-b"] {
            assert_eq!(decide(&relation, consumer, provider, |_| {}), "wohngeld@1");
        }
    }
    // The third town has no such class, and the fourth is not listed.
    assert_eq!(decide(&relation, "stadt-c", "melde-a", |_| {}), "no rule permits this");
    assert_eq!(
        decide(&relation, "stadt-d", "melde-a", |_| {}),
        "the consumer is not listed"
    );
    assert_eq!(
        decide(&relation, "stadt-a", "kfz", |_| {}),
        "the provider does not serve the evidence's register"
    );
    assert_eq!(
        decide(&relation, "stadt-a", "melde-a", |query| query.purpose = "hundesteuer"),
        "no rule permits this"
    );
}

#[test]
fn each_condition_of_a_rule_is_demanded() {
    let relation = Registerlandkarte::new(tables()).unwrap();
    for (change, expected) in [
        (
            (|query| query.subject = Subject::Legal) as fn(&mut Query<'_>),
            Denied::Subject,
        ),
        (|query| query.idnr = true, Denied::Idnr),
        (|query| query.represented = true, Denied::Representation),
    ] {
        assert_eq!(decide(&relation, "stadt-a", "melde-a", change), expected.to_string());
    }
    let mut permitting = tables();
    (permitting.permissions[0].idnr, permitting.permissions[0].representation) = (true, true);
    let relation = Registerlandkarte::new(permitting).unwrap();
    let change = |query: &mut Query<'_>| (query.idnr, query.represented) = (true, true);
    assert_eq!(decide(&relation, "stadt-a", "melde-a", change), "wohngeld@1");
}

#[test]
fn the_own_area_is_that_of_the_body_and_all_around_and_in_it() {
    let mut own = tables();
    own.permissions[0].area = AreaRelation::Own;
    let relation = Registerlandkarte::new(own.clone()).unwrap();
    assert_eq!(decide(&relation, "stadt-a", "melde-a", |_| {}), "wohngeld@1");
    assert_eq!(
        decide(&relation, "stadt-a", "melde-b", |_| {}),
        Denied::Area.to_string()
    );
    // A district contains the town whose register it asks.
    let mut district = own.clone();
    district.bodies[1].area = "05315".parse().unwrap();
    let relation = Registerlandkarte::new(district).unwrap();
    assert_eq!(decide(&relation, "stadt-b", "melde-a", |_| {}), "wohngeld@1");
    // A register of the whole country contains the town.
    own.instances[0].areas = [Ars::federation()].into();
    let relation = Registerlandkarte::new(own).unwrap();
    assert_eq!(decide(&relation, "stadt-b", "melde-a", |_| {}), "wohngeld@1");
}

#[test]
fn the_area_of_the_person_must_be_named_and_served() {
    let mut person = tables();
    person.permissions[0].area = AreaRelation::Person;
    let relation = Registerlandkarte::new(person).unwrap();
    assert_eq!(
        decide(&relation, "stadt-a", "melde-b", |_| {}),
        Denied::NoPlace.to_string()
    );
    let (town_a, town_b): (Ars, Ars) = ("053155001001".parse().unwrap(), "053155001002".parse().unwrap());
    for (place, expected) in [(&town_a, Denied::Area.to_string()), (&town_b, "wohngeld@1".to_owned())] {
        let (consumer, provider) = ("stadt-a".parse().unwrap(), "melde-b".parse().unwrap());
        let evidence = "anschrift".parse().unwrap();
        let query = Query {
            place: Some(place),
            ..query(&consumer, &provider, &evidence)
        };
        let decided = relation.decide(&query, T(50), T(50)).map(Rule::reference);
        assert_eq!(decided.unwrap_or_else(|denied| denied.to_string()), expected);
    }
}

#[test]
fn a_rule_for_one_named_body_comes_before_those_of_its_classes() {
    let mut named = tables();
    named.permissions.push(Rule {
        consumer: Consumer::Body("stadt-a".parse().unwrap()),
        idnr: true,
        ..rule("nur-a", 1)
    });
    named.permissions.push(Rule {
        consumer: Consumer::Body("stadt-c".parse().unwrap()),
        provider: Provider::Component("melde-b".parse().unwrap()),
        ..rule("nur-c", 1)
    });
    let relation = Registerlandkarte::new(named).unwrap();
    assert_eq!(
        decide(&relation, "stadt-a", "melde-a", |query| query.idnr = true),
        "nur-a@1"
    );
    assert_eq!(decide(&relation, "stadt-b", "melde-a", |_| {}), "wohngeld@1");
    assert_eq!(decide(&relation, "stadt-c", "melde-b", |_| {}), "nur-c@1");
    assert_eq!(decide(&relation, "stadt-c", "melde-a", |_| {}), "no rule permits this");
}

#[test]
fn a_condition_that_the_first_rule_lacks_may_come_from_the_next() {
    let mut two = tables();
    two.permissions[0].idnr = true;
    two.permissions.push(Rule {
        consumer: Consumer::Body("stadt-a".parse().unwrap()),
        ..rule("nur-a", 1)
    });
    let relation = Registerlandkarte::new(two).unwrap();
    assert_eq!(
        decide(&relation, "stadt-a", "melde-a", |query| query.idnr = true),
        "wohngeld@1"
    );
    assert_eq!(decide(&relation, "stadt-a", "melde-a", |_| {}), "nur-a@1");
}

#[test]
fn the_smallest_area_that_contains_the_place_is_competent() {
    let mut tables = tables();
    let mut district = tables.instances[0].clone();
    district.component = "melde-kreis".parse().unwrap();
    district.areas = ["05315".parse().unwrap()].into();
    tables.instances.push(district);
    let relation = Registerlandkarte::new(tables).unwrap();
    let competent = |evidence: &str, place: &str, time: u64| {
        let (evidence, place) = (evidence.parse().unwrap(), place.parse().unwrap());
        let found = relation.competent(&evidence, &place, T(time), T(time));
        found.map(|instance| instance.component.to_string())
    };
    assert_eq!(competent("anschrift", "053155001001", 50), Ok("melde-a".into()));
    assert_eq!(competent("anschrift", "053155001009", 50), Ok("melde-kreis".into()));
    assert_eq!(competent("anschrift", "05316", 50), Err(NotCompetent::Place));
    assert_eq!(competent("halter", "053155001001", 50), Ok("kfz".into()));
    assert_eq!(competent("unbekannt", "053155001001", 50), Err(NotCompetent::Evidence));
    assert_eq!(competent("anschrift", "053155001001", 0), Err(NotCompetent::Place));
}

#[test]
fn a_correction_of_a_body_does_not_change_the_past() {
    let mut corrected = tables();
    let mut wrong = corrected.bodies[0].clone();
    // Recorded from 10 until 60 with the class, and from 60 on as if it had never had it.
    wrong.recorded = interval(10, 60);
    let mut right = wrong.clone();
    right.classes = [].into();
    right.recorded = Interval::since(T(60));
    corrected.bodies[0] = wrong;
    corrected.bodies.push(right);
    let relation = Registerlandkarte::new(corrected).unwrap();
    let (consumer, provider) = ("stadt-a".parse().unwrap(), "melde-a".parse().unwrap());
    let evidence = "anschrift".parse().unwrap();
    let query = query(&consumer, &provider, &evidence);
    let at = |known: u64| relation.decide(&query, Timestamp(50), T(known)).map(Rule::reference);
    assert_eq!(at(59), Ok("wohngeld@1".to_owned()));
    assert_eq!(at(60), Err(Denied::NoRule));
}

#[test]
fn a_record_says_why_in_the_words_of_the_rule() {
    let relation = Registerlandkarte::new(tables()).unwrap();
    let rule = &relation.tables().permissions[0];
    let why = rule.why(&relation.norms_of(rule));
    assert_eq!(why.legal_basis, "§ 34 Absatz 1 Satz 1 BMG");
    assert_eq!(
        (why.purpose.as_str(), why.occasion.as_str()),
        ("wohngeld", "Antrag auf Wohngeld")
    );
    let info = relation.evidence(&rule.evidence).unwrap().info();
    assert_eq!((info.id.as_str(), info.categories.len()), ("anschrift", 2));
    assert!(info.check().is_ok());
}

#[test]
fn a_difference_follows_from_bodies_components_and_rules_alone() {
    let mut before = tables();
    before.permissions[0].area = AreaRelation::Own;
    let effects = |change: fn(&mut Tables)| -> Vec<(Effect, u64)> {
        let mut after = before.clone();
        change(&mut after);
        let [before, after] = [before.clone(), after].map(|tables| Registerlandkarte::new(tables).unwrap());
        let view = |relation| View {
            relation,
            valid_at: T(50),
            known_at: T(50),
        };
        let changes = difference(view(&before), view(&after));
        changes.iter().map(|(key, extent)| (key.effect, extent.pairs)).collect()
    };
    assert_eq!(effects(|_| {}), []);
    // The register of the first town serves the second one, too.
    assert_eq!(
        effects(|t| t.instances[0].areas = ["05315".parse().unwrap()].into()),
        [(Effect::Permits, 1)]
    );
    assert_eq!(effects(|t| drop(t.instances.remove(1))), [(Effect::Forbids, 1)]);
    assert_eq!(effects(|t| t.bodies[1].classes = [].into()), [(Effect::Forbids, 1)]);
    assert_eq!(
        effects(|t| t.bodies[0].area = "053155001002".parse().unwrap()),
        [(Effect::Permits, 1), (Effect::Forbids, 1)]
    );
    assert_eq!(
        effects(|t| t.permissions[0].area = AreaRelation::Any),
        [(Effect::Permits, 2)]
    );
    assert_eq!(effects(|t| t.permissions[0].preview = false), [(Effect::Alters, 2)]);
}
