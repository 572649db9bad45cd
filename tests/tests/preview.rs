//! The preview: evidence is used only when its person has accepted, and the log has the decision.
//!
//! Every process is the released program. The attacks are a login that is not the person's, a broker that answers with
//! another proof or with none, and a connector that is killed in between.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use messages::PreviewNotice;
use record::cbor;
use serde_json::{Value, json};
use tests::citizen::Citizen;
use tests::forgery;
use tests::intermediary::Instead;
use tests::processes::{Processes, post};
use tests::surrounded::Surrounded;
use tests::{evidence_request, http, wait_for};

/// Another session, for example of another person at the same online service.
const FOREIGN: &str = "session-00000000000000000000000000000000";

/// One exchange that awaits its preview.
struct Awaiting<'a> {
    processes: &'a Processes,
    exchange: String,
    url: String,
    login: String,
}

impl<'a> Awaiting<'a> {
    fn begin(processes: &'a Processes) -> Result<Self> {
        let url = format!("{}/evidence", processes.info.connectors["rheinfurt"]);
        let (status, body) = post(&url, evidence_request())?;
        ensure!(
            status == 202 && body["outcome"] == "awaiting_preview",
            "{status} {body:#}"
        );
        ensure!(body["evidence"].is_null(), "evidence before the preview: {body:#}");
        let exchange = body["exchange"].as_str().context("an exchange")?.to_owned();
        let question: Value = serde_json::from_str(&evidence_request())?;
        Ok(Self {
            processes,
            url: format!("{url}/{exchange}"),
            exchange,
            login: question["login"].as_str().context("a login")?.to_owned(),
        })
    }

    fn show(&self, login: &str) -> Result<(u16, Value)> {
        post(&format!("{}/preview", self.url), json!({ "login": login }).to_string())
    }

    fn decide(&self, login: &str, decision: &str) -> Result<(u16, Value)> {
        let body = json!({ "login": login, "decision": decision });
        post(&format!("{}/decision", self.url), body.to_string())
    }

    fn state(&self) -> Result<(u16, Value)> {
        let answer = http()?.get(&self.url).send()?;
        Ok((answer.status().as_u16(), serde_json::from_str(&answer.text()?)?))
    }

    /// Decides until the decision is in the log.
    fn decided(&self, decision: &str) -> Result<Value> {
        let mut last = None;
        wait_for(Duration::from_secs(40), || {
            let (status, body) = self.decide(&self.login, decision)?;
            let done = status == 200;
            ensure!(done || status == 503, "{status} {body:#}");
            last = Some(body);
            Ok(done)
        })?;
        last.context("a result")
    }

    /// Whether the evidence can be got in any way.
    fn evidence_is_out_of_reach(&self) -> Result<()> {
        for (status, body) in [
            self.show(&self.login)?,
            self.decide(&self.login, "accept")?,
            self.state()?,
        ] {
            ensure!(body["evidence"].is_null(), "{}: {status} {body:#}", self.exchange);
        }
        Ok(())
    }
}

/// The number of entries of a kind among all that the log has now, by an audit that must be sound.
fn entries(processes: &Processes, kind: &str) -> Result<u64> {
    let head = http()?.get(format!("{}/head", processes.info.ledger)).send()?.text()?;
    let size: u64 = head.lines().nth(1).context("a checkpoint")?.parse()?;
    let mut count = 0;
    // The audit reads what is published, which follows the head.
    wait_for(Duration::from_secs(60), || {
        let (code, report) = processes.audit()?;
        ensure!(code == 0, "{report:#}");
        count = report["kinds"][kind].as_u64().unwrap_or_default();
        Ok(report["entries"].as_u64() >= Some(size))
    })?;
    Ok(count)
}

fn previews(processes: &Processes) -> Result<u64> {
    entries(processes, "preview")
}

#[test]
fn evidence_is_shown_to_its_person_and_used_only_as_the_person_decides() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::start(&scratch.path().join("demo"), "127.0.0.1:24300")?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    let before = previews(&processes)?;
    a_query_without_a_login_begins_nothing(&processes)?;
    accepted(&processes)?;
    for (decision, outcome) in [("reject", "rejected"), ("cancel", "cancelled")] {
        let awaiting = Awaiting::begin(&processes)?;
        ensure!(awaiting.show(&awaiting.login)?.1["evidence"].is_object());
        let result = awaiting.decided(decision)?;
        ensure!(
            result["outcome"] == outcome && result["evidence"].is_null(),
            "{result:#}"
        );
        ensure!(result["preview_entry"].is_u64(), "{result:#}");
        // The same decision again has the same answer; another one is refused.
        ensure!(awaiting.decide(&awaiting.login, decision)? == (200, result));
        ensure!(awaiting.decide(&awaiting.login, "accept")?.0 == 409);
        awaiting.evidence_is_out_of_reach()?;
    }
    ensure!(previews(&processes)? == before + 3, "one entry for each decision");
    the_person_finds_the_decisions(&mut processes)
}

fn a_query_without_a_login_begins_nothing(processes: &Processes) -> Result<()> {
    let before = entries(processes, "intent")?;
    let mut question: Value = serde_json::from_str(&evidence_request())?;
    for login in [Value::Null, json!("short"), json!("ä".repeat(40))] {
        question["login"] = login;
        let (status, body) = processes.ask_with(question.to_string())?;
        ensure!(status == 400, "{status} {body:#}");
    }
    ensure!(entries(processes, "intent")? == before, "an intent was recorded");
    Ok(())
}

fn accepted(processes: &Processes) -> Result<()> {
    let awaiting = Awaiting::begin(processes)?;
    let before = previews(processes)?;
    // Another login learns nothing, not even that there is a preview, and decides nothing.
    let unknown = format!(
        "{}/evidence/{}",
        processes.info.connectors["rheinfurt"],
        uuid::Uuid::now_v7()
    );
    let unknown = post(&format!("{unknown}/preview"), json!({ "login": FOREIGN }).to_string())?;
    ensure!(unknown.0 == 404, "{unknown:?}");
    ensure!(awaiting.show(FOREIGN)? == unknown);
    for decision in ["accept", "reject", "cancel"] {
        ensure!(awaiting.decide(FOREIGN, decision)? == unknown);
    }
    ensure!(previews(processes)? == before, "a foreign decision was recorded");
    let (status, shown) = awaiting.show(&awaiting.login)?;
    ensure!(
        status == 200 && shown["evidence"]["fields"].is_object(),
        "{status} {shown:#}"
    );
    let (status, state) = awaiting.state()?;
    ensure!(status == 202 && state["evidence"].is_null(), "{status} {state:#}");
    let result = awaiting.decided("accept")?;
    ensure!(result["outcome"] == "delivered", "{result:#}");
    ensure!(result["evidence"] == shown["evidence"], "other evidence than was shown");
    // A lost answer is repeated, for the person alone.
    ensure!(awaiting.decide(&awaiting.login, "accept")? == (200, result));
    ensure!(awaiting.decide(FOREIGN, "accept")? == unknown);
    ensure!(awaiting.show(&awaiting.login)?.0 == 409, "shown after the decision");
    Ok(())
}

/// The cockpit proves the decisions, and shows them with their exchange.
fn the_person_finds_the_decisions(processes: &mut Processes) -> Result<()> {
    processes.start_portal()?;
    let mut pages = String::new();
    wait_for(Duration::from_secs(40), || {
        let citizen = Citizen::log_in(&processes.info, "emma")?;
        pages = String::from_utf8(citizen.get("/abrufe")?.1)?;
        Ok(citizen.completeness()? == "server" && pages.contains("Die Vorschau wurde abgebrochen"))
    })
    .with_context(|| pages.clone())?;
    for words in ["In der Vorschau wurde zugestimmt", "In der Vorschau wurde abgelehnt"] {
        ensure!(pages.contains(words), "no {words}");
    }
    Ok(())
}

#[test]
fn a_person_who_does_not_decide_in_time_has_not_accepted() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:24400")?;
    processes.configure("connector-rheinfurt", |config| {
        config["role"]["consumer"]["preview_seconds"] = 1.into();
    })?;
    processes.start_all()?;
    processes.all_healthy()?;
    let mut awaiting = None;
    wait_for(Duration::from_secs(40), || {
        awaiting = Awaiting::begin(&processes).ok();
        Ok(awaiting.is_some())
    })?;
    let awaiting = awaiting.context("an exchange")?;
    let mut state = Value::Null;
    wait_for(Duration::from_secs(40), || {
        state = awaiting.state()?.1;
        Ok(state["outcome"] == "not_decided")
    })
    .with_context(|| format!("{state:#}"))?;
    ensure!(state["preview_entry"].is_u64(), "{state:#}");
    awaiting.evidence_is_out_of_reach()?;
    previews(&processes).map(drop)
}

/// What a broker that lies sends for the proof of an acceptance. The second argument is an earlier exchange's proof.
type Lie = fn(&mut PreviewNotice, &PreviewNotice);

const LIES: &[(&str, Lie)] = &[
    ("the proof of another exchange", |forged, earlier| {
        *forged = earlier.clone()
    }),
    ("another exchange's receipt", |forged, earlier| {
        forged.receipt = earlier.receipt.clone();
    }),
    ("another exchange's record", |forged, earlier| {
        forged.sealed_record = earlier.sealed_record.clone();
        forged.shared_key = earlier.shared_key.clone();
    }),
    ("a receipt that proves nothing", |forged, _| {
        forgery::tamper_receipt(&mut forged.receipt);
    }),
];

#[test]
fn nothing_is_used_without_the_proof_that_the_person_accepted() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut around = Surrounded::start(&scratch.path().join("demo"), "127.0.0.1:24500", |_| Ok(()))?;
    let passed = around.consumer.passed();
    let earlier = passed.iter().rev().find(|passed| passed.path.ends_with("/preview"));
    let earlier: PreviewNotice = cbor::from_slice(&earlier.context("a preview")?.answer)?;
    for (what, lie) in LIES {
        let awaiting = Awaiting::begin(&around.processes)?;
        let (lie, earlier) = (*lie, earlier.clone());
        around
            .consumer
            .change_answers(move |path, body| match cbor::from_slice(&body) {
                Ok(mut notice) if path.ends_with("/preview") => {
                    lie(&mut notice, &earlier);
                    cbor::to_vec(&notice)
                }
                _ => body,
            });
        let alarms = around.processes.alarms("rheinfurt", "preview")?;
        let (status, body) = awaiting.decide(&awaiting.login, "accept")?;
        ensure!(status == 403 && body["evidence"].is_null(), "{what}: {status} {body:#}");
        ensure!(
            around.processes.alarms("rheinfurt", "preview")? > alarms,
            "{what}: no alarm"
        );
        // The broker has recorded the acceptance, so its true proof releases the evidence.
        around.consumer.honest();
        ensure!(awaiting.decided("accept")?["evidence"].is_object(), "{what}");
    }
    a_lost_acknowledgement_is_repeated(&around)?;
    withheld_and_killed(&mut around)
}

/// The broker does not get the acknowledgement of a decision. The connector repeats it, so that the broker's journal
/// becomes empty.
fn a_lost_acknowledgement_is_repeated(around: &Surrounded) -> Result<()> {
    let awaiting = Awaiting::begin(&around.processes)?;
    let path = format!("/exchanges/{}/acknowledgement", awaiting.exchange);
    let taken = || {
        around
            .consumer
            .passed()
            .iter()
            .filter(|passed| passed.path == path)
            .count()
    };
    ensure!(taken() == 1, "the outcome's acknowledgement");
    around.consumer.instead_of_answers(&path, &[Instead::Refused]);
    awaiting.decided("accept")?;
    wait_for(Duration::from_secs(60), || Ok(taken() == 2)).context("the decision's acknowledgement")
}

/// The broker does not take the decision, and the connector is killed. The decision stays, and so does the evidence.
fn withheld_and_killed(around: &mut Surrounded) -> Result<()> {
    let awaiting = Awaiting::begin(&around.processes)?;
    around
        .consumer
        .withhold(&format!("/exchanges/{}/preview", awaiting.exchange));
    let (status, body) = awaiting.decide(&awaiting.login, "accept")?;
    ensure!(status == 503 && body["evidence"].is_null(), "{status} {body:#}");
    ensure!(
        awaiting.decide(&awaiting.login, "reject")?.0 == 409,
        "a second decision"
    );
    let (exchange, url, login) = (awaiting.exchange.clone(), awaiting.url.clone(), awaiting.login.clone());
    let connector = around.processes.running.remove("connector-rheinfurt");
    connector.context("the connector runs")?.kill()?;
    let base = around.processes.info.connectors["rheinfurt"].clone();
    around.processes.up("connector-rheinfurt", "connector", &base)?;
    around.processes.healthy(&base)?;
    let awaiting = Awaiting {
        processes: &around.processes,
        exchange,
        url,
        login,
    };
    ensure!(awaiting.state()?.1["outcome"] == "recording_decision");
    ensure!(awaiting.show(FOREIGN)?.0 == 404);
    around.consumer.honest();
    let result = awaiting.decided("accept")?;
    ensure!(result["evidence"].is_object(), "{result:#}");
    awaiting.processes.every_intent_is_closed()
}
