//! A provider that does not answer: after some exchanges the broker begins none with it, and begins them again when it
//! answers. Every process is the released program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests::processes::Processes;
use tests::{http, wait_for};

/// The number of entries that the log has.
fn head(processes: &Processes) -> Result<u64> {
    let head = http()?.get(format!("{}/head", processes.info.ledger)).send()?.text()?;
    Ok(head.lines().nth(1).context("a checkpoint")?.parse()?)
}

#[test]
fn exchanges_with_a_provider_that_does_not_answer_are_not_begun() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::start(&scratch.path().join("demo"), "127.0.0.1:24600")?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    let connector = processes.running.remove("connector-kba");
    connector.context("the connector runs")?.kill()?;
    // Each of these is begun, and fails after the broker has tried for some seconds.
    let mut before = 0;
    wait_for(Duration::from_secs(180), || {
        before = head(&processes)?;
        let (status, body) = processes.ask()?;
        ensure!(status == 503 && body["evidence"].is_null(), "{status} {body:#}");
        Ok(head(&processes)? == before)
    })
    .context("every exchange is begun")?;
    let (status, body) = processes.ask()?;
    ensure!(status == 503, "{status} {body:#}");
    let kind = body["type"].as_str().unwrap_or_default();
    ensure!(kind.ends_with(":provider-unavailable"), "{body:#}");
    let url = processes.info.connectors["kba"].clone();
    processes.up("connector-kba", "connector", &url)?;
    processes.healthy(&url)?;
    let mut last = None;
    wait_for(Duration::from_secs(120), || {
        last = Some(processes.ask()?);
        Ok(last.as_ref().is_some_and(|(status, _)| *status == 200))
    })
    .with_context(|| format!("{last:?}"))?;
    processes.every_intent_is_closed()
}
