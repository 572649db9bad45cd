//! `cargo xtask check`: what a reviewer need not look for.

use std::process::Command;

use anyhow::Result;

use crate::{machine, paths, rocksdb, sh};

/// cargo-deny as built into the user's cache; the version is pinned as our own dependencies are.
const DENY: &str = "0.20.2";

pub(crate) fn run() -> Result<()> {
    machine::ensure(machine::Purpose::Build)?;
    machine::ensure_components()?;
    sh::run(
        sh::cargo()
            .current_dir(paths::root()?)
            .args(["fmt", "--all", "--check"]),
    )?;
    clippy()?;
    dependencies()
}

fn clippy() -> Result<()> {
    let mut host = sh::cargo();
    host.current_dir(paths::root()?).args([
        "clippy",
        "--locked",
        "--workspace",
        "--exclude",
        "citizen-ui-browser",
        "--all-targets",
        "--features",
        "ledger/failpoints",
        "--",
        "-D",
        "warnings",
    ]);
    rocksdb::link(&mut host)?;
    sh::run(&mut host)?;
    let mut browser = sh::cargo();
    browser.current_dir(paths::root()?).args([
        "clippy",
        "--locked",
        "--package",
        "citizen-ui-browser",
        "--lib",
        "--examples",
        "--target",
        "wasm32-unknown-unknown",
        "--",
        "-D",
        "warnings",
    ]);
    sh::run(&mut browser)
}

/// Licences, bans and sources always; advisories where their database can be reached.
fn dependencies() -> Result<()> {
    let deny = sh::installed_tool("cargo-deny", DENY)?;
    let root = paths::root()?;
    let deny = |words: &[&str]| {
        sh::run(
            Command::new(&deny)
                .current_dir(&root)
                .args(["--log-level", "error"])
                .args(words),
        )
    };
    deny(&["check", "licenses", "bans", "sources"])?;
    // cargo-deny answers alike for "database unreachable" and "advisory found", so the database is fetched by itself.
    if deny(&["fetch", "db"]).is_ok() {
        return deny(&["check", "--disable-fetch", "advisories"]);
    }
    eprintln!("notice: the advisory database cannot be reached from here; advisories were NOT checked");
    Ok(())
}
