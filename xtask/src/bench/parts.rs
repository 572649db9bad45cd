//! Criterion for the parts, and a table of the medians.
//!
//! The table goes to the terminal and, as flat JSON (name → nanoseconds), to `target/bench/parts.json`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::figures::folder;
use crate::{paths, sh};

pub(crate) fn run() -> Result<()> {
    sh::run(sh::cargo().current_dir(paths::root()?).args([
        "bench",
        "--locked",
        "--package",
        "record",
        "--bench",
        "parts",
    ]))?;
    let medians = medians(&paths::target()?.join("criterion"))?;
    std::fs::write(folder()?.join("parts.json"), serde_json::to_vec_pretty(&medians)?)?;
    output::stdout!("\n| part | median |\n| --- | ---: |")?;
    for (name, nanoseconds) in &medians {
        output::stdout!("| {name} | {} |", readable(*nanoseconds))?;
    }
    Ok(())
}

/// Reads what criterion measured: the folder of each benchmark holds its name and its estimates.
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
