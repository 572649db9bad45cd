//! `bench completeness`: the label map at 10 million labels, a bundle of 100 entries among them (here and in a
//! browser), how soon a label is in the running ledger's map, and how soon the ledger has its maps after a start.

use std::ffi::OsStr;
use std::process::Command;

use anyhow::Result;

use super::browser;
use super::figures::{Figures, folder, keep, number, read, scratch};
use super::host::build_ledger;
use crate::{machine, paths, sh};

/// Entries per second at which the lag of the map is measured, and for how many seconds.
const RATE: u32 = 5_000;
const SECONDS: u32 = 20;

pub(crate) fn run(quick: bool) -> Result<()> {
    machine::ensure(machine::Purpose::Test)?;
    let labels = if quick { 1_000_000 } else { 10_000_000 };
    let mut figures = Figures::new();
    let kept = scratch("bundle")?;
    let keep_bundle = [OsStr::new("--keep"), kept.as_os_str()];
    add(
        &mut figures,
        "the label map",
        example("tlog", "map_speed", labels, &[])?,
    )?;
    let bundle = example("proof", "bundle", labels, &keep_bundle)?;
    add(&mut figures, "a bundle of 100 entries", bundle)?;
    add(&mut figures, "the same in Chromium", browser::run(&kept)?)?;
    build_ledger()?;
    add(&mut figures, "labels in the running ledger", lag(quick)?)?;
    add(&mut figures, "start of the ledger", start(labels)?)?;
    keep("completeness", quick, &figures)
}

/// Runs an example that measures with this many labels.
fn example(package: &str, name: &str, labels: u32, more: &[&OsStr]) -> Result<Figures> {
    let json = folder()?.join(format!("{name}.json"));
    let mut run = sh::cargo();
    run.current_dir(paths::root()?)
        .args(["run", "--release", "--locked", "--package", package, "--example", name])
        .args(["--", "--labels", &labels.to_string(), "--json"])
        .arg(&json)
        .args(more);
    sh::run(&mut run)?;
    read(&json)
}

/// Measures how long after its receipt a label is in a published `map` entry, while entries are offered over HTTP.
fn lag(quick: bool) -> Result<Figures> {
    let entries = RATE * if quick { 2 } else { SECONDS };
    let json = folder()?.join("lag.json");
    sh::run(
        Command::new(paths::programs()?.join("load"))
            .arg("--ledger")
            .arg(paths::programs()?.join("ledger"))
            .args(["--entries", &entries.to_string(), "--rate", &RATE.to_string()])
            .args(["--writers", "128", "--maps", "--folder"])
            .arg(scratch("load")?)
            .arg("--json")
            .arg(&json),
    )?;
    // How soon the receipts came is a figure of the ledger's own suite.
    let lags = read(&json)?.into_iter().filter(|(name, _)| name.starts_with("map_lag"));
    Ok(lags.map(|(name, value)| (format!("{name}_at_{RATE}"), value)).collect())
}

/// Seconds from opening a store that holds this many labels until the first `map` entry.
fn start(labels: u32) -> Result<Figures> {
    let data = scratch("start")?.join("data");
    let json = folder()?.join("start.json");
    for stage in ["write", "restart"] {
        sh::run(
            Command::new(paths::programs()?.join("examples/inproc"))
                .arg("--data")
                .arg(&data)
                .args(["--entries", &labels.to_string(), "--stage", stage, "--json"])
                .arg(&json),
        )?;
    }
    std::fs::remove_dir_all(&data)?;
    let seconds = read(&json)?.remove("restart_map_s").unwrap_or_default();
    Ok(Figures::from_iter([(
        format!("map_start_s_{}m", labels / 1_000_000),
        seconds,
    )]))
}

/// Prints a table and keeps its figures.
fn add(figures: &mut Figures, title: &str, measured: Figures) -> Result<()> {
    output::stdout!("\n| {title} | |\n| --- | ---: |")?;
    for (name, value) in &measured {
        output::stdout!("| `{name}` | {} |", number(Some(value)))?;
    }
    figures.extend(measured);
    Ok(())
}
