//! A log is moved from RocksDB to PostgreSQL and back with `ledger migrate`, as an operator does it, and the command is
//! killed in its middle. One witness and one writer go with the log.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use fixtures::postgres::Cluster;
use fixtures::witness::Witness;
use tempfile::TempDir;

use crate::harness::{Engine, client, found};
use crate::mirror::Mirror;
use crate::process::{LedgerProcess, free_port};
use crate::random::{Random, seed};
use crate::world::{World, start_witness};
use crate::writer::Writer;

/// The log, with the stores that it has been in.
struct MovingLog {
    directory: TempDir,
    engine: Engine,
    witness: Arc<Witness>,
    port: u16,
    mirror: Mirror,
    writer: Writer,
}

/// The end of a command: whether it succeeded, was killed by its fail point, and what it said.
struct Ended {
    succeeded: bool,
    killed: bool,
    text: String,
}

impl Ended {
    fn expect(self, succeeded: bool, text: &str) -> Result<()> {
        ensure!(
            self.succeeded == succeeded && self.text.contains(text),
            "expected `{text}`: {}",
            self.text
        );
        Ok(())
    }
}

/// Runs a command of the ledger. Its words are separated by spaces, and its paths come last.
fn ledger(words: &str, paths: &[(&str, &Path)], failpoints: &str) -> Result<Ended> {
    let mut ledger = Command::new(env!("CARGO_BIN_EXE_ledger"));
    ledger.args(words.split(' ')).env("FAILPOINTS", failpoints);
    for (name, path) in paths {
        ledger.arg(name).arg(path);
    }
    let output = ledger.output()?;
    Ok(Ended {
        succeeded: output.status.success(),
        killed: output.status.signal() == Some(9),
        text: [String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?].concat(),
    })
}

fn migrate(from: &World, to: &World, failpoints: &str) -> Result<Ended> {
    let (from, to) = (from.config(), to.config());
    ledger("migrate", &[("--from", &from), ("--to", &to)], failpoints)
}

fn undo(from: &World, to: &World) -> Result<Ended> {
    let (from, to) = (from.config(), to.config());
    ledger("migrate --undo", &[("--from", &from), ("--to", &to)], "")
}

impl MovingLog {
    /// The log in another store.
    fn world(&self, of: &World, name: &str, store: &serde_json::Value) -> Result<World> {
        of.in_store(&self.directory.path().join(name), store)
    }

    /// Serves the log from a store: the newest log must have everything that the earlier one had, and accept entries.
    async fn serve(&mut self, world: &World, requests: u64) -> Result<()> {
        let client = client()?;
        let mut ledger = LedgerProcess::start(world, self.port, "")?;
        ensure!(ledger.ready(&client, world).await?, "the ledger was killed");
        self.mirror.follow(&client, &ledger.url, world).await?;
        for acknowledged in &self.writer.acknowledged {
            let leaf = self.mirror.leaves.get(acknowledged.index as usize);
            ensure!(
                leaf == Some(&acknowledged.submission.entry.leaf_hash()),
                "LOST: entry {}",
                acknowledged.index
            );
            self.mirror.check_seen(&acknowledged.checkpoint)?;
        }
        for _ in 0..requests {
            ensure!(
                self.writer.write_once(&client, &ledger.url, world).await?,
                "no answer: {}",
                self.writer.why_unanswered
            );
        }
        self.mirror.follow(&client, &ledger.url, world).await?;
        ensure!(self.witness.forks() == 0, "FORK: the witness refused a checkpoint");
        ledger.stop().await
    }

    /// Expects that a ledger does not start with this store.
    async fn refused(&self, world: &World, why: &str) -> Result<()> {
        let text = LedgerProcess::start(world, self.port, "")?.refused(world).await?;
        ensure!(text.contains(why), "expected `{why}`: {text}");
        Ok(())
    }
}

pub(crate) async fn moved_to_postgres_and_back() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let witness = start_witness().await?;
    let rocks = serde_json::json!({"engine": "rocks"});
    let source = World::new(&directory.path().join("source"), &witness.url, &rocks)?;
    let mut random = Random::new(seed());
    let mut log = MovingLog {
        directory,
        engine: Engine::Postgres(Cluster::replicated()?),
        witness,
        port: free_port(random.next())?,
        mirror: Mirror::new(),
        writer: Writer::new(0, random),
    };
    let target = log.world(&source, "target", &log.engine.store(1)?)?;

    let client = client()?;
    let mut running = LedgerProcess::start(&source, log.port, "")?;
    ensure!(running.ready(&client, &source).await?);
    found(&client, &running.url, &source).await?;
    migrate(&source, &target, "")?.expect(false, "stop the ledger that uses it")?;
    running.stop().await?;
    log.serve(&source, 30).await?;

    interrupted(&mut log, &source, &target).await?;
    migrate(&source, &target, "")?.expect(true, "The log was moved.")?;
    ledger("check", &[("--config", &target.config())], "")?.expect(true, "findings  0")?;
    log.refused(&source, "this log was moved to PostgreSQL").await?;
    log.serve(&target, 20).await?;
    ledger(
        "backup",
        &[("--config", &target.config()), ("--to", &target.directory)],
        "",
    )?
    .expect(false, "pgBackRest or pg_basebackup")?;
    undo(&source, &target)?.expect(false, "has new entries since it was moved")?;
    let occupied = migrate(&target, &source, "")?;
    occupied.expect(false, "is not empty")?;

    let back = log.world(&source, "back", &rocks)?;
    migrate(&target, &back, "")?.expect(true, "The log was moved.")?;
    ledger("check", &[("--data", &back.directory.join("data"))], "")?.expect(true, "findings  0")?;
    log.refused(&target, "this log was moved to RocksDB").await?;
    log.serve(&back, 20).await?;
    undone(&mut log, &back).await
}

/// The command is killed at each of its steps. Until the source is marked, it is served and grows; the target never is.
async fn interrupted(log: &mut MovingLog, source: &World, target: &World) -> Result<()> {
    for point in ["part-copied", "part-copied=5*off->", "copied"] {
        let failpoints = match point.contains('=') {
            true => format!("{point}return(kill)"),
            false => format!("{point}=return(kill)"),
        };
        let ended = migrate(source, target, &failpoints)?;
        ensure!(ended.killed, "{point}: {}", ended.text);
        log.refused(target, "an incomplete copy of a log").await?;
        log.serve(source, 5).await.with_context(|| point)?;
    }
    let ended = migrate(source, target, "source-marked=return(kill)")?;
    ensure!(ended.killed, "{}", ended.text);
    log.refused(source, "this log was moved to PostgreSQL").await?;
    log.refused(target, "an incomplete copy of a log").await
}

/// A move is undone before the log has a new entry.
async fn undone(log: &mut MovingLog, source: &World) -> Result<()> {
    let second = log.world(source, "second", &log.engine.store(2)?)?;
    migrate(source, &second, "")?.expect(true, "The log was moved.")?;
    log.serve(&second, 0).await?;
    undo(source, &second)?.expect(true, "The log was moved.")?;
    log.refused(&second, "this log was moved to RocksDB").await?;
    log.serve(source, 5).await
}

/// A database is backed up, the log grows, and the backup is restored: what an operator may do after an accident.
pub(crate) async fn an_old_copy_of_a_database() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (cluster, witness) = (Cluster::replicated()?, start_witness().await?);
    let mut random = Random::new(seed());
    let mut log = MovingLog {
        engine: Engine::Postgres(cluster),
        port: free_port(random.next())?,
        mirror: Mirror::new(),
        writer: Writer::new(0, random),
        witness,
        directory,
    };
    let store = log.engine.store(1)?;
    let world = World::new(&log.directory.path().join("log"), &log.witness.url, &store)?;
    let client = client()?;
    let mut running = LedgerProcess::start(&world, log.port, "")?;
    ensure!(running.ready(&client, &world).await?);
    found(&client, &running.url, &world).await?;
    running.stop().await?;
    log.serve(&world, 5).await?;
    let Engine::Postgres(cluster) = &log.engine else {
        anyhow::bail!("the log is in PostgreSQL");
    };
    let restored = Cluster::restored(&cluster.back_up()?)?;
    log.serve(&world, 5).await?;

    let mut old = store.clone();
    old["hosts"] = serde_json::json!(restored.hosts());
    let old = log.world(&world, "old", &old)?;
    ledger("check", &[("--config", &old.config())], "")?.expect(true, "findings  0")?;
    log.witness.show();
    log.refused(&old, "Restore a backup of at least").await?;
    log.serve(&world, 5).await
}
