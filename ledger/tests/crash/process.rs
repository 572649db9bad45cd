//! A ledger process: started as an operator would, killed as nobody should.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::world::World;

const SIGKILL: i32 = 9;
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A port of this machine that is free, below those that clients get.
pub(crate) fn free_port(seed: u64) -> Result<u16> {
    for attempt in 0..2000u64 {
        let port = 12_000 + ((seed.wrapping_add(attempt * 7)) % 18_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port")
}

/// The process; killed on drop.
pub(crate) struct LedgerProcess {
    child: Child,
    pub(crate) url: String,
}

impl LedgerProcess {
    /// Starts `ledger serve` with these fail points. Its log goes to `ledger.log`.
    pub(crate) fn start(world: &World, port: u16, failpoints: &str) -> Result<Self> {
        Self::start_with(Command::new(env!("CARGO_BIN_EXE_ledger")), world, port, failpoints)
    }

    /// As [`LedgerProcess::start`], with another program that runs the ledger; the ledger's own arguments are added.
    pub(crate) fn start_with(mut command: Command, world: &World, port: u16, failpoints: &str) -> Result<Self> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(log_file(&world.directory))?;
        let address = format!("127.0.0.1:{port}");
        command
            .arg("serve")
            .arg("--config")
            .arg(world.directory.join("config.json"))
            .args(["--listen", &address])
            .env("FAILPOINTS", failpoints)
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        Ok(Self {
            child: command.spawn().with_context(|| format!("starting {command:?}"))?,
            url: format!("http://{address}"),
        })
    }

    /// Waits until it serves; `false` if it was killed before.
    pub(crate) async fn ready(&mut self, client: &reqwest::Client, world: &World) -> Result<bool> {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if let Some(status) = self.child.try_wait()? {
                return killed(status, world).map(|()| false);
            }
            if client.get(format!("{}/head", self.url)).send().await.is_ok() {
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        bail!("the ledger does not serve after {START_TIMEOUT:?}: {}", said(world))
    }

    /// Waits until a fail point has killed it, or kills it after `limit`; whether the fail point did.
    pub(crate) async fn die(&mut self, limit: Duration, world: &World) -> Result<bool> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return killed(status, world).map(|()| true);
            }
            if started.elapsed() >= limit {
                self.child.kill()?;
                return killed(self.child.wait()?, world).map(|()| false);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Sends SIGTERM to the ledger that another program runs, and not to that program.
    pub(crate) fn stop_child(&self) -> Result<()> {
        let parent = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
        terminate(
            children
                .split_whitespace()
                .next()
                .context("the program runs a ledger")?,
        )
    }

    /// Ends it as an operator would, and expects a clean end.
    pub(crate) async fn stop(self) -> Result<()> {
        terminate(&self.child.id().to_string())?;
        self.ended().await
    }

    /// Waits for a clean end.
    pub(crate) async fn ended(mut self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the ledger ended with {status}");
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the ledger does not end within {START_TIMEOUT:?} of SIGTERM")
    }
}

impl Drop for LedgerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn terminate(id: &str) -> Result<()> {
    ensure!(
        Command::new("kill").args(["-TERM", id]).status()?.success(),
        "cannot signal {id}"
    );
    Ok(())
}

/// It may die of SIGKILL and of nothing else: whatever else ends it is a fault of its own.
fn killed(status: ExitStatus, world: &World) -> Result<()> {
    ensure!(
        status.signal() == Some(SIGKILL),
        "the ledger ended with {status}: {}",
        said(world)
    );
    Ok(())
}

fn log_file(directory: &Path) -> std::path::PathBuf {
    directory.join("ledger.log")
}

/// What it has logged.
pub(crate) fn said(world: &World) -> String {
    std::fs::read_to_string(log_file(&world.directory)).unwrap_or_default()
}
