//! `bench trust`: change sets at the size of Germany: 10 000 bodies, 10 000 components, 2 000 rules.

use anyhow::{Context, Result};
use serde_json::Value;

use super::figures::{Figures, keep, number};
use crate::{paths, sh};

pub(crate) fn run(quick: bool) -> Result<()> {
    let mut cargo = sh::cargo();
    cargo.current_dir(paths::root()?);
    cargo.args([
        "run",
        "--release",
        "--locked",
        "--package",
        "trust",
        "--example",
        "measure",
    ]);
    let printed = sh::output(&mut cargo)?;
    let figures: Figures = serde_json::from_str(printed.trim()).context("the example prints an object")?;
    output::stdout!("| | |\n| --- | ---: |")?;
    for (name, value) in &figures {
        output::stdout!(
            "| `{name}` | {} |",
            number(Some(value).filter(|value| Value::is_number(value)))
        )?;
    }
    keep("trust", quick, &figures)
}
