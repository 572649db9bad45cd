//! A citizen asks the registers what they have: each question is recorded as the citizen's own before a register is
//! asked, the answers come as registers give them, and nothing of them is kept. Every process is the released program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::citizen::Citizen;
use tests::processes::{Processes, post};
use tests::{files_below, wait_for};

/// What the demonstration has: a register of vehicles, one of residents, and one of driving licences that is out of
/// service.
const REGISTERS: [&str; 3] = ["bund:kba:zfer", "bund:kba:zfzr", "land:lam:melderegister"];
const ANSWERS: &str = "/meine-daten/antwort";
/// Emma's vehicle and address, which are in her registers alone.
const VIN: &str = "WVWZZZ1KZAW000001";
const ADDRESS: &str = "Lindenstraße 4";

fn form(registers: &[&str]) -> String {
    let fields: Vec<String> = registers
        .iter()
        .map(|register| format!("register={register}"))
        .collect();
    fields.join("&")
}

/// Asks registers. Returns the page.
fn ask(citizen: &Citizen, registers: &[&str]) -> Result<String> {
    let answer = citizen.post(ANSWERS, form(registers))?;
    ensure!(answer.status() == 200, "{}", answer.status());
    Ok(answer.text()?)
}

fn counted(page: &str, expected: [usize; 4]) -> Result<()> {
    for (name, count) in ["gefragt", "gefunden", "nichts", "unerreichbar"]
        .into_iter()
        .zip(expected)
    {
        ensure!(
            page.contains(&format!("data-count=\"{name}\">{count}<")),
            "{name} is not {count}: {page}"
        );
    }
    Ok(())
}

/// How often the register of vehicles was asked for everything about a person.
fn stock_lookups(processes: &Processes) -> Result<usize> {
    let log = std::fs::read_to_string(processes.data.join("register-kba/access.log"))?;
    Ok(log.matches(r#""evidence_type":"stock""#).count())
}

#[test]
fn a_citizen_sees_what_the_registers_have_and_causes_an_entry_for_each_question() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::start(&scratch.path().join("demo"), "127.0.0.1:26600")?;
    processes.start_residents()?;
    let connector = processes.info.connectors["cockpit"].clone();
    processes.up("connector-cockpit", "connector", &connector)?;
    processes.healthy(&connector)?;
    processes.all_healthy()?;
    processes.start_portal()?;
    let emma = Citizen::log_in(&processes.info, "emma")?;
    let (status, page) = emma.get("/meine-daten")?;
    let page = String::from_utf8(page)?;
    ensure!(
        status == 200 && REGISTERS.iter().all(|register| page.contains(register)),
        "{status} {page}"
    );
    ensure!(
        page.matches(" checked").count() == REGISTERS.len(),
        "not all registers are chosen"
    );
    answers_come_one_after_the_other(&emma)?;
    a_register_that_has_nothing_says_so(&processes)?;
    only_the_portals_connector_may_ask(&processes)?;
    processes.every_intent_is_closed()?;
    the_citizen_has_caused_it(&processes)?;
    nothing_is_kept(&processes)?;
    no_register_is_asked_without_the_log(&mut processes)
}

/// The register that is out of service does not keep the others from answering.
fn answers_come_one_after_the_other(emma: &Citizen) -> Result<()> {
    let begun = Instant::now();
    let mut answer = emma.post(ANSWERS, form(&REGISTERS))?;
    ensure!(answer.status() == 200, "{}", answer.status());
    let (mut page, mut piece, mut found) = (Vec::new(), [0; 4096], None);
    loop {
        let read = answer.read(&mut piece)?;
        if read == 0 {
            break;
        }
        page.extend_from_slice(&piece[..read]);
        if found.is_none() && String::from_utf8_lossy(&page).contains(VIN) {
            found = Some(begun.elapsed());
        }
    }
    let (found, all) = (found.context("the vehicle is not shown")?, begun.elapsed());
    ensure!(
        found + Duration::from_millis(500) < all,
        "shown after {found:?} of {all:?}"
    );
    let page = String::from_utf8(page)?;
    ensure!(page.ends_with("</html>") && page.contains(ADDRESS), "{page}");
    counted(&page, [3, 2, 0, 1])
}

fn a_register_that_has_nothing_says_so(processes: &Processes) -> Result<()> {
    let janusz = Citizen::log_in(&processes.info, "janusz")?;
    counted(&ask(&janusz, &REGISTERS[1..])?, [2, 1, 1, 0])?;
    // Without a choice nothing is asked.
    let nothing = janusz.post(ANSWERS, form(&[]))?;
    ensure!(nothing.status() == 303, "{}", nothing.status());
    let (status, _) = janusz.get(ANSWERS)?;
    ensure!(status == 303, "{status}");
    Ok(())
}

/// Neither another authority nor a caller without the portal's credential gets anything.
fn only_the_portals_connector_may_ask(processes: &Processes) -> Result<()> {
    let query = json!({
        "provider": REGISTERS[1], "evidence_type": "bestand-zfzr", "purpose": "eigene-auskunft",
        "request_reference": "X-1", "official": "-", "assurance": "high",
        "person": { "idnr": "08214967384", "date_of_birth": "1964-08-12" },
    });
    for (name, expected) in [("cockpit", 401), ("rheinfurt", 403)] {
        let url = format!("{}/evidence", processes.info.connectors[name]);
        let (status, body): (u16, Value) = post(&url, query.to_string())?;
        ensure!(
            status == expected && !body.to_string().contains(VIN),
            "{name}: {status} {body:#}"
        );
    }
    Ok(())
}

/// After a new login the questions are among what Emma has done, and are no authority's.
fn the_citizen_has_caused_it(processes: &Processes) -> Result<()> {
    let mut page = String::new();
    wait_for(Duration::from_secs(30), || {
        let emma = Citizen::log_in(&processes.info, "emma")?;
        ensure!(emma.completeness()? == "server", "the list is not proved");
        let (status, visits) = emma.get("/besuche")?;
        ensure!(status == 200, "{status}");
        let visits = String::from_utf8(visits)?;
        let (_, list) = emma.get("/abrufe")?;
        page = String::from_utf8(list)?;
        Ok(visits.matches("Von Ihnen veranlasst").count() >= 3)
    })
    .with_context(|| page.clone())?;
    ensure!(
        !page.contains("Bundesverwaltungsamt"),
        "an own request is in the authorities' list: {page}"
    );
    ensure!(page.contains("Mal haben Sie selbst ein Register gefragt"), "{page}");
    Ok(())
}

/// Only the registers have the data.
fn nothing_is_kept(processes: &Processes) -> Result<()> {
    for file in files_below(&processes.data)? {
        let short = file.strip_prefix(&processes.data)?;
        if short.starts_with("register-kba") || short.starts_with("register-meldewesen") {
            continue;
        }
        let bytes = std::fs::read(&file)?;
        for data in [VIN, ADDRESS] {
            let found = bytes.windows(data.len()).any(|window| window == data.as_bytes());
            ensure!(!found, "{data} is in {}", short.display());
        }
    }
    Ok(())
}

/// The log is not there: nobody is asked, and the page says so.
fn no_register_is_asked_without_the_log(processes: &mut Processes) -> Result<()> {
    let emma = Citizen::log_in(&processes.info, "emma")?;
    let before = stock_lookups(processes)?;
    ensure!(before >= 2, "the register was asked {before} times");
    let ledger = processes.running.remove("ledger");
    ledger.context("the ledger runs")?.kill()?;
    counted(&ask(&emma, &REGISTERS[1..2])?, [1, 0, 0, 1])?;
    ensure!(
        stock_lookups(processes)? == before,
        "the register was asked without an entry"
    );
    Ok(())
}
