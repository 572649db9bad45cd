//! The processes of an exchange beside the join service, which issues their certificates.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::processes::Processes;

/// The component that the portal is.
pub const PORTAL: &str = "bund:bva:datenschutzcockpit:portal";

/// Starts the processes of an exchange between Rheinfurt and the KBA, all with certificates, and the join service.
///
/// # Errors
/// A process does not start.
pub fn start(data: &Path, base: &str) -> Result<Processes> {
    start_with(data, base, |_| Ok(()))
}

/// The same, with a change of the configurations.
///
/// # Errors
/// As [`start`], and those of `change`.
pub fn start_with(data: &Path, base: &str, change: impl FnOnce(&Processes) -> Result<()>) -> Result<Processes> {
    let mut processes = Processes::seed(data, base)?;
    change(&processes)?;
    processes.start_all()?;
    let join = processes.info.join.clone();
    processes.up("join", "join", &join)?;
    processes.all_healthy()?;
    Ok(processes)
}

/// The address of the ledger's writing entrance.
///
/// # Errors
/// The ledger's configuration cannot be read.
pub fn writing(data: &Path) -> Result<String> {
    let config = std::fs::read(data.join("ledger/config.json"))?;
    let config: Value = serde_json::from_slice(&config)?;
    Ok(config["writing"]["listen"].as_str().context("an address")?.to_owned())
}
