//! The figures of the stages, and measurements of the process and its files.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// The measured values by name.
pub(crate) type Figures = BTreeMap<String, f64>;
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Resident memory of this process in MiB.
pub(crate) fn resident_mib() -> Result<f64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line.unwrap_or_default().trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}

/// Total size of all files below a directory, in bytes.
pub(crate) fn size_of(directory: &Path) -> io::Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        size += if metadata.is_dir() {
            size_of(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(size)
}
