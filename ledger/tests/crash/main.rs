//! Crash safety of the real program: killed at every step of a commit and at random times, it loses and forks nothing.
//!
//! The harness runs `ledger serve`, built with the feature `failpoints`, writes to it over HTTP, kills it with SIGKILL,
//! restarts it and checks it (`harness`). After SIGKILL, the kernel still writes its cached data. Power cuts are
//! therefore tested in `sync`, by system calls, and with a store that discards unsynced batches
//! (`ledger::rules::durability_tests`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// What was measured or not tested, for the person who runs the tests.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod backup;
mod disk;
mod harness;
mod migrate;
mod mirror;
mod process;
mod random;
mod sync;
mod takeover;
mod wire;
mod world;
mod writer;

use anyhow::Result;

use fixtures::postgres::Cluster;
use harness::Engine;
use random::{given, seed};

async fn kill(kills: u64, engine: &Engine) -> Result<()> {
    let figures = harness::run(kills, seed(), engine).await?;
    println!("{figures}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_kills_lose_and_fork_nothing() -> Result<()> {
    kill(30, &Engine::Rocks).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quarter of an hour: `cargo xtask test --long`"]
async fn thousands_of_kills_lose_and_fork_nothing() -> Result<()> {
    kill(given("EINSICHT_KILLS").unwrap_or(2000), &Engine::Rocks).await
}

/// Kills ledgers on two logs at once. Their databases are on a primary with a synchronous standby.
async fn kill_on_postgres(kills_per_log: u64) -> Result<()> {
    let engine = Engine::Postgres(Cluster::replicated()?);
    let (first, second) = tokio::join!(
        harness::run(kills_per_log, seed(), &engine),
        harness::run(kills_per_log, seed().wrapping_add(1), &engine)
    );
    println!("{}\n{}", first?, second?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_kills_on_postgres_lose_and_fork_nothing() -> Result<()> {
    kill_on_postgres(50).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: `cargo xtask test --long`"]
async fn hundreds_of_kills_on_postgres_lose_and_fork_nothing() -> Result<()> {
    kill_on_postgres(given("EINSICHT_KILLS").unwrap_or(400) / 2).await
}

/// Two of each: the sequencer is killed, and frozen and woken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_takes_over_from_a_killed_and_a_frozen_sequencer() -> Result<()> {
    takeover::rounds(4).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: `cargo xtask test --long`"]
async fn followers_take_over_many_times() -> Result<()> {
    takeover::rounds(given("EINSICHT_ROUNDS").unwrap_or(30)).await
}

/// The control: the harness must find the fork that two sequencers without a fence make.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_fence_a_woken_sequencer_forks_the_log() -> Result<()> {
    takeover::without_a_fence().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_waits_for_the_disk() -> Result<()> {
    if !sync::available()? {
        return Ok(());
    }
    let (entries, wrong) = sync::traced("").await?;
    assert!(entries > 0 && wrong.is_empty(), "{wrong:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_omitted_sync_is_detected() -> Result<()> {
    if !sync::available()? {
        return Ok(());
    }
    let (entries, wrong) = sync::traced("sync-left-out=return").await?;
    assert!(
        entries > 0 && wrong.len() == entries,
        "of {entries} entries, only these: {wrong:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_write_stops_the_log_and_loses_nothing() -> Result<()> {
    disk::FailingDisk::new()?.at_point("write-fails").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_sync_stops_the_log_and_loses_nothing() -> Result<()> {
    disk::FailingDisk::new()?.at_point("sync-fails").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_file_system_stops_the_log_until_there_is_room() -> Result<()> {
    if !disk::may_mount()? {
        return Ok(());
    }
    disk::FailingDisk::new()?.on_a_full_file_system().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_are_taken_while_writers_write_and_are_checked() -> Result<()> {
    backup::backup_restore_check().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_moves_to_postgres_and_back_and_is_never_served_twice() -> Result<()> {
    migrate::moved_to_postgres_and_back().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_copy_of_a_database_does_not_start() -> Result<()> {
    migrate::an_old_copy_of_a_database().await
}
