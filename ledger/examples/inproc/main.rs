//! Measures the ledger in one process, without HTTP, and writes the figures as flat JSON.
//!
//! ```text
//! inproc --data DIR --entries N --json FILE [--request N] [--writers N] [--record BYTES]
//! ```
//!
//! DIR must not exist. Three stages run one after another, each in a new process, so that the memory figures are those
//! of a fresh process:
//!
//! | Stage | Figures |
//! | --- | --- |
//! | `write` | `inproc_verified_per_s`, `inproc_cpu_us_per_entry` (all threads), `pace_us` |
//! | | `bytes_per_entry` (all files of DIR, including log files) |
//! | `restart` | `restart_s` from opening the store to the first receipt |
//! | | `restart_map_s` from opening the store to the first `map` entry, `rss_mb_with_map` |
//! | `proofs` | `proof_cold_us`, `proof_hot_us` (CPU of the thread), `rss_mb` of the log without its map |
//!
//! `pace_us` is the time of a fixed piece of work ([`pace`]). The speed of virtual CPUs depends on other users of the
//! host, so figures of two runs can be compared only if their `pace_us` is similar.
//!
//! `write` measures everything that a request handler does except HTTP: reading the entries, verifying each signature,
//! labels, chains, the synced commit, the signed checkpoint, and a complete receipt for every entry. Entries are
//! alternately intents and outcomes. Creating and signing them is **not measured**; it happens between the timed phases
//! (compactions may run in these pauses).

mod figures;
mod options;
mod pace;
mod proofs;
mod restart;
mod world;
mod write;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fs};

use clap::Parser as _;

use figures::{Failure, Figures};
use options::{Arguments, Stage};

fn main() -> ExitCode {
    service::telemetry::init();
    let arguments = Arguments::parse();
    let figures = match arguments.stage {
        None => all(&arguments),
        Some(Stage::Write) => write::run(&arguments),
        Some(Stage::Restart) => restart::run(&arguments),
        Some(Stage::Proofs) => proofs::run(&arguments),
    };
    match figures.and_then(|figures| keep(&arguments.json, &figures)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::stderr!("inproc: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs each stage as a process, which passes its figures on in the file.
fn all(arguments: &Arguments) -> Result<Figures, Failure> {
    if arguments.data.exists() {
        return Err(format!("{} already exists", arguments.data.display()).into());
    }
    let mut figures = Figures::new();
    for stage in ["write", "restart", "proofs"] {
        let mut command = Command::new(env::current_exe()?);
        command.args(env::args_os().skip(1)).args(["--stage", stage]);
        if !command.status()?.success() {
            return Err(format!("the stage {stage} failed").into());
        }
        figures.append(&mut serde_json::from_slice(&fs::read(&arguments.json)?)?);
    }
    for (name, value) in [
        ("entries", arguments.entries as f64),
        ("record_bytes", arguments.record as f64),
        ("request_entries", arguments.request as f64),
    ] {
        figures.insert(name.into(), value);
    }
    for (name, value) in &figures {
        output::stdout!("{name:28} {value}")?;
    }
    Ok(figures)
}

fn keep(file: &Path, figures: &Figures) -> Result<(), Failure> {
    Ok(fs::write(file, serde_json::to_vec_pretty(figures)?)?)
}
