//! A full or failing disk: the ledger stops accepting entries, reports the reason, continues to serve reads and loses
//! nothing. When there is room again, it accepts entries after a restart.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::harness::{client, found};
use crate::mirror::Mirror;
use crate::process::{LedgerProcess, free_port, log_output};
use crate::random::{Random, seed};
use crate::wire;
use crate::world::World;
use crate::writer::Writer;

/// A log whose disk fails during writing.
pub(crate) struct FailingDisk {
    directory: tempfile::TempDir,
    world: World,
    port: u16,
    writer: Writer,
    mirror: Mirror,
}

impl FailingDisk {
    pub(crate) fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut random = Random::new(seed());
        Ok(Self {
            world: World::unwitnessed(directory.path())?,
            directory,
            port: free_port(random.next())?,
            writer: Writer::new(0, random),
            mirror: Mirror::new(),
        })
    }

    /// Uses a fail point of the store, which fails permanently after some successful commits.
    pub(crate) async fn at_point(mut self, point: &str) -> Result<()> {
        let mut ledger = LedgerProcess::start(&self.world, self.port, &format!("{point}=20*off->return"))?;
        self.fill(&mut ledger, "injected by a fail point").await?;
        drop(ledger);
        let ledger = LedgerProcess::start(&self.world, self.port, "")?;
        self.accepts_again(ledger).await
    }

    /// Uses a small, almost full file system in a mount name space of its own.
    pub(crate) async fn on_a_full_file_system(mut self) -> Result<()> {
        self.writer.record = 96 << 10;
        let mount = self.directory.path().join("data");
        std::fs::create_dir_all(&mount)?;
        let script = "mount -t tmpfs -o size=12m none \"$1\" && head -c 6M /dev/zero > \"$1/ballast\" || exit 9
            shift; mounted=$1; shift
            \"$@\"
            rm \"$mounted/ballast\" && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script, "sh"]);
        command.arg(&mount).arg(&mount).arg(env!("CARGO_BIN_EXE_ledger"));
        let mut ledger = LedgerProcess::start_with(command, &self.world, self.port, "")?;
        self.fill(&mut ledger, "No space left on device").await?;
        // The shell waits for the ledger to exit, removes the ballast, and starts the ledger again.
        ledger.stop_child()?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.accepts_again(ledger).await
    }

    async fn fill(&mut self, ledger: &mut LedgerProcess, reason: &str) -> Result<()> {
        let client = client()?;
        ensure!(
            ledger.ready(&client, &self.world).await?,
            "the ledger was killed by another process"
        );
        found(&client, &ledger.url, &self.world).await?;
        let mut requests = 0;
        while self.writer.write_once(&client, &ledger.url, &self.world).await? {
            requests += 1;
            ensure!(requests < 1000, "the disk never failed");
        }
        ensure!(requests > 0, "the disk failed at once: {}", self.writer.why_unanswered);
        let again = self.writer.write_once(&client, &ledger.url, &self.world).await?;
        ensure!(!again, "a ledger whose disk has failed accepts entries");
        let why = &self.writer.why_unanswered;
        ensure!(
            why.contains("stopped") && why.contains(reason),
            "the problem does not name the cause: {why}"
        );
        let log = log_output(&self.world);
        ensure!(
            log.contains("has stopped accepting") && log.contains(reason),
            "the log output does not name the cause: {log}"
        );
        self.mirror
            .follow(&client, &ledger.url, &self.world)
            .await
            .context("reads continue")?;
        let last = self
            .writer
            .acknowledged
            .last()
            .context("something was acknowledged")?
            .index;
        wire::get(&client, &format!("{}/entries/{last}/receipt", ledger.url), &self.world).await?;
        self.holds_all()
    }

    fn holds_all(&self) -> Result<()> {
        for acknowledged in &self.writer.acknowledged {
            let (leaf, index) = (acknowledged.submission.entry.leaf_hash(), acknowledged.index);
            ensure!(
                self.mirror.leaves.get(index as usize) == Some(&leaf),
                "LOST: entry {index}"
            );
            self.mirror.check_seen(&acknowledged.checkpoint)?;
        }
        Ok(())
    }

    async fn accepts_again(mut self, mut ledger: LedgerProcess) -> Result<()> {
        let client = client()?;
        ensure!(
            ledger.ready(&client, &self.world).await?,
            "the ledger was killed by another process"
        );
        let written = self.writer.write_once(&client, &ledger.url, &self.world).await?;
        ensure!(written, "the ledger accepts no entries: {}", self.writer.why_unanswered);
        self.mirror.follow(&client, &ledger.url, &self.world).await?;
        self.holds_all()
    }
}

/// Whether a file system can be mounted here in a new name space. In CI it must.
pub(crate) fn may_mount() -> Result<bool> {
    let works = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"])
        .status();
    let works = works.is_ok_and(|status| status.success());
    ensure!(
        works || std::env::var_os("CI").is_none(),
        "no file system can be mounted here, but CI requires it"
    );
    if !works {
        eprintln!("NOT TESTED: a full file system; user name spaces are not permitted here");
    }
    Ok(works)
}
