//! `load`: founds a log, starts a ledger on it as a child process, sends it signed entries over HTTP, and reports the
//! time until their receipts arrived.
//!
//! A receipt proves that an entry is durable and in the tree: it contains the entry, its inclusion proof and the signed
//! checkpoint, and the ledger returns it only after the synced commit. The answer for an entry is its receipt, so the
//! time to the answer is the *time to a verifiable, durable receipt*; `--check` adds the verification. `--maps` also
//! measures the time from the receipt of each entry until a published `map` entry covers its label.
//!
//! Entries are signed before the clock starts, in rounds, so that millions of entries need not fit in memory; the
//! ledger is idle between rounds. The ledger runs with its defaults (every commit is synced), except that it accepts
//! old entries, because entries are signed in advance.
//!
//! `--store postgres` also starts a PostgreSQL server with a synchronous standby, on the same machine, and reports the
//! processor time of each for an entry. `--restart` kills the ledger after the load and measures its next start.

mod entries;
mod maps;
mod offer;
mod restart;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use fixtures::postgres::Cluster;
use ledger_client::HttpLedger;
use serde_json::json;

use entries::{EntryShape, LoadWriter};
use maps::MapWatch;
use offer::{Connection, OfferOptions, Recorded};
use world::{LedgerChild, Neighbours, World};

#[derive(Parser)]
#[command(name = "load", version, about = "Load generator for Einsicht's ledger")]
struct Options {
    /// The ledger program.
    #[arg(long)]
    ledger: PathBuf,
    /// A new or empty directory for the log; without it, a temporary directory that is deleted at the end.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// How many entries.
    #[arg(long, default_value_t = 100_000)]
    entries: usize,
    /// Offered load in entries per second (open loop); without it, each writer waits for its answer (closed loop).
    #[arg(long)]
    rate: Option<f64>,
    /// Entries per request.
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
    /// Measure the `map` entries, too.
    #[arg(long)]
    maps: bool,
    /// Entries signed at a time.
    #[arg(long, default_value_t = 500_000)]
    round: usize,
    /// Where the log is.
    #[arg(long, value_enum, default_value = "rocks")]
    store: StoreKind,
    /// The ledger has a witness, which runs in this process. PostgreSQL needs one.
    #[arg(long)]
    witnessed: bool,
    /// Kill the ledger in the end, and measure the time from its next start to the first receipt.
    #[arg(long)]
    restart: bool,
    /// File for the result (flat JSON).
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StoreKind {
    Rocks,
    Postgres,
}

impl StoreKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Rocks => "rocks",
            Self::Postgres => "postgres",
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    // One thread, like wrk, because the ledger needs the other cores. Verifying receipts needs all cores.
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
            output::stderr!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    ensure!(
        options.entries > 0 && options.batch > 0 && options.writers > 0 && options.round > 0,
        "entries, batch, writers and round must be at least 1"
    );
    ensure!(options.rate.is_none_or(|rate| rate > 0.0), "the rate must be above 0");
    let temporary = tempfile::tempdir()?;
    let folder = options.folder.as_deref().unwrap_or(temporary.path());
    let cluster = (options.store == StoreKind::Postgres).then(Cluster::for_load);
    let neighbours = Neighbours {
        cluster: cluster.transpose()?,
        witnessed: options.witnessed || options.store == StoreKind::Postgres,
    };
    let world = World::found(folder, options.writers, &neighbours).await?;
    let ledger = world.start(&options.ledger).await?;
    let mut identity = LoadWriter::new(world.identity.clone());
    Connection::open(ledger.address)
        .await?
        .send(identity.begin_period()?)
        .await?;
    let mut writers: Vec<_> = world.writers.iter().cloned().map(LoadWriter::new).collect();

    let watch = options.maps.then(|| {
        let api = HttpLedger::new(&format!("http://{}", ledger.address))?;
        Ok::<_, anyhow::Error>(MapWatch::start(api, world.trust().clone(), world.map_writer))
    });
    let watch = watch.transpose()?;

    let before = server_times(&neighbours)?;
    let (elapsed, recorded) = offer_all(options, &world, &ledger, &mut writers).await?;
    let after = server_times(&neighbours)?;
    let mut times: Vec<u32> = recorded.iter().map(|entry| entry.micros).collect();
    times.sort_unstable();
    let milliseconds = |times: &[u32], share| percentile(times, share) / 1000.0;
    let mut result = json!({
        "entries": options.entries,
        "offered_per_s": options.rate,
        "batch": options.batch,
        "writers": options.writers,
        "checked": options.check,
        "store": options.store.name(),
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
    for (name, (before, after)) in ["primary_cpu_us", "standby_cpu_us"]
        .iter()
        .zip(before.iter().zip(&after))
    {
        let used = after.saturating_sub(*before).as_secs_f64();
        result[*name] = (used * 1e6 / options.entries as f64).into();
    }
    if options.restart {
        let writer = writers.first_mut().context("there is a writer")?;
        let seconds = restart::first_receipt(&world, &options.ledger, ledger, writer).await?;
        result["restart_s"] = seconds.as_secs_f64().into();
    }
    output::stdout!("{result}")?;
    if let Some(path) = &options.json {
        std::fs::write(path, result.to_string()).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The processor times of primary and standby until now.
fn server_times(neighbours: &Neighbours) -> Result<Vec<Duration>> {
    let cluster = neighbours.cluster.iter();
    cluster.flat_map(|cluster| [cluster.cpu(0), cluster.cpu(1)]).collect()
}

/// Runs all rounds; returns the time spent sending, and the recorded entries.
async fn offer_all(
    options: &Options,
    world: &World,
    ledger: &LedgerChild,
    writers: &mut [LoadWriter],
) -> Result<(Duration, Vec<Recorded>)> {
    let trust = Arc::new(world.trust().clone());
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
        let requests = entries::sign(writers, count, shape)?;
        // Signing may take longer than the ledger keeps an idle connection.
        let mut connections = Vec::new();
        for _ in 0..writers.len() {
            connections.push(Connection::open(ledger.address).await?);
        }
        let offered = offer::offer(connections, requests, pace, &trust).await?;
        elapsed += offered.elapsed;
        recorded.extend(offered.recorded);
    }
    Ok((elapsed, recorded))
}

/// The time within which this share of the entries got their receipts. `sorted` must not be empty.
fn percentile(sorted: &[u32], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().map_or(0.0, f64::from)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_percentile_is_the_time_within_which_that_share_arrived() {
        let times: Vec<u32> = (1..=200).collect();
        let at = |share| super::percentile(&times, share);
        assert_eq!([at(0.5), at(0.99), at(1.0), at(0.0)], [100.0, 198.0, 200.0, 1.0]);
        assert_eq!(super::percentile(&[7], 0.5), 7.0);
    }
}
