//! Readers of a program's output that end early, as `head` does: no program panics, each does all of its work, and its
//! exit code is the one that it would have had. A result that a full disk cannot take is an error.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use tests::{DemoInfo, Process, http, program, wait_for};

/// All checks share one demonstration, because starting one takes a while.
#[test]
fn programs_whose_output_is_not_read_do_their_work() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("demo");
    let info = the_demonstration_serves_and_ends(&data)?;
    let commands = Commands {
        scratch: scratch.path(),
        data: &data,
        info: &info,
    };
    commands.end_as_if_they_were_read()?;
    commands.report_a_full_disk()
}

/// All compartments, which log every request to a pipe that is not read.
fn the_demonstration_serves_and_ends(data: &Path) -> Result<DemoInfo> {
    let mut command = Command::new(program("einsicht"));
    command
        .args(["demo", "--without-past", "--data"])
        .arg(data)
        .env("RUST_LOG", "debug");
    let mut demo = Process::start_unread(&mut command)?;
    let json = data.join("demo.json");
    wait_for(Duration::from_secs(90), || {
        ensure!(!demo.ended()?, "the demonstration ended");
        Ok(json.is_file())
    })?;
    let info: DemoInfo = serde_json::from_slice(&std::fs::read(&json)?)?;
    let answer = http()?
        .post(format!("{}/evidence", info.connectors["rheinfurt"]))
        .header("content-type", "application/json")
        .body(tests::evidence_request())
        .send()?;
    ensure!(answer.status() == 202, "{}", answer.text()?);
    demo.stop()?;
    Ok(info)
}

/// Commands on the data of a demonstration that has ended.
struct Commands<'a> {
    scratch: &'a Path,
    data: &'a Path,
    info: &'a DemoInfo,
}

impl Commands<'_> {
    fn end_as_if_they_were_read(&self) -> Result<()> {
        for (line, code) in [
            ("ledger keys --config {data}/ledger/config.json", 0),
            ("ledger export --data {data}/ledger --to {new}/export --records", 0),
            ("ledger backup --data {data}/ledger --to {new}/backup", 0),
            ("ledger backup --data {data}/ledger --to {new}/backup", 1),
            ("ledger check --data {new}/backup", 0),
            ("ledger check --data {new}/nowhere", 3),
            ("ledger restore --from {new}/backup --data {new}/restored", 0),
            (
                "ledger keygen --origin a.org/log --log-key {new}/log.key --writer-key {new}/writer.key",
                0,
            ),
            ("identity backup --data {data}/identity --to {new}/identity.backup", 0),
            ("identity restore --from {new}/identity.backup --data {new}/identity", 0),
            ("identity restore --from {new}/identity.backup --data {new}/identity", 1),
            // What the commands should have written is there.
            ("verifier audit --log {new}/export --policy {policy} --records", 0),
            ("verifier audit --log {new}/export --policy {policy} --json", 0),
            ("verifier map --log {new}/export --policy {policy}", 0),
            ("verifier audit --log {new}/nowhere --policy {policy}", 3),
            ("verifier verify {new}/export/checkpoint --policy {policy}", 1),
            ("verifier verify {new}/nowhere --policy {policy}", 2),
        ] {
            let (reader, writer) = std::io::pipe()?;
            drop(reader);
            let output = self.command(line).stdout(writer.try_clone()?).output()?;
            let text = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.code() == Some(code), "{line}: {} {text}", output.status);
            if line.starts_with("verifier") {
                let status = self.command(line).stdout(writer.try_clone()?).stderr(writer).status()?;
                ensure!(status.code() == Some(code), "{line}, without standard error: {status}");
            }
        }
        Ok(())
    }

    fn report_a_full_disk(&self) -> Result<()> {
        for (line, code) in [
            ("verifier audit --log {new}/export --policy {policy}", 2),
            ("ledger check --data {data}/ledger", 3),
            ("ledger backup --data {data}/ledger --to {new}/backup2", 1),
            ("identity backup --data {data}/identity --to {new}/identity.backup2", 1),
        ] {
            let full = std::fs::OpenOptions::new().write(true).open("/dev/full")?;
            let output = self.command(line).stdout(full).stderr(Stdio::piped()).output()?;
            let text = String::from_utf8_lossy(&output.stderr);
            let reported = output.status.code() == Some(code) && text.contains("No space left");
            ensure!(reported, "{line}: {} {text}", output.status);
        }
        Ok(())
    }

    /// A command line, whose words contain no spaces, with the test's folders filled in.
    fn command(&self, line: &str) -> Command {
        let mut words = line.split(' ').map(|word| {
            word.replace("{new}", self.scratch.to_str().unwrap())
                .replace("{data}", self.data.to_str().unwrap())
                .replace("{policy}", self.info.policy.to_str().unwrap())
        });
        let mut command = Command::new(program(&words.next().unwrap()));
        command.args(words);
        command
    }
}
