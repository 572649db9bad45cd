//! As many honest exchanges as the processes can do. What is closed must be forgotten: memory stays below its limits,
//! and beside the ledger an exchange leaves little on the disk.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};

use crate::harness::{Flood, Scenario};
use crate::honest::HonestClient;

const SCENARIO: Scenario = Scenario {
    name: "sustained load",
    listen: "127.0.0.1:23400",
    prepare: |_| Ok(()),
    flood,
};

const CLIENTS: usize = 16;
/// The most bytes that a closed exchange leaves beside the ledger and the protocols that the law demands.
const PER_EXCHANGE: u64 = 2_000;
/// The most bytes that it leaves in the protocols of both authorities.
const PER_PROTOCOLS: u64 = 32_000;
/// Ends the name of a connector's protocol.
const PROTOCOL: &str = "'s protocol";
/// The space that the databases may take at first: room for what is open, which later exchanges use again.
const FIRST: u64 = 8 << 20;

fn flood(flood: &Flood<'_>) -> Result<()> {
    let data = &flood.processes.data;
    let before = beside_the_ledger(data)?;
    let client = HonestClient::new(flood.processes)?;
    let exchanges = AtomicUsize::new(0);
    flood.in_threads(CLIENTS, |_| {
        while flood.continues() {
            client.ask_about_unknown()?;
            exchanges.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })?;
    let exchanges = exchanges.into_inner() as u64;
    let (mut total, mut logged) = (0, 0);
    for (name, bytes) in beside_the_ledger(data)? {
        let first = before
            .iter()
            .find(|(one, _)| *one == name)
            .map_or(0, |(_, bytes)| *bytes);
        let grown = bytes.saturating_sub(first);
        println!(
            "  {name}: {} kB more on the disk after {exchanges} exchanges",
            grown / 1000
        );
        if name.ends_with(PROTOCOL) {
            logged += grown;
        } else {
            total += grown;
        }
    }
    ensure!(
        logged <= PER_PROTOCOLS * exchanges,
        "{logged} bytes of protocols after {exchanges} exchanges"
    );
    ensure!(
        total <= FIRST + PER_EXCHANGE * exchanges,
        "{total} bytes beside the ledger after {exchanges} exchanges"
    );
    Ok(())
}

/// The space that each process's folder takes, but the ledger's and the witnesses'.
fn beside_the_ledger(data: &Path) -> Result<Vec<(String, u64)>> {
    let mut sizes = Vec::new();
    for folder in std::fs::read_dir(data)? {
        let folder = folder?;
        let name = folder.file_name().to_string_lossy().into_owned();
        if folder.file_type()?.is_dir() && !name.starts_with("ledger") && !name.starts_with("witness") {
            let protocol = folder.path().join("protocol");
            let logged = if protocol.exists() { space(&protocol)? } else { 0 };
            sizes.push((name.clone(), space(&folder.path())?.saturating_sub(logged)));
            sizes.push((name + PROTOCOL, logged));
        }
    }
    sizes.sort();
    Ok(sizes)
}

/// The bytes that the file system has given to the files. redb doubles the length of a file when it needs room, and the
/// new half takes no space before it is used.
fn space(directory: &Path) -> Result<u64> {
    let mut total = 0;
    for item in std::fs::read_dir(directory)? {
        let item = item?;
        total += match item.file_type()? {
            kind if kind.is_dir() => space(&item.path())?,
            _ => item.metadata()?.blocks() * 512,
        };
    }
    Ok(total)
}

#[test]
fn sustained_load_keeps_memory_and_disk_bounded() -> Result<()> {
    SCENARIO.briefly()
}

#[test]
#[ignore = "takes a minute: `cargo xtask test --long`"]
fn sustained_load_of_a_minute_keeps_memory_and_disk_bounded() -> Result<()> {
    SCENARIO.for_a_minute()
}
