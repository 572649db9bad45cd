//! Crash safety of the real program: killed at every step of a commit and at random, it loses, forks and forgets nothing.
//!
//! Runs `ledger serve` built with the feature `failpoints`, loads it over HTTP, kills it with SIGKILL, restarts and checks
//! (`harness`). SIGKILL keeps what the kernel has; what a power cut would take is looked at in `sync` (system calls) and on a
//! store that forgets what was not synced (`ledger::rules::durability_tests`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;
mod mirror;
mod process;
mod random;
mod wire;
mod witness;
mod world;
mod writer;

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

fn seed() -> u64 {
    let given = std::env::var("EINSICHT_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .subsec_nanos()
            .into()
    })
}

async fn kill(kills: u64) -> Result<()> {
    let figures = harness::run(kills, seed()).await?;
    println!("{figures}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_kills_lose_and_fork_nothing() -> Result<()> {
    kill(30).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quarter of an hour: `cargo xtask test --long`"]
async fn two_thousand_kills_lose_and_fork_nothing() -> Result<()> {
    kill(2000).await
}
