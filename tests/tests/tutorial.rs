//! The tutorial for online services: every command of `docs/online-service.md` is run, against the released program,
//! and has the answer that the page shows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tests::{Process, http, program, wait_for};

const PAGE: &str = include_str!("../../docs/online-service.md");
/// The address on the page, and the one of this test.
const ADDRESSES: (&str, &str) = ("127.0.0.1:8700", "127.0.0.1:24800");
const START: &str = "cargo run -q -p connector -- mock --listen 127.0.0.1:8700";
/// Separates the outputs of two blocks.
const MARK: &str = "=== next block ===";

/// The page's blocks of commands, each with the answer that follows it, if the page shows one.
fn blocks() -> Vec<(String, Option<Value>)> {
    let mut blocks: Vec<(String, Option<Value>)> = Vec::new();
    for part in PAGE.split("```").skip(1).step_by(2) {
        match part.split_once('\n') {
            Some(("sh", commands)) => blocks.push((commands.replace(ADDRESSES.0, ADDRESSES.1), None)),
            Some(("json", answer)) => blocks.last_mut().unwrap().1 = Some(serde_json::from_str(answer).unwrap()),
            _ => panic!("a block of another language: {part}"),
        }
    }
    blocks
}

/// Whether everything that the page shows is in the answer. The answer may have more.
fn shows(answer: &Value, page: &Value) -> bool {
    match (answer, page) {
        (Value::Object(answer), Value::Object(page)) => page
            .iter()
            .all(|(name, value)| answer.get(name).is_some_and(|answer| shows(answer, value))),
        _ => answer == page,
    }
}

#[test]
fn the_tutorials_commands_have_the_answers_that_it_shows() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let blocks = blocks();
    ensure!(blocks.len() > 5 && PAGE.contains(START), "the page has other commands");
    let mut mock = Command::new(program("connector"));
    mock.args(["mock", "--listen", ADDRESSES.1]);
    let _mock = Process::start(&mut mock, &scratch.path().join("mock.log"))?;
    let client = http()?;
    wait_for(Duration::from_secs(30), || {
        let answer = client.get(format!("http://{}/evidence/{}", ADDRESSES.1, uuid::Uuid::nil()));
        Ok(answer.send().is_ok_and(|answer| answer.status() == 404))
    })?;
    // The first block starts the mock. The others run in one shell, because they share variables.
    let commands: Vec<&str> = blocks.iter().skip(1).map(|(commands, _)| commands.as_str()).collect();
    let script = commands.join(&format!("\necho; echo '{MARK}'\n"));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(scratch.path())
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = String::from_utf8(output.stdout)?;
    let outputs: Vec<&str> = output.split(MARK).collect();
    ensure!(outputs.len() == commands.len(), "{output}");
    for ((commands, expected), output) in blocks.iter().skip(1).zip(outputs) {
        let expected = expected
            .as_ref()
            .with_context(|| format!("no answer is shown for {commands}"))?;
        let answer: Value = serde_json::from_str(output.trim()).with_context(|| format!("{commands}: {output}"))?;
        ensure!(shows(&answer, expected), "{commands}: {answer:#}");
    }
    Ok(())
}
