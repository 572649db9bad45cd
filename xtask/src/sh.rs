//! Running other programs: the line is printed, and a failure is an error that names it.
//!
//! An exit code says only what its program wants it to say. Some foreign programs succeed although their check failed,
//! or never end. So the caller reads what it printed as well, and gives it a time limit. Only the project's own
//! builds and tests may take as long as the machine needs.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::paths;

/// Prints a command's line and runs it to its end, with its output on this process's.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line_of(command);
    output::stderr!("▸ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// The limit for programs that have little to do.
pub(crate) const SHORT: Duration = Duration::from_secs(5 * 60);
/// The limit for programs that download and build.
pub(crate) const LONG: Duration = Duration::from_secs(60 * 60);
/// How long a program that has reached its limit may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// Like [`run`], for at most this time.
pub(crate) fn run_within(limit: Duration, command: &mut Command) -> Result<()> {
    let line = line_of(command);
    output::stderr!("▸ {line}");
    let child = command.spawn().with_context(|| format!("cannot start `{line}`"))?;
    let status = wait(child, limit).with_context(|| format!("`{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Runs two commands side by side to their ends, the first with its output on this process's. What the second one
/// prints follows when both have ended. If both fail, the error is the first one's.
pub(crate) fn run_both(first: &mut Command, second: &mut Command) -> Result<()> {
    let line = line_of(second);
    output::stderr!("▸ {line}, beside what follows");
    let printed = tempfile::tempfile()?;
    second.stdout(printed.try_clone()?).stderr(printed.try_clone()?);
    let mut beside = second
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let result = run(first);
    let status = beside.wait();
    output::stderr!("▸ {line}, which ran beside, printed:");
    copy_to_stderr(printed)?;
    result?;
    let status = status.with_context(|| format!("cannot wait for `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

fn copy_to_stderr(mut file: File) -> io::Result<()> {
    file.rewind()?;
    io::copy(&mut file, &mut io::stderr().lock())?;
    Ok(())
}

/// Runs a command silently, at most for [`SHORT`], and returns its standard output, or an error with its standard
/// error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line_of(command);
    let output = complete(SHORT, command).with_context(|| format!("cannot run `{line}`"))?;
    if !output.status.success() {
        bail!(
            "`{line}` ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command silently, at most for this time, and returns how it ended and what it printed.
///
/// # Errors
/// If it cannot be started, or has not ended in time.
pub(crate) fn complete(limit: Duration, command: &mut Command) -> io::Result<Output> {
    // Files and no pipes: a process that the command leaves behind would keep a pipe open.
    let (stdout, stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let child = command
        .stdin(Stdio::null())
        .stdout(stdout.try_clone()?)
        .stderr(stderr.try_clone()?)
        .spawn()?;
    let status = wait(child, limit)?;
    let content = |mut file: File| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    Ok(Output {
        status,
        stdout: content(stdout)?,
        stderr: content(stderr)?,
    })
}

/// Waits until a child ends. After the limit it is asked to end, then killed, and the result is an error.
fn wait(mut child: Child, limit: Duration) -> io::Result<ExitStatus> {
    if let Some(status) = ended(&mut child, limit)? {
        return Ok(status);
    }
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    if asked.is_err() || ended(&mut child, GRACE)?.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let error = format!("did not end within {} s", limit.as_secs());
    Err(io::Error::new(io::ErrorKind::TimedOut, error))
}

/// How a child ended, if it ends within this time.
fn ended(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Whether a program of that name can be started.
pub(crate) fn found(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// The `cargo` that runs this program, without the variables that cargo sets for it.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let ours = name.to_string_lossy().starts_with("CARGO_PKG_")
            || name == "CARGO_MANIFEST_DIR"
            || name == "CARGO_MANIFEST_PATH";
        if ours {
            command.env_remove(name);
        }
    }
    command
}

fn line_of(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A program from crates.io in the user's cache; it is built there at this version if it is missing.
pub(crate) fn installed_tool(name: &str, version: &str) -> Result<PathBuf> {
    let tools = paths::cache()?.join(format!("{name}-{version}"));
    let program = tools.join("bin").join(name);
    if !program.is_file() {
        let building = paths::cache()?.join(format!("build-{name}"));
        let mut cargo = cargo();
        cargo
            .args(["install", "--locked", "--version", version, name, "--root"])
            .arg(&tools);
        cargo.env("CARGO_TARGET_DIR", &building).current_dir(paths::cache()?);
        cargo
            .env("CARGO_PROFILE_RELEASE_LTO", "false")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        run_within(LONG, &mut cargo)?;
        std::fs::remove_dir_all(building).ok();
    }
    Ok(program)
}

/// CPU time of all processes that this one has waited for, in seconds (proc(5): `cutime` and `cstime`, in ticks of
/// 1/100 s).
pub(crate) fn cpu_seconds() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(13)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    ticks / 100
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_that_does_not_end_is_an_error_that_says_so() {
        // The second one ignores the request to end; `exec` leaves no other process behind.
        for script in ["exec sleep 1000", "trap '' TERM; exec sleep 1000"] {
            let error = run_within(Duration::from_millis(100), &mut shell(script)).unwrap_err();
            assert!(format!("{error:#}").contains("did not end within"), "{error:#}");
        }
        let error = complete(Duration::from_millis(100), &mut shell("exec sleep 1000")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_process_left_behind_does_not_delay_the_output() {
        let mut command = shell("sleep 1000 & echo $!; echo complaint >&2; exit 3");
        let output = complete(SHORT, &mut command).unwrap();
        let left = String::from_utf8(output.stdout).unwrap();
        Command::new("kill").arg(left.trim()).status().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(output.stderr, b"complaint\n");
    }

    #[test]
    fn a_failure_of_either_of_two_commands_is_an_error() {
        assert!(run_both(&mut shell("exit 0"), &mut shell("exit 0")).is_ok());
        for (first, second) in [("exit 4", "exit 0"), ("exit 0", "exit 4"), ("exit 4", "exit 5")] {
            let error = run_both(&mut shell(first), &mut shell(second)).unwrap_err();
            assert!(format!("{error:#}").contains("exit 4"), "{error:#}");
        }
    }

    #[test]
    fn the_cpu_time_of_children_is_read() {
        // Not a measurement: the fields exist and are numbers.
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        assert!(
            stat.rsplit(')')
                .next()
                .is_some_and(|fields| fields.split_whitespace().count() > 15)
        );
        assert!(cpu_seconds() < 1_000_000);
    }
}
