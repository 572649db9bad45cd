//! Runs one scenario: starts the processes, floods them, and checks what the flood has done to honest exchanges.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tests::processes::Processes;
use tests::{DemoInfo, http};

use crate::honest::{Answered, HonestClient};
use crate::memory;

/// Honest exchanges before the flood, to know how long they take without it: one for each second of the flood, within
/// these bounds. The slowest of a few says little about the slowest of many.
const IDLE_EXCHANGES: [u64; 2] = [12, 60];
/// An honest exchange may take this many times as long as without the flood. The bound is wide, because the flood and
/// the processes share one machine; the printed figures are what counts.
const SLOWDOWN: u32 = 40;
/// An honest exchange may always take this long.
const TOLERATED: Duration = Duration::from_secs(10);

/// The environment variable with the length of a long flood.
const SECONDS: &str = "EINSICHT_FLOOD_SECONDS";

/// One scenario.
pub(crate) struct Scenario {
    /// Its name in the printed figures.
    pub(crate) name: &'static str,
    /// The first address of the demonstration; scenarios have different ones.
    pub(crate) listen: &'static str,
    /// Starts further processes, such as the portal.
    pub(crate) prepare: fn(&mut Processes) -> Result<()>,
    /// The attack. An error fails the test.
    pub(crate) flood: fn(&Flood<'_>) -> Result<()>,
}

/// What a flood function gets.
pub(crate) struct Flood<'a> {
    /// The processes with their addresses, folders and configurations.
    pub(crate) processes: &'a Processes,
    until: Instant,
}

impl Flood<'_> {
    /// Whether the attack has to continue.
    pub(crate) fn continues(&self) -> bool {
        Instant::now() < self.until
    }

    /// Runs `attack` in this many threads, each until it returns.
    pub(crate) fn in_threads(&self, threads: usize, attack: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|number| {
                    scope.spawn({
                        let attack = &attack;
                        move || attack(number)
                    })
                })
                .collect();
            for thread in running {
                thread
                    .join()
                    .map_err(|_| anyhow::anyhow!("a thread of the flood panicked"))??;
            }
            Ok(())
        })
    }
}

/// Scenarios run one after another.
static ALONE: Mutex<()> = Mutex::new(());

impl Scenario {
    /// Runs the scenario with a flood of some seconds.
    pub(crate) fn briefly(&self) -> Result<()> {
        self.run(Duration::from_secs(5))
    }

    /// Runs the scenario with a flood of a minute, or of as many seconds as [`SECONDS`] states.
    pub(crate) fn for_a_minute(&self) -> Result<()> {
        let seconds = match std::env::var(SECONDS) {
            Ok(seconds) => seconds.parse().context(SECONDS)?,
            Err(_) => 60,
        };
        self.run(Duration::from_secs(seconds))
    }

    fn run(&self, length: Duration) -> Result<()> {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let scratch = tempfile::tempdir()?;
        let mut processes = Processes::start(&scratch.path().join("demo"), self.listen)?;
        (self.prepare)(&mut processes)?;
        processes.all_healthy()?;
        processes.ask_until_delivered()?;
        let client = HonestClient::new(&processes)?;
        let [fewest, most] = IDLE_EXCHANGES;
        let exchanges = usize::try_from(length.as_secs().clamp(fewest, most))?;
        let idle = client.exchanges(|done| done < exchanges)?;
        let flood = Flood {
            processes: &processes,
            until: Instant::now() + length,
        };
        let beside = std::thread::scope(|scope| {
            let attack = scope.spawn(|| (self.flood)(&flood));
            let beside = client.exchanges(|_| flood.continues());
            attack
                .join()
                .map_err(|_| anyhow::anyhow!("the flood panicked"))?
                .context("the flood")?;
            beside
        })?;
        self.report(length, &idle, &beside, &processes)?;
        every_entry_is_in_the_log(&processes.info, idle.iter().chain(&beside))?;
        processes.every_intent_is_closed()
    }

    /// Prints the figures, and checks the bounds on memory and time.
    fn report(&self, length: Duration, idle: &[Answered], beside: &[Answered], processes: &Processes) -> Result<()> {
        let (before, during) = (percentile(idle, 99), percentile(beside, 99));
        println!(
            "{}: {length:?}; {} honest exchanges, p50 {:?}, p99 {during:?}; without the flood p50 {:?}, p99 {before:?}",
            self.name,
            beside.len(),
            percentile(beside, 50),
            percentile(idle, 50),
        );
        ensure!(!beside.is_empty(), "no honest exchange ended during the flood");
        memory::check(processes)?;
        let bound = TOLERATED.max(before * SLOWDOWN);
        ensure!(
            during <= bound,
            "an honest exchange took {during:?}, without the flood {before:?}"
        );
        Ok(())
    }
}

/// The time within which this percentage of the exchanges have ended.
fn percentile(answered: &[Answered], percent: usize) -> Duration {
    let mut times: Vec<Duration> = answered.iter().map(|one| one.took).collect();
    times.sort_unstable();
    let place = (times.len() * percent).div_ceil(100).max(1) - 1;
    times.get(place).copied().unwrap_or_default()
}

/// Both entries of each exchange that was answered have a receipt.
fn every_entry_is_in_the_log<'a>(info: &DemoInfo, answered: impl Iterator<Item = &'a Answered>) -> Result<()> {
    let client = http()?;
    for index in answered.flat_map(|one| one.entries) {
        let status = client
            .get(format!("{}/entries/{index}/receipt", info.ledger))
            .send()?
            .status();
        ensure!(status == 200, "entry {index} of an answered exchange: status {status}");
    }
    Ok(())
}
