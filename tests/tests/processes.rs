//! What happens when a compartment is down, and when what others wrote is unusual or faulty: without a receipt no data
//! leaves the register, and one row never stops a service.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use anyhow::{Context, Result, ensure};
use tests::population;
use tests::processes::Processes;

#[test]
fn the_register_is_not_asked_without_a_receipt() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::start(&scratch.path().join("demo"), "127.0.0.1:21700")?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;

    // The provider's connector refuses every message that is not a forward with a receipt.
    let asked = processes.register_asked()?;
    for body in [&b""[..], b"\xa0", b"{}"] {
        let url = format!("{}/forward", processes.info.connectors["kba"]);
        let answer = processes
            .client("broker")?
            .post(url)
            .header("content-type", "application/cbor")
            .body(body.to_vec())
            .send()?;
        ensure!(answer.status().is_client_error(), "{}", answer.status());
    }
    ensure!(
        processes.register_asked()? == asked,
        "the register was asked without an exchange"
    );

    // Without the ledger an exchange is refused with a retryable status, and the register is not asked.
    processes.running.remove("ledger").unwrap().kill()?;
    for _ in 0..2 {
        let (status, body) = processes.ask()?;
        ensure!(status == 503 || status == 504, "{status} {body:#}");
        ensure!(body["evidence"].is_null(), "{body:#}");
    }
    ensure!(
        processes.register_asked()? == asked,
        "the register was asked without a receipt"
    );

    // With the ledger back, exchanges continue.
    let url = processes.info.ledger.clone();
    processes.up("ledger", "ledger", &url)?;
    processes.healthy(&url)?;
    processes.ask_until_delivered()?;
    ensure!(processes.register_asked()? > asked);

    // A broker killed between exchanges continues from its journals.
    processes.running.remove("broker").unwrap().kill()?;
    ensure!(processes.ask()?.0 >= 500, "an exchange succeeded without the broker");
    let url = processes.info.broker.clone();
    processes.up("broker", "broker", &url)?;
    processes.healthy(&url)?;
    processes.ask_until_delivered()?;

    processes.every_intent_is_closed()
}

/// A person of whom only the year of birth is known, and whose names have two forms in Unicode.
const JOSE: &str = "03987613421";

/// Adds rows to the demonstration's files: José's, and faulty ones at their beginning.
fn add_rows(processes: &Processes) -> Result<()> {
    let persons = processes.data.join("identity/persons.json");
    let text = std::fs::read_to_string(&persons)?;
    let rows = format!(
        r#"[{{"idnr":"{JOSE}","family_name":"Müller-Öz","given_name":"José","date_of_birth":"1950-00-00",
            "postal_code":"73614","place":"Rheinfurt"}},
            {{"idnr":"12","family_name":"Faulty","given_name":"\ud800","date_of_birth":"1950-13-00","more":1}},"#
    );
    std::fs::write(&persons, text.replacen('[', &rows, 1))?;
    let shown = population::import(processes)?;
    ensure!(
        shown.contains("set aside: row 2") && !shown.contains("Faulty"),
        "{shown}"
    );
    let data = processes.data.join("register-kba/data.json");
    let text = std::fs::read_to_string(&data)?;
    let rows: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text)?;
    let vehicle = rows.get("08214967384").context("Emma has a vehicle")?;
    // Deniz gets a second row, with Emma's vehicle, and one row has a field twice.
    let rows = format!(r#"{{"{JOSE}":{vehicle},"02476291358":{vehicle},"08854869212":{{"x":{{}},"x":{{}}}},"#);
    Ok(std::fs::write(&data, text.replacen('{', &rows, 1))?)
}

#[test]
fn unusual_rows_and_names_are_served_and_faulty_rows_are_set_aside() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:21600")?;
    add_rows(&processes)?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;

    // A name has two forms in Unicode and several spellings, and all of them are one person.
    for (family, given) in [
        ("Müller-Öz", "José"),
        ("Mu\u{308}ller-O\u{308}z", "Jose\u{301}"),
        ("MUELLER\u{2010}OEZ", "Jose"),
    ] {
        let (status, body) = processes.ask_about(|person| {
            *person = serde_json::json!({ "family_name": family, "given_name": given, "date_of_birth": "1950-00-00",
                "postal_code": "73614", "place": "Rheinfurt" });
        })?;
        ensure!(status == 200 && body["outcome"] == "delivered", "{status} {body:#}");
    }
    // A partial date is no day. A person with two rows gets neither.
    for (idnr, born) in [(JOSE, "1950-01-01"), ("02476291358", "1991-03-30")] {
        let (status, body) = processes.ask_about(|person| {
            *person = serde_json::json!({ "idnr": idnr, "date_of_birth": born });
        })?;
        ensure!(status == 200 && body["outcome"] == "nothing_found", "{status} {body:#}");
    }
    // What is outside of the standard is refused with the field.
    let (status, body) = processes.ask_about(|person| person["family_name"] = "Mul\u{202e}ler".into())?;
    let detail = body["detail"].as_str().unwrap_or_default();
    ensure!(status == 400 && detail.contains("family_name"), "{status} {body:#}");
    let (status, body) = processes.ask_with(r#"{"person":{"place":"A","place":"B"}}"#.to_owned())?;
    let detail = body["detail"].as_str().unwrap_or_default();
    ensure!(status == 400 && detail.contains("twice"), "{status} {body:#}");

    for (log, rows) in [("identity.log", "row=2"), ("register-kba.log", "row=3")] {
        let text = std::fs::read_to_string(processes.data.join(log))?;
        ensure!(text.contains(rows), "{log} does not name {rows}: {text}");
        ensure!(!text.contains("Faulty") && !text.contains(JOSE), "{log} quotes a row");
    }
    processes.every_intent_is_closed()
}
