//! Durability in a power cut: `strace` shows that the write-ahead log is synced after an entry is written to it and
//! before the answer is written to the socket.
//!
//! The trace contains all bytes, so each entry is found by its label. The write to the log that contains the label must
//! be followed by an `fdatasync` of that file that returns 0, and only then may `HTTP/1.1 200` follow. A ledger that
//! omits the sync (a fail point) fails this check.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::harness::{client, found};
use crate::process::{LedgerProcess, free_port};
use crate::random::{Random, seed};
use crate::world::World;
use crate::writer::Writer;
use record::Body;

const REQUESTS: usize = 25;

/// Whether `strace` works here. In CI it must.
pub(crate) fn available() -> Result<bool> {
    let works = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    let works = works.is_ok_and(|status| status.success());
    ensure!(
        works || std::env::var_os("CI").is_none(),
        "strace does not work here, but CI requires it"
    );
    if !works {
        eprintln!("NOT TESTED: whether answers wait for the disk; strace is missing or not permitted");
    }
    Ok(works)
}

/// Runs a ledger under strace and writes to it; returns the number of entries and the errors in the order of its calls.
pub(crate) async fn traced(failpoints: &str) -> Result<(usize, Vec<String>)> {
    let directory = tempfile::tempdir()?;
    let world = World::unwitnessed(directory.path())?;
    let trace = directory.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-xx", "-s", "1000000", "-e"]);
    strace.arg("trace=write,writev,pwrite64,fdatasync,fsync,sendto,sendmsg");
    strace.arg("-o").arg(&trace).arg(env!("CARGO_BIN_EXE_ledger"));
    let mut random = Random::new(seed());
    let mut ledger = LedgerProcess::start_with(strace, &world, free_port(random.next())?, failpoints)?;
    let client = client()?;
    ensure!(
        ledger.ready(&client, &world).await?,
        "the ledger was killed by another process"
    );
    found(&client, &ledger.url, &world).await?;
    let mut writer = Writer::new(0, random);
    for _ in 0..REQUESTS {
        ensure!(
            writer.write_once(&client, &ledger.url, &world).await?,
            "a running ledger must answer"
        );
    }
    ledger.stop_child()?;
    ledger.ended().await?;
    let calls = read(&trace)?;
    let labels: Vec<[u8; 32]> = writer
        .acknowledged
        .iter()
        .filter_map(|acknowledged| match acknowledged.submission.entry.entry().body {
            Body::Labelled { label, .. } => Some(label.0),
            _ => None,
        })
        .collect();
    let wrong = labels.iter().filter_map(|label| order(&calls, label).err());
    Ok((labels.len(), wrong.map(|error| format!("{error:#}")).collect()))
}

/// A system call, with the lines of the trace on which it started and returned.
struct Call {
    name: String,
    arguments: String,
    started: usize,
    returned: usize,
    result: String,
}

impl Call {
    fn is_on_log(&self) -> bool {
        // The end of a path, `.log>`, as strace -xx writes it.
        self.arguments.contains("\\x2e\\x6c\\x6f\\x67>")
    }

    fn file(&self) -> &str {
        self.arguments.split('>').next().unwrap_or_default()
    }
}

/// Reads a trace; joins the parts of calls that other threads' lines interrupt.
fn read(trace: &Path) -> Result<Vec<Call>> {
    let text = std::fs::read_to_string(trace)?;
    let mut calls = Vec::new();
    let mut unfinished: HashMap<&str, (String, String, usize)> = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let (thread, rest) = line.split_once(' ').context("a line of a trace begins with a thread")?;
        let rest = rest.trim_start();
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let Some((name, arguments, started)) = unfinished.remove(thread) else {
                continue;
            };
            let (more, result) = resumed.rsplit_once(" = ").unwrap_or((resumed, "?"));
            let arguments = format!(
                "{arguments}{}",
                more.split_once("resumed>").map_or("", |(_, more)| more)
            );
            calls.push(Call {
                name,
                arguments,
                started,
                returned: number,
                result: result.to_owned(),
            });
        } else if let Some((name, arguments)) = rest.split_once('(') {
            if let Some(arguments) = arguments.strip_suffix(" <unfinished ...>") {
                unfinished.insert(thread, (name.into(), arguments.into(), number));
            } else if let Some((arguments, result)) = arguments.rsplit_once(" = ") {
                calls.push(Call {
                    name: name.into(),
                    arguments: arguments.into(),
                    started: number,
                    returned: number,
                    result: result.into(),
                });
            }
        }
    }
    calls.sort_by_key(|call| call.started);
    Ok(calls)
}

/// Checks that the entry with this label was written, then synced, then answered.
fn order(calls: &[Call], label: &[u8; 32]) -> Result<()> {
    let needle: String = label.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    let written = calls
        .iter()
        .find(|call| call.is_on_log() && call.arguments.contains(&needle))
        .context("the entry was never written to the log")?;
    // Only one request is made at a time, so the first answer after the write is the answer for this entry.
    let answered = calls
        .iter()
        .find(|call| {
            call.started > written.returned && call.arguments.contains("\\x48\\x54\\x54\\x50\\x2f\\x31\\x2e\\x31")
        })
        .context("the entry was never answered")?;
    let synced = calls.iter().find(|call| {
        matches!(call.name.as_str(), "fdatasync" | "fsync")
            && call.file() == written.file()
            && call.started > written.returned
            && call.returned < answered.started
            && call.result.trim() == "0"
    });
    if synced.is_none() {
        bail!(
            "answered on line {} of the trace, written on line {}, but not synced in between",
            answered.started,
            written.started
        );
    }
    Ok(())
}
