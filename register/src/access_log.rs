//! The register's own access log: who asked is known (one connector), about whom is not written down.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Name of the file in the register's directory.
pub const FILE: &str = "access.log";

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// When, UTC.
    pub time: String,
    /// Which evidence.
    pub evidence_type: String,
    /// Whether there was any.
    pub found: bool,
    /// Which exchange, if the connector said so.
    pub exchange: Option<Uuid>,
}

/// The open log. A line is written and synced before the lookup is answered.
#[derive(Debug)]
pub struct AccessLog(Mutex<File>);

impl AccessLog {
    /// Opens or creates `access.log` in `directory`.
    ///
    /// # Errors
    /// When directory or file cannot be made.
    pub fn open(directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(directory.join(FILE))?;
        Ok(Self(Mutex::new(file)))
    }

    /// Appends a line and syncs it.
    ///
    /// # Errors
    /// When it is not durable; the caller must not answer then.
    pub fn append(&self, time: &str, evidence_type: &str, found: bool, exchange: Option<Uuid>) -> io::Result<()> {
        let access = Access {
            time: time.to_owned(),
            evidence_type: evidence_type.to_owned(),
            found,
            exchange,
        };
        let mut line = serde_json::to_vec(&access)?;
        line.push(b'\n');
        let mut file = self
            .0
            .lock()
            .map_err(|_| io::Error::other("a writer of the access log died"))?;
        file.write_all(&line)?;
        file.sync_data()
    }
}
