//! The outsider has the whole public log and all roots of the maps. The log reveals only kinds, times, periods, writers
//! and references.
//!
//! The entries are made by the same code as in production ([`exchanges`]). The tests give the outsider more than the
//! log contains: which entries belong to the busy person, and in which order ([`distinguisher`]). Plausible but
//! insecure label schemes show that the distinguisher detects weaknesses ([`schemes`]).

mod distinguisher;
mod exchanges;
mod schemes;

use std::collections::{BTreeSet, HashSet};

use messages::{LabelAnswer, PersonQuery};
use record::{Body, Idnr, Kind, Label, Outcome, Period, Phase, Series, label};
use tlog::vrf::SecretKey;

use self::distinguisher::{NOTHING, Value, compare, findings};
use self::exchanges::{BLOCKED, DELIVERED, ProviderAnswer, exchanges, sealed_length, shapes};
use super::world::{EMMA, OTTO, World, ambiguous, blocked, by_name, emma, idnr_of, unknown};

fn ayse() -> PersonQuery {
    by_name("Öztürk", "Ayşe Nur", "1990-05-05", "20095", "Hamburg")
}

/// Three exchanges about Emma in every four, the fourth about another person or about nobody.
fn mostly_emma(count: usize) -> Vec<PersonQuery> {
    let others = [ayse, unknown, blocked, ambiguous];
    (0..count)
        .map(|turn| if turn % 4 == 2 { others[turn / 4 % 4]() } else { emma() })
        .collect()
}

fn values(answers: &[LabelAnswer], which: fn(&LabelAnswer) -> Label) -> Vec<Value> {
    answers.iter().map(|answer| which(answer).0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_labels_of_a_busy_person_look_random() {
    let world = World::new().await;
    let persons = mostly_emma(400);
    let answers = exchanges(&world, &persons, DELIVERED).await;
    let hers: Vec<LabelAnswer> = answers
        .into_iter()
        .zip(&persons)
        .filter(|(_, person)| **person == emma())
        .map(|(answer, _)| answer)
        .collect();
    assert_eq!(hers.len(), 300);

    let rows = [
        values(&hers, |answer| answer.intent),
        values(&hers, |answer| answer.label(Phase::Outcome)),
        values(&hers, |answer| answer.label(Phase::Preview)),
    ];
    for row in &rows {
        assert_eq!(findings(row), NOTHING, "the labels of one phase");
    }
    let all: Vec<Value> = (0..hers.len())
        .flat_map(|number| [rows[0][number], rows[1][number], rows[2][number]])
        .collect();
    assert_eq!(findings(&all), NOTHING, "all labels, in the order of the exchanges");
    for (left, right) in [(0, 1), (0, 2), (1, 2)] {
        assert_eq!(compare(&rows[left], &rows[right]), NOTHING, "phases {left} and {right}");
    }

    let of_her: HashSet<Value> = all.into_iter().collect();
    let (mut labels, mut commitments, mut roots) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..world.log.len() as u64 {
        let entry = world.log.entry(index);
        match &entry.entry().body {
            Body::Labelled { label, commitment, .. } if of_her.contains(&label.0) => {
                labels.push(label.0);
                commitments.push(commitment.0.0);
            }
            Body::Map { roots: now, .. } => {
                roots.extend(now.iter().filter(|(period, _)| period.0 == 1).map(|(_, root)| root.0))
            }
            _ => {}
        }
    }
    assert!(
        labels.len() > 500 && roots.len() >= 100,
        "{} {}",
        labels.len(),
        roots.len()
    );
    assert_eq!(findings(&commitments), NOTHING, "the commitments");
    assert_eq!(compare(&labels, &commitments), NOTHING, "label and commitment");
    assert_eq!(findings(&roots), NOTHING, "the roots of the map");
    assert_eq!(
        schemes::guessed(&labels, &world),
        NOTHING,
        "labels that can be computed"
    );
}

/// Half of all numbers of a period, under one fixed secret: more values, and the same ones in every run.
#[test]
fn the_labels_of_a_whole_period_look_random() {
    let secrets = [1, 2].map(|seed| SecretKey::from_seed(&[seed; 32]).unwrap());
    let row = |secret: &SecretKey, idnr: &Idnr, period, series, phase| -> Vec<Value> {
        let labels = (0..record::COUNTERS / 2).map(|number| {
            let (_, output) = secret.prove(&label::alpha(idnr, Period(period), series, number));
            label::label(&output, phase).0
        });
        labels.collect()
    };
    let hers = row(&secrets[0], &idnr_of(EMMA), 1, Series::Exchanges, Phase::Intent);
    assert_eq!(findings(&hers), NOTHING);
    let others = [
        (
            "phase",
            row(&secrets[0], &idnr_of(EMMA), 1, Series::Exchanges, Phase::Outcome),
        ),
        (
            "series",
            row(&secrets[0], &idnr_of(EMMA), 1, Series::Inspections, Phase::Intent),
        ),
        (
            "period",
            row(&secrets[1], &idnr_of(EMMA), 2, Series::Exchanges, Phase::Intent),
        ),
        (
            "person",
            row(&secrets[0], &idnr_of(OTTO), 1, Series::Exchanges, Phase::Intent),
        ),
    ];
    for (what, theirs) in &others {
        assert_eq!(compare(&hers, theirs), NOTHING, "another {what}");
    }
}

/// Entries have the same kinds, sizes, times and order for every person and every result.
#[tokio::test(flavor = "multi_thread")]
async fn size_and_order_do_not_depend_on_the_person() {
    let scripts: [(Vec<PersonQuery>, ProviderAnswer); 4] = [
        (vec![emma(); 36], DELIVERED),
        (vec![unknown(); 36], BLOCKED),
        (vec![blocked(); 36], BLOCKED),
        (mostly_emma(36), DELIVERED),
    ];
    let mut seen = Vec::new();
    for (persons, answer) in &scripts {
        let world = World::new().await;
        exchanges(&world, persons, *answer).await;
        seen.push(shapes(&world));
    }
    let kinds: BTreeSet<Kind> = seen[0].iter().map(|shape| shape.kind).collect();
    let all = [Kind::Intent, Kind::Outcome, Kind::Preview, Kind::Void, Kind::Map];
    assert!(all.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    for other in &seen[1..] {
        assert_eq!(other, &seen[0]);
    }
    let labelled = seen[0].iter().filter(|shape| shape.sealed.is_some());
    let sizes: BTreeSet<(usize, Option<usize>)> = labelled.map(|shape| (shape.bytes, shape.sealed)).collect();
    assert_eq!(
        sizes.len(),
        1,
        "labelled entries and their records have more than one size: {sizes:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_have_one_size_for_every_content() {
    let world = World::new().await;
    let labels = world.ask(&world.request(&emma())).await.unwrap();
    let expected = sealed_length(&labels, DELIVERED, "Stadt");
    let long = "Bundesministerium für Ernährung, Landwirtschaft und Verbraucherschutz, Außenstelle Bonn, Referat 123";
    for (answer, name) in [(BLOCKED, "Stadt"), (DELIVERED, long), (BLOCKED, long)] {
        assert_eq!(sealed_length(&labels, answer, name), expected);
    }
    for outcome in [Outcome::Refused, Outcome::Failed, Outcome::TimedOut] {
        let answer = ProviderAnswer {
            outcome,
            reason: Some("the register knows no such person"),
        };
        assert_eq!(sealed_length(&labels, answer, long), expected);
    }
}
