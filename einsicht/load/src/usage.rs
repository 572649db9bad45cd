//! What this process has used, as the kernel counts it.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::world::COMPARTMENTS;

/// Clock ticks in a second, which Linux fixes for programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// Resident memory in MB.
pub(crate) fn resident_mb() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: f64 = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .context("/proc/self/status has no VmRSS")?
        .parse()?;
    Ok(kilobytes / 1000.0)
}

/// What has been used since the process began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    /// CPU seconds by compartment; the load generator and all else is `load`.
    pub(crate) seconds: BTreeMap<&'static str, f64>,
    /// CPU seconds of the process, also of threads that have ended.
    pub(crate) total: f64,
    /// Bytes that were written to the disk.
    pub(crate) written: f64,
}

impl Usage {
    /// Reads the counters of all living threads.
    pub(crate) fn now() -> Result<Self> {
        let mut seconds = BTreeMap::new();
        for task in std::fs::read_dir("/proc/self/task")? {
            // A thread may end at any time.
            let Ok(stat) = std::fs::read_to_string(task?.path().join("stat")) else {
                continue;
            };
            if let Some((name, used)) = of_thread(&stat) {
                *seconds.entry(owner(name)).or_default() += used;
            }
        }
        let io = std::fs::read_to_string("/proc/self/io")?;
        let written = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
        let (_, total) =
            of_thread(&std::fs::read_to_string("/proc/self/stat")?).context("/proc/self/stat has no times")?;
        Ok(Self {
            seconds,
            total,
            written: written.context("/proc/self/io has no write_bytes")?.parse()?,
        })
    }

    /// What was used from `earlier` to this time.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let before = |name: &str| earlier.seconds.get(name).copied().unwrap_or(0.0);
        Self {
            seconds: self
                .seconds
                .iter()
                .map(|(name, seconds)| (*name, (seconds - before(name)).max(0.0)))
                .collect(),
            total: self.total - earlier.total,
            written: self.written - earlier.written,
        }
    }
}

/// The name and the CPU seconds in a line of `/proc/self/task/*/stat`. The name is in brackets and may have spaces.
fn of_thread(stat: &str) -> Option<(&str, f64)> {
    let (head, rest) = stat.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some((name, ticks / TICKS_PER_SECOND))
}

/// The compartment that a thread belongs to. The ledger's own threads are named after what they do.
fn owner(thread: &str) -> &'static str {
    let of_ledger = ["sequencer", "rocksdb", "map"];
    if of_ledger.iter().any(|prefix| thread.starts_with(prefix)) {
        return "ledger";
    }
    let named = COMPARTMENTS.into_iter().find(|name| thread.starts_with(name));
    named.unwrap_or("load")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_thread_is_its_compartments() {
        let stat = "77 (identity-store) S 1 1 1 0 -1 4194368 5 0 0 0 150 50 0 0 20 0 9 0 1 1 1";
        let (name, seconds) = of_thread(stat).unwrap();
        assert_eq!((owner(name), seconds), ("identity", 2.0));
        assert_eq!(owner("tokio-runtime-w"), "load");
        assert!(resident_mb().unwrap() > 0.0 && Usage::now().unwrap().total >= 0.0);
    }
}
