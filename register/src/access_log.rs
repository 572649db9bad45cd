//! The register's own access log. The only client is one connector, and the log does not record the person.
//!
//! Concurrent queries share a sync of the disk: one of them syncs what all have written, and the others wait for it. A
//! sync that fails is final, because the kernel may have dropped the lines and reports success the next time: the log
//! takes no more lines until the register is restarted.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use service::durable;
use uuid::Uuid;

/// Name of the file in the register's directory.
pub const FILE: &str = "access.log";

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Time of the access, UTC.
    pub time: String,
    /// Id of the evidence type; [`crate::data::STOCK`] for everything about a person.
    pub evidence_type: String,
    /// Whether there was evidence.
    pub found: bool,
    /// The exchange, if the connector named it.
    pub exchange: Option<Uuid>,
}

/// The open log. A line is written and synced before the query is answered.
#[derive(Debug)]
pub struct AccessLog {
    file: File,
    lines: Mutex<Lines>,
    changed: Condvar,
}

/// How many lines the log has from this process, and how far they are certain.
#[derive(Debug, Default)]
struct Lines {
    written: u64,
    /// The lines up to this one are on the disk.
    synced: u64,
    syncing: bool,
    /// A sync has failed.
    broken: bool,
}

impl AccessLog {
    /// Opens or creates `access.log` in `directory`.
    ///
    /// # Errors
    /// When the directory or the file cannot be created, or when others may reach them.
    pub fn open(directory: &Path) -> io::Result<Self> {
        durable::private_directory(directory)?;
        Ok(Self {
            file: durable::append_private(&directory.join(FILE))?,
            lines: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Appends a line and syncs it. Blocks on the disk.
    ///
    /// # Errors
    /// When the line is not durable; the caller must not answer then.
    pub fn append(&self, time: &str, evidence_type: &str, found: bool, exchange: Option<Uuid>) -> io::Result<()> {
        let access = Access {
            time: time.to_owned(),
            evidence_type: evidence_type.to_owned(),
            found,
            exchange,
        };
        let mut line = serde_json::to_vec(&access)?;
        line.push(b'\n');
        let mut lines = self.lines();
        (&self.file).write_all(&line)?;
        lines.written += 1;
        let mine = lines.written;
        self.sync(lines, mine, || self.file.sync_data())
    }

    /// Returns when line `mine` is on the disk. The first caller that finds no sync under way makes one for all.
    fn sync(
        &self,
        mut lines: MutexGuard<'_, Lines>,
        mine: u64,
        sync: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        while lines.synced < mine && lines.syncing {
            lines = self.changed.wait(lines).unwrap_or_else(PoisonError::into_inner);
        }
        if lines.synced >= mine {
            return Ok(());
        }
        if lines.broken {
            return Err(io::Error::other("a sync has failed: restart the register"));
        }
        let to = lines.written;
        lines.syncing = true;
        drop(lines);
        let result = sync();
        let mut lines = self.lines();
        lines.syncing = false;
        match &result {
            Ok(()) => lines.synced = to,
            Err(_) => lines.broken = true,
        }
        self.changed.notify_all();
        result
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // A panic leaves the counts as they are: each is changed in one step.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_log_is_its_owners_alone_and_refused_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("register");
        let file = directory.join(FILE);
        AccessLog::open(&directory).unwrap();
        for (path, private) in [(&file, 0o600), (&directory, 0o700)] {
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, private);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(private | 0o044)).unwrap();
            let error = AccessLog::open(&directory).unwrap_err();
            assert!(error.to_string().contains(&format!("chmod {private:o}")), "{error}");
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(private)).unwrap();
        }
        AccessLog::open(&directory).unwrap();
    }

    #[test]
    fn queries_that_wait_share_a_sync_and_its_failure() {
        let dir = tempfile::tempdir().unwrap();
        let log = AccessLog::open(&dir.path().join("register")).unwrap();
        for fails in [false, true] {
            let (reached, wait) = std::sync::mpsc::channel();
            let first_line = log.lines().written + 1;
            log.lines().written += 3;
            let log = &log;
            std::thread::scope(|scope| {
                // While the first syncs, the others come, find the sync under way, and make none themselves.
                let first = scope.spawn(move || {
                    log.sync(log.lines(), first_line, || {
                        wait.recv().unwrap();
                        if fails { Err(io::Error::other("full")) } else { Ok(()) }
                    })
                });
                while !log.lines().syncing {
                    std::thread::yield_now();
                }
                let [second, third] = [first_line + 1, first_line + 2]
                    .map(|mine| scope.spawn(move || log.sync(log.lines(), mine, || panic!("a second sync"))));
                reached.send(()).unwrap();
                for waited in [first, second, third] {
                    assert_eq!(waited.join().unwrap().is_err(), fails);
                }
            });
            let next = log.append("2026-01-01T00:00:00Z", "zb1", true, None);
            assert_eq!(next.is_err(), fails, "a failed sync is final");
        }
    }
}
