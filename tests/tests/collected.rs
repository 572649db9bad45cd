//! A provider that the broker cannot reach: its connector collects the broker's calls.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use messages::{CallAnswer, CallCredential, CallKind, CollectedCall, Collection};
use record::{ParticipantId, Timestamp, cbor};
use tests::keys::Keys;
use tests::processes::Processes;
use tests::{http, wait_for};

const PROVIDER: &str = "bund:kba:zfzr";
const CONNECTOR: &str = "connector-kba";

/// Lets the KBA's connector collect its calls from the broker at `broker`.
fn collects(processes: &Processes, broker: &str) -> Result<()> {
    processes.configure("broker", |config| {
        config["routes"].as_object_mut().unwrap().remove(PROVIDER).unwrap();
    })?;
    processes.configure(CONNECTOR, |config| {
        config["role"]["provider"]["collects_from"] = broker.into();
    })
}

fn start(data: &std::path::Path, base: &str) -> Result<Processes> {
    let mut processes = Processes::seed(data, base)?;
    collects(&processes, &processes.info.broker)?;
    processes.start_all()?;
    processes.all_healthy()?;
    Ok(processes)
}

/// Collects calls in the place of the KBA's connector, which does not run, until there is one.
fn collect(processes: &Processes) -> Result<CollectedCall> {
    let key = Keys::of(&processes.data).signing("connector-kba/signing.key")?;
    let mut call = None;
    wait_for(Duration::from_secs(60), || {
        let now = Timestamp(UNIX_EPOCH.elapsed()?.as_secs());
        let collection = cbor::to_vec(&Collection::sign(&key, ParticipantId::new(PROVIDER)?, now, 25)?);
        let client = processes.client(CONNECTOR)?;
        let request = client.post(format!("{}/calls", processes.info.broker));
        let answer = request
            .timeout(Duration::from_secs(40))
            .body(collection.clone())
            .send()?;
        let again = client.post(format!("{}/calls", processes.info.broker)).body(collection);
        ensure!(again.send()?.status() == 403, "a collection is accepted once");
        match answer.status().as_u16() {
            200 => call = Some(cbor::from_slice(&answer.bytes()?)?),
            204 => {}
            status => anyhow::bail!("{status}"),
        }
        Ok(call.is_some())
    })?;
    call.context("a call")
}

#[test]
fn evidence_comes_from_a_register_that_the_broker_cannot_reach() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = start(&scratch.path().join("demo"), "127.0.0.1:28700")?;
    processes.ask_until_delivered()?;
    let own = processes.info.connectors["kba"].clone();
    let calls = format!("{}/forward", own.replacen("https", "http", 1));
    let refused = http()?.post(calls).send()?;
    ensure!(
        refused.status() == 404,
        "its listener serves no calls: {}",
        refused.status()
    );

    // Without the broker the connector says that it is of no use, and with it both continue.
    processes.running.remove("broker").context("it runs")?.kill()?;
    processes.impaired(&own, "behind")?;
    let broker = processes.start_again("broker")?;
    processes.healthy(&broker)?;
    processes.ask_until_delivered()?;
    processes.healthy(&own)?;

    // Nobody collects: the exchange fails, and the log says so.
    processes.running.remove(CONNECTOR).context("it runs")?.kill()?;
    let asked = processes.register_asked()?;
    let (status, body) = processes.ask()?;
    ensure!(status == 503 && body["evidence"].is_null(), "{status} {body:#}");
    processes.every_intent_is_closed()?;
    ensure!(processes.register_asked()? == asked);

    // A call is collected and its connector dies: the exchange stays open, and the next connector serves it.
    let asking = processes.ask_meanwhile();
    let call = collect(&processes)?;
    ensure!(call.kind == CallKind::Forward && CallCredential::from_header(&call.authorization).is_ok());
    let url = processes.start_again(CONNECTOR)?;
    processes.healthy(&url)?;
    let (status, body) = asking.join().expect("no panic")?;
    ensure!(status == 200 || status == 504, "{status} {body:#}");
    processes.every_intent_is_closed()?;
    ensure!(processes.register_asked()? == asked + 1, "the register is asked once");
    processes.ask_until_delivered()?;

    // The broker ends with the connector's request open, and does not wait for it.
    let begun = std::time::Instant::now();
    processes.running.remove("broker").context("it runs")?.stop()?;
    ensure!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    Ok(())
}

#[test]
fn an_answer_counts_once_and_from_the_component_that_was_called_alone() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = start(&scratch.path().join("demo"), "127.0.0.1:28800")?;
    processes.running.remove(CONNECTOR).context("it runs")?.kill()?;
    let keys = Keys::of(&processes.data);
    let asking = processes.ask_meanwhile();
    let call = collect(&processes)?;
    let problem = br#"{"type":"urn:einsicht:problem:not-authentic","status":403,"title":"x","detail":"x"}"#;
    let answer = |key: &str, as_whom: &str, id: uuid::Uuid| -> Result<u16> {
        let about = (ParticipantId::new(as_whom)?, call.id);
        let answer = CallAnswer::sign(&keys.signing(key)?, about, (403, None), problem.to_vec());
        let url = format!("{}/calls/{id}/answer", processes.info.broker);
        let client = processes.client(&key.replace("/signing.key", ""))?;
        Ok(client.post(url).body(cbor::to_vec(&answer)).send()?.status().as_u16())
    };
    let (own, other) = ("connector-kba/signing.key", "connector-meldewesen/signing.key");
    ensure!(
        answer(other, PROVIDER, call.id)? == 403,
        "another component's signature"
    );
    ensure!(
        answer(other, "land:lam:melderegister", call.id)? == 404,
        "another component's call"
    );
    ensure!(answer(own, PROVIDER, uuid::Uuid::new_v4())? == 403, "another call");
    ensure!(answer(own, PROVIDER, call.id)? == 204);
    ensure!(answer(own, PROVIDER, call.id)? == 404, "it was answered");
    let (status, body) = asking.join().expect("no panic")?;
    ensure!(status != 200 && body["evidence"].is_null(), "{status} {body:#}");
    processes.every_intent_is_closed()
}
