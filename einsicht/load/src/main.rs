//! `exchange-load`: runs ledger, identity, broker, two connectors and a register in this process, sends whole exchanges
//! to the consumer's connector over HTTP, and reports what they cost.
//!
//! | Measured | How |
//! | --- | --- |
//! | latency at a rate | open loop; in turns with the same question to the register without broker, seals, log |
//! | exchanges in a second | closed loop, as many as come through |
//! | memory | resident memory of the process before, during and after many exchanges |
//! | profile | CPU time by compartment (each has threads of its own), bytes written to the disk |
//!
//! The compartments are those of production with their defaults: each synced write is synced, each check is made, and
//! they talk HTTP over the loopback interface. The policy has no witnesses, because a witness is another operator's
//! machine.

mod certifier;
mod compartments;
mod offer;
mod people;
mod usage;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use serde_json::{Map, Value};

use compartments::Compartments;
use offer::{Loop, Target, closed_loop, open_loop, percentile};
use usage::{Usage, resident_mb};
use world::{COMPARTMENTS, World};

/// How long the compartments may take until the first exchange succeeds.
const START_TIMEOUT: Duration = Duration::from_secs(120);

#[derive(Parser)]
#[command(name = "exchange-load", version, about = "Load generator for whole exchanges")]
struct Options {
    /// How many persons identity knows, at least 1.
    #[arg(long, default_value_t = 100_000)]
    persons: usize,
    /// Exchanges per second whose latency is measured.
    #[arg(long, default_value_t = 200.0)]
    rate: f64,
    /// Seconds of each turn at that rate.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Turns: exchanges, then calls to the register.
    #[arg(long, default_value_t = 3)]
    turns: usize,
    /// Callers of the closed loop.
    #[arg(long, default_value_t = 64)]
    callers: usize,
    /// Exchanges of the closed loop.
    #[arg(long, default_value_t = 10_000)]
    exchanges: usize,
    /// Exchanges over which the memory is watched, after the others; 0 leaves it out.
    #[arg(long, default_value_t = 100_000)]
    memory: usize,
    /// A new or empty directory; without it, a temporary one that is deleted at the end.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// File for the result (flat JSON).
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error")))
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(&Options::parse())))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::stderr!("exchange-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    let counts = [options.persons, options.turns, options.callers, options.exchanges];
    ensure!(
        counts.iter().all(|count| *count > 0) && options.seconds > 0 && options.rate > 0.0,
        "persons, turns, callers, exchanges, seconds and rate must be above 0"
    );
    let temporary = tempfile::tempdir()?;
    let folder = options.folder.as_deref().unwrap_or(temporary.path());
    let persons = Arc::new(people::invent(options.persons)?);
    let world = Arc::new(World::found(folder, &persons).await?);
    let compartments = Compartments::start(&world)?;
    world.begin_log().await?;
    let exchange = Arc::new(Target::new(world.addresses.url("consumer"), None, "\"delivered\"", {
        let (world, persons) = (world.clone(), persons.clone());
        Box::new(move |number| world.query(&persons[number % persons.len()]))
    })?);
    let credential = format!("Bearer {}", world.register_credential.to_hex().as_str());
    let register = Arc::new(Target::new(
        world.addresses.url("register"),
        Some(credential),
        "\"issued_at\"",
        {
            let (world, persons) = (world.clone(), persons.clone());
            Box::new(move |number| world.lookup(&persons[number % persons.len()]))
        },
    )?);
    first(&exchange).await?;
    // Connections, caches and code are warm before anything is timed.
    closed_loop(&exchange, 8, 200.min(options.exchanges)).await?;
    let mut figures = Map::new();
    figures.insert("persons".into(), options.persons.into());
    figures.insert("rss_mb_start".into(), rounded(resident_mb()?));
    latency(options, &exchange, &register, &mut figures).await?;
    throughput(options, &exchange, &mut figures).await?;
    memory(options, &exchange, &mut figures).await?;
    compartments.stop()?;
    let figures = Value::Object(figures);
    output::stdout!("{figures}")?;
    if let Some(path) = &options.json {
        std::fs::write(path, figures.to_string()).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Repeats an exchange until it is delivered: the first period has to begin in the log.
async fn first(exchange: &Target) -> Result<()> {
    let since = Instant::now();
    loop {
        match exchange.send().await {
            Ok(true) => return Ok(()),
            Ok(false) | Err(_) if since.elapsed() < START_TIMEOUT => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(false) => bail!("no exchange is begun"),
            Err(error) => return Err(error.context("no exchange is delivered")),
        }
    }
}

async fn latency(
    options: &Options,
    exchange: &Arc<Target>,
    register: &Arc<Target>,
    figures: &mut Map<String, Value>,
) -> Result<()> {
    let length = Duration::from_secs(options.seconds);
    let (mut whole, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..options.turns {
        whole.extend(open_loop(exchange, options.rate, length).await?);
        alone.extend(open_loop(register, options.rate, length).await?);
    }
    for times in [&mut whole, &mut alone] {
        times.sort_by(f64::total_cmp);
    }
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let (with, without) = (percentile(&whole, share), percentile(&alone, share));
        let rate = options.rate;
        figures.insert(format!("exchange_{name}_ms_at_{rate}"), rounded(with));
        figures.insert(format!("register_{name}_ms_at_{rate}"), rounded(without));
        figures.insert(format!("added_{name}_ms_at_{rate}"), rounded(with - without));
    }
    Ok(())
}

async fn throughput(options: &Options, exchange: &Arc<Target>, figures: &mut Map<String, Value>) -> Result<()> {
    let before = Usage::now()?;
    let Loop {
        answered,
        repeated,
        seconds,
    } = closed_loop(exchange, options.callers, options.exchanges).await?;
    let used = Usage::now()?.since(&before);
    let each = 1000.0 / answered as f64;
    figures.insert("callers".into(), options.callers.into());
    figures.insert("exchanges_per_s".into(), rounded(answered as f64 / seconds));
    figures.insert("repeated".into(), repeated.into());
    figures.insert("cpu_ms_an_exchange".into(), rounded(used.total * each));
    figures.insert(
        "written_kb_an_exchange".into(),
        rounded(used.written / 1000.0 / answered as f64),
    );
    for name in COMPARTMENTS.into_iter().chain(["load"]) {
        let seconds = used.seconds.get(name).copied().unwrap_or(0.0);
        figures.insert(format!("cpu_ms_{name}"), rounded(seconds * each));
    }
    Ok(())
}

/// Ten measurements of the memory over many exchanges.
async fn memory(options: &Options, exchange: &Arc<Target>, figures: &mut Map<String, Value>) -> Result<()> {
    const STEPS: usize = 10;
    if options.memory == 0 {
        return Ok(());
    }
    figures.insert("rss_mb_after_0".into(), rounded(resident_mb()?));
    let mut done = 0;
    for step in 1..=STEPS {
        let until = options.memory * step / STEPS;
        done += closed_loop(exchange, options.callers, until.saturating_sub(done).max(1))
            .await?
            .answered;
        figures.insert(format!("rss_mb_after_{until}"), rounded(resident_mb()?));
    }
    Ok(())
}

/// Without digits that mean nothing.
fn rounded(value: f64) -> Value {
    ((value * 100.0).round() / 100.0).into()
}
