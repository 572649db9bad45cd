//! `bench peers`: Tessera's conformance server for POSIX file systems under the same `wrk` load on the same machine,
//! and Tessera's own tools against `open_log`. `hammer` writes and checks proofs and consistency; `fsck` recomputes
//! every tile.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::figures::{Figures, folder, keep, number};
use super::host::build_ledger;
use super::server::Server;
use super::wrk;
use crate::sh;

const TESSERA: &str = "github.com/transparency-dev/tessera";
const VERSION: &str = "v1.0.4";
const PROGRAMS: [&str; 3] = ["cmd/conformance/posix", "internal/hammer", "cmd/fsck"];
/// The hammer's own limit is 5 minutes.
const HAMMER_LIMIT: Duration = Duration::from_secs(6 * 60);
/// `fsck` takes seconds for the logs of this suite, and does not end at all on some faulty ones.
const FSCK_LIMIT: Duration = Duration::from_secs(5 * 60);
const CONNECTIONS: [u32; 2] = [256, 2_000];

pub(crate) fn run(quick: bool) -> Result<()> {
    if !sh::found("go") {
        output::stderr!("Go is not installed (Debian's golang is too old, see go.dev): the peers are skipped");
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
        sh::run_within(
            sh::LONG,
            Command::new("go").env("GOBIN", &programs).args(["install", &package]),
        )?;
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
    output::stdout!(
        "\n| `POST /add`, 500-byte bodies, wrk -t1 | connections | requests/s | p50 ms | p99 ms | max ms |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n{}\n\n`open_log` answers when a published, signed checkpoint covers the entry; Tessera \
         {VERSION} answers with the index, before its next checkpoint.",
        lines.join("\n")
    )?;
    Ok(())
}

/// Runs Tessera's tools against a log that this engine serves.
fn cross_check(programs: &Path, quick: bool) -> Result<()> {
    let server = Server::open_log()?;
    let leaves = if quick { 3_000 } else { 50_000 };
    let url = format!("{}/", server.url());
    let mut hammer = Command::new(programs.join("hammer"));
    hammer
        .args(["--log_public_key", &server.key, "--log_url", &url, "--show_ui=false"])
        .args(["--leaf_min_size=500", "--num_writers=200", "--max_write_ops=5000"])
        .args(["--max_read_ops=200", &format!("--leaf_write_goal={leaves}")])
        .arg("--max_runtime=5m");
    let log = logged("hammer", HAMMER_LIMIT, &mut hammer)?;
    judge_hammer(&log).context("Tessera's hammer is not content with open_log")?;
    let key = folder()?.join("open_log/verifier.key");
    std::fs::write(&key, &server.key)?;
    let mut fsck = Command::new(programs.join("fsck"));
    fsck.args(["--storage_url", &url, "--ui=false", "--N=2", "--public_key"])
        .arg(&key);
    let log = logged("fsck", FSCK_LIMIT, &mut fsck)?;
    judge_fsck(&log, leaves).context("Tessera's fsck is not content with open_log")?;
    output::stdout!("\nTessera's hammer ({leaves} leaves of 500 bytes) and fsck: green.")?;
    Ok(())
}

/// Runs a program to its end and returns its log, which is kept in a file.
fn logged(name: &str, limit: Duration, command: &mut Command) -> Result<String> {
    let log = folder()?.join(format!("{name}.log"));
    let result = sh::run_within(limit, command.stderr(std::fs::File::create(&log)?));
    result.with_context(|| format!("see {}", log.display()))?;
    Ok(std::fs::read_to_string(&log)?)
}

/// Fails unless the hammer has written all leaves, or on a warning: it exits with success even if its readers and
/// writers met errors, and only logs them. A request to slow down is no error.
fn judge_hammer(log: &str) -> Result<()> {
    let bad = |line: &&str| is_complaint(line) && !line.contains("pushback");
    match log.lines().find(bad) {
        Some(line) => bail!("it complains: {line}"),
        None if log.contains("Reached tree size goal") => Ok(()),
        None => bail!("it does not say that it has written all leaves"),
    }
}

/// Fails unless fsck says that it has checked a log of at least this size: it exits with success also when the check
/// fails, and only logs that.
fn judge_fsck(log: &str, leaves: u64) -> Result<()> {
    if let Some(line) = log.lines().find(is_complaint) {
        bail!("it complains: {line}");
    }
    let size = log.split("Successfully fsck'd log with size ").nth(1);
    let size = size.context("it does not say that it has checked the whole log")?;
    let digits = size.split(' ').next().unwrap_or_default();
    let size: u64 = digits.parse().with_context(|| format!("no size: {digits}"))?;
    ensure!(size >= leaves, "it has checked {size} entries of at least {leaves}");
    Ok(())
}

/// Whether a line of klog is a warning, an error or fatal.
fn is_complaint(line: &&str) -> bool {
    line.starts_with(['W', 'E', 'F'])
}

#[cfg(test)]
mod tests {
    use super::{judge_fsck, judge_hammer};

    /// Lines in the form that fsck v1.0.4 writes.
    #[test]
    fn fsck_must_say_that_it_has_checked_all_entries() {
        let began = "I1129 07:45:09.182960   19299 fsck.go:91] Fsck: checking log of size 700";
        let done = "I1129 07:45:10.282960   19299 fsck.go:161] Successfully fsck'd log with size 700 and root 00 (00)";
        let failed = "E1129 07:45:10.282960   19299 main.go:84] fsck failed: log has failed integrity check";
        assert!(judge_fsck(&[began, done].join("\n"), 700).is_ok());
        assert!(judge_fsck(&[began, done].join("\n"), 701).is_err());
        for bad in [&[], &[began][..], &[began, failed], &[done, failed]] {
            assert!(judge_fsck(&bad.join("\n"), 700).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_warning_of_the_hammer_is_a_failure_and_pushback_is_none() {
        let info = "I1122 03:44:50.282960   19299 hammer.go:151] Will exit once tree size is at least 44577";
        let done = "I1122 03:44:58.282960   19299 hammer.go:151] Reached tree size goal of 44577 after 8s; exiting";
        let pushback = "W1122 03:44:50.282960   19299 analysis.go:120] 3 requests received pushback from log";
        let error = "W1122 03:44:50.282960   19299 analysis.go:124] (1 x) failed to get leaf 7: not found";
        assert!(judge_hammer(&[info, pushback, done].join("\n")).is_ok());
        for bad in [&[][..], &[info], &[info, error, done]] {
            assert!(judge_hammer(&bad.join("\n")).is_err(), "{bad:?}");
        }
    }
}
