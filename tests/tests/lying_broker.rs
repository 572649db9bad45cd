//! A broker that lies to the provider gets no data out of it: the register is not asked, the consumer gets one uniform refusal,
//! and an outcome stands in the log nevertheless.
//!
//! The lie is told on the way from the broker to the provider's connector; everything else is the real program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Result, ensure};
use exchange::{Forward, SealingKey};
use tests::intermediary::Intermediary;
use tests::processes::Processes;

/// A lie: the forward as it should be, and one of an earlier exchange, as the broker has it.
type Lie = fn(&mut Forward, &Forward);

/// What the provider refuses: the consumer is told `refused`, never why.
const REFUSED: &[(&str, Lie)] = &[
    ("a tampered receipt", |forward, _| {
        let middle = forward.intent_receipt.len() / 2;
        let byte = &mut forward.intent_receipt[middle];
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }),
    ("an answer key of the broker's own", |forward, _| {
        forward.answer_key = SealingKey::from_seed([7; 32]).public();
    }),
    ("another exchange's label and person", |forward, earlier| {
        forward.for_provider = earlier.for_provider.clone();
    }),
    ("another exchange's request", |forward, earlier| {
        forward.sealed_request = earlier.sealed_request.clone();
    }),
    ("another exchange's person part", |forward, earlier| {
        forward.s1 = earlier.s1.clone();
    }),
    ("a request that the provider cannot open", |forward, _| {
        let last = forward.sealed_request.len() - 1;
        forward.sealed_request[last] ^= 1;
    }),
    ("a person part that the provider cannot open", |forward, _| {
        forward.for_provider[40] ^= 1;
    }),
    ("a record that is not the recorded one", |forward, _| {
        let last = forward.sealed_record.len() - 1;
        forward.sealed_record[last] ^= 1;
    }),
    ("another exchange's record", |forward, earlier| {
        forward.sealed_record = earlier.sealed_record.clone();
    }),
    ("another purpose", |forward, _| {
        forward.metadata.purpose = "neugier".into();
    }),
];

/// What makes the provider speak of *another* exchange, which is no answer to this one: to the consumer it has failed.
const UNANSWERED: &[(&str, Lie)] = &[
    ("the receipt of another exchange", |forward, earlier| {
        forward.intent_receipt = earlier.intent_receipt.clone();
    }),
    ("another exchange altogether", |forward, earlier| {
        *forward = earlier.clone();
    }),
];

#[test]
fn a_lying_broker_gets_nothing() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:21800")?;
    let between = Intermediary::before(&processes.info.connectors["kba"])?;
    processes.configure("broker", |config| {
        config["routes"]["bund:kba:zfzr"] = between.url.clone().into();
    })?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    let earlier = between.passed().into_iter().find(|passed| passed.path == "/forward");
    let earlier: Arc<Forward> = Arc::new(record::cbor::from_slice(&earlier.unwrap().request)?);

    let asked = processes.register_asked()?;
    for (lies, status, slug) in [(REFUSED, 403, "refused"), (UNANSWERED, 503, "provider-unavailable")] {
        let mut answers = BTreeSet::new();
        for (name, lie) in lies {
            let earlier = earlier.clone();
            between.change_requests(move |path, body| tell(*lie, &earlier, path, body));
            let (told, body) = processes.ask()?;
            ensure!(told == status, "{name}: {told} {body:#}");
            ensure!(
                body["type"] == format!("urn:einsicht:problem:{slug}"),
                "{name}: {body:#}"
            );
            ensure!(processes.register_asked()? == asked, "{name}: the register was asked");
            answers.insert(body.to_string());
        }
        ensure!(answers.len() == 1, "the answers tell the lies apart: {answers:#?}");
    }

    between.honest();
    processes.ask_until_delivered()?;
    ensure!(processes.register_asked()? > asked);
    processes.every_intent_is_closed()
}

fn tell(lie: Lie, earlier: &Forward, path: &str, body: Vec<u8>) -> Vec<u8> {
    if path != "/forward" {
        return body;
    }
    let mut forward: Forward = record::cbor::from_slice(&body).unwrap();
    lie(&mut forward, earlier);
    record::cbor::to_vec(&forward)
}
