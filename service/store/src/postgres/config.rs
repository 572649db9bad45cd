//! Where the database is, and how to log in.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use service::config::resolve;

/// The port of an address without one.
const PORT: u16 = 5432;

/// How to reach the database. Relative paths are relative to the configuration's directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresConfig {
    /// All servers of the cluster, each `host`, `host:port` or the directory of a Unix socket (`/run/postgresql`, or
    /// with a port `/run/postgresql:5433`). They are tried side by side, and the primary is used.
    pub hosts: Vec<String>,
    /// The database; it belongs to this log or compartment alone.
    pub database: String,
    /// The role, which must own the database.
    pub user: String,
    /// File with the password, readable by its owner only. Not needed with a client certificate or on a Unix socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Certificates (PEM) that the servers' certificates are verified with. Required unless all hosts are Unix
    /// sockets: a connection over a network is always encrypted, and the server's name is verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The client's certificate chain (PEM), together with `key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// The private key (PEM) of the client's certificate, readable by its owner only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// How long the process waits for a primary after its connection broke, before a read fails, and a log stops. A
    /// fail-over takes about 20 seconds if a machine is lost.
    #[serde(default = "default_failover")]
    pub failover_seconds: u64,
}

fn default_failover() -> u64 {
    120
}

impl PostgresConfig {
    /// Resolves relative paths.
    #[must_use]
    pub fn resolved(mut self, base: &Path) -> Self {
        let files = [
            &mut self.password_file,
            &mut self.ca,
            &mut self.certificate,
            &mut self.key,
        ];
        for path in files.into_iter().flatten() {
            *path = resolve(base, path);
        }
        self
    }

    /// [`PostgresConfig::failover_seconds`].
    pub fn failover(&self) -> Duration {
        Duration::from_secs(self.failover_seconds)
    }

    /// The servers.
    pub fn addresses(&self) -> Vec<Address> {
        self.hosts.iter().map(|host| Address::of(host)).collect()
    }
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The name, or the directory of a Unix socket.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Address {
    fn of(text: &str) -> Self {
        let with_port = text
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = with_port.unwrap_or((text, PORT));
        Self {
            host: host.to_owned(),
            port,
        }
    }

    /// Whether this is the directory of a Unix socket.
    pub fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_port() {
        let is = |text, host: &str, port| {
            assert_eq!(
                Address::of(text),
                Address {
                    host: host.into(),
                    port
                }
            )
        };
        is("db1.example", "db1.example", 5432);
        is("db1.example:6432", "db1.example", 6432);
        is("/run/postgresql", "/run/postgresql", 5432);
        is("/run/postgresql:5433", "/run/postgresql", 5433);
    }
}
