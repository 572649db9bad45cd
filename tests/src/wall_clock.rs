//! A wall clock that a test moves under a running program, as an operator or a broken time server would.
//!
//! The released programs are not changed: a small library, compiled once with the system's C compiler and loaded into
//! the process, adds to what the system says. It leaves the system's steady clocks alone, as a jump does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use service::durable::write_atomic;

/// The wall clock of one or more processes.
#[derive(Clone, Debug)]
pub struct WallClock {
    library: PathBuf,
    file: PathBuf,
}

impl WallClock {
    /// A clock whose files are in `folder`, under this name. It begins with the machine's time.
    pub fn new(folder: &Path, name: &str) -> Result<Self> {
        let (source, library) = (folder.join("wall_clock.c"), folder.join("wall_clock.so"));
        if !library.exists() {
            std::fs::write(&source, include_str!("wall_clock.c"))?;
            let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
            let mut command = Command::new(&compiler);
            command
                .args(["-shared", "-fPIC", "-O2", "-o"])
                .arg(&library)
                .arg(&source);
            let output = command.output().with_context(|| format!("starting {command:?}"))?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let clock = Self {
            library,
            file: folder.join(format!("{name}.wall-clock")),
        };
        clock.jump(0)?;
        Ok(clock)
    }

    /// Moves the clock to so many seconds after the machine's.
    pub fn jump(&self, seconds: i64) -> Result<()> {
        Ok(write_atomic(&self.file, format!("+{seconds}").as_bytes())?)
    }

    /// Stops the clock.
    pub fn freeze(&self) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        Ok(write_atomic(&self.file, format!("={now}").as_bytes())?)
    }

    /// Makes a program use this clock.
    pub fn rule(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("TEST_WALL_CLOCK", &self.file);
    }
}
