//! Reads: a small pool of sessions on the writer's server, each with a snapshot of its own.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::connect::NO_LEASE;
use super::error::PostgresError;
use super::group::parts;
use super::runtime::wait;
use super::session::{Session, bytes};
use super::shared::{Link, Shared};
use crate::error::TableError;
use crate::rows::{ReadRows, Visit};

/// The most snapshots at the same time; others wait.
const MAX_READERS: usize = 8;
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The sessions of a store that read.
pub(super) struct Readers(Arc<Pool>);

struct Pool {
    shared: Arc<Shared>,
    idle: Mutex<Vec<Reader>>,
    room: Arc<Semaphore>,
}

/// A session on the server of this link.
struct Reader {
    link: Link,
    session: Session,
}

/// One consistent state.
pub(crate) struct PostgresSnapshot {
    pool: Arc<Pool>,
    /// Taken only when the snapshot is dropped.
    reader: Option<Reader>,
    begun: Cell<bool>,
    failed: Cell<bool>,
    room: Option<OwnedSemaphorePermit>,
}

impl Readers {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(Arc::new(Pool {
            shared,
            idle: Mutex::default(),
            room: Arc::new(Semaphore::new(MAX_READERS)),
        }))
    }

    /// A snapshot. Its state is that of its first read.
    pub(super) fn snapshot(&self) -> Result<PostgresSnapshot, TableError> {
        wait(&self.0.shared.handle, self.0.snapshot())
    }
}

impl Pool {
    async fn snapshot(self: &Arc<Self>) -> Result<PostgresSnapshot, TableError> {
        let room = self.room.clone().acquire_owned().await;
        let room = room.map_err(|_| TableError::Ending)?;
        let link = self.link().await?;
        let idle = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.retain(|reader| reader.link == link && !reader.session.client.is_closed());
            idle.pop()
        };
        let reader = match idle {
            Some(reader) => reader,
            None => self.connect(link).await?,
        };
        Ok(PostgresSnapshot {
            pool: self.clone(),
            reader: Some(reader),
            begun: Cell::new(false),
            failed: Cell::new(false),
            room: Some(room),
        })
    }

    /// The writer's connection. Waits for it as long as a fail-over takes.
    async fn link(&self) -> Result<Link, TableError> {
        let mut links = self.shared.link.subscribe();
        let settled = timeout(self.shared.failover, links.wait_for(|link| *link != Link::Down)).await;
        match settled {
            Ok(Ok(link)) if *link == Link::Fenced => Err(TableError::Fenced(self.shared.names.store.into())),
            Ok(Ok(link)) => Ok(link.clone()),
            Ok(Err(_)) => Err(TableError::Ending),
            Err(_) => Err(lost("no primary was found in time")),
        }
    }

    async fn connect(&self, link: Link) -> Result<Reader, TableError> {
        let Link::Up { address, .. } = &link else {
            return Err(lost("there is no connection"));
        };
        let connected = self.shared.connector.server(address, NO_LEASE).await;
        let session = Session::new(connected.map_err(|refusal| lost(&refusal.to_string()))?);
        Ok(Reader { link, session })
    }

    /// Waits until the writer has left the connection that it had.
    async fn left(&self, link: &Link) {
        let mut links = self.shared.link.subscribe();
        let _ = links.wait_for(|now| now != link).await;
    }
}

fn lost(why: &str) -> TableError {
    TableError::database(PostgresError::Unknown(why.into()))
}

impl PostgresSnapshot {
    /// A table.
    pub(crate) fn rows(&self, table: &'static str) -> SnapshotRows<'_> {
        SnapshotRows { snapshot: self, table }
    }

    fn query(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, TableError> {
        let Some(reader) = &self.reader else {
            return Err(lost("there is no connection"));
        };
        let (link, session) = (&reader.link, &reader.session);
        let rows = async {
            let statement = session.prepare(sql).await?;
            if self.begun.replace(true) {
                return Ok(session.client.query(&statement, parameters).await?);
            }
            let query = session.client.query(&statement, parameters);
            let (begun, rows) = join(session.client.batch_execute(BEGIN), query).await;
            begun?;
            Ok(rows?)
        };
        let rows = wait(&self.pool.shared.handle, async {
            tokio::select! {
                rows = rows => rows,
                () = self.pool.left(link) => Err(PostgresError::Unknown("the server was lost".into())),
            }
        });
        rows.map_err(|error| {
            self.failed.set(true);
            TableError::database(error)
        })
    }
}

impl Drop for PostgresSnapshot {
    /// Ends the transaction, and gives the session back.
    fn drop(&mut self) {
        let Some(reader) = self.reader.take().filter(|_| !self.failed.get()) else {
            return;
        };
        let (pool, room, begun) = (self.pool.clone(), self.room.take(), self.begun.get());
        self.pool.shared.handle.spawn(async move {
            if !begun || reader.session.client.batch_execute("COMMIT").await.is_ok() {
                pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            }
            drop(room);
        });
    }
}

/// A table of a snapshot.
pub(crate) struct SnapshotRows<'s> {
    snapshot: &'s PostgresSnapshot,
    table: &'static str,
}

impl ReadRows for SnapshotRows<'_> {
    fn get(&self, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<(), TableError> {
        let names = self.snapshot.pool.shared.names;
        if let Some(row) = self.snapshot.query(&names.get(self.table), &[&key])?.first() {
            read(bytes(row, 0).map_err(TableError::database)?);
        }
        Ok(())
    }

    fn scan(&self, from: &[u8], visit: &mut Visit<'_>) -> Result<(), TableError> {
        let sql = self.snapshot.pool.shared.names.scan(self.table);
        let read = |from: &[u8], part| self.snapshot.query(&sql, &[&from, &part]);
        parts(from, read, visit).map(drop)
    }

    fn len(&self) -> Result<u64, TableError> {
        let names = self.snapshot.pool.shared.names;
        let rows = self.snapshot.query(&names.count(self.table), &[])?;
        let count: Option<i64> = rows.first().and_then(|row| row.try_get(0).ok());
        count
            .and_then(|count| u64::try_from(count).ok())
            .ok_or_else(|| lost("the server has not counted"))
    }
}
