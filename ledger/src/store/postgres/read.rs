//! Reads: a small pool of sessions that read from the writer's server.
//!
//! A scan reads in parts, each by the key, in one transaction with one snapshot. A store that was opened for reading
//! has one snapshot for all its sessions, which its first session exports: it sees the state at which it was opened.
//!
//! They never read from another server. The rules decide by what they read, and a primary that was replaced without
//! noticing would show them an old state. When the writer has moved to another server, the sessions to the old one are
//! dropped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ::store::postgres::{Connector, NO_LEASE};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::keeper::Server;
use super::session::failure;
use crate::store::{Column, StoreError};

/// The most reads at the same time; others wait.
const MAX_READERS: usize = 8;
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A snapshot that all sessions of a store read.
pub(super) struct Snapshot {
    id: String,
    /// The session that exported it, which must stay open.
    _exporter: Client,
}

impl Snapshot {
    /// The present state.
    pub(super) async fn export(client: Client) -> Result<Self, StoreError> {
        client.batch_execute(BEGIN).await.map_err(failure)?;
        let row = client
            .query_one("SELECT pg_export_snapshot()", &[])
            .await
            .map_err(failure)?;
        let id: String = row.try_get(0).map_err(failure)?;
        Ok(Self { id, _exporter: client })
    }
}

/// A query.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Query {
    Get,
    Scan,
    Last,
}

impl Query {
    fn sql(self, column: Column) -> String {
        let table = column.name();
        match self {
            Self::Get => format!("SELECT v FROM {table} WHERE k = $1"),
            Self::Scan => format!("SELECT k, v FROM {table} WHERE k >= $1 AND k < $2 ORDER BY k LIMIT $3"),
            Self::Last => format!("SELECT k, v FROM {table} WHERE k >= $1 AND k < $2 ORDER BY k DESC LIMIT 1"),
        }
    }
}

/// The sessions that are not in use.
pub(super) struct Readers {
    idle: Mutex<Vec<Session>>,
    room: Arc<Semaphore>,
    snapshot: Option<Snapshot>,
}

struct Session {
    server: Server,
    client: Client,
    statements: HashMap<(Column, Query), Statement>,
}

/// A session in use; given back with [`Readers::give_back`] after a call that succeeded.
pub(super) struct Reader {
    session: Session,
    _room: OwnedSemaphorePermit,
}

impl Readers {
    /// Sessions that read this snapshot, or the newest state.
    pub(super) fn new(snapshot: Option<Snapshot>) -> Self {
        Self {
            idle: Mutex::default(),
            room: Arc::new(Semaphore::new(MAX_READERS)),
            snapshot,
        }
    }

    /// A session on this server.
    pub(super) async fn take(&self, connector: &Connector, server: &Server) -> Result<Reader, StoreError> {
        let room = self.room.clone().acquire_owned().await;
        let room = room.map_err(|error| StoreError::failed("reading", error))?;
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|session| session.server == *server && !session.client.is_closed());
            idle.pop()
        };
        let session = match idle {
            Some(session) => session,
            None => self.connect(connector, server).await?,
        };
        Ok(Reader { session, _room: room })
    }

    async fn connect(&self, connector: &Connector, server: &Server) -> Result<Session, StoreError> {
        let connected = connector.server(&server.address, NO_LEASE).await;
        let client = connected
            .map_err(|refusal| StoreError::Unknown(refusal.to_string()))?
            .client;
        if let Some(snapshot) = &self.snapshot {
            let sql = format!("{BEGIN}; SET TRANSACTION SNAPSHOT '{}'", snapshot.id);
            client.batch_execute(&sql).await.map_err(failure)?;
        }
        Ok(Session {
            server: server.clone(),
            client,
            statements: HashMap::new(),
        })
    }

    /// Keeps a session whose last call succeeded.
    pub(super) fn give_back(&self, reader: Reader) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(reader.session);
    }
}

impl Readers {
    /// Begins a scan, whose parts must have one snapshot.
    pub(super) async fn begin(&self, reader: &Reader) -> Result<(), StoreError> {
        self.bracket(reader, BEGIN).await
    }

    /// Ends a scan.
    pub(super) async fn end(&self, reader: &Reader) -> Result<(), StoreError> {
        self.bracket(reader, "COMMIT").await
    }

    /// Sessions with a common snapshot are in a transaction already.
    async fn bracket(&self, reader: &Reader, sql: &str) -> Result<(), StoreError> {
        match self.snapshot {
            Some(_) => Ok(()),
            None => reader.session.client.batch_execute(sql).await.map_err(failure),
        }
    }
}

impl Reader {
    /// The rows of a query with these parameters.
    pub(super) async fn rows(
        &mut self,
        column: Column,
        query: Query,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let session = &mut self.session;
        let statement = match session.statements.get(&(column, query)) {
            Some(statement) => statement.clone(),
            None => {
                let statement = session.client.prepare(&query.sql(column)).await.map_err(failure)?;
                session.statements.insert((column, query), statement.clone());
                statement
            }
        };
        session.client.query(&statement, parameters).await.map_err(failure)
    }

    pub(super) fn server(&self) -> &Server {
        &self.session.server
    }
}
