//! The register's own access log. The only client is one connector, and the log does not record the person.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Mutex;

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
    /// Id of the evidence type.
    pub evidence_type: String,
    /// Whether there was evidence.
    pub found: bool,
    /// The exchange, if the connector named it.
    pub exchange: Option<Uuid>,
}

/// The open log. A line is written and synced before the query is answered.
#[derive(Debug)]
pub struct AccessLog(Mutex<File>);

impl AccessLog {
    /// Opens or creates `access.log` in `directory`.
    ///
    /// # Errors
    /// When the directory or the file cannot be created, or when others may reach them.
    pub fn open(directory: &Path) -> io::Result<Self> {
        durable::private_directory(directory)?;
        let file = durable::append_private(&directory.join(FILE))?;
        Ok(Self(Mutex::new(file)))
    }

    /// Appends a line and syncs it.
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
        let mut file = self
            .0
            .lock()
            .map_err(|_| io::Error::other("a writer of the access log panicked"))?;
        file.write_all(&line)?;
        file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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
}
