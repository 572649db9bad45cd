//! The command line of the measurement.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use ledger::engine::edge::TILE_WIDTH;

#[derive(Parser)]
#[command(name = "inproc", version, about = "Measures the ledger in one process")]
pub(crate) struct Arguments {
    /// A directory that does not exist yet.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// How many entries to record: at least two full tiles, whose proofs are measured.
    #[arg(long, value_parser = clap::value_parser!(u64).range(2 * TILE_WIDTH..))]
    pub(crate) entries: u64,
    /// File for the figures.
    #[arg(long)]
    pub(crate) json: PathBuf,
    /// Entries per request.
    #[arg(long, default_value_t = 64)]
    pub(crate) request: usize,
    /// Writers, each with one pending request.
    #[arg(long, default_value_t = 24)]
    pub(crate) writers: u8,
    /// Bytes of each entry's sealed record.
    #[arg(long, default_value_t = 256)]
    pub(crate) record: usize,
    /// Run only this stage.
    #[arg(long)]
    pub(crate) stage: Option<Stage>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Stage {
    Write,
    Restart,
    Proofs,
}
