//! A register that is slow, refuses, hangs up in the middle of its answer, or answers with what no one can use. Its
//! authority learns at once that there is no evidence, and the log says what happened.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::processes::Processes;

/// How long the provider's connector waits for its register, in seconds.
const PATIENCE: u64 = 3;

/// The register with one fault, asked once.
struct Case {
    fault: Value,
    /// Status and `type` or `outcome` of the consumer's answer.
    answer: (u16, &'static str),
    /// What both protocols say.
    result: &'static str,
    /// How often the register looks something up.
    lookups: usize,
    /// The alarm of the provider's connector.
    alarm: Option<&'static str>,
}

const UNAVAILABLE: (u16, &str) = (503, "urn:einsicht:problem:provider-unavailable");

fn cases() -> [Case; 7] {
    let failed = |fault: Value, lookups, alarm| Case {
        fault,
        answer: UNAVAILABLE,
        result: "failed",
        lookups,
        alarm,
    };
    [
        Case {
            fault: json!({ "delay_ms": 1500 }),
            answer: (200, "delivered"),
            result: "delivered",
            lookups: 1,
            alarm: None,
        },
        failed(json!({ "delay_ms": 1000 * PATIENCE + 2000 }), 0, None),
        failed(json!({ "instead": "refusal" }), 0, None),
        failed(json!({ "instead": "cut" }), 1, None),
        failed(json!({ "instead": "half" }), 1, None),
        failed(json!({ "instead": "not_xml" }), 1, None),
        failed(json!({ "instead": "too_large" }), 1, Some("evidence-too-large")),
    ]
}

/// Gives the register a fault, and starts it again.
fn restart(processes: &mut Processes, fault: Option<&Value>) -> Result<()> {
    processes.configure("register-kba", |config| {
        config["test"] = fault.is_some().into();
        config["faults"] = fault.into_iter().cloned().collect();
    })?;
    let url = processes.kill_and_start("register-kba")?;
    processes.healthy(&url)
}

/// Intents and outcomes of the log, which is sound, when no intent is open.
fn closed(processes: &Processes) -> Result<[Option<u64>; 2]> {
    processes.every_intent_is_closed()?;
    let (_, report) = processes.audit()?;
    Ok(["intent", "outcome"].map(|kind| report["kinds"][kind].as_u64()))
}

fn try_one(processes: &mut Processes, case: &Case) -> Result<()> {
    restart(processes, Some(&case.fault))?;
    let (before, lookups) = (closed(processes)?, processes.register_asked()?);
    let alarms = |processes: &Processes| case.alarm.map_or(Ok(0), |kind| processes.alarms("kba", kind));
    let alarmed = alarms(processes)?;
    let (status, body) = processes.ask()?;
    let said = body["outcome"].as_str().or(body["type"].as_str());
    ensure!(
        (status, said) == (case.answer.0, Some(case.answer.1)),
        "{status} {body:#}"
    );
    ensure!(
        closed(processes)? == before.map(|count| count.map(|count| count + 1)),
        "one intent and one outcome"
    );
    ensure!(processes.register_asked()? == lookups + case.lookups, "lookups");
    ensure!(
        alarms(processes)? == alarmed + u64::from(case.alarm.is_some()),
        "alarms"
    );
    for connector in ["connector-rheinfurt", "connector-kba"] {
        let entries = processes.protocol(connector, &[])?;
        let newest = entries.iter().max_by_key(|entry| entry["intent"].as_u64());
        let newest = newest.with_context(|| format!("{connector} has no entry"))?;
        ensure!(
            newest["result"] == case.result && newest["proof"] == "sound",
            "{connector}: {newest:#}"
        );
    }
    Ok(())
}

#[test]
fn a_registers_fault_is_a_clear_error_at_the_consumer_and_a_true_outcome_in_the_log() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:27300")?;
    processes.configure("connector-kba", |config| {
        config["role"]["provider"]["register_seconds"] = PATIENCE.into();
    })?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    for case in cases() {
        try_one(&mut processes, &case).with_context(|| case.fault.to_string())?;
    }
    restart(&mut processes, None)?;
    processes.ask_until_delivered()
}
