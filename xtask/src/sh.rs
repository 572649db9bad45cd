//! Running other programs: the line is printed, and a failure is an error that names it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::paths;

/// Prints a command's line and runs it to its end, with its output on this process's.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line_of(command);
    eprintln!("▸ {line}");
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Runs a command silently and returns its standard output, or an error with its standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line_of(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!(
            "`{line}` ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
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
        run(&mut cargo)?;
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
    #[test]
    fn the_cpu_time_of_children_is_read() {
        // Not a measurement: the fields exist and are numbers.
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        assert!(
            stat.rsplit(')')
                .next()
                .is_some_and(|fields| fields.split_whitespace().count() > 15)
        );
        assert!(super::cpu_seconds() < 1_000_000);
    }
}
