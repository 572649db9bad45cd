//! Figures: names and values that a suite measures, where it keeps them, and how a table shows them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::paths;

/// Names and values.
pub(super) type Figures = Map<String, Value>;

/// The folder for results.
pub(super) fn folder() -> Result<PathBuf> {
    let folder = paths::target()?.join("bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// An empty folder for one measurement.
pub(super) fn scratch(name: &str) -> Result<PathBuf> {
    let scratch = folder()?.join(name);
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    std::fs::create_dir_all(&scratch)?;
    Ok(scratch)
}

/// Keeps a suite's figures as flat JSON.
pub(super) fn keep(suite: &str, quick: bool, figures: &Figures) -> Result<()> {
    let name = if quick {
        format!("{suite}-quick.json")
    } else {
        format!("{suite}.json")
    };
    let path = folder()?.join(name);
    std::fs::write(&path, serde_json::to_vec_pretty(figures)?)?;
    output::stderr!("figures: {}", path.display());
    Ok(())
}

pub(super) fn read(path: &Path) -> Result<Figures> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    serde_json::from_slice(&bytes).with_context(|| path.display().to_string())
}

/// Formats a number for a table, without digits that mean nothing.
pub(super) fn number(value: Option<&Value>) -> String {
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
