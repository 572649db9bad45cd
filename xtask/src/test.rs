//! `cargo xtask test`: every test that must pass before a change lands.
//!
//! Unit and property tests run in the development profile; the end-to-end tests drive the released programs, as a user has
//! them; the browser tests drive Chromium against a running demonstration. What takes longer than a change may wait for
//! (kills by the thousand) runs with `--long`.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::{bare, dist, machine, paths, rocksdb, sh};

/// Places in the ledger where a test lets it die or fail; no released program has them.
const FAILPOINTS: &str = "ledger/failpoints";

#[derive(Args)]
pub(crate) struct Options {
    /// Also the kills by the thousand: a quarter of an hour.
    #[arg(long)]
    long: bool,
    /// Only try the first commands of the README in two Debians that have next to nothing (root, debootstrap, half an hour).
    #[arg(long)]
    bare: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.bare {
        return bare::run();
    }
    machine::ensure(machine::Purpose::Test)?;
    dist::build()?;
    sh::run(&mut tests()?)?;
    if options.long {
        kills()?;
    }
    browser(&paths::root()?.join("tests/browser"))
}

/// All tests in Rust: one selection of packages and features, so that nothing is compiled twice.
fn tests() -> Result<Command> {
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
    cargo.env("EINSICHT_PROGRAMS", paths::programs()?);
    rocksdb::link(&mut cargo)?;
    Ok(cargo)
}

/// The thousands: how many, and what came of them, is printed.
fn kills() -> Result<()> {
    sh::run(tests()?.args(["--test", "crash", "--", "--ignored", "--nocapture"]))
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
