//! `cargo xtask test`: every test that must pass before a change lands.
//!
//! Unit and property tests run in the development profile; the end-to-end tests drive the released programs, as a user has
//! them; the browser tests drive Chromium against a running demonstration. What takes longer than a change may wait for
//! (kills by the thousand, soaks) runs with `--long`.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::{dist, paths, rocksdb, sh, system};

/// Places in the ledger where a test lets it die or fail; no released program has them.
const FAILPOINTS: &str = "ledger/failpoints";
/// The tests that need the released programs; `tests/Cargo.toml` keeps them out of a plain `cargo test`.
const END_TO_END: &[&str] = &["attacks", "demonstration", "processes"];

#[derive(Args)]
pub(crate) struct Options {
    /// Also the tests that take hours.
    #[arg(long)]
    long: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    system::ensure(system::Purpose::Test)?;
    dist::build()?;
    units()?;
    if options.long {
        kills()?;
    }
    end_to_end(options.long)?;
    browser(&paths::root()?.join("tests/browser"))
}

/// One selection of packages and features for all tests, so that nothing is compiled twice.
fn cargo_test() -> Result<Command> {
    let mut cargo = sh::cargo();
    cargo.current_dir(paths::root()?).args([
        "test",
        "--locked",
        "--workspace",
        "--exclude",
        "citizen-ui-browser",
        "--features",
        FAILPOINTS,
    ]);
    rocksdb::link(&mut cargo)?;
    Ok(cargo)
}

fn units() -> Result<()> {
    sh::run(&mut cargo_test()?)
}

/// The thousands: how many, and what came of them, is printed.
fn kills() -> Result<()> {
    sh::run(cargo_test()?.args(["--test", "crash", "--", "--ignored", "--nocapture"]))
}

fn end_to_end(long: bool) -> Result<()> {
    let mut cargo = cargo_test()?;
    for name in END_TO_END {
        cargo.args(["--test", name]);
    }
    cargo.env("EINSICHT_PROGRAMS", paths::programs()?);
    if long {
        cargo.args(["--", "--include-ignored"]);
    }
    sh::run(&mut cargo)
}

/// The front-end packages come from the lock file, without running any package's scripts.
fn browser(folder: &Path) -> Result<()> {
    if !folder.join("node_modules/.package-lock.json").is_file() {
        sh::run(
            Command::new("npm")
                .current_dir(folder)
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]),
        )?;
    }
    sh::run(
        Command::new("node")
            .current_dir(folder)
            .arg("--test")
            .env("EINSICHT_PROGRAMS", paths::programs()?),
    )
}
