//! Found, unknown, ambiguous and blocked persons: the bytes of broker and consumer have the same shape and length, and
//! the answers take the same time.
//!
//! The found person has no evidence, so that the exchange ends like the others. The four kinds are asked in turn, in
//! random order, so that whatever slows the machine slows all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use messages::{Completion, ExchangeRequest, Forward, LabelAnswer, Reply};
use record::cbor;
use serde_json::Value;
use tests::population::{self, TestPerson, letters};
use tests::processes::Processes;
use tests::surrounded::Surrounded;

use crate::statistics::compare;

const KINDS: [&str; 4] = ["found", "unknown", "ambiguous", "blocked"];
/// A consumer may ask about one person 128 times in a month.
const PER_PERSON: usize = 100;

/// The name of a person of a kind. All have one length.
fn name(kind: usize, person: usize) -> String {
    let [found, unknown, ambiguous, blocked] = ["Gefund", "Unbeka", "Doppel", "Gesper"];
    format!("{}{}", [found, unknown, ambiguous, blocked][kind], letters(person))
}

/// The persons of all kinds that identity knows.
fn persons(count: usize) -> Result<Vec<TestPerson>> {
    let mut persons = Vec::new();
    for person in 0..count {
        let number = 4 * person;
        persons.push(TestPerson::new(number, &name(0, person), false)?);
        persons.push(TestPerson::new(number + 1, &name(2, person), false)?);
        persons.push(TestPerson::new(number + 2, &name(2, person), false)?);
        persons.push(TestPerson::new(number + 3, &name(3, person), true)?);
    }
    Ok(persons)
}

/// What broker and consumer see of an exchange, without what is fresh in each one: ids, keys, signatures, ciphertexts,
/// the place in the log and its proofs.
fn seen(around: &Surrounded, answer: &Value) -> Result<BTreeMap<&'static str, String>> {
    let last = |intermediary: &tests::intermediary::Intermediary, path: &str| {
        intermediary
            .last(path)
            .with_context(|| format!("nothing has passed to {path}"))
    };
    let labels = last(&around.identity, "/labels")?;
    let label: LabelAnswer = cbor::from_slice(&labels.answer)?;
    let forward = last(&around.provider, "/forward")?;
    let reply: Reply = cbor::from_slice(&forward.answer)?;
    let sent: Forward = cbor::from_slice(&forward.request)?;
    let exchange = last(&around.consumer, "/exchanges")?;
    let request: ExchangeRequest = cbor::from_slice(&exchange.request)?;
    let completion: Completion = cbor::from_slice(&exchange.answer)?;
    ensure!(
        sent.metadata.exchange == request.metadata.exchange,
        "the messages of two exchanges"
    );
    let handed = completion.reply.context("a reply")?;
    let mut answer = answer.clone();
    for fresh in ["exchange", "intent", "outcome_entry"] {
        answer[fresh] = Value::Null;
    }
    Ok(BTreeMap::from([
        ("identity is asked", labels.request.len().to_string()),
        ("identity answers", labels.answer.len().to_string()),
        ("for the provider", label.for_provider.len().to_string()),
        ("token", label.token.len().to_string()),
        ("request", exchange.request.len().to_string()),
        (
            "forward without its receipt",
            (forward.request.len() - sent.intent_receipt.len()).to_string(),
        ),
        ("record", sent.sealed_record.len().to_string()),
        (
            "reply",
            format!("{:?} {:?}", reply.statement.outcome, reply.statement.failure),
        ),
        ("evidence", format!("{:?}", reply.statement.evidence_digest)),
        ("sealed answer", reply.sealed_answer.len().to_string()),
        ("handed to the consumer", (handed == reply).to_string()),
        ("outcome's record", completion.notice.sealed_record.len().to_string()),
        ("answer", answer.to_string()),
    ]))
}

fn kinds_look_alike(listen: &str, exchanges: usize) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let count = exchanges.div_ceil(PER_PERSON);
    let known = persons(count)?;
    let before = |processes: &Processes| population::add(processes, &known);
    let around = Surrounded::start(&scratch.path().join("demo"), listen, before)?;
    let mut times: [Vec<u64>; 4] = Default::default();
    let mut shapes = BTreeSet::new();
    let mut order = KINDS.len() as u64;
    for number in 0..exchanges {
        let mut turns: Vec<usize> = (0..KINDS.len()).collect();
        // Another order in every round.
        order = order
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        turns.rotate_left((order >> 40) as usize % 4);
        if (order >> 50) & 1 == 1 {
            turns.reverse();
        }
        for kind in turns {
            let since = Instant::now();
            let (status, answer) = around.processes.ask_about(|person| {
                *person = TestPerson::query(&name(kind, number / PER_PERSON));
            })?;
            times[kind].push(u64::try_from(since.elapsed().as_micros())?);
            ensure!(
                status == 200 && answer["outcome"] == "nothing_found",
                "{}: {status} {answer:#}",
                KINDS[kind]
            );
            let seen = seen(&around, &answer)?;
            shapes.insert(seen.clone());
            ensure!(
                shapes.len() == 1,
                "{} looks otherwise: {seen:#?}\n{shapes:#?}",
                KINDS[kind]
            );
        }
    }
    for kind in 1..KINDS.len() {
        let (difference, allowed) = compare(&times[0], &times[kind]);
        println!(
            "{} and {}: {difference:.3} of at most {allowed:.3}",
            KINDS[0], KINDS[kind]
        );
        ensure!(
            difference <= allowed,
            "{} takes another time: {difference} > {allowed}",
            KINDS[kind]
        );
    }
    for (kind, times) in KINDS.iter().zip(&mut times) {
        times.sort_unstable();
        println!(
            "{kind}: {} exchanges, p50 {} µs, p99 {} µs",
            times.len(),
            times[times.len() / 2],
            times[times.len() * 99 / 100]
        );
    }
    identity_found_one_kind(&around.processes, &known, exchanges)?;
    around.processes.every_intent_is_closed()
}

/// The provider's own protocol has the numbers that identity has found: those of one kind, in every exchange. Without
/// this the four kinds could look alike because no person is found.
fn identity_found_one_kind(processes: &Processes, known: &[TestPerson], exchanges: usize) -> Result<()> {
    let mut found = 0;
    for one in processes.protocol("connector-kba", &["--with-person"])? {
        let person = known.iter().find(|person| one["idnr"] == person.idnr.as_str());
        let Some(person) = person else { continue };
        ensure!(
            person.family_name.starts_with("Gefund"),
            "{} was found",
            person.family_name
        );
        found += 1;
    }
    ensure!(found == exchanges, "found in {found} of {exchanges} exchanges");
    Ok(())
}

#[test]
fn found_unknown_ambiguous_and_blocked_persons_look_alike() -> Result<()> {
    kinds_look_alike("127.0.0.1:25900", 30)
}

#[test]
#[ignore = "takes a quarter of an hour: `cargo xtask test --long`"]
fn a_thousand_persons_of_each_kind_look_alike() -> Result<()> {
    kinds_look_alike("127.0.0.1:26000", 1000)
}
