//! `load`: founds a log, starts a ledger on it as a child process, offers it signed entries over HTTP, and reports how long it took
//! until their receipts were there.
//!
//! A receipt is the proof that an entry is durable and in the tree: it holds the entry, its inclusion and the signed
//! checkpoint, and the ledger gives it out after the synced commit only. The answer of one entry is its receipt, so the time
//! to the answer is the *time to verifiable, durable receipt*; `--check` adds the verification. `--maps` measures besides how long after
//! its receipt each label stands in a published `map` entry.
//!
//! Signing happens before the clock starts, in rounds, so that millions of entries do not lie in memory at once; the ledger
//! rests between rounds. The ledger runs with its defaults (every commit synced), except that old entries are taken, because
//! they are signed in advance.

mod entries;
mod maps;
mod offer;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use ledger_client::LedgerApi;
use serde_json::json;

use entries::{EntryShape, Pen};
use maps::MapWatch;
use offer::{Connection, OfferOptions, Recorded};
use world::{LedgerChild, World};

#[derive(Parser)]
#[command(name = "load", version, about = "Load generator for Einsicht's ledger")]
struct Options {
    /// The ledger's program.
    #[arg(long)]
    ledger: PathBuf,
    /// A new or empty directory for the log; without one a temporary directory, deleted at the end.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// How many entries.
    #[arg(long, default_value_t = 100_000)]
    entries: usize,
    /// Offered load, entries a second (open loop); without it each writer waits for its answer (closed loop).
    #[arg(long)]
    rate: Option<f64>,
    /// Entries of a request.
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Writers, each with a connection of its own.
    #[arg(long, default_value_t = 64)]
    writers: usize,
    /// Bytes of each entry's sealed record.
    #[arg(long, default_value_t = 512)]
    record: usize,
    /// Verify every receipt.
    #[arg(long)]
    check: bool,
    /// Watch the `map` entries too.
    #[arg(long)]
    maps: bool,
    /// Entries signed at a time.
    #[arg(long, default_value_t = 500_000)]
    round: usize,
    /// File for the result (flat JSON).
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    // One thread, as wrk has: it shares the cores with the ledger. Receipts are verified on all.
    let mut runtime = if options.check {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    match runtime
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(&options)))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    ensure!(
        options.entries > 0 && options.batch > 0 && options.writers > 0 && options.round > 0,
        "entries, batch, writers and round are at least 1"
    );
    ensure!(options.rate.is_none_or(|rate| rate > 0.0), "the rate is above 0");
    let temporary = tempfile::tempdir()?;
    let folder = options.folder.as_deref().unwrap_or(temporary.path());
    let world = World::found(folder, options.writers)?;
    let ledger = world.start(&options.ledger).await?;
    let mut identity = Pen::new(world.identity.clone());
    Connection::open(ledger.address)
        .await?
        .send(identity.begin_period()?)
        .await?;
    let mut pens: Vec<_> = world.writers.iter().cloned().map(Pen::new).collect();

    let watch = options.maps.then(|| {
        let api = LedgerApi::new(&format!("http://{}", ledger.address))?;
        Ok::<_, anyhow::Error>(MapWatch::start(api, world.trust().clone(), world.map_writer))
    });
    let watch = watch.transpose()?;

    let (elapsed, recorded) = offer_all(options, &world, &ledger, &mut pens).await?;
    let mut times: Vec<u32> = recorded.iter().map(|entry| entry.micros).collect();
    times.sort_unstable();
    let milliseconds = |times: &[u32], share| percentile(times, share) / 1000.0;
    let mut result = json!({
        "entries": options.entries,
        "offered_per_s": options.rate,
        "batch": options.batch,
        "writers": options.writers,
        "checked": options.check,
        "entries_per_s": (options.entries as f64 / elapsed.as_secs_f64()).round(),
    });
    for (name, share) in [("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("max_ms", 1.0)] {
        result[name] = milliseconds(&times, share).into();
    }
    if let Some(watch) = watch {
        let lags = watch.lags(recorded).await?;
        for (name, share) in [
            ("map_lag_p50_ms", 0.5),
            ("map_lag_p99_ms", 0.99),
            ("map_lag_max_ms", 1.0),
        ] {
            result[name] = milliseconds(&lags, share).into();
        }
    }
    println!("{result}");
    if let Some(path) = &options.json {
        std::fs::write(path, result.to_string()).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// All rounds: time spent offering, and the entries that were recorded.
async fn offer_all(
    options: &Options,
    world: &World,
    ledger: &LedgerChild,
    pens: &mut [Pen],
) -> Result<(Duration, Vec<Recorded>)> {
    let trust = Arc::new(world.trust().clone());
    let mut connections = Vec::new();
    for _ in 0..pens.len() {
        connections.push(Connection::open(ledger.address).await?);
    }
    let (mut elapsed, mut recorded) = (Duration::ZERO, Vec::with_capacity(options.entries));
    let shape = EntryShape {
        record: options.record,
        batch: options.batch,
    };
    let pace = OfferOptions {
        rate: options.rate,
        check: options.check,
    };
    while recorded.len() < options.entries {
        let count = options.round.min(options.entries - recorded.len());
        let requests = entries::sign(pens, count, shape)?;
        let offered = offer::offer(&mut connections, requests, pace, &trust).await?;
        elapsed += offered.elapsed;
        recorded.extend(offered.recorded);
    }
    Ok((elapsed, recorded))
}

/// The time within which this share of the entries had their receipts; `sorted` is not empty.
fn percentile(sorted: &[u32], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().map_or(0.0, f64::from)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_percentile_is_the_time_within_which_that_share_had_come() {
        let times: Vec<u32> = (1..=200).collect();
        let at = |share| super::percentile(&times, share);
        assert_eq!([at(0.5), at(0.99), at(1.0), at(0.0)], [100.0, 198.0, 200.0, 1.0]);
        assert_eq!(super::percentile(&[7], 0.5), 7.0);
    }
}
