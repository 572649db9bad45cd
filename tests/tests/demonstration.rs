//! The demonstration as a new user runs it: it seeds a log, its audit is sound, it continues after a restart, and it
//! leaks no personal data.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use proof::bundle::Bundle;
use tests::citizen::Citizen;
use tests::processes::post;
use tests::{Demo, DemoInfo, copy_folder, files_below, http, run, verifier, wait_for};

/// All checks share one demonstration, because starting one takes a while.
#[test]
fn the_demonstration_is_sound_continues_and_leaks_no_personal_data() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("demo");
    let demo = Demo::start(&data)?;
    let online = audits_green(&demo.info)?;
    let export = scratch.path().join("export");
    export_has_the_same_root(&data, &export, &demo.info, &online)?;
    every_kind_of_tampering_is_found(scratch.path(), &export, &demo.info)?;
    an_authority_gets_evidence(&demo.info)?;
    a_legal_persons_evidence_is_in_no_cockpit(&demo.info)?;
    bad_input_stores_nothing(&demo.info)?;
    metrics_hold_no_person(&demo.info)?;
    let genesis = demo.info.genesis.clone();
    demo.stop()?;
    nothing_personal_in(&data, &["ledger", "broker"])?;
    nothing_personal_in_file(&data.with_extension("log"))?;
    continues_where_it_was(&data, &genesis)?;
    others_reach_no_secret(&data)?;
    no_process_starts_with_exposed_secrets(&data)
}

/// A start as a user makes it. The real compartments have run through 27 months: each person's list is whole, periods
/// are final and destroyed, a connector is suspended, and the demonstration continues after a restart.
#[test]
fn the_past_is_in_the_log_and_in_each_cockpit() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("demo");
    let demo = Demo::start_with_past(&data)?;
    let report = audits_green(&demo.info)?;
    ensure!(
        report["entries"].as_u64().is_some_and(|entries| entries > 500),
        "{report:#}"
    );
    let periods = report["periods"].as_array().context("periods")?;
    let in_state = |state| periods.iter().filter(|period| period["state"] == state).count();
    ensure!(in_state("destroyed") >= 1 && in_state("final") >= 20, "{report:#}");
    ensure!(report["versions"][0]["version"] == 2, "the suspension: {report:#}");
    for (user, at_least) in [("emma", 50), ("deniz", 50), ("janusz", 50)] {
        let citizen = Citizen::log_in(&demo.info, user)?;
        ensure!(citizen.completeness()? == "server", "{user}");
        let exchanges = exchanges_in(&citizen)?;
        ensure!(exchanges >= at_least, "{user}: {exchanges} exchanges");
    }
    // Both have requests that waited: one whose register was not ready in time, and one that was withdrawn.
    for user in ["emma", "deniz"] {
        let citizen = Citizen::log_in(&demo.info, user)?;
        for (ending, reason) in [
            ("keine-antwort", "ist keine Antwort angekommen"),
            ("zurueckgezogen", "wollte keine Antwort mehr"),
        ] {
            let said = ended(&citizen, ending)?;
            ensure!(said.iter().any(|page| page.contains(reason)), "{user}: {reason}");
        }
    }
    // A guardian and a notary find what they did for others, and those find it too.
    for (user, power) in [
        ("emma", "Vormund"),
        ("elif", "Vormund"),
        ("emma", "Notariat"),
        ("deniz", "Notariat"),
    ] {
        let citizen = Citizen::log_in(&demo.info, user)?;
        let list = String::from_utf8(citizen.get(&format!("/abrufe?q={power}"))?.1)?;
        ensure!(list.contains("data-row"), "{user}: {power}");
    }
    let genesis = demo.info.genesis.clone();
    demo.stop()?;
    continues_where_it_was(&data, &genesis)
}

/// The pages of the exchanges that ended in this way.
fn ended(citizen: &Citizen, ending: &str) -> Result<Vec<String>> {
    let (status, list) = citizen.get(&format!("/abrufe?ergebnis={ending}"))?;
    ensure!(status == 200, "the list: {status}");
    let list = String::from_utf8(list)?;
    let links = list
        .split("href=\"/de/abrufe/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let indices = links.filter(|link| link.bytes().all(|byte| byte.is_ascii_digit()));
    indices
        .map(|index| Ok(String::from_utf8(citizen.get(&format!("/abrufe/{index}"))?.1)?))
        .collect()
}

/// How many exchanges a citizen's bundle has.
fn exchanges_in(citizen: &Citizen) -> Result<usize> {
    let bundle = Bundle::parse(&citizen.bundle()?)?;
    let numbers = bundle.proof.periods.iter().map(|period| period.exchanges.numbers.len());
    Ok(numbers.sum())
}

/// Audits the published log until no exchange is open in it. Returns the report.
fn audits_green(info: &DemoInfo) -> Result<serde_json::Value> {
    let policy = info.policy.to_str().context("path")?;
    let arguments = [
        "audit",
        "--log",
        &info.ledger,
        "--policy",
        policy,
        "--genesis",
        &info.genesis,
    ];
    let mut last = serde_json::Value::Null;
    wait_for(Duration::from_secs(30), || {
        let (code, report) = verifier(&arguments)?;
        ensure!(code == 0, "{report:#}");
        last = report;
        Ok(last["open_intents"] == 0)
    })
    .with_context(|| format!("{last:#}"))?;
    ensure!(last["entries"].as_u64().is_some_and(|entries| entries > 20), "{last:#}");
    Ok(last)
}

fn export_has_the_same_root(data: &Path, export: &Path, info: &DemoInfo, online: &serde_json::Value) -> Result<()> {
    let ledger = data.join("ledger");
    let output = run(
        "ledger",
        &[
            "export",
            "--data",
            ledger.to_str().unwrap(),
            "--to",
            export.to_str().unwrap(),
            "--records",
        ],
    )?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (code, report) = verifier(&[
        "audit",
        "--log",
        export.to_str().unwrap(),
        "--policy",
        info.policy.to_str().unwrap(),
        "--records",
    ])?;
    ensure!(code == 0, "{report:#}");
    ensure!(report["checkpoints_checked"].as_u64() > Some(1), "{report:#}");
    if report["entries"] == online["entries"] {
        ensure!(report["root"] == online["root"], "{report:#} {online:#}");
    } else {
        // The log has grown between the two audits, so audit the published log again.
        let again = audits_green(info)?;
        ensure!(
            again["entries"] != report["entries"] || again["root"] == report["root"],
            "{report:#} {again:#}"
        );
    }
    Ok(())
}

/// For a sample of every kind of file: a flipped byte, a missing file, a surplus file.
fn every_kind_of_tampering_is_found(scratch: &Path, export: &Path, info: &DemoInfo) -> Result<()> {
    let files = files_below(export)?;
    let kind = |prefix: &str| {
        files
            .iter()
            .find(|file| file.strip_prefix(export).is_ok_and(|path| path.starts_with(prefix)))
    };
    for prefix in ["checkpoint", "tile/0", "tile/entries", "documents", "records"] {
        let file = kind(prefix).with_context(|| format!("no {prefix} in the export"))?;
        let name = file.strip_prefix(export)?;
        let copy = scratch.join("tampered");
        let bytes = std::fs::read(file)?;
        for position in [0, bytes.len() / 2, bytes.len() - 1] {
            tampered(
                export,
                &copy,
                info,
                name,
                &format!("{prefix}: byte {position} flipped"),
                |path| {
                    let mut bytes = bytes.clone();
                    bytes[position] ^= 1;
                    std::fs::write(path, bytes)
                },
            )?;
        }
        tampered(export, &copy, info, name, &format!("{prefix}: deleted"), |path| {
            std::fs::remove_file(path)
        })?;
        let added = name.with_file_name("000f");
        tampered(
            export,
            &copy,
            info,
            &added,
            &format!("{prefix}: a file added"),
            |path| std::fs::write(path, b"x"),
        )?;
    }
    Ok(())
}

fn tampered(
    export: &Path,
    copy: &Path,
    info: &DemoInfo,
    name: &Path,
    what: &str,
    change: impl FnOnce(&Path) -> std::io::Result<()>,
) -> Result<()> {
    copy_folder(export, copy)?;
    change(&copy.join(name))?;
    let (code, report) = verifier(&[
        "audit",
        "--log",
        copy.to_str().unwrap(),
        "--policy",
        info.policy.to_str().unwrap(),
        "--records",
    ])?;
    ensure!(code == 1, "{what}: exit {code} {report:#}");
    let place = name.to_string_lossy().into_owned();
    ensure!(
        report["findings"].to_string().contains(&place),
        "{what}: no finding names {place}: {report:#}"
    );
    std::fs::remove_dir_all(copy)?;
    Ok(())
}

fn an_authority_gets_evidence(info: &DemoInfo) -> Result<()> {
    let question = tests::evidence_request();
    let url = format!("{}/evidence", info.connectors["rheinfurt"]);
    let (status, awaiting) = post(&url, question.clone())?;
    ensure!(status == 202 && awaiting["evidence"].is_null(), "{status} {awaiting:#}");
    let exchange = awaiting["exchange"].as_str().context("an exchange")?;
    let login = serde_json::from_str::<serde_json::Value>(&question)?["login"].clone();
    let decision = serde_json::json!({ "login": login, "decision": "accept" });
    let (status, json) = post(&format!("{url}/{exchange}/decision"), decision.to_string())?;
    ensure!(
        status == 200 && json["outcome"] == "delivered" && json["evidence"].is_object(),
        "{status} {json:#}"
    );
    Ok(())
}

/// A firm gets its evidence under the same checks, and what is recorded of it concerns no person.
fn a_legal_persons_evidence_is_in_no_cockpit(info: &DemoInfo) -> Result<()> {
    let url = format!("{}/evidence", info.connectors["seewalde"]);
    let ask = |euid: &str| {
        let question = serde_json::json!({
            "provider": "land:auwald:handelsregister", "evidence_type": "handelsregisterauszug",
            "purpose": "gewerbeanzeige", "request_reference": "GA-2026-17", "official": "sachbearbeitung-2",
            "legal_person": { "name": "Seewalder Bootsbau GmbH", "euid": euid },
        });
        post(&url, question.to_string())
    };
    let (status, found) = ask("DEX1234R.HRB4711")?;
    ensure!(
        status == 200 && found["evidence"]["fields"]["sitz"] == "Seewalde",
        "{status} {found:#}"
    );
    let (status, nothing) = ask("DEX1234R.HRB1")?;
    ensure!(
        status == 200 && nothing["outcome"] == "nothing_found",
        "{status} {nothing:#}"
    );
    let covered = |report: &serde_json::Value| report["entries"].as_u64() > nothing["outcome_entry"].as_u64();
    wait_for(Duration::from_secs(60), || Ok(covered(&audits_green(info)?)))?;
    for login in &info.logins {
        let citizen = Citizen::log_in(info, &login.user)?;
        let (status, page) = citizen.get("/abrufe")?;
        let page = String::from_utf8(page)?;
        ensure!(status == 200 && citizen.completeness()? == "server", "{}", login.user);
        ensure!(
            !page.contains("Handelsregister"),
            "{} sees a firm's exchange",
            login.user
        );
    }
    Ok(())
}

fn bad_input_stores_nothing(info: &DemoInfo) -> Result<()> {
    let client = http()?;
    for body in [&b""[..], b"\xff\xff", b"\x83\x41\x00\xf6\xf6"] {
        let answer = client
            .post(format!("{}/entries", info.ledger))
            .header("content-type", "application/cbor-seq")
            .body(body.to_vec())
            .send()?;
        ensure!(answer.status().is_client_error(), "{}", answer.status());
        ensure!(answer.headers()["content-type"] == "application/problem+json");
    }
    audits_green(info).map(drop)
}

/// The demonstration's numbers, names and vehicle numbers.
fn canaries() -> Vec<String> {
    let persons: serde_json::Value = serde_json::from_str(include_str!("../../einsicht/data/persons.json")).unwrap();
    let mut canaries: Vec<String> = persons
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|person| {
            ["idnr", "family_name", "given_name"].map(|field| person[field].as_str().unwrap().to_owned())
        })
        .collect();
    canaries.extend([
        "WVWZZZ1KZAW000001".to_owned(),
        "W0L0SDL08A4000002".to_owned(),
        "WBY1Z21090V000003".to_owned(),
        // A small firm is its owner.
        "Seewalder Bootsbau".to_owned(),
        "HRB4711".to_owned(),
    ]);
    canaries
}

fn nothing_personal_in(data: &Path, compartments: &[&str]) -> Result<()> {
    for compartment in compartments {
        for file in files_below(&data.join(compartment))? {
            nothing_personal_in_file(&file)?;
        }
    }
    Ok(())
}

fn nothing_personal_in_file(file: &Path) -> Result<()> {
    let bytes = std::fs::read(file)?;
    for canary in canaries() {
        let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
        // The demonstration prints its test logins on purpose, and its log file also has its standard output.
        let printed = file.extension().is_some_and(|extension| extension == "log");
        ensure!(
            !found || printed && is_login_line(&bytes, &canary),
            "{canary} is in {}",
            file.display()
        );
    }
    Ok(())
}

/// Whether every line with the canary announces a test login.
fn is_login_line(bytes: &[u8], canary: &str) -> bool {
    String::from_utf8_lossy(bytes)
        .lines()
        .filter(|line| line.contains(canary))
        .all(|line| line.trim_start().starts_with("login"))
}

fn metrics_hold_no_person(info: &DemoInfo) -> Result<()> {
    let text = http()?.get(format!("{}/metrics", info.operations)).send()?.text()?;
    ensure!(text.contains("# TYPE"), "no metrics");
    metrics_are_those_of_the_documentation(&text)?;
    for canary in canaries() {
        ensure!(!text.contains(&canary), "{canary} is in the metrics");
    }
    // Metrics tell when something happened, so the public listeners have none.
    for base in [&info.ledger, &info.antrag, &info.portal] {
        for path in ["metrics", "health"] {
            let status = http()?.get(format!("{base}/{path}")).send()?.status();
            ensure!(status == 404, "{base}/{path}: {status}");
        }
    }
    Ok(())
}

/// Every metric is in a table of docs/operating.md with exactly its labels and has a help text, and those in steps are
/// in steps.
fn metrics_are_those_of_the_documentation(text: &str) -> Result<()> {
    let rows = include_str!("../../docs/operating.md").lines();
    let documented: Vec<(&str, bool)> = rows
        .filter(|row| row.starts_with("| `"))
        .flat_map(|row| {
            let mut cells = row.split(" | ");
            let names = cells.next().unwrap_or_default().split('`').skip(1).step_by(2);
            let in_steps = cells.next() == Some("yes");
            names.map(move |name| (name, in_steps))
        })
        .collect();
    let mut known = 0;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (series, value) = line.rsplit_once(' ').context("a sample has a value")?;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let mut labels: Vec<&str> = labels
            .split("\",")
            .filter_map(|label| Some(label.split_once('=')?.0))
            .collect();
        // The parts of a summary.
        labels.retain(|label| *label != "quantile");
        let name = ["_sum", "_count"]
            .iter()
            .find_map(|part| name.strip_suffix(part))
            .unwrap_or(name);
        let expected = match labels[..] {
            [] => name.to_owned(),
            _ => format!("{name}{{{}}}", labels.join(",")),
        };
        let found = documented.iter().find(|(documented, _)| *documented == expected);
        let (_, in_steps) = found.with_context(|| format!("not in docs/operating.md: {line}"))?;
        ensure!(
            !in_steps || value.parse::<u64>()? % 10 == 0,
            "not in steps of ten: {line}"
        );
        ensure!(text.contains(&format!("# HELP {name} ")), "no help text: {line}");
        known += 1;
    }
    ensure!(known > 10, "only {known} samples");
    Ok(())
}

fn mode(path: &Path) -> Result<u32> {
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o777)
}

/// The directories of the compartments are private, and so is each file with secrets. This can fail only if the umask
/// of the tests lets others read new files, as the usual one does.
fn others_reach_no_secret(data: &Path) -> Result<()> {
    for entry in std::fs::read_dir(data)? {
        let path = entry?.path();
        if path.is_dir() {
            ensure!(mode(&path)? == 0o700, "{}: {:o}", path.display(), mode(&path)?);
        }
    }
    let files = files_below(data)?;
    // RocksDB chooses the mode of its own files.
    let store = data.join("ledger/store");
    ensure!(mode(&store)? == 0o700, "{:o}", mode(&store)?);
    for extension in ["redb", "key", "credential", "log"] {
        let mut secrets = files.clone();
        secrets.retain(|file| !file.starts_with(&store) && file.extension().is_some_and(|found| found == extension));
        ensure!(!secrets.is_empty(), "no file *.{extension}");
        for file in secrets {
            ensure!(mode(&file)? == 0o600, "{}: {:o}", file.display(), mode(&file)?);
        }
    }
    Ok(())
}

/// A start with one exposed file or directory fails, and the error names the command that makes it private.
fn no_process_starts_with_exposed_secrets(data: &Path) -> Result<()> {
    let mut secrets = files_below(data)?;
    secrets.retain(|file| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // The demonstration imports its persons at each start, into a new file.
        (name.ends_with(".redb") && name != "persons.redb")
            || ["access.log", "log.key", "register.credential"].contains(&name)
    });
    secrets.extend(
        ["ledger/store", "identity", "broker", "connector-kba", "register-kba"].map(|folder| data.join(folder)),
    );
    for secret in &secrets {
        let private = mode(secret)?;
        std::fs::set_permissions(secret, Permissions::from_mode(private | 0o044))?;
        let output = run(
            "einsicht",
            &["demo", "--exit-after-seed", "--data", data.to_str().unwrap()],
        )?;
        // The configurations name their own directory, so paths contain "/./".
        let text = String::from_utf8_lossy(&output.stderr).replace("/./", "/");
        let command = format!("chmod {private:o} '{}'", secret.display());
        ensure!(!output.status.success() && text.contains(&command), "{command}: {text}");
        std::fs::set_permissions(secret, Permissions::from_mode(private))?;
    }
    ensure!(secrets.len() > 10, "{secrets:?}");
    Ok(())
}

fn continues_where_it_was(data: &Path, genesis: &str) -> Result<()> {
    let demo = Demo::start(data)?;
    ensure!(demo.info.genesis == genesis, "another log");
    wait_for(Duration::from_secs(30), || Ok(audits_green(&demo.info).is_ok()))?;
    an_authority_gets_evidence(&demo.info)?;
    demo.stop()
}
