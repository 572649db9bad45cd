//! Servers under test, as child processes that end with their measurement.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::figures::scratch;
use crate::{paths, sh};

/// The origin of the logs that this module creates.
const ORIGIN: &str = "bench.example/log";

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Its verifier key, if it prints one.
    pub(crate) key: String,
}

impl Server {
    /// `open_log` on a new log.
    pub(crate) fn open_log() -> Result<Self> {
        let folder = scratch("open_log")?;
        let key = make_key(&folder)?;
        let address = free()?;
        let mut child = Command::new(paths::programs()?.join("examples/open_log"))
            .args(["--listen", &address.to_string(), "--data"])
            .arg(folder.join("data"))
            .arg("--key")
            .arg(key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start open_log")?;
        let mut key = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut key)?;
        }
        let key = key.trim().to_owned();
        Self { child, address, key }.up()
    }

    /// Tessera's conformance server for POSIX file systems on a new log, with its defaults.
    pub(crate) fn tessera(program: &Path) -> Result<Self> {
        let folder = scratch("tessera")?;
        let key = make_key(&folder)?;
        let address = free()?;
        let child = Command::new(program)
            .args(["--listen", &address.to_string(), "--storage_dir"])
            .arg(folder.join("data"))
            .arg("--private_key")
            .arg(key)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("stderr.log"))?)
            .spawn()
            .context("cannot start Tessera's conformance server")?;
        let key = String::new();
        Self { child, address, key }.up()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until the server listens.
    fn up(mut self) -> Result<Self> {
        let patience = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}");
            }
            if Instant::now() > patience {
                bail!("the server does not listen on {}", self.address);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(self)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended by itself, and a destructor cannot report an error.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a signed-note key with the ledger's own command.
fn make_key(folder: &Path) -> Result<PathBuf> {
    let key = folder.join("log.key");
    sh::output(
        Command::new(paths::programs()?.join("ledger"))
            .args(["keygen", "--origin", ORIGIN, "--log-key"])
            .arg(&key)
            .arg("--writer-key")
            .arg(folder.join("writer.seed")),
    )?;
    Ok(key)
}

/// An address that is free at this moment.
fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
