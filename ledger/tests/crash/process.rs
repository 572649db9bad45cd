//! A ledger process: started like an operator would start it, and killed with SIGKILL.

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

/// A free port of this machine, below the range that the kernel assigns to clients.
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
    /// Starts `ledger serve` with these fail points. Its log output goes to `ledger.log`.
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
            .arg(world.config())
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

    /// Waits until it serves; returns `false` if it was killed first.
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
        bail!(
            "the ledger does not serve after {START_TIMEOUT:?}: {}",
            log_output(world)
        )
    }

    /// Waits until a fail point has killed it, or kills it after `limit`; returns whether the fail point killed it.
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

    /// Freezes it.
    pub(crate) fn freeze(&self) -> Result<()> {
        signal("-STOP", &self.child.id().to_string())
    }

    /// Continues it.
    pub(crate) fn thaw(&self) -> Result<()> {
        signal("-CONT", &self.child.id().to_string())
    }

    /// Expects that it ends with an error; returns what it logs.
    pub(crate) async fn refused(mut self, world: &World) -> Result<String> {
        let before = log_output(world).len();
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.code() == Some(1), "the ledger ended with {status}");
                return Ok(log_output(world).split_off(before));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the ledger should not run: {}", log_output(world))
    }

    /// Sends SIGTERM to the ledger that another program runs, but not to that program.
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

    /// Stops it like an operator would, and expects a clean exit.
    pub(crate) async fn stop(self) -> Result<()> {
        terminate(&self.child.id().to_string())?;
        self.ended().await
    }

    /// Waits for a clean exit.
    pub(crate) async fn ended(mut self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the ledger ended with {status}");
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the ledger does not exit within {START_TIMEOUT:?} of SIGTERM")
    }
}

impl Drop for LedgerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn terminate(id: &str) -> Result<()> {
    signal("-TERM", id)
}

fn signal(signal: &str, id: &str) -> Result<()> {
    ensure!(
        Command::new("kill").args([signal, id]).status()?.success(),
        "cannot signal {id}"
    );
    Ok(())
}

/// Checks that SIGKILL ended the ledger. Any other end is an error of the ledger.
fn killed(status: ExitStatus, world: &World) -> Result<()> {
    ensure!(
        status.signal() == Some(SIGKILL),
        "the ledger ended with {status}: {}",
        log_output(world)
    );
    Ok(())
}

fn log_file(directory: &Path) -> std::path::PathBuf {
    directory.join("ledger.log")
}

/// The log output of the ledger.
pub(crate) fn log_output(world: &World) -> String {
    std::fs::read_to_string(log_file(&world.directory)).unwrap_or_default()
}
