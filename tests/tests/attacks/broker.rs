//! A broker that lies to the provider gets no data out of it. Noticed by the provider's connector (P1 to P6, P9): the register is not
//! asked, the consumer gets one uniform refusal, and an outcome stands in the log nevertheless.
//!
//! The lie is told on the way from the broker to the provider's connector.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use exchange::{Forward, Reply, ReplyOutcome, SealingKey};
use tests::intermediary::{Intermediary, Passed};
use tests::processes::Processes;
use tests::{http, wait_for};

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
    an_intent_is_served_once(&mut processes, &between)?;
    let served = between.last("/forward").context("a forward")?;
    let earlier: Arc<Forward> = Arc::new(record::cbor::from_slice(&served.request)?);

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

/// The same forward again gets the same sealed bytes while its outcome has not been seen, and then nothing. The register is never asked
/// again, also after the connector was killed.
fn an_intent_is_served_once(processes: &mut Processes, between: &Intermediary) -> Result<()> {
    between.withhold("/outcome");
    processes.ask_until_delivered()?;
    let served = between.last("/forward").context("a forward")?;
    let asked = processes.register_asked()?;
    for _ in 0..2 {
        ensure!(forward_again(processes, &served)? == served.answer, "another answer");
        let url = processes.info.connectors["kba"].clone();
        processes.running.remove("connector-kba").context("it runs")?.kill()?;
        processes.up("connector-kba", "connector", &url)?;
        processes.healthy(&url)?;
    }
    between.honest();
    wait_for(Duration::from_secs(60), || {
        let reply: Reply = record::cbor::from_slice(&forward_again(processes, &served)?)?;
        Ok(reply.statement.outcome == ReplyOutcome::Refused)
    })?;
    ensure!(processes.register_asked()? == asked, "an intent was served twice");
    Ok(())
}

/// What the provider's connector says to a forward that it has had before, once it is up.
fn forward_again(processes: &Processes, served: &Passed) -> Result<Vec<u8>> {
    let url = format!("{}/forward", processes.info.connectors["kba"]);
    let mut said = None;
    wait_for(Duration::from_secs(30), || {
        let answer = http()?
            .post(&url)
            .header("content-type", "application/cbor")
            .body(served.request.clone())
            .send()?;
        let status = answer.status();
        ensure!(status == 200 || status == 503, "{status}");
        said = (status == 200).then(|| answer.bytes()).transpose()?;
        Ok(said.is_some())
    })?;
    Ok(said.context("said")?.to_vec())
}

fn tell(lie: Lie, earlier: &Forward, path: &str, body: Vec<u8>) -> Vec<u8> {
    if path != "/forward" {
        return body;
    }
    let mut forward: Forward = record::cbor::from_slice(&body).unwrap();
    lie(&mut forward, earlier);
    record::cbor::to_vec(&forward)
}
