//! `bench peers`: Tessera's conformance server for POSIX file systems under the same `wrk` load on the same machine,
//! and Tessera's own tools against `open_log`. `hammer` writes and checks proofs and consistency; `fsck` recomputes
//! every tile.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::figures::{Figures, folder, keep, number};
use super::host::build_ledger;
use super::server::Server;
use super::wrk;
use crate::sh;

const TESSERA: &str = "github.com/transparency-dev/tessera";
const VERSION: &str = "v1.0.4";
const PROGRAMS: [&str; 3] = ["cmd/conformance/posix", "internal/hammer", "cmd/fsck"];
const CONNECTIONS: [u32; 2] = [256, 2_000];

pub(crate) fn run(quick: bool) -> Result<()> {
    if !sh::found("go") {
        eprintln!("Go is not installed (Debian's golang is too old, see go.dev): the peers are skipped");
        return Ok(());
    }
    build_ledger()?;
    let programs = install()?;
    let mut figures = Figures::new();
    if wrk::found() {
        compare(&programs, quick, &mut figures)?;
    }
    cross_check(&programs, quick)?;
    keep("peers", quick, &figures)
}

/// `go install`, into the results' folder.
fn install() -> Result<PathBuf> {
    let programs = folder()?.join("go");
    for program in PROGRAMS {
        let package = format!("{TESSERA}/{program}@{VERSION}");
        sh::run(Command::new("go").env("GOBIN", &programs).args(["install", &package]))?;
    }
    Ok(programs)
}

fn compare(programs: &Path, quick: bool, figures: &mut Figures) -> Result<()> {
    let seconds = if quick { 3 } else { 10 };
    let mut lines = Vec::new();
    for connections in CONNECTIONS {
        for peer in ["open_log", "tessera"] {
            let server = if peer == "tessera" {
                Server::tessera(&programs.join("posix"))?
            } else {
                Server::open_log()?
            };
            let measured = wrk::run(&server, connections, seconds)?;
            let cells = ["per_s", "p50_ms", "p99_ms", "max_ms"].map(|name| number(measured.get(name)));
            lines.push(format!("| {peer} | {connections} | {} |", cells.join(" | ")));
            for name in ["per_s", "p50_ms", "p99_ms"] {
                let value = measured
                    .get(name)
                    .map(|value| (format!("{peer}_c{connections}_{name}"), value.clone()));
                figures.extend(value);
            }
        }
    }
    println!(
        "\n| `POST /add`, 500-byte bodies, wrk -t1 | connections | requests/s | p50 ms | p99 ms | max ms |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n{}\n\n`open_log` answers when a published, signed checkpoint covers the entry; Tessera \
         {VERSION} answers with the index, before its next checkpoint.",
        lines.join("\n")
    );
    Ok(())
}

/// Runs Tessera's tools against a log that this engine serves.
fn cross_check(programs: &Path, quick: bool) -> Result<()> {
    let server = Server::open_log()?;
    let leaves = if quick { 3_000 } else { 50_000 };
    let url = format!("{}/", server.url());
    let log = folder()?.join("hammer.log");
    sh::run(
        Command::new(programs.join("hammer"))
            .args(["--log_public_key", &server.key, "--log_url", &url, "--show_ui=false"])
            .args([
                "--leaf_min_size=500",
                "--num_writers=200",
                "--max_write_ops=5000",
                "--max_read_ops=200",
            ])
            .args([&format!("--leaf_write_goal={leaves}"), "--max_runtime=5m"])
            .stderr(std::fs::File::create(&log)?),
    )
    .with_context(|| format!("Tessera's hammer is not content with open_log: see {}", log.display()))?;
    content(&std::fs::read_to_string(&log)?)?;
    let key = folder()?.join("open_log/verifier.key");
    std::fs::write(&key, &server.key)?;
    sh::run(
        Command::new(programs.join("fsck"))
            .args(["--storage_url", &url, "--ui=false", "--N=2", "--public_key"])
            .arg(&key),
    )
    .context("Tessera's fsck is not content with open_log")?;
    println!("\nTessera's hammer ({leaves} leaves of 500 bytes) and fsck: green.");
    Ok(())
}

/// Fails on a warning: the hammer exits with success even if its readers and writers met errors, and only logs them.
/// A request to slow down is no error.
fn content(log: &str) -> Result<()> {
    let bad = |line: &&str| line.starts_with(['W', 'E', 'F']) && !line.contains("pushback");
    match log.lines().find(bad) {
        Some(line) => bail!("Tessera's hammer complains: {line}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_warning_of_the_hammer_is_a_failure_and_pushback_is_none() {
        let info = "I1122 03:44:50.282960   19299 hammer.go:151] Will exit once tree size is at least 44577";
        let pushback = "W1122 03:44:50.282960   19299 analysis.go:120] 3 requests received pushback from log";
        let error = "W1122 03:44:50.282960   19299 analysis.go:124] (1 x) failed to get leaf 7: not found";
        assert!(super::content(&[info, pushback].join("\n")).is_ok());
        assert!(super::content(&[info, error].join("\n")).is_err());
    }
}
