//! `cargo xtask bench`: criterion for the parts, and a table of the medians.
//!
//! The table goes to the terminal and, as flat JSON (name → nanoseconds), to `target/bench/parts.json`. Run it on a machine that
//! does nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{paths, sh, system};

pub(crate) fn run() -> Result<()> {
    system::ensure(system::Purpose::Build)?;
    sh::run(sh::cargo().current_dir(paths::root()?).args([
        "bench",
        "--locked",
        "--package",
        "record",
        "--bench",
        "parts",
    ]))?;
    let medians = medians(&paths::target()?.join("criterion"))?;
    let folder = paths::target()?.join("bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("parts.json"), serde_json::to_vec_pretty(&medians)?)?;
    println!("\n| part | median |\n| --- | ---: |");
    for (name, nanoseconds) in &medians {
        println!("| {name} | {} |", readable(*nanoseconds));
    }
    println!("\n{}", machine());
    Ok(())
}

/// What criterion has measured: the folder of each benchmark holds its name and its estimates.
fn medians(criterion: &Path) -> Result<BTreeMap<String, f64>> {
    let mut medians = BTreeMap::new();
    for entry in std::fs::read_dir(criterion).with_context(|| criterion.display().to_string())? {
        let folder = entry?.path().join("new");
        let (Ok(name), Ok(estimates)) = (
            read(&folder.join("benchmark.json")),
            read(&folder.join("estimates.json")),
        ) else {
            continue;
        };
        let name = name["title"].as_str().context("a benchmark has a title")?.to_owned();
        medians.insert(
            name,
            estimates["median"]["point_estimate"]
                .as_f64()
                .context("a benchmark has a median")?,
        );
    }
    Ok(medians)
}

fn read(path: &Path) -> Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}

fn readable(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} µs", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}

/// Processor and number of cores, as Linux names them.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or(": unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} cores, {}", cores, model.trim_start_matches(['\t', ' ', ':']))
}
