//! `bench completeness`: the label map at 10 million labels.

use anyhow::Result;

use super::{Figures, folder, keep, number, read};
use crate::{paths, sh};

pub(crate) fn run(quick: bool) -> Result<()> {
    let labels = if quick { "1000000" } else { "10000000" };
    let json = folder()?.join("map.json");
    let run = [
        "run",
        "--release",
        "--locked",
        "--package",
        "tlog",
        "--example",
        "map_speed",
        "--",
    ];
    sh::run(
        sh::cargo()
            .current_dir(paths::root()?)
            .args(run)
            .args(["--labels", labels, "--json"])
            .arg(&json),
    )?;
    let figures: Figures = read(&json)?;
    println!("\n| the label map | |\n| --- | ---: |");
    for (name, value) in &figures {
        println!("| `{name}` | {} |", number(Some(value)));
    }
    keep("completeness", quick, &figures)
}
