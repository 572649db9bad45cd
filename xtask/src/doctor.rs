//! `cargo xtask doctor`: tries every prerequisite, prints what it found, and changes nothing.

use anyhow::Result;

use crate::{machine, rocksdb};

/// # Errors
/// [`machine::Missing`] if a prerequisite is missing.
pub(crate) fn run() -> Result<()> {
    let prerequisites = machine::report()?;
    if rocksdb::cached()? {
        output::stdout!("ok      RocksDB's archive")?;
    } else {
        output::stdout!("later   RocksDB's archive: the first build makes it, in some minutes")?;
    }
    Ok(prerequisites?)
}
