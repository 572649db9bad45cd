//! The machine that a suite ran on, in one sentence, and the programs that suites of the ledger share.

use anyhow::Result;

use super::figures::folder;
use crate::{paths, rocksdb, sh};

/// The ledger's programs and examples, and the load generator.
pub(super) fn build_ledger() -> Result<()> {
    build_ledger_with(&["--bins", "--examples"])
}

/// The ledger and the load generator.
pub(super) fn build_load() -> Result<()> {
    build_ledger_with(&["--bins"])
}

fn build_ledger_with(targets: &[&str]) -> Result<()> {
    let build = [
        "build",
        "--release",
        "--locked",
        "--package",
        "ledger",
        "--package",
        "load",
    ];
    let mut cargo = sh::cargo();
    cargo.current_dir(paths::root()?).args(build).args(targets);
    rocksdb::link(&mut cargo)?;
    sh::run(&mut cargo)
}

/// Processor, memory, kernel and the disk's file system, as Linux names them.
pub(super) fn description() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        value
            .unwrap_or(": unknown")
            .trim_start_matches(['\t', ' ', ':'])
            .trim()
            .to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let gib = memory
        .trim_end_matches(" kB")
        .parse::<f64>()
        .map_or(0.0, |kib| kib / f64::from(1 << 20));
    let load = read("/proc/loadavg");
    format!(
        "Machine: {cores} cores, {}; {gib:.0} GiB; Linux {}; {}; load average now {}. Every commit synced (`sync = true`), the load \
         generator on the same cores.",
        field(&read("/proc/cpuinfo"), "model name"),
        read("/proc/sys/kernel/osrelease").trim(),
        file_system().unwrap_or_else(|| "unknown file system".into()),
        load.split(' ').next().unwrap_or_default(),
    )
}

/// Device, type and options of the file system that holds the results.
fn file_system() -> Option<String> {
    let folder = folder().ok()?.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?, words.next()?, words.next()?))
    });
    let (device, _, kind, options) = mounts
        .filter(|(_, place, ..)| folder.starts_with(place))
        .max_by_key(|(_, place, ..)| place.len())?;
    Some(format!("{kind} on {device} ({options})"))
}
