//! Canaries: a person and evidence that occur nowhere else, searched for in files, logs, metrics and answers, and in
//! the memory of the processes that must not know them.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::population::{self, TestPerson};
use tests::processes::{Processes, operations};
use tests::{files_below, http};

const FAMILY_NAME: &str = "Kanarienschwarm";
const PLATE: &str = "RF-KA 7310";
const VIN: &str = "KANARIENFIN000731";
/// Processes that must not know a person or evidence, by the name of their folder.
const BLIND: [&str; 5] = ["broker", "ledger", "witness-1", "witness-2", "witness-3"];

/// Where canaries were found.
fn found(canaries: &[String], bytes: &[u8]) -> Vec<String> {
    let is_in = |canary: &&String| bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
    canaries.iter().filter(is_in).cloned().collect()
}

#[test]
fn persons_and_evidence_leave_no_trace_where_they_must_not_be() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:26100")?;
    let person = TestPerson::new(77, FAMILY_NAME, false)?;
    population::add(&processes, std::slice::from_ref(&person))?;
    let register = processes.data.join("register-kba/data.json");
    let mut rows: Value = serde_json::from_slice(&std::fs::read(&register)?)?;
    rows[&person.idnr] = json!({ "fahrzeug-parken": { "kennzeichen": PLATE, "erstzulassung": "2020-01-01",
        "halter": format!("Kira {FAMILY_NAME}"), "anschrift": "Hafengasse 1, 73614 Rheinfurt", "marke": "Opel",
        "typ": "Corsa-e", "fin": VIN, "klasse": "M1" } });
    std::fs::write(&register, serde_json::to_vec(&rows)?)?;
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;

    let canaries: Vec<String> = [FAMILY_NAME, PLATE, VIN, &person.idnr].map(str::to_owned).to_vec();
    exchanges(&processes, &person, &canaries)?;
    for name in BLIND {
        let id = processes.running.get(name).context(name)?.id();
        let hits = in_memory(&canaries, id)?;
        ensure!(hits.is_empty(), "{hits:?} in the memory of {name}");
    }
    // The search finds what is there: this process has the canaries in its memory.
    ensure!(
        in_memory(&canaries, std::process::id())?.len() == canaries.len(),
        "the search finds nothing"
    );
    nothing_in_files(&processes, &canaries)?;
    let info = &processes.info;
    let connectors = ["rheinfurt", "kba"].map(|name| &info.connectors[name]);
    for url in [&info.ledger, &info.identity, &info.broker]
        .into_iter()
        .chain(connectors)
    {
        let metrics = http()?.get(format!("{}/metrics", operations(url)?)).send()?.text()?;
        ensure!(
            found(&canaries, metrics.as_bytes()).is_empty(),
            "in the metrics of {url}"
        );
    }
    Ok(())
}

/// Delivered, by name and by number; refused, malformed and unknown: no error names the person.
fn exchanges(processes: &Processes, person: &TestPerson, canaries: &[String]) -> Result<()> {
    let by_name = TestPerson::query(FAMILY_NAME);
    let mut by_number = by_name.clone();
    by_number["idnr"] = person.idnr.clone().into();
    for query in [&by_name, &by_number] {
        let (status, body) = processes.ask_about(|person| *person = query.clone())?;
        ensure!(status == 200 && body["outcome"] == "delivered", "{status} {body:#}");
        ensure!(body.to_string().contains(VIN), "the evidence is another one");
    }
    let question: Value = serde_json::from_str(&tests::evidence_request())?;
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut question = question.clone();
        question["person"] = by_number.clone();
        change(&mut question);
        question.to_string()
    };
    for wrong in [
        changed(&|question| question["purpose"] = "neugier".into()),
        changed(&|question| question["person"]["date_of_birth"] = FAMILY_NAME.into()),
        changed(&|question| question["person"][FAMILY_NAME] = person.idnr.clone().into()),
        changed(&|question| question["official"] = format!("\u{202e}{FAMILY_NAME}").into()),
        changed(&|question| question["evidence_type"] = "".into()),
        format!("{} {FAMILY_NAME}", changed(&|_| {})),
    ] {
        let (status, body) = processes.ask_with(wrong.clone())?;
        ensure!((400..500).contains(&status), "{status} {body:#}: {wrong}");
        ensure!(
            found(canaries, body.to_string().as_bytes()).is_empty(),
            "an error names the person: {body:#}"
        );
    }
    Ok(())
}

/// The files of all processes, logs included. Only identity's and the register's own data may have them.
fn nothing_in_files(processes: &Processes, canaries: &[String]) -> Result<()> {
    let own: [&Path; 2] = [Path::new("identity"), Path::new("register-kba")];
    for file in files_below(&processes.data)? {
        let short = file.strip_prefix(&processes.data)?;
        if own.iter().any(|folder| short.starts_with(folder)) && !short.ends_with("access.log") {
            continue;
        }
        let hits = found(canaries, &std::fs::read(&file)?);
        ensure!(hits.is_empty(), "{hits:?} in {}", file.display());
    }
    Ok(())
}

/// The canaries in the memory of a process, as a core image would have it.
fn in_memory(canaries: &[String], process: u32) -> Result<Vec<String>> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps"))?;
    let mut memory = std::fs::File::open(format!("/proc/{process}/mem"))?;
    let (mut hits, mut read) = (Vec::new(), 0);
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next().context("a range")?, fields.next().context("rights")?);
        let path = fields.nth(3).unwrap_or_default();
        // What the kernel maps for itself cannot be read, and a program's own file cannot have a test's person.
        let of_a_file = path.starts_with('/') && !rights.starts_with("rw");
        if !rights.starts_with('r') || path.starts_with("[v") || of_a_file {
            continue;
        }
        let (from, to) = range.split_once('-').context("a range")?;
        let (from, to) = (u64::from_str_radix(from, 16)?, u64::from_str_radix(to, 16)?);
        let mut bytes = Vec::new();
        memory.seek(SeekFrom::Start(from))?;
        // Pages can go away while they are read.
        let _ = memory.by_ref().take(to - from).read_to_end(&mut bytes);
        read += bytes.len();
        hits.extend(found(canaries, &bytes));
    }
    ensure!(
        read > 1 << 20,
        "the memory of process {process} cannot be read: {read} bytes"
    );
    hits.sort();
    hits.dedup();
    Ok(hits)
}
