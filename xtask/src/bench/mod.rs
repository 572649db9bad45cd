//! `cargo xtask bench`: what Einsicht costs, as Markdown tables for `docs/performance.md` and as flat JSON in
//! `target/bench`.
//!
//! | Command | Measures | Writes |
//! | --- | --- | --- |
//! | `bench` | the parts, with criterion | `parts.json` |
//! | `bench ledger` | the log in process, over HTTP, and as `open_log` under `wrk` | `ledger.json` |
//! | `bench peers` | Tessera on the same machine; its `hammer` and `fsck` against `open_log` | `peers.json` |
//! | `bench completeness` | the label map, a bundle of proofs, the running ledger's maps | `completeness.json` |
//! | `bench exchange` | whole exchanges: latency, throughput, memory, profile | `exchange.json` |
//! | `bench store` | the log on RocksDB and on PostgreSQL with a standby, by turns | `store.json` |
//! | `bench cockpit` | the portal: download, time until green, pages and logins a second | `cockpit.json` |
//! | `bench trust` | change sets of the directory and the Registerlandkarte, at the size of Germany | `trust.json` |
//!
//! With `--quick` all sizes are small and the files are named `…-quick.json`; such figures show that the suite works
//! and are not for publication. Figures whose names contain a size (`_10m`) are written only when they were measured at
//! that size. Nothing else should run on the machine.

mod browser;
mod cockpit;
mod completeness;
mod exchange;
mod figures;
mod host;
mod ledger;
mod parts;
mod peers;
mod server;
mod store;
mod trust;
mod wrk;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::machine;

#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    suite: Option<Suite>,
    /// Use small sizes and short runs, to see that the suite works.
    #[arg(long, global = true)]
    quick: bool,
}

#[derive(Subcommand)]
enum Suite {
    /// The ledger: in process, over HTTP, and as `open_log`.
    Ledger,
    /// The ledger on RocksDB and on PostgreSQL with a synchronous standby, by turns.
    Store(store::Options),
    /// Tessera under the same load, and its tools against `open_log`.
    Peers,
    /// The label map, a bundle of 100 entries, the running ledger's maps.
    Completeness,
    /// Whole exchanges through all compartments.
    Exchange,
    /// The portal, in a browser and under load.
    Cockpit,
    /// Change sets of the directory and the Registerlandkarte.
    Trust,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    machine::ensure(machine::Purpose::Build)?;
    match &options.suite {
        None => parts::run(),
        Some(Suite::Ledger) => ledger::run(options.quick),
        Some(Suite::Store(store)) => store::run(store, options.quick),
        Some(Suite::Peers) => peers::run(options.quick),
        Some(Suite::Completeness) => completeness::run(options.quick),
        Some(Suite::Exchange) => exchange::run(options.quick),
        Some(Suite::Cockpit) => cockpit::run(options.quick),
        Some(Suite::Trust) => trust::run(options.quick),
    }?;
    output::stdout!("\n{}", host::description())?;
    Ok(())
}
