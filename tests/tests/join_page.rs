//! The page for authorities that join: every command of `docs/join.md` is run in its order, with the released programs
//! and a running system, until the new connector is healthy and has rotated its keys.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use service::durable::private_directory;
use tests::processes::Processes;
use tests::{Process, http, program, wait_for};

const PAGE: &str = include_str!("../../docs/join.md");
const BASE: &str = "127.0.0.1:26800";
/// The address on the page, and the one of this test.
const ADDRESSES: (&str, &str) = ("127.0.0.1:8701", "127.0.0.1:26880");
/// The operator's command, which runs while others act.
const WAITS: &str = "connector join link";
const SERVES: &str = "connector serve";

/// A shell in the people's folder, with the programs on its path.
fn shell(processes: &Processes, folder: &Path, commands: &str) -> Command {
    let info = &processes.info;
    let programs = program("join").parent().unwrap().to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path))).unwrap();
    let log = format!(
        "--ledger {} --policy {} --genesis {}",
        info.ledger,
        info.policy.display(),
        info.genesis
    );
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", commands]).current_dir(folder);
    command
        .env("PATH", path)
        .env("SERVICE", &info.join)
        .env("BROKER", &info.broker)
        .env("LOG", log);
    command
}

#[test]
fn the_commands_of_the_page_lead_to_a_healthy_connector() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::start(&scratch.path().join("data"), BASE)?;
    let join = processes.info.join.clone();
    processes.up("join", "join", &join)?;
    processes.healthy(&join)?;
    processes.all_healthy()?;
    let folder = scratch.path().join("people");
    private_directory(&folder)?;
    for key in ["authority-1.key", "authority-2.key", "operator.key"] {
        std::fs::copy(processes.data.join("operator").join(key), folder.join(key))?;
    }
    std::fs::copy(
        processes.data.join("join/authority.pem"),
        folder.join("authorities.pem"),
    )?;
    let blocks = PAGE
        .split("```sh\n")
        .skip(1)
        .map(|part| part.split("```").next().unwrap_or_default());
    let blocks: Vec<String> = blocks.map(|block| block.replace(ADDRESSES.0, ADDRESSES.1)).collect();
    ensure!(
        blocks.len() == 8 && blocks[0].starts_with("SERVICE="),
        "the page has other commands"
    );
    // The first block only sets what the test sets otherwise.
    let (mut waiting, mut serving, mut variables) = (None, None, String::new());
    for block in &blocks[1..] {
        if let Some(commands) = block.contains(WAITS).then_some(block) {
            let log = folder.join("operator.log");
            waiting = Some(Process::start(&mut shell(&processes, &folder, commands), &log)?);
            let shown = || std::fs::read_to_string(folder.join("joined")).unwrap_or_default();
            wait_for(Duration::from_secs(30), || Ok(shown().contains("stage")))?;
            let words = shown();
            let words = words
                .lines()
                .find_map(|line| line.strip_prefix("words "))
                .context("words")?;
            variables.push_str(&format!("WORDS='{}'\n", words.trim()));
            continue;
        }
        let (now, serves) = block.split_once(SERVES).unwrap_or((block, ""));
        if !serves.is_empty() {
            let mut operator = waiting.take().context("the operator has applied")?;
            wait_for(Duration::from_secs(60), || operator.ended())?;
            let joined = std::fs::read_to_string(folder.join("joined"))?;
            ensure!(joined.contains("listed     in version 2"), "{joined}");
        }
        let output = shell(&processes, &folder, &format!("{variables}{now}")).output()?;
        ensure!(output.status.success(), "{block}: {output:?}");
        if let Some(line) = now.lines().find(|line| line.starts_with("ENROLMENT=")) {
            variables.push_str(&format!("{line}\n"));
        }
        if !serves.is_empty() {
            let serve = format!("exec {SERVES}{} --operations 127.0.0.1:26910", serves.trim_end());
            let connector = Process::start(&mut shell(&processes, &folder, &serve), &folder.join("connector.log"))?;
            wait_for(Duration::from_secs(30), || {
                let health = http()?.get("http://127.0.0.1:26910/health").send();
                Ok(health.is_ok_and(|answer| answer.status() == 200))
            })?;
            serving = Some(connector);
        }
    }
    let connector = serving.context("the page does not start the connector")?;
    // The last block has given it other keys while it runs.
    let rotated = folder.join("connector/sealing.key.previous");
    wait_for(Duration::from_secs(30), || Ok(rotated.exists()))?;
    connector.stop()
}
