//! Writes to a log, kills the ledger, restarts it and checks the log, repeatedly.
//!
//! After every restart, these must hold:
//!
//! * Every checkpoint that was seen is a head of the current log, so there is no fork and nothing that was shown is
//!   lost.
//! * Every receipt is valid: its entry is at its index.
//! * Writers' chains have no gaps, labels are unique, outcomes close open intents, and map entries have the right
//!   roots.
//! * Acknowledged entries have their sealed records. An acknowledged entry that is sent again gets its old index, and a
//!   used label is refused.
//! * The writers continue by sending the same bytes of their unanswered entries again.
//! * A witness that keeps its state has not refused any checkpoint as inconsistent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fixtures::postgres::{Cluster, DATABASE};
use fixtures::witness::Witness;
use ledger::failpoints::Point;
use tempfile::TempDir;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;

use crate::mirror::Mirror;
use crate::process::{LedgerProcess, free_port};
use crate::random::Random;
use crate::wire::{self, EntryAnswer, Posted};
use crate::world::{BROKERS, ORIGIN, World, start_witness};
use crate::writer::Writer;

/// If a fail point is not reached within this time, the harness kills the ledger.
const FAIL_POINT_TIMEOUT: Duration = Duration::from_millis(1500);
/// After this many kills, the harness founds a new log.
const KILLS_PER_LOG: u64 = 150;

/// How the ledger dies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kill {
    /// When it has passed this place so many times.
    At(Point, u64),
    /// After so many microseconds of writing.
    Loaded(u64),
    /// After so many microseconds of starting.
    Starting(u64),
}

impl Kill {
    fn choose(number: u64, random: &mut Random) -> Self {
        let points = Point::DEADLY;
        match number % 4 {
            0 => Self::Loaded(random.below(60_000)),
            1 if random.below(2) == 0 => Self::Starting(random.below(120_000)),
            _ => {
                let point = points[random.below(points.len() as u64) as usize];
                let often = matches!(
                    point,
                    Point::Asked | Point::Cosigned | Point::PublishedKept | Point::MapEntry
                );
                Self::At(point, random.below(if often { 4 } else { 12 }))
            }
        }
    }

    fn failpoints(self) -> String {
        match self {
            Self::At(point, 0) => format!("{}=return(kill)", point.name()),
            Self::At(point, after) => format!("{}={after}*off->return(kill)", point.name()),
            _ => String::new(),
        }
    }
}

/// The figures of a run.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) kills: u64,
    pub(crate) by_place: BTreeMap<&'static str, u64>,
    pub(crate) acknowledged: u64,
    pub(crate) checkpoints: u64,
    pub(crate) unanswered: u64,
    pub(crate) recorded_unanswered: u64,
    pub(crate) entries: u64,
    pub(crate) elapsed: Duration,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{} kills in {:.0} s ({:.3} s each); lost receipts 0, forks 0, gaps 0",
            self.kills,
            self.elapsed.as_secs_f64(),
            self.elapsed.as_secs_f64() / self.kills.max(1) as f64
        )?;
        writeln!(
            f,
            "{} entries in the logs, {} acknowledged; {} comparisons of seen checkpoints",
            self.entries, self.acknowledged, self.checkpoints
        )?;
        writeln!(
            f,
            "{} entries were unanswered at a kill, {} of them were in the log",
            self.unanswered, self.recorded_unanswered
        )?;
        for (place, kills) in &self.by_place {
            writeln!(f, "  {place:<16} {kills}")?;
        }
        Ok(())
    }
}

/// Where the logs are stored.
pub(crate) enum Engine {
    Rocks,
    /// Each log has a database of its own.
    Postgres(Cluster),
}

impl Engine {
    /// The store of another log.
    pub(crate) fn store(&self, number: u64) -> Result<serde_json::Value> {
        let Self::Postgres(cluster) = self else {
            return Ok(serde_json::json!({"engine": "rocks"}));
        };
        let database = format!("log_{number}");
        cluster.sql(0, &format!("CREATE DATABASE {database}"))?;
        Ok(serde_json::json!({
            "engine": "postgres",
            "hosts": cluster.hosts(),
            "database": database,
            "user": DATABASE,
        }))
    }
}

/// Kills ledgers `kills` times, at most [`KILLS_PER_LOG`] times on each log.
pub(crate) async fn run(kills: u64, seed: u64, engine: &Engine) -> Result<Figures> {
    let started = Instant::now();
    let mut figures = Figures::default();
    let mut random = Random::new(seed);
    while figures.kills < kills {
        let end = kills.min(figures.kills + KILLS_PER_LOG);
        let mut log = LogUnderTest::found(random.next(), &engine.store(random.next())?).await?;
        while figures.kills < end {
            let kill = Kill::choose(figures.kills, &mut random);
            let number = figures.kills;
            log.run_until_killed(kill, &mut figures).await.with_context(|| {
                let kept = log.keep();
                format!("seed {seed}, kill {number}: {kill:?}; the log is kept in {kept}")
            })?;
        }
        log.finish(&mut figures).await?;
    }
    figures.elapsed = started.elapsed();
    Ok(figures)
}

/// A log with its writers and its witness, and what the harness knows of the log.
struct LogUnderTest {
    directory: Option<TempDir>,
    world: World,
    port: u16,
    witness: Arc<Witness>,
    mirror: Mirror,
    writers: Vec<Writer>,
    /// Checkpoints that were seen since the last comparison with the mirror.
    seen: Vec<Checkpoint>,
}

impl LogUnderTest {
    async fn found(seed: u64, store: &serde_json::Value) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let witness = start_witness().await?;
        let world = World::new(directory.path(), &witness.url, store)?;
        let mut random = Random::new(seed);
        let log = Self {
            directory: Some(directory),
            port: free_port(random.next())?,
            witness,
            mirror: Mirror::new(),
            writers: (0..BROKERS)
                .map(|number| Writer::new(number, Random::new(random.next())))
                .collect(),
            seen: Vec::new(),
            world,
        };
        let mut ledger = LedgerProcess::start(&log.world, log.port, "")?;
        let client = client()?;
        ensure!(
            ledger.ready(&client, &log.world).await?,
            "the ledger was killed by another process"
        );
        found(&client, &ledger.url, &log.world).await?;
        ledger.stop().await?;
        Ok(log)
    }

    /// Starts the ledger, kills it, and checks the log.
    async fn run_until_killed(&mut self, kill: Kill, figures: &mut Figures) -> Result<()> {
        let client = client()?;
        let mut ledger = LedgerProcess::start(&self.world, self.port, &kill.failpoints())?;
        let place = if let Kill::Starting(after) = kill {
            ledger.die(Duration::from_micros(after), &self.world).await?;
            "while starting"
        } else if ledger.ready(&client, &self.world).await? {
            self.load(&client, &mut ledger, kill).await?
        } else {
            place_of(kill)
        };
        drop(ledger);
        figures.kills += 1;
        *figures.by_place.entry(place).or_default() += 1;
        if matches!(kill, Kill::Starting(_)) {
            return Ok(());
        }
        self.check(figures).await
    }

    async fn load(&mut self, client: &reqwest::Client, ledger: &mut LedgerProcess, kill: Kill) -> Result<&'static str> {
        let url = ledger.url.clone();
        let (world, mut at_point) = (&self.world, false);
        let limit = match kill {
            Kill::Loaded(after) => Duration::from_micros(after),
            _ => FAIL_POINT_TIMEOUT,
        };
        let [first, second, third] = self.writers.as_mut_slice() else {
            anyhow::bail!("there are three writers");
        };
        let mut seen = Vec::new();
        // Writers and the reader return when the ledger no longer answers.
        let (died, one, two, three, read) = tokio::join!(
            ledger.die(limit, world),
            first.write(client, &url, world),
            second.write(client, &url, world),
            third.write(client, &url, world),
            read(client, &url, world, &mut seen),
        );
        at_point |= died?;
        one.and(two).and(three).and(read)?;
        self.seen.append(&mut seen);
        Ok(match kill {
            Kill::At(..) if at_point => place_of(kill),
            Kill::At(..) => "point not reached",
            _ => "at random",
        })
    }

    /// Restarts the ledger, compares the log with what is known, and kills the ledger with SIGKILL, so that no clean
    /// shutdown helps the next start.
    async fn check(&mut self, figures: &mut Figures) -> Result<()> {
        let client = client()?;
        let mut ledger = LedgerProcess::start(&self.world, self.port, "")?;
        ensure!(
            ledger.ready(&client, &self.world).await?,
            "the ledger was killed by another process"
        );
        let (url, world) = (ledger.url.clone(), &self.world);
        if let Some((size, root)) = self.witness.stored() {
            self.seen.push(Checkpoint::new(ORIGIN.parse()?, size, root));
        }
        for writer in &self.writers {
            let given = writer.acknowledged.iter().map(|acknowledged| &acknowledged.checkpoint);
            self.seen.extend(given.cloned());
        }
        // The log grows meanwhile (map entries), so the mirror follows it before the seen checkpoints are compared.
        self.mirror.follow(&client, &url, world).await?;
        for checkpoint in self.seen.drain(..) {
            self.mirror.check_seen(&checkpoint)?;
            figures.checkpoints += 1;
        }
        ensure!(self.witness.forks() == 0, "FORK: the witness refused a checkpoint");
        for writer in &mut self.writers {
            check_writer(&client, &url, world, &self.mirror, writer, figures).await?;
        }
        ledger.die(Duration::ZERO, world).await?;
        Ok(())
    }

    /// Checks the log for the last time: the unanswered entries are accepted now, and the whole log can be read.
    async fn finish(mut self, figures: &mut Figures) -> Result<()> {
        let client = client()?;
        let mut ledger = LedgerProcess::start(&self.world, self.port, "")?;
        ensure!(
            ledger.ready(&client, &self.world).await?,
            "the ledger was killed by another process"
        );
        for writer in &mut self.writers {
            ensure!(
                writer.write_once(&client, &ledger.url, &self.world).await?,
                "a running ledger must answer"
            );
        }
        self.mirror.follow(&client, &ledger.url, &self.world).await?;
        figures.entries += self.mirror.size();
        ledger.stop().await
    }

    fn keep(&mut self) -> String {
        self.directory
            .take()
            .map(|directory| directory.keep().display().to_string())
            .unwrap_or_default()
    }
}

/// Sends the first entries of the log.
pub(crate) async fn found(client: &reqwest::Client, url: &str, world: &World) -> Result<()> {
    // The directory must be recorded before the writers that it names may write.
    let (documents, period) = world.founding.split_at(3);
    for part in [documents, period] {
        let answers = match wire::post(client, url, world, part).await? {
            Posted::Answered(answers) => answers,
            Posted::Unanswered(why) | Posted::Elsewhere(why) => anyhow::bail!("the log cannot be founded: {why}"),
        };
        let recorded = answers.iter().all(|answer| matches!(answer, EntryAnswer::Recorded(..)));
        ensure!(recorded, "{answers:?}");
    }
    Ok(())
}

fn place_of(kill: Kill) -> &'static str {
    match kill {
        Kill::At(point, _) => point.name(),
        Kill::Loaded(_) => "at random",
        Kill::Starting(_) => "while starting",
    }
}

/// A client without connections to a killed ledger.
pub(crate) fn client() -> Result<reqwest::Client> {
    Ok(service::http::client(|builder| {
        builder.timeout(Duration::from_secs(30))
    })?)
}

/// Reads the head and the published checkpoint repeatedly until the ledger no longer answers.
async fn read(client: &reqwest::Client, url: &str, world: &World, seen: &mut Vec<Checkpoint>) -> Result<()> {
    loop {
        let Some(head) = wire::checkpoint(client, url, world, "head").await? else {
            return Ok(());
        };
        seen.push(head);
        seen.extend(wire::checkpoint(client, url, world, "checkpoint").await?);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) async fn check_writer(
    client: &reqwest::Client,
    url: &str,
    world: &World,
    mirror: &Mirror,
    writer: &mut Writer,
    figures: &mut Figures,
) -> Result<()> {
    let leaf = |index: u64| mirror.leaves.get(index as usize).copied();
    for acknowledged in &writer.acknowledged {
        let (entry, index) = (&acknowledged.submission.entry, acknowledged.index);
        ensure!(
            leaf(index) == Some(entry.leaf_hash()),
            "LOST: an acknowledged entry is not at {index}"
        );
    }
    for acknowledged in writer.acknowledged.iter().rev().take(3) {
        let record = wire::get(client, &format!("{url}/records/{}", acknowledged.index), world).await?;
        ensure!(
            Some(record) == acknowledged.submission.record,
            "LOST: a record of {}",
            acknowledged.index
        );
    }
    // The log must have this writer's entries up to the last acknowledged one, and may have some of the unanswered
    // ones.
    let head = mirror.chains.get(&writer.key()).copied();
    let reached = head.map_or(0, |(sequence, _)| sequence + 1);
    let sent = writer.chain().0.0;
    let unanswered = writer.unanswered.len() as u64;
    ensure!(
        reached <= sent && reached >= sent - unanswered,
        "GAP: {reached} of {sent} entries of a writer"
    );
    figures.unanswered += unanswered;
    figures.recorded_unanswered += reached - (sent - unanswered);
    if let Some((sequence, leaf)) = head {
        let served = wire::get(client, &format!("{url}/writers/{}/head", writer.key().0), world).await?;
        let served: ciborium::Value = ciborium::from_reader(served.as_slice())?;
        ensure!(
            is_head(&served, sequence, leaf),
            "the writer's head is {served:?}, not {sequence}"
        );
    }
    writer.check_refusals(client, url, world).await?;
    figures.acknowledged += writer.drop_checked();
    Ok(())
}

fn is_head(served: &ciborium::Value, sequence: u64, leaf: Hash) -> bool {
    let field = |name: &str| {
        let fields = served.as_map()?;
        fields
            .iter()
            .find(|(key, _)| key.as_text() == Some(name))
            .map(|(_, value)| value)
    };
    field("sequence").and_then(ciborium::Value::as_integer) == Some(sequence.into())
        && field("leaf").and_then(ciborium::Value::as_bytes).map(Vec::as_slice) == Some(leaf.0.as_slice())
}
