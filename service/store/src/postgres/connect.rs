//! Connections to the servers of a cluster.
//!
//! A server that accepts a connection and then says nothing (a frozen host) must not keep a process from the others,
//! so all servers are asked side by side and each has a deadline of its own.
//!
//! Each connection is polled by a task of the store's runtime, which keeps the warnings that the server sends. The
//! writer needs them: PostgreSQL reports a commit as successful although its replication was cancelled, and says so
//! only in a warning. A pool or a proxy in between would swallow it.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use service::secret::read_private;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::Severity;
use tokio_postgres::{AsyncMessage, Client};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::config::{Address, PostgresConfig};
use super::error::{PostgresError, describe};

/// How long one server may take until it has answered the first query.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// After this time without an answer of the peer's kernel, a connection is broken.
const PEER_TIMEOUT: Duration = Duration::from_secs(5);

/// Settings of every session.
///
/// All queries go by key, so the planner is kept from sorting and from reading whole tables: a plan must not depend on
/// whether the tables were analysed. A commit has no time limit, because a commit that was given up is neither done nor
/// undone.
const SETTINGS: &str = "-c synchronous_commit=on -c statement_timeout=0 -c lock_timeout=5s -c jit=off \
     -c enable_seqscan=off -c enable_sort=off -c enable_bitmapscan=off -c client_encoding=UTF8 \
     -c default_transaction_isolation=read\\ committed";

/// The server ends a writing session that is silent for this time. A claim is therefore a lease: a process that is
/// frozen loses it. The others send a heartbeat each second.
pub const LEASE: &str = " -c idle_session_timeout=3s -c idle_in_transaction_session_timeout=3s";

/// A session that only reads is not ended: an export reads its snapshot for as long as it takes.
pub const NO_LEASE: &str = " -c idle_session_timeout=0 -c idle_in_transaction_session_timeout=0";

/// Opens connections.
pub struct Connector {
    addresses: Vec<Address>,
    settings: tokio_postgres::Config,
    tls: MakeRustlsConnect,
}

/// An open connection.
pub struct Connected {
    /// Sends statements.
    pub client: Client,
    /// The server.
    pub address: Address,
    /// What the server has warned of.
    pub warnings: Warnings,
}

/// The first warning that the server has sent on a connection.
#[derive(Clone, Default)]
pub struct Warnings(Arc<Mutex<Option<String>>>);

impl Warnings {
    fn add(&self, text: String) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(text);
    }

    /// The first warning.
    pub fn first(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Connector {
    /// Reads password and certificates. `application` is the name of the program for the database's operator.
    ///
    /// # Errors
    /// [`PostgresError::Configuration`] if a file cannot be used, or if a host needs `ca` and there is none.
    pub fn new(config: &PostgresConfig, application: &str) -> Result<Self, PostgresError> {
        let addresses = config.addresses();
        if addresses.is_empty() {
            return Err(PostgresError::configuration(
                "the store's `hosts`",
                "there must be at least one",
            ));
        }
        let mut settings = tokio_postgres::Config::new();
        settings
            .dbname(&config.database)
            .user(&config.user)
            .application_name(application)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(PEER_TIMEOUT)
            .keepalives_idle(PEER_TIMEOUT);
        if let Some(path) = &config.password_file {
            let password = read_private(path)
                .map_err(|error| PostgresError::configuration("the store's `password_file`", error))?;
            settings.password(password.trim_end().as_bytes());
        }
        if config.ca.is_none() && !addresses.iter().all(Address::is_socket) {
            return Err(PostgresError::configuration(
                "the store's `ca`",
                "it is required for hosts that are reached over a network",
            ));
        }
        Ok(Self {
            addresses,
            settings,
            tls: MakeRustlsConnect::new(tls(config)?),
        })
    }

    /// Connects to the primary.
    ///
    /// # Errors
    /// [`PostgresError::Unknown`] with the answer of each server if none of them is the primary.
    pub async fn primary(&self, lease: &str) -> Result<Connected, PostgresError> {
        let mut attempts: FuturesUnordered<_> = self
            .addresses
            .iter()
            .map(|address| async move { (address, self.server(address, lease).await) })
            .collect();
        let mut failures = Vec::new();
        while let Some((address, attempt)) = attempts.next().await {
            match attempt {
                Ok(connected) => return Ok(connected),
                Err(error) => failures.push(format!("{}:{}: {error}", address.host, address.port)),
            }
        }
        Err(PostgresError::Unknown(format!(
            "no primary was found ({})",
            failures.join("; ")
        )))
    }

    /// Connects to this server, which must be a primary.
    ///
    /// # Errors
    /// [`Refusal`] if it does not answer in time, refuses, or is a standby.
    pub async fn server(&self, address: &Address, lease: &str) -> Result<Connected, Refusal> {
        let connected = timeout(CONNECT_TIMEOUT, self.connect(address, lease)).await;
        connected.map_err(|_| Refusal("no answer in time".into()))?
    }

    async fn connect(&self, address: &Address, lease: &str) -> Result<Connected, Refusal> {
        let mut settings = self.settings.clone();
        let mode = if address.is_socket() {
            SslMode::Disable
        } else {
            SslMode::Require
        };
        settings
            .host(&address.host)
            .port(address.port)
            .ssl_mode(mode)
            .options(format!("{SETTINGS}{lease}"));
        let (client, mut connection) = settings.connect(self.tls.clone()).await?;
        let warnings = Warnings::default();
        let noted = warnings.clone();
        tokio::spawn(async move {
            // Ends when the client is dropped or the connection breaks; calls of the client then fail.
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notice(notice) = message
                    && notice.parsed_severity() == Some(Severity::Warning)
                {
                    noted.add(notice.message().to_owned());
                }
            }
        });
        let standby = client
            .query_one(
                "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool",
                &[],
            )
            .await?;
        if standby.try_get(0)? {
            return Err(Refusal("this server is a standby".into()));
        }
        Ok(Connected {
            client,
            address: address.clone(),
            warnings,
        })
    }
}

/// Why a server cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub(crate) String);

impl From<tokio_postgres::Error> for Refusal {
    fn from(error: tokio_postgres::Error) -> Self {
        Self(describe(&error))
    }
}

fn tls(config: &PostgresConfig) -> Result<ClientConfig, PostgresError> {
    let certificates = |name: &str, path| {
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        read.map_err(|error| PostgresError::configuration(format!("the store's `{name}`"), error))
    };
    let mut roots = RootCertStore::empty();
    if let Some(path) = &config.ca {
        for certificate in certificates("ca", path)? {
            let added = roots.add(certificate);
            added.map_err(|error| PostgresError::configuration("the store's `ca`", error))?;
        }
    }
    let failed = |error| PostgresError::configuration("TLS for the store", error);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(roots);
    let (Some(chain), Some(key)) = (&config.certificate, &config.key) else {
        return Ok(client.with_no_client_auth());
    };
    let text = read_private(key).map_err(|error| PostgresError::configuration("the store's `key`", error))?;
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes());
    let key = key.map_err(|error| PostgresError::configuration("the store's `key`", error))?;
    client
        .with_client_auth_cert(certificates("certificate", chain)?, key)
        .map_err(failed)
}
