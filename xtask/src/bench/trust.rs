//! `bench trust`: change sets at the size of Germany: 10 000 bodies, 10 000 components, 2 000 rules.

use anyhow::{Context, Result};
use serde_json::Value;

use super::figures::{Figures, keep, number};
use crate::{machine, paths, sh};

/// The examples that measure, each of which prints an object: the sets and their state; a follower and a ledger that
/// start after thousands of single joins; an opening.
const EXAMPLES: [(&str, &str); 3] = [
    ("trust", "measure"),
    ("ledger-client", "restart"),
    ("proof", "opening_size"),
];
/// How many joins `restart` publishes with `--quick`.
const QUICK_JOINS: &str = "500";

pub(crate) fn run(quick: bool) -> Result<()> {
    machine::ensure(machine::Purpose::Test)?;
    let mut figures = Figures::new();
    output::stdout!("| | |\n| --- | ---: |")?;
    for (package, name) in EXAMPLES {
        let mut cargo = sh::cargo();
        cargo.current_dir(paths::root()?).args(["run", "--release", "--locked"]);
        cargo.args(["--package", package, "--example", name]);
        if quick && name == "restart" {
            cargo.args(["--", QUICK_JOINS]);
        }
        let printed = sh::output(&mut cargo)?;
        let measured: Figures =
            serde_json::from_str(printed.trim()).with_context(|| format!("{name} prints an object"))?;
        for (name, value) in &measured {
            let shown = number(Some(value).filter(|value| Value::is_number(value)));
            output::stdout!("| `{name}` | {shown} |")?;
        }
        figures.extend(measured);
    }
    keep("trust", quick, &figures)
}
