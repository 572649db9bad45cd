//! The memory of the processes, compared with the limits that `docs/operating.md` states.

use anyhow::{Result, ensure};
use tests::processes::Processes;

const MIB: u64 = 1 << 20;

/// The most memory of a process, by the first part of its folder's name.
const LIMITS: [(&str, u64); 7] = [
    ("ledger", 512 * MIB),
    ("identity", 256 * MIB),
    ("broker", 256 * MIB),
    ("connector", 256 * MIB),
    ("register", 128 * MIB),
    ("portal", 256 * MIB),
    ("witness", 128 * MIB),
];

/// Prints the peak of each process's resident memory, and expects it to be below the limit.
pub(crate) fn check(processes: &Processes) -> Result<()> {
    for (name, process) in &processes.running {
        let peak = process.peak_memory()?;
        println!("  {name}: at most {} MiB", peak / MIB);
        let Some((_, limit)) = LIMITS.iter().find(|(prefix, _)| name.starts_with(prefix)) else {
            continue;
        };
        ensure!(
            peak <= *limit,
            "{name} used {} MiB; its limit is {} MiB",
            peak / MIB,
            limit / MIB
        );
    }
    Ok(())
}
