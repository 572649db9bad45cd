//! Two ledgers on one database, under load: the sequencer is killed, or frozen and woken, and the follower takes over.
//!
//! Writers follow the redirects of the followers. After each round, everything that any ledger has acknowledged must be
//! in the log of both. A writer of its own sends its entries to the woken sequencer, which must acknowledge nothing
//! that the log does not have.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fixtures::postgres::Cluster;
use fixtures::witness::Witness;
use tempfile::TempDir;
use tlog::Hash;
use tokio::task::JoinHandle;

use crate::harness::{Engine, Figures, check_writer, client, found};
use crate::mirror::Mirror;
use crate::process::{LedgerProcess, free_port, log_output};
use crate::random::{Random, seed};
use crate::world::{BROKERS, World, start_witness};
use crate::writer::Writer;

/// How long the log may take to continue, however busy the machine is. What it took is printed.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a writer waits for an answer before it asks another ledger.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const RETRY_DELAY: Duration = Duration::from_millis(20);
/// How long writers write before and after a failure.
const LOAD: Duration = Duration::from_millis(700);

/// The longest time without an acknowledgement, over all writers.
struct Pause {
    last: Instant,
    longest: Duration,
}

#[derive(Clone)]
struct Load {
    ended: Arc<AtomicBool>,
    pause: Arc<Mutex<Pause>>,
}

impl Load {
    fn acknowledged(&self) {
        let mut pause = self.pause.lock().unwrap();
        pause.longest = pause.longest.max(pause.last.elapsed());
        pause.last = Instant::now();
    }

    /// Begins to measure.
    fn begin(&self) {
        self.pause.lock().unwrap().longest = Duration::ZERO;
    }

    fn longest(&self) -> Duration {
        self.pause.lock().unwrap().longest
    }

    /// Waits until an entry was acknowledged that was sent after `since`.
    async fn continues(&self, since: Instant) -> Result<()> {
        while self.pause.lock().unwrap().last <= since + ANSWER_TIMEOUT / 8 {
            ensure!(since.elapsed() < PATIENCE, "no entry is acknowledged");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

struct Member {
    world: Arc<World>,
    port: u16,
    url: String,
    process: Option<LedgerProcess>,
}

impl Member {
    fn new(base: &World, store: &serde_json::Value, number: u64, random: &mut Random) -> Result<Self> {
        let port = free_port(random.next())?;
        let url = format!("http://127.0.0.1:{port}");
        let directory = base.directory.join(format!("ledger{number}"));
        Ok(Self {
            world: Arc::new(base.reached_at(&directory, store, &url)?),
            port,
            url,
            process: None,
        })
    }

    async fn start(&mut self, failpoints: &str) -> Result<()> {
        let mut process = LedgerProcess::start(&self.world, self.port, failpoints)?;
        ensure!(process.ready(&client()?, &self.world).await?, "it was killed");
        self.process = Some(process);
        Ok(())
    }

    fn process(&mut self) -> Result<LedgerProcess> {
        self.process.take().context("the ledger runs")
    }
}

/// Two ledgers of one log.
struct Pair {
    _directory: TempDir,
    _engine: Engine,
    witness: Arc<Witness>,
    members: [Member; 2],
    /// Which of them writes to the log.
    sequencer: usize,
    failpoints: &'static str,
}

impl Pair {
    async fn found(random: &mut Random, failpoints: &'static str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let engine = Engine::Postgres(Cluster::replicated()?);
        let store = engine.store(random.next())?;
        let witness = start_witness().await?;
        let base = World::new(directory.path(), &witness.url, &store)?;
        let members = [
            Member::new(&base, &store, 0, random)?,
            Member::new(&base, &store, 1, random)?,
        ];
        let mut pair = Self {
            _directory: directory,
            _engine: engine,
            witness,
            members,
            sequencer: 0,
            failpoints,
        };
        pair.members[0].start(failpoints).await?;
        found(&client()?, &pair.members[0].url, &pair.members[0].world).await?;
        pair.members[1].start(failpoints).await?;
        pair.follower_redirects().await?;
        Ok(pair)
    }

    fn urls(&self) -> Vec<String> {
        self.members.iter().map(|member| member.url.clone()).collect()
    }

    /// The follower sends writers to the sequencer, and nothing else in the request decides where.
    async fn follower_redirects(&self) -> Result<()> {
        let (follower, sequencer) = (&self.members[1 - self.sequencer], &self.members[self.sequencer]);
        let started = Instant::now();
        loop {
            let request = client()?.post(format!("{}/entries?next=http://attacker.example", follower.url));
            let response = request.header("host", "attacker.example").body("").send().await?;
            let location = response.headers().get("location").map(|location| location.as_bytes());
            if location == Some(format!("{}/entries", sequencer.url).as_bytes()) {
                ensure!(response.status() == 307, "status {}", response.status());
                return Ok(());
            }
            ensure!(
                response.status() == 503 && response.headers().contains_key("retry-after"),
                "status {} with {location:?}",
                response.status()
            );
            ensure!(started.elapsed() < PATIENCE, "the follower does not know the sequencer");
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }

    /// The follower has what the sequencer had, with the same root.
    async fn mirrors(&self, mirrors: &mut [Mirror; 2]) -> Result<()> {
        for at in [self.sequencer, 1 - self.sequencer] {
            let (member, started) = (&self.members[at], Instant::now());
            let least = mirrors[self.sequencer].size();
            while mirrors[at].size() < least || mirrors[at].size() == 0 {
                mirrors[at].follow(&client()?, &member.url, &member.world).await?;
                ensure!(started.elapsed() < PATIENCE, "the follower stays behind");
                tokio::time::sleep(RETRY_DELAY).await;
            }
            mirrors[at].follow(&client()?, &member.url, &member.world).await?;
        }
        let [first, second] = &*mirrors;
        let common = first.leaves.len().min(second.leaves.len());
        ensure!(first.leaves[..common] == second.leaves[..common], "FORK: two logs");
        ensure!(self.witness.forks() == 0, "FORK: the witness refused a checkpoint");
        Ok(())
    }
}

/// Writes until the load ends. Asks the ledgers in turns, and follows their redirects.
async fn write(mut writer: Writer, urls: Vec<String>, world: Arc<World>, load: Load) -> Result<Writer> {
    let client = service::http::client(|builder| builder.timeout(ANSWER_TIMEOUT))?;
    let (mut at, mut url) = (0, urls[0].clone());
    while !load.ended.load(Ordering::SeqCst) {
        if writer.write_once(&client, &url, &world).await? {
            load.acknowledged();
            continue;
        }
        match writer.elsewhere.take() {
            Some(address) => {
                ensure!(urls.contains(&address), "an open redirect to {address}");
                url = address;
            }
            None => {
                at = (at + 1) % urls.len();
                url = urls[at].clone();
            }
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
    Ok(writer)
}

fn begin_load(writers: Vec<Writer>, pair: &Pair) -> (Load, Vec<JoinHandle<Result<Writer>>>) {
    let pause = Pause {
        last: Instant::now(),
        longest: Duration::ZERO,
    };
    let load = Load {
        ended: Arc::default(),
        pause: Arc::new(Mutex::new(pause)),
    };
    let world = &pair.members[0].world;
    let spawn = |writer| tokio::spawn(write(writer, pair.urls(), world.clone(), load.clone()));
    let tasks = writers.into_iter().map(spawn).collect();
    (load, tasks)
}

async fn end_load(load: Load, tasks: Vec<JoinHandle<Result<Writer>>>) -> Result<Vec<Writer>> {
    load.ended.store(true, Ordering::SeqCst);
    let mut writers = Vec::new();
    for task in tasks {
        writers.push(task.await??);
    }
    Ok(writers)
}

/// Fails the sequencer in turns, and checks the log after each.
pub(crate) async fn rounds(rounds: u64) -> Result<()> {
    let mut random = Random::new(seed());
    let mut pair = Pair::found(&mut random, "").await?;
    let mut mirrors = [Mirror::new(), Mirror::new()];
    let mut writers: Vec<_> = (0..BROKERS)
        .map(|number| Writer::new(number, Random::new(random.next())))
        .collect();
    let mut stray = writers.pop().context("there are three writers")?;
    let (mut figures, mut pauses) = (Figures::default(), [Vec::new(), Vec::new()]);
    for round in 0..rounds {
        let frozen = round % 2 == 1;
        let (load, tasks) = begin_load(writers, &pair);
        tokio::time::sleep(LOAD).await;
        load.begin();
        let failed = Instant::now();
        let process = pair.members[pair.sequencer].process()?;
        if frozen {
            process.freeze()?;
            load.continues(failed).await?;
            woken(&pair, process, &mut stray).await?;
        } else {
            drop(process);
            load.continues(failed).await?;
        }
        pauses[usize::from(frozen)].push(load.longest());
        pair.sequencer = 1 - pair.sequencer;
        tokio::time::sleep(LOAD).await;
        let failpoints = pair.failpoints;
        pair.members[1 - pair.sequencer].start(failpoints).await?;
        pair.follower_redirects().await?;
        writers = end_load(load, tasks).await?;
        pair.mirrors(&mut mirrors).await?;
        let member = &pair.members[pair.sequencer];
        for writer in writers.iter_mut().chain([&mut stray]) {
            let (client, mirror) = (client()?, &mirrors[pair.sequencer]);
            let checked = check_writer(&client, &member.url, &member.world, mirror, writer, &mut figures);
            checked.await.with_context(|| format!("round {round}"))?;
        }
    }
    let [killed, frozen] = pauses;
    println!(
        "{rounds} rounds: lost receipts 0, forks 0, gaps 0; {} acknowledged; longest pause after a kill {killed:.1?}, \
         after a freeze {frozen:.1?}",
        figures.acknowledged
    );
    Ok(())
}

/// Wakes a sequencer that was taken over and sends it entries at once. It may acknowledge none that the log does not
/// have, which is checked with all others, and ends.
async fn woken(pair: &Pair, process: LedgerProcess, stray: &mut Writer) -> Result<()> {
    let member = &pair.members[pair.sequencer];
    let client = service::http::client(|builder| builder.timeout(ANSWER_TIMEOUT))?;
    process.thaw()?;
    for _ in 0..20 {
        stray.write_once(&client, &member.url, &member.world).await?;
    }
    process.refused(&member.world).await?;
    let said = log_output(&member.world);
    ensure!(
        said.contains("another ledger has taken over this log"),
        "it said: {said}"
    );
    Ok(())
}

/// Two sequencers without lock, epoch and compare-and-swap: they must acknowledge two entries at one index.
pub(crate) async fn without_a_fence() -> Result<()> {
    let mut random = Random::new(seed());
    let pair = Pair::found(&mut random, "fence-left-out=return").await?;
    let mut writers: Vec<_> = (0..BROKERS)
        .map(|number| Writer::new(number, Random::new(random.next())))
        .collect();
    let mut stray = writers.pop().context("there are three writers")?;
    let (load, tasks) = begin_load(writers, &pair);
    tokio::time::sleep(LOAD).await;
    let (zombie, failed) = (&pair.members[0], Instant::now());
    let process = zombie.process.as_ref().context("the ledger runs")?;
    process.freeze()?;
    load.continues(failed).await?;
    process.thaw()?;
    let client = service::http::client(|builder| builder.timeout(ANSWER_TIMEOUT))?;
    while stray.acknowledged.len() < 20 {
        ensure!(
            failed.elapsed() < PATIENCE,
            "the control must write: {}; it said: {}",
            stray.why_unanswered,
            log_output(&zombie.world)
        );
        // A ledger that finds rows which it has not written may answer nothing.
        let _ = stray.write_once(&client, &zombie.url, &zombie.world).await;
    }
    tokio::time::sleep(LOAD).await;
    load.ended.store(true, Ordering::SeqCst);
    let mut indexes: HashMap<u64, Hash> = HashMap::new();
    let acknowledged = |writer: &Writer| {
        let entries = writer.acknowledged.iter();
        entries
            .map(|one| (one.index, one.submission.entry.leaf_hash()))
            .collect::<Vec<_>>()
    };
    let mut all = acknowledged(&stray);
    for task in tasks {
        if let Ok(Ok(writer)) = task.await {
            all.extend(acknowledged(&writer));
        }
    }
    let forked = all
        .into_iter()
        .filter(|(index, leaf)| indexes.insert(*index, *leaf).is_some())
        .count();
    println!("without a fence, {forked} indexes have two acknowledged entries");
    ensure!(forked > 0, "the control must fork the log");
    Ok(())
}
