//! A representative fetches evidence about another person. Both find it in their cockpit, proved and complete, each in
//! words of their own; the log does not show that the entries belong together. Every process is the released program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::citizen::Citizen;
use tests::processes::Processes;
use tests::{represented_request, wait_for};

const TO_THE_REPRESENTED: &str = "Jemand mit Ihrer Vollmacht hat dabei für Sie gehandelt.";
const TO_THE_REPRESENTATIVE: &str = "Sie haben dabei mit einer Vollmacht für einen anderen Menschen gehandelt.";

/// The number of entries of a kind among all that the log has now, by an audit that must be sound.
fn entries(processes: &Processes, kind: &str) -> Result<u64> {
    let (code, report) = processes.audit()?;
    ensure!(code == 0, "{report:#}");
    Ok(report["kinds"][kind].as_u64().unwrap_or_default())
}

#[test]
fn both_persons_find_what_a_representative_has_fetched() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::start(&scratch.path().join("demo"), "127.0.0.1:28300")?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    a_query_without_login_or_power_begins_nothing(&processes)?;
    let before = ["intent", "outcome", "preview"].map(|kind| entries(&processes, kind).unwrap());
    delivered(&processes)?;
    let recorded =
        |kind, expected| wait_for(Duration::from_secs(60), || Ok(entries(&processes, kind)? == expected)).context(kind);
    for (kind, expected) in [
        ("intent", before[0] + 2),
        ("outcome", before[1] + 2),
        ("preview", before[2] + 1),
    ] {
        recorded(kind, expected)?;
    }
    processes.every_intent_is_closed()?;
    processes.start_portal()?;
    for (person, own, others) in [
        ("emma", TO_THE_REPRESENTED, TO_THE_REPRESENTATIVE),
        ("deniz", TO_THE_REPRESENTATIVE, TO_THE_REPRESENTED),
    ] {
        let citizen = Citizen::log_in(&processes.info, person)?;
        wait_for(Duration::from_secs(60), || {
            let (status, page) = citizen.get("/abrufe")?;
            let page = String::from_utf8(page)?;
            ensure!(status == 200 && !page.contains(others), "{person}: {status} {page}");
            Ok(page.contains(own))
        })
        .with_context(|| format!("{person}'s list"))?;
        ensure!(citizen.completeness()? == "server", "{person}'s list is not proved");
    }
    let janusz = Citizen::log_in(&processes.info, "janusz")?;
    let page = String::from_utf8(janusz.get("/abrufe")?.1)?;
    ensure!(
        !page.contains(TO_THE_REPRESENTED) && !page.contains(TO_THE_REPRESENTATIVE),
        "{page}"
    );
    Ok(())
}

/// The representative accepts the evidence at the preview, and the authority has it.
fn delivered(processes: &Processes) -> Result<()> {
    let (status, body) = processes.ask_with(represented_request())?;
    ensure!(
        status == 200 && body["outcome"] == "delivered" && body["evidence"].is_object(),
        "{status} {body:#}"
    );
    Ok(())
}

fn a_query_without_login_or_power_begins_nothing(processes: &Processes) -> Result<()> {
    let before = entries(processes, "intent")?;
    type Change = fn(&mut Value);
    let changes: [(&str, &str, Change); 6] = [
        ("login-required", "no login", |question| {
            question["login_proof"] = Value::Null
        }),
        ("power", "an expired power", |question| {
            question["representative"]["valid_until"] = "2025-12-31".into();
        }),
        ("power", "a power of the future", |question| {
            question["representative"]["valid_from"] = "2099-01-01".into();
        }),
        ("power", "a parent of an adult", |question| {
            question["representative"]["power"] = "parent".into();
        }),
        ("question", "no digest", |question| {
            question["representative"]["document_digest"] = "5a".into();
        }),
        ("question", "the role instead of the person", |question| {
            question["representative"] = Value::Null;
            question["role"] = "representative".into();
        }),
    ];
    for (slug, what, change) in changes {
        let mut question: Value = serde_json::from_str(&represented_request())?;
        change(&mut question);
        let (status, body) = processes.ask_with(question.to_string())?;
        ensure!(
            status == 400 && body["type"].to_string().contains(slug),
            "{what}: {status} {body:#}"
        );
    }
    ensure!(entries(processes, "intent")? == before, "something was recorded");
    Ok(())
}
