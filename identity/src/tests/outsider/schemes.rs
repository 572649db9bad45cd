//! Insecure schemes for labels and commitments, and the statistic that detects each of them. They show that the
//! distinguisher can fail.

use std::collections::HashSet;

use record::{Body, PeriodEvent, Phase, Series, label};
use tlog::Hash;
use tlog::vrf::SecretKey;

use super::super::world::{EMMA, OTTO, World, idnr_of};
use super::distinguisher::{NOTHING, Value, compare, findings};

const COUNT: u32 = 300;

fn hash(parts: &[&[u8]]) -> Value {
    Hash::of(&parts.concat()).0
}

/// Pseudorandom bytes under a secret that the outsider does not have.
fn noise(what: &str, number: u32) -> Value {
    hash(&[b"a secret of identity", what.as_bytes(), &number.to_be_bytes()])
}

fn row(scheme: impl Fn(u32) -> Value) -> Vec<Value> {
    (0..COUNT).map(scheme).collect()
}

/// Replaces the first bytes.
fn with_prefix(mut value: Value, prefix: &[u8]) -> Value {
    value[..prefix.len()].copy_from_slice(prefix);
    value
}

#[test]
fn pseudorandom_bytes_yield_no_finding() {
    assert_eq!(findings(&row(|number| noise("a", number))), NOTHING);
    assert_eq!(
        compare(&row(|number| noise("a", number)), &row(|number| noise("b", number))),
        NOTHING
    );
}

#[test]
fn a_counter_in_the_label_is_detected() {
    let found = findings(&row(|number| with_prefix(noise("a", number), &number.to_be_bytes())));
    assert!(
        found.contains(&"positions") && found.contains(&"neighbours"),
        "{found:?}"
    );
    let found = findings(&row(|number| {
        let first = u64::from_be_bytes(*noise("start", 0).first_chunk().unwrap());
        with_prefix(noise("a", number), &first.wrapping_add(u64::from(number)).to_be_bytes())
    }));
    assert!(found.contains(&"steps"), "{found:?}");
}

#[test]
fn a_prefix_of_the_person_is_detected() {
    let person = hash(&[EMMA.as_bytes(), &1_u32.to_be_bytes()]);
    for length in [2, 8] {
        let found = findings(&row(|number| with_prefix(noise("a", number), &person[..length])));
        assert!(found.contains(&"positions"), "{length}: {found:?}");
        assert_eq!(found.contains(&"repeats"), length == 8);
    }
}

#[test]
fn phases_that_share_bits_are_detected() {
    let intents = row(|number| noise("a", number));
    let outcomes = |scheme: fn(Value, u32) -> Value| -> Vec<Value> {
        intents
            .iter()
            .zip(0..)
            .map(|(intent, number)| scheme(*intent, number))
            .collect()
    };
    let halves = outcomes(|intent, number| with_prefix(noise("b", number), &intent[..16]));
    assert!(compare(&intents, &halves).contains(&"repeats"));
    let one_bit = outcomes(|intent, number| {
        let mut outcome = noise("b", number);
        outcome[31] = outcome[31] & 0xfe | intent[31] & 1;
        outcome
    });
    assert!(compare(&intents, &one_bit).contains(&"positions"));
    let constant = outcomes(|intent, _| std::array::from_fn(|at| intent[at] ^ 0x5a));
    assert!(compare(&intents, &constant).contains(&"bytes"));
    // Each phase alone shows no finding.
    for row in [&halves, &one_bit, &constant] {
        assert_eq!(findings(row), NOTHING);
    }
}

#[test]
fn a_label_that_depends_on_the_previous_one_is_detected() {
    let mut last = noise("a", 0);
    let walk: Vec<Value> = (0..COUNT)
        .map(|number| {
            let step = noise("step", number);
            last = std::array::from_fn(|at| last[at] ^ (step[at] & step[(at + 1) % 32]));
            last
        })
        .collect();
    assert!(findings(&walk).contains(&"near"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_without_a_secret_is_guessed() {
    let world = World::new().await;
    let alpha = |number| label::alpha(&idnr_of(EMMA), record::Period(1), Series::Exchanges, number);
    let hashed = row(|number| hash(&[&alpha(number)]));
    // The labels look random but are predictable for anyone who tries all persons.
    assert_eq!(findings(&hashed), NOTHING);
    assert!(guessed(&hashed, &world).contains(&"hash"));
    let public = SecretKey::from_seed(&vrf_key(&world)).unwrap();
    let evaluated: Vec<Value> = (0..COUNT)
        .map(|number| label::label(&public.prove(&alpha(number)).1, Phase::Intent).0)
        .collect();
    assert!(guessed(&evaluated, &world).contains(&"function"));
}

/// Commitments to guessable content: there are few answers, few authorities and few kinds of evidence.
#[test]
fn commitments_without_a_salt_are_detected() {
    let content = |number: u32| {
        format!(
            "city, register, zb1, {}",
            if number.is_multiple_of(3) {
                "delivered"
            } else {
                "nothing found"
            }
        )
    };
    let commitments = row(|number| hash(&[content(number).as_bytes()]));
    assert!(findings(&commitments).contains(&"repeats"));
}

/// The period's public key from the log.
fn vrf_key(world: &World) -> [u8; 32] {
    let bodies = (0..world.log.len() as u64).map(|index| world.log.entry(index).entry().body.clone());
    let mut keys = bodies.filter_map(|body| match body {
        Body::Period {
            event: PeriodEvent::Begin { vrf_key, .. },
            ..
        } => Some(vrf_key),
        _ => None,
    });
    keys.next_back().unwrap()
}

/// The names of the public functions of a person's number that yield one of these labels. An outsider can try all
/// identification numbers, since there are fewer than 10^11, and a few numbers of one person suffice.
pub(super) fn guessed(labels: &[Value], world: &World) -> Vec<&'static str> {
    let labels: HashSet<&Value> = labels.iter().collect();
    let key = vrf_key(world);
    let public = SecretKey::from_seed(&key).unwrap();
    let mut found = Vec::new();
    for (idnr, number) in [EMMA, OTTO]
        .into_iter()
        .flat_map(|idnr| (0..8).map(move |number| (idnr, number)))
    {
        let alpha = label::alpha(&idnr_of(idnr), record::Period(1), Series::Exchanges, number);
        let output = public.prove(&alpha).1;
        for phase in Phase::ALL {
            let code = [phase.code()];
            let hashes = [
                hash(&[&alpha]),
                hash(&[&alpha, &code]),
                hash(&[&key, &alpha]),
                hash(&[&key, &alpha, &code]),
            ];
            if hashes.iter().any(|guess| labels.contains(guess)) {
                found.push("hash");
            }
            if labels.contains(&label::label(&output, phase).0) {
                found.push("function");
            }
        }
    }
    found
}
