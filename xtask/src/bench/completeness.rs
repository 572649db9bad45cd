//! `bench completeness`: the label map at 10 million labels, and a bundle of 100 entries among them.

use anyhow::Result;

use super::{Figures, folder, keep, number, read};
use crate::{paths, sh};

/// Package, example, and what its table is called.
const PARTS: [(&str, &str, &str); 2] = [
    ("tlog", "map_speed", "the label map"),
    ("verifier", "bundle", "a bundle of 100 entries"),
];

pub(crate) fn run(quick: bool) -> Result<()> {
    let labels = if quick { "1000000" } else { "10000000" };
    let mut figures = Figures::new();
    for (package, example, title) in PARTS {
        let json = folder()?.join(format!("{example}.json"));
        let run = [
            "run",
            "--release",
            "--locked",
            "--package",
            package,
            "--example",
            example,
            "--",
        ];
        sh::run(
            sh::cargo()
                .current_dir(paths::root()?)
                .args(run)
                .args(["--labels", labels, "--json"])
                .arg(&json),
        )?;
        let measured = read(&json)?;
        println!("\n| {title} | |\n| --- | ---: |");
        for (name, value) in &measured {
            println!("| `{name}` | {} |", number(Some(value)));
        }
        figures.extend(measured);
    }
    keep("completeness", quick, &figures)
}
