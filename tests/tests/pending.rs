//! Exchanges that wait for their register, through restarts of everything that takes part in them: the evidence
//! arrives, and each intent has one outcome.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::processes::Processes;
use tests::{http, wait_for};

const LIMIT: Duration = Duration::from_secs(150);
const ADDRESS: &str = "Lindenstraße 4, 73614 Rheinfurt";

/// Seewalde's connector, and the processes around it.
struct Stage {
    processes: Processes,
    url: String,
}

/// A request for Emma's address, with a key of its own.
struct Asked {
    body: Value,
    key: String,
}

impl Asked {
    fn new(reference: &str) -> Self {
        let body = json!({
            "provider": "land:lam:melderegister", "evidence_type": "melde-anschrift", "purpose": "gewerbeanzeige",
            "request_reference": reference, "official": "desk-2", "asynchronous": true,
            "person": { "family_name": "Mustermann", "given_name": "Emma", "date_of_birth": "1964-08-12",
                        "postal_code": "73614", "place": "Rheinfurt" },
        });
        let key = uuid::Uuid::new_v4().to_string();
        Self { body, key }
    }
}

impl Stage {
    /// The register looks something up so many seconds after it was asked first.
    fn start(data: &std::path::Path, base: &str, preparation: u64) -> Result<Self> {
        let mut processes = Processes::seed(data, base)?;
        processes.configure("register-meldewesen", |config| {
            config["preparation_seconds"]["melde-anschrift"] = preparation.into();
        })?;
        processes.start_all()?;
        processes.all_healthy()?;
        processes.start_residents()?;
        let url = processes.info.connectors["seewalde"].clone();
        Ok(Self { processes, url })
    }

    fn send(&self, asked: &Asked) -> Result<(u16, Value)> {
        let request = http()?.post(format!("{}/evidence", self.url));
        let request = request.header("Idempotency-Key", format!("\"{}\"", asked.key));
        let request = request
            .header("content-type", "application/json")
            .body(asked.body.to_string());
        let answer = request.send()?;
        let (status, waits) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
        let body: Value = serde_json::from_str(&answer.text()?)?;
        ensure!(
            body["outcome"] != "pending" || status == 202 && waits,
            "{status} {body:#}"
        );
        Ok((status, body))
    }

    /// Sends a request until it waits. Returns its exchange.
    fn send_until_it_waits(&self, asked: &Asked) -> Result<String> {
        let mut last = None;
        wait_for(LIMIT, || Ok(last.insert(self.send(asked)?).1["outcome"] == "pending"))
            .with_context(|| format!("{last:?}"))?;
        let (_, pending) = last.context("an answer")?;
        ensure!(
            pending["outcome_entry"].is_null() && pending["available_at"].is_string(),
            "{pending:#}"
        );
        Ok(pending["exchange"].as_str().context("an exchange")?.to_owned())
    }

    fn state(&self, method: &str, exchange: &str) -> Result<(u16, Value)> {
        let url = format!("{}/evidence/{exchange}", self.url);
        let answer = http()?.request(method.parse()?, url).send()?;
        Ok((answer.status().as_u16(), serde_json::from_str(&answer.text()?)?))
    }

    /// Kills everything that takes part in an exchange, and starts it again. The register keeps in memory what it
    /// prepares.
    fn restart(&mut self) -> Result<()> {
        for name in ["connector-seewalde", "broker", "connector-meldewesen"] {
            let running = self.processes.running.remove(name);
            running.with_context(|| name.to_owned())?.kill()?;
        }
        for name in ["connector-meldewesen", "broker", "connector-seewalde"] {
            let url = self.processes.start_again(name)?;
            self.processes.healthy(&url)?;
        }
        Ok(())
    }

    /// How often the register has looked something up.
    fn lookups(&self) -> Result<usize> {
        let log = self.processes.data.join("register-meldewesen/access.log");
        Ok(std::fs::read_to_string(log)?.lines().count())
    }

    /// Intents that are open, intents and outcomes of the log, which is sound.
    fn counts(&self) -> Result<[u64; 3]> {
        let (code, report) = self.processes.audit()?;
        ensure!(code == 0, "{report:#}");
        let count = |value: &Value| value.as_u64().unwrap_or_default();
        let kinds = &report["kinds"];
        Ok([&report["open_intents"], &kinds["intent"], &kinds["outcome"]].map(count))
    }

    /// The exchange is in the protocols of both authorities, with this result.
    fn is_in_the_protocols(&self, exchange: &str, result: &str) -> Result<()> {
        for connector in ["connector-seewalde", "connector-meldewesen"] {
            let entries = self.processes.protocol(connector, &[])?;
            let mut entries = entries.iter().filter(|entry| entry["exchange"] == exchange);
            let entry = entries.next().with_context(|| format!("{connector}: no {exchange}"))?;
            ensure!(
                entry["result"] == result && entry["proof"] == "sound",
                "{connector}: {entry:#}"
            );
            ensure!(entries.next().is_none(), "{connector}: {exchange} twice");
        }
        Ok(())
    }
}

#[test]
fn an_exchange_that_waits_survives_restarts_and_is_closed_once() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut stage = Stage::start(&scratch.path().join("demo"), "127.0.0.1:26200", 40)?;
    let asked = Asked::new("GA-2026-1");
    let exchange = stage.send_until_it_waits(&asked)?;
    let ([_, intents, outcomes], lookups) = (stage.counts()?, stage.lookups()?);
    stage.restart()?;
    ensure!(
        stage.counts()? == [1, intents, outcomes],
        "the intent is open, and no other was made"
    );
    ensure!(stage.state("GET", &exchange)?.1["outcome"] == "pending" && stage.lookups()? == lookups);

    let mut last = None;
    wait_for(LIMIT, || {
        Ok(last.insert(stage.state("GET", &exchange)?).1["outcome"] == "available")
    })
    .with_context(|| format!("{last:?}"))?;
    stage.restart()?;
    let (status, answer) = stage.send(&asked)?;
    let address = &answer["evidence"]["fields"]["anschrift"];
    ensure!(status == 200 && address == ADDRESS, "{status} {answer:#}");
    ensure!(answer["exchange"] == exchange.as_str() && stage.send(&asked)? == (200, answer));
    ensure!(stage.state("GET", &exchange)?.0 == 404 && stage.lookups()? == lookups + 1);

    stage.processes.every_intent_is_closed()?;
    ensure!(stage.counts()? == [0, intents, outcomes + 1]);
    stage.is_in_the_protocols(&exchange, "delivered")
}

#[test]
fn a_request_that_is_withdrawn_is_closed_and_its_register_is_not_looked_up() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut stage = Stage::start(&scratch.path().join("demo"), "127.0.0.1:26300", 86_400)?;
    let asked = Asked::new("GA-2026-2");
    let exchange = stage.send_until_it_waits(&asked)?;
    let ([_, intents, outcomes], lookups) = (stage.counts()?, stage.lookups()?);
    // The broker is away. The connector brings the withdrawal when it is back, although it was restarted itself.
    stage
        .processes
        .running
        .remove("broker")
        .context("the broker runs")?
        .kill()?;
    let (status, withdrawing) = stage.state("DELETE", &exchange)?;
    ensure!(
        status == 202 && withdrawing["outcome"] == "withdrawing",
        "{status} {withdrawing:#}"
    );
    let broker = stage.processes.start_again("broker")?;
    stage.processes.healthy(&broker)?;
    stage.restart()?;
    let mut last = None;
    wait_for(LIMIT, || {
        Ok(last.insert(stage.state("GET", &exchange)?).1["outcome"] == "withdrawn")
    })
    .with_context(|| format!("{last:?}"))?;
    let (status, answer) = stage.send(&asked)?;
    ensure!(status == 200 && answer["outcome"] == "withdrawn", "{status} {answer:#}");
    ensure!(
        answer["outcome_entry"].is_u64() && answer["evidence"].is_null(),
        "{answer:#}"
    );
    ensure!(stage.state("DELETE", &exchange)? == (200, answer));

    stage.processes.every_intent_is_closed()?;
    ensure!(stage.counts()? == [0, intents, outcomes + 1] && stage.lookups()? == lookups);
    stage.is_in_the_protocols(&exchange, "timed-out")
}
