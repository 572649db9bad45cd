//! `bench exchange`: whole exchanges through all compartments, which run in one process with the load generator.

use std::process::Command;

use anyhow::Result;

use super::figures::{Figures, folder, keep, number, read, scratch};
use crate::{paths, rocksdb, sh};

/// Sizes: the argument, its value, and its value with `--quick`.
const SIZES: [(&str, &str, &str); 5] = [
    ("--persons", "100000", "1000"),
    ("--seconds", "20", "2"),
    ("--turns", "3", "1"),
    ("--exchanges", "20000", "200"),
    ("--memory", "100000", "0"),
];

pub(crate) fn run(quick: bool) -> Result<()> {
    let mut cargo = sh::cargo();
    cargo.current_dir(paths::root()?);
    cargo.args(["build", "--release", "--locked", "--package", "exchange-load"]);
    rocksdb::link(&mut cargo)?;
    sh::run(&mut cargo)?;
    let json = folder()?.join("exchange-load.json");
    let mut load = Command::new(paths::programs()?.join("exchange-load"));
    load.arg("--folder").arg(scratch("exchange")?).arg("--json").arg(&json);
    for (name, full, small) in SIZES {
        load.args([name, if quick { small } else { full }]);
    }
    sh::run(&mut load)?;
    let figures: Figures = read(&json)?;
    output::stdout!("\n| whole exchanges | |\n| --- | ---: |")?;
    for (name, value) in &figures {
        output::stdout!("| `{name}` | {} |", number(Some(value)))?;
    }
    keep("exchange", quick, &figures)
}
