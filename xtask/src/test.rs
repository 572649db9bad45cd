//! `cargo xtask test`: every test that must pass before a change lands.
//!
//! Unit and property tests, the end-to-end tests over real processes and the browser tests run in one profile, `dev`,
//! so that no crate is compiled twice; its overflow checks and debug assertions are on in the programs too. With
//! `--long` the end-to-end and browser tests also run against the released programs, every flood lasts a minute, the
//! ledger is killed by the thousand, all compartments five hundred times, ten thousand exchanges wait for thirty
//! simulated days, and veraPDF checks the PDF files of portal and register.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use clap::Args;

use crate::dist::{self, Build};
use crate::{bare, machine, paths, rocksdb, sh};

/// Places in the ledger where a test lets it die or fail; no released program has them.
const FAILPOINTS: &str = "ledger/failpoints";

#[derive(Args)]
pub(crate) struct Options {
    /// Also test the released programs, and kill the ledger by the thousand and all compartments five hundred times: an
    /// hour more.
    #[arg(long)]
    long: bool,
    /// Only try the first commands of the README in two Debians that have next to nothing (root, debootstrap, half an
    /// hour).
    #[arg(long)]
    bare: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.bare {
        return bare::run();
    }
    machine::ensure(machine::Purpose::Test)?;
    // The browser tests need them, and so does the end-to-end test of the login, for its OpenID provider.
    npm_packages()?;
    dist::site()?;
    let programs = paths::development()?;
    // The tests that start programs expect to find them all.
    sh::run(cargo("build", &programs)?.args(["--bins"]))?;
    sh::run(cargo("test", &programs)?.arg("--no-run"))?;
    // Most tests of both kinds wait for processes, so they share the machine; the compiler does not.
    sh::run_both(&mut cargo("test", &programs)?, &mut browser(&programs)?)?;
    if options.long {
        ignored_of(&["--lib"], &programs, &[])?;
        ignored("crash", &programs, &[])?;
        match vera_pdf()? {
            Some(jars) => {
                for target in ["portal", "documents"] {
                    ignored(target, &programs, &[("EINSICHT_VERAPDF", &jars)])?;
                }
            }
            None => output::stderr!("notice: without Java and Maven the PDF files were NOT checked by veraPDF"),
        }
        let released = dist::build(Build::Release)?;
        ignored("abuse", &released, &[])?;
        ignored("months", &released, &[])?;
        ignored("sigkill", &released, &[])?;
        ignored("secrecy", &released, &[])?;
        let mut tests = cargo("test", &released)?;
        for name in ["attacks", "demonstration", "openid", "processes"] {
            tests.args(["--test", name]);
        }
        sh::run_both(&mut tests, &mut browser(&released)?)?;
    }
    Ok(())
}

/// A cargo command over all packages in Rust: one selection of packages and features, so that nothing is compiled
/// twice.
fn cargo(command: &str, programs: &Path) -> Result<Command> {
    let mut cargo = sh::cargo();
    cargo
        .current_dir(paths::root()?)
        .args([command, "--locked", "--workspace"]);
    cargo.args(["--exclude", "citizen-ui-browser", "--features", FAILPOINTS]);
    cargo
        .env("EINSICHT_PROGRAMS", programs)
        .env("EINSICHT_SITE", paths::site()?);
    rocksdb::link(&mut cargo)?;
    Ok(cargo)
}

/// Runs the tests of a target that are ignored otherwise. libtest succeeds when there is none, so they are listed
/// first.
fn ignored(target: &str, programs: &Path, variables: &[(&str, &Path)]) -> Result<()> {
    ignored_of(&["--test", target], programs, variables)
}

/// The same of the targets that these arguments of cargo select.
fn ignored_of(arguments: &[&str], programs: &Path, variables: &[(&str, &Path)]) -> Result<()> {
    sh::run(cargo("test", programs)?.args(arguments).arg("--no-run"))?;
    let listed = sh::output(
        cargo("test", programs)?
            .args(arguments)
            .args(["--", "--ignored", "--list"]),
    )?;
    ensure!(
        listed.lines().any(|line| line.ends_with(": test")),
        "{} has no ignored tests, so nothing would be tested",
        arguments.join(" ")
    );
    sh::run(
        cargo("test", programs)?
            .args(arguments)
            .args(["--", "--ignored", "--nocapture"])
            .envs(variables.iter().copied()),
    )
}

/// veraPDF, pinned as the workspace's own dependencies are.
const VERA_PDF: &str = "1.28.2";

/// The folder of veraPDF's jars in the user's cache, which Maven fetches once. `None` without Java or Maven.
fn vera_pdf() -> Result<Option<PathBuf>> {
    let folder = paths::cache()?.join(format!("verapdf-{VERA_PDF}"));
    let jars = folder.join("jars");
    if !sh::found("java") || !(jars.is_dir() || sh::found("mvn")) {
        return Ok(None);
    }
    if !jars.is_dir() {
        std::fs::create_dir_all(&folder)?;
        let project = format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
             <groupId>einsicht</groupId><artifactId>verapdf</artifactId><version>1</version><dependencies><dependency>\
             <groupId>org.verapdf.apps</groupId><artifactId>greenfield-apps</artifactId><version>{VERA_PDF}</version>\
             </dependency></dependencies></project>"
        );
        std::fs::write(folder.join("pom.xml"), project)?;
        // Fetched into another folder first: one that is cut off must not look complete.
        let mut maven = Command::new("mvn");
        maven.current_dir(&folder).args(["--quiet", "--batch-mode"]);
        maven.args(["dependency:copy-dependencies", "-DoutputDirectory=fetched"]);
        sh::run_within(sh::LONG, &mut maven)?;
        std::fs::rename(folder.join("fetched"), &jars)?;
    }
    Ok(Some(jars))
}

/// Installs the packages of the lock file, without running any package's scripts, unless they are installed already.
pub(crate) fn npm_packages() -> Result<()> {
    let folder = browser_tests()?;
    let changed = |path: &str| {
        std::fs::metadata(folder.join(path))
            .and_then(|file| file.modified())
            .ok()
    };
    if changed("node_modules/.package-lock.json") >= changed("package-lock.json") {
        return Ok(());
    }
    sh::run(
        Command::new("npm")
            .current_dir(&folder)
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]),
    )
}

/// The tests in a browser.
fn browser(programs: &Path) -> Result<Command> {
    let mut node = Command::new("node");
    node.current_dir(browser_tests()?)
        .arg("--test")
        .env("EINSICHT_PROGRAMS", programs);
    Ok(node)
}

pub(crate) fn browser_tests() -> Result<PathBuf> {
    Ok(paths::root()?.join("tests/browser"))
}
