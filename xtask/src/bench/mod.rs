//! `cargo xtask bench`: what Einsicht costs, as Markdown tables for `docs/performance.md` and as flat JSON in
//! `target/bench`.
//!
//! | Command | Measures | Writes |
//! | --- | --- | --- |
//! | `bench` | the parts, with criterion | `parts.json` |
//! | `bench ledger` | the log in process, over HTTP, and as `open_log` under `wrk` | `ledger.json` |
//! | `bench peers` | Tessera on the same machine; its `hammer` and `fsck` against `open_log` | `peers.json` |
//! | `bench completeness` | label map, a bundle among 10 million labels, the running ledger's maps | `completeness.json` |
//!
//! With `--quick` all sizes are small and the files are named `…-quick.json`; such figures show that the suite works
//! and are not for publication. Figures whose names contain a size (`_10m`) are written only when they were measured at
//! that size. Nothing else should run on the machine.

mod browser;
mod completeness;
mod ledger;
mod parts;
mod peers;
mod server;
mod wrk;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use crate::{machine, paths, rocksdb, sh};

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    suite: Option<Suite>,
    /// Use small sizes and short runs, to see that the suite works.
    #[arg(long, global = true)]
    quick: bool,
}

#[derive(Subcommand)]
enum Suite {
    /// The ledger: in process, over HTTP, and as `open_log`.
    Ledger,
    /// Tessera under the same load, and its tools against `open_log`.
    Peers,
    /// The label map, a bundle of 100 entries, the running ledger's maps.
    Completeness,
}

/// Names and values.
type Figures = Map<String, Value>;

pub(crate) fn run(options: &Options) -> Result<()> {
    machine::ensure(machine::Purpose::Build)?;
    match options.suite {
        None => parts::run(),
        Some(Suite::Ledger) => ledger::run(options.quick),
        Some(Suite::Peers) => peers::run(options.quick),
        Some(Suite::Completeness) => completeness::run(options.quick),
    }?;
    println!("\n{}", machine());
    Ok(())
}

/// The folder for results.
fn folder() -> Result<PathBuf> {
    let folder = paths::target()?.join("bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// An empty folder for one measurement.
fn scratch(name: &str) -> Result<PathBuf> {
    let scratch = folder()?.join(name);
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    std::fs::create_dir_all(&scratch)?;
    Ok(scratch)
}

/// Keeps a suite's figures as flat JSON.
fn keep(suite: &str, quick: bool, figures: &Figures) -> Result<()> {
    let name = if quick {
        format!("{suite}-quick.json")
    } else {
        format!("{suite}.json")
    };
    let path = folder()?.join(name);
    std::fs::write(&path, serde_json::to_vec_pretty(figures)?)?;
    eprintln!("figures: {}", path.display());
    Ok(())
}

fn read(path: &Path) -> Result<Figures> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&bytes).with_context(|| path.display().to_string())
}

/// The ledger's programs and examples, and the load generator.
fn build_ledger() -> Result<()> {
    let build = [
        "build",
        "--release",
        "--locked",
        "--package",
        "ledger",
        "--package",
        "load",
        "--bins",
        "--examples",
    ];
    let mut cargo = sh::cargo();
    cargo.current_dir(paths::root()?).args(build);
    rocksdb::link(&mut cargo)?;
    sh::run(&mut cargo)
}

/// Formats a number for a table, without digits that mean nothing.
fn number(value: Option<&Value>) -> String {
    match value.and_then(Value::as_f64) {
        None => "–".into(),
        Some(value) if value >= 1000.0 => {
            let digits = format!("{value:.0}");
            let mut grouped = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at).is_multiple_of(3) {
                    grouped.push(' ');
                }
                grouped.push(digit);
            }
            grouped
        }
        Some(value) if value >= 100.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.2}"),
    }
}

/// Processor, memory, kernel and the disk's file system, as Linux names them.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        value
            .unwrap_or(": unknown")
            .trim_start_matches(['\t', ' ', ':'])
            .trim()
            .to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let gib = memory
        .trim_end_matches(" kB")
        .parse::<f64>()
        .map_or(0.0, |kib| kib / f64::from(1 << 20));
    let load = read("/proc/loadavg");
    format!(
        "Machine: {cores} cores, {}; {gib:.0} GiB; Linux {}; {}; load average now {}. Every commit synced (`sync = true`), the load \
         generator on the same cores.",
        field(&read("/proc/cpuinfo"), "model name"),
        read("/proc/sys/kernel/osrelease").trim(),
        file_system().unwrap_or_else(|| "unknown file system".into()),
        load.split(' ').next().unwrap_or_default(),
    )
}

/// Device, type and options of the file system that holds the results.
fn file_system() -> Option<String> {
    let folder = folder().ok()?.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?, words.next()?, words.next()?))
    });
    let (device, _, kind, options) = mounts
        .filter(|(_, place, ..)| folder.starts_with(place))
        .max_by_key(|(_, place, ..)| place.len())?;
    Some(format!("{kind} on {device} ({options})"))
}
