//! Wall clocks that jump or stand still, of one process or of the whole machine, against the real programs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests::processes::Processes;
use tests::wall_clock::WallClock;
use tests::{files_below, wait_for};

const NOTICED: Duration = Duration::from_secs(120);
const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 24 * HOUR;

/// The processes that an exchange needs.
const NAMES: [&str; 9] = [
    "witness-1",
    "witness-2",
    "witness-3",
    "ledger",
    "identity",
    "broker",
    "register-kba",
    "connector-rheinfurt",
    "connector-kba",
];

/// The names of identity's day keys and wrapping keys.
fn keys(processes: &Processes) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in ["daykeys", "wrapping"] {
        for file in files_below(&processes.data.join("identity").join(folder))? {
            names.push(file.display().to_string());
        }
    }
    Ok(names)
}

fn stopped(processes: &Processes, name: &str) -> bool {
    processes.data.join(name).join("clock.stopped").exists()
}

/// Three years forward and back again, on a machine that runs everything, the witnesses too.
#[test]
fn a_machine_whose_clock_jumps_by_years_loses_no_key_and_its_log_stays_sound() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:23700")?;
    let clock = WallClock::new(scratch.path(), "machine")?;
    processes.clocks = NAMES.iter().map(|name| ((*name).to_owned(), clock.clone())).collect();
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    let before = keys(&processes)?;
    for jump in [3 * YEAR, -3 * YEAR] {
        clock.jump(jump)?;
        wait_for(NOTICED, || {
            let (status, body) = processes.ask()?;
            ensure!(body["evidence"].is_null(), "{status} {body:#}");
            Ok(stopped(&processes, "identity"))
        })?;
        ensure!(keys(&processes)? == before, "{jump}");
        clock.jump(0)?;
        wait_for(NOTICED, || Ok(!stopped(&processes, "identity")))?;
        processes.ask_until_delivered()?;
        ensure!(keys(&processes)? == before, "{jump}");
        processes.every_intent_is_closed().with_context(|| jump.to_string())?;
    }
    Ok(())
}

/// One process after another has a wrong clock. It may refuse, but it does not fail, and it works again when its clock
/// is right.
#[test]
fn a_process_whose_clock_jumps_works_again_when_it_is_right() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:23800")?;
    for name in NAMES {
        processes
            .clocks
            .insert(name.to_owned(), WallClock::new(scratch.path(), name)?);
    }
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    let before = keys(&processes)?;
    for name in NAMES {
        for jump in [40, -HOUR, 3 * YEAR] {
            let clock = &processes.clocks[name];
            clock.jump(jump)?;
            let (status, body) = processes.ask()?;
            ensure!(status != 500, "{name} {jump}: {status} {body:#}");
            clock.jump(0)?;
            processes
                .ask_until_delivered()
                .with_context(|| format!("{name} {jump}"))?;
        }
    }
    ensure!(keys(&processes)? == before);
    processes.every_intent_is_closed()
}

#[test]
fn a_clock_that_stands_still_is_noticed() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let mut processes = Processes::seed(&scratch.path().join("demo"), "127.0.0.1:23900")?;
    for name in ["identity", "ledger"] {
        processes
            .clocks
            .insert(name.to_owned(), WallClock::new(scratch.path(), name)?);
    }
    processes.start_all()?;
    processes.all_healthy()?;
    processes.ask_until_delivered()?;
    for name in ["identity", "ledger"] {
        processes.clocks[name].freeze()?;
        wait_for(NOTICED, || {
            // The ledger reads its clock when it gets an entry. A person's exchanges of one day are limited.
            std::thread::sleep(Duration::from_secs(5));
            processes.ask()?;
            Ok(stopped(&processes, name))
        })
        .with_context(|| name.to_owned())?;
        let url = if name == "ledger" {
            &processes.info.ledger
        } else {
            &processes.info.identity
        };
        processes.impaired(url, "behind")?;
        processes.clocks[name].jump(0)?;
        processes.ask_until_delivered()?;
    }
    processes.every_intent_is_closed()
}
