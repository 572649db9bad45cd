//! The writer: one group after another, each in one transaction, whatever happens to the connection.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use service::secret;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::changes::{Changes, split};
use super::config::Address;
use super::error::{GUARD, PostgresError, describe, guarded};

use super::owner::{HEARTBEAT, Halt, connect, own, silent, unknown};
use super::runtime::wait;
use super::session::{LAYOUT, Names, Session, bytes};
use super::shared::{Link, OPEN_PATIENCE, RETRY_DELAY, SHUTDOWN_GRACE, Shared};
use crate::error::TableError;
use crate::group_commit::{Engine, Job};

const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(2);

/// The writer of a store. Its thread runs the groups; a write uses it through `&self`, as a transaction.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    /// The random number by which it recognizes itself as the owner.
    id: [u8; 16],
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    session: Option<Arc<Session>>,
    /// How many connections there were.
    connections: u64,
    /// The version that the group has begun with.
    version: i64,
    changes: BTreeMap<&'static str, Changes>,
    opened: BTreeSet<&'static str>,
}

impl Writer {
    /// Makes this process the owner of the store.
    pub(super) fn open(shared: &Arc<Shared>) -> Result<Self, TableError> {
        let random = secret::random()
            .map_err(|error| TableError::database(PostgresError::configuration("the owner's number", error)))?;
        let mut id = [0; 16];
        id.copy_from_slice(&random[..16]);
        let writer = Self {
            shared: shared.clone(),
            id,
            state: RefCell::default(),
        };
        let started = Instant::now();
        loop {
            let owned = wait(&shared.handle, async { timeout(OPEN_PATIENCE, own(shared, &id)).await });
            match owned.unwrap_or_else(|_| Err(unknown("no standby has confirmed the new owner"))) {
                Ok(session) => {
                    writer.connected(session);
                    return Ok(writer);
                }
                Err(Halt::Postgres(PostgresError::Unknown(_)) | Halt::Table(TableError::InUse(_)))
                    if started.elapsed() < OPEN_PATIENCE =>
                {
                    std::thread::sleep(RETRY_DELAY);
                }
                Err(Halt::Postgres(error)) => return Err(TableError::database(error)),
                Err(Halt::Table(error)) => return Err(error),
            }
        }
    }

    /// Opens a table of the present group.
    pub(super) fn open_table(&self, table: &'static str) -> Result<(), TableError> {
        let closed = self.state.borrow_mut().opened.insert(table);
        closed.then_some(()).ok_or(TableError::OpenedTwice(table))
    }

    /// Closes a table of the present group.
    pub(super) fn close_table(&self, table: &'static str) {
        self.state.borrow_mut().opened.remove(table);
    }

    /// The changes of the present group to a table.
    pub(super) fn with_changes<T>(&self, table: &'static str, with: impl FnOnce(&mut Changes) -> T) -> T {
        with(self.state.borrow_mut().changes.entry(table).or_default())
    }

    /// The names of the store's tables.
    pub(super) fn names(&self) -> Names {
        self.shared.names
    }

    fn connected(&self, session: Session) {
        let mut state = self.state.borrow_mut();
        state.connections += 1;
        self.shared.link.send_replace(Link::Up {
            address: session.address.clone(),
            number: state.connections,
        });
        state.session = Some(Arc::new(session));
    }

    fn lose(&self, why: &dyn std::fmt::Display) {
        if self.state.borrow_mut().session.take().is_some() {
            tracing::warn!(store = self.shared.names.store, %why, "the connection to the database was lost");
            self.shared.link.send_replace(Link::Down);
        }
    }

    fn refused(&self, error: &TableError) {
        self.lose(error);
        if matches!(error, TableError::Fenced(_)) {
            self.shared.link.send_replace(Link::Fenced);
        }
    }

    /// The session; connects if there is none.
    async fn session(&self) -> Result<Arc<Session>, Halt> {
        let session = self.state.borrow().session.clone();
        if let Some(session) = session {
            return Ok(session);
        }
        let session = connect(&self.shared, Some(&self.id)).await?;
        tracing::info!(store = self.shared.names.store, "connected to the database");
        self.connected(session);
        let session = self.state.borrow().session.clone();
        session.ok_or_else(|| unknown("there is no connection"))
    }

    /// Begins a transaction, in which nobody else can write; returns the version of the store.
    async fn lock(&self) -> Result<i64, Halt> {
        let session = self.session().await?;
        let locked = async {
            let lock = session.prepare(&self.shared.names.lock()).await?;
            // The client sends each request when its future is first polled, and `join` polls in order.
            let (begun, row) = join(
                session.client.batch_execute("BEGIN"),
                session.client.query_one(&lock, &[]),
            )
            .await;
            begun?;
            Ok(row?)
        };
        let head = self.attended(&session.address, locked).await?;
        let (layout, version, owner): (i32, i64, &[u8]) = (head.try_get(0)?, head.try_get(1)?, bytes(&head, 2)?);
        let store = self.shared.names.store;
        if layout != LAYOUT {
            return Err(Halt::Table(TableError::OtherVersion(store.into())));
        }
        if owner != self.id {
            return Err(Halt::Table(TableError::Fenced(store.into())));
        }
        Ok(version)
    }

    /// [`Writer::lock`], repeated until it succeeds. It waits for a fail-over as long as it takes.
    fn locked(&self) -> Result<i64, TableError> {
        loop {
            let locked = self.shared.handle.block_on(self.lock());
            match locked {
                Ok(version) => return Ok(version),
                Err(Halt::Postgres(error @ (PostgresError::Unknown(_) | PostgresError::NotReplicated))) => {
                    self.lose(&error);
                    self.pause()?;
                }
                Err(Halt::Table(TableError::InUse(_))) => self.pause()?,
                Err(Halt::Postgres(error)) => {
                    self.lose(&error);
                    return Err(TableError::database(error));
                }
                Err(Halt::Table(error)) => {
                    self.refused(&error);
                    return Err(error);
                }
            }
        }
    }

    fn pause(&self) -> Result<(), TableError> {
        if self.shared.ending.is_cancelled() {
            return Err(TableError::Ending);
        }
        std::thread::sleep(RETRY_DELAY);
        Ok(())
    }

    /// Waits for an answer of the server; gives up when the server does not answer on another connection either, and
    /// when the store is closed.
    async fn attended<T>(
        &self,
        address: &Address,
        answer: impl Future<Output = Result<T, PostgresError>>,
    ) -> Result<T, PostgresError> {
        let ended = async {
            self.shared.ending.cancelled().await;
            sleep(SHUTDOWN_GRACE).await;
        };
        tokio::select! {
            answer = answer => answer,
            () = silent(&self.shared, address) => Err(PostgresError::Unknown("the server does not answer".into())),
            () = ended => Err(PostgresError::Unknown("the process is ending".into())),
        }
    }

    /// The rows of a query of the present group. If the connection breaks, the query is repeated on the next one,
    /// unless another process has written meanwhile.
    pub(super) fn query(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, TableError> {
        loop {
            let session = self.state.borrow().session.clone();
            let queried = match session {
                Some(session) => {
                    let query = session.query(sql, parameters);
                    self.shared.handle.block_on(self.attended(&session.address, query))
                }
                None => Err(PostgresError::Unknown("there is no connection".into())),
            };
            match queried {
                Err(error @ PostgresError::Unknown(_)) => {
                    self.lose(&error);
                    let version = self.locked()?;
                    if version != self.state.borrow().version {
                        return Err(TableError::Interrupted);
                    }
                }
                done => return done.map_err(TableError::database),
            }
        }
    }

    /// Commits the changes of the group; returns when it is certain that they are on two machines, or that nothing
    /// was written.
    fn commit(&self, changes: &BTreeMap<&'static str, Changes>) -> Result<(), TableError> {
        let before = self.state.borrow().version;
        let mut remaining = Some(changes);
        loop {
            match self.shared.handle.block_on(self.send(remaining, before + 1)) {
                Ok(()) => return Ok(()),
                Err(error @ PostgresError::Refused(_)) => {
                    self.lose(&error);
                    return Err(TableError::database(error));
                }
                Err(error) => self.lose(&error),
            }
            // What has become of it?
            match self.locked()? {
                version if version == before + 1 => remaining = None,
                version if version == before => remaining = Some(changes),
                _ => {
                    self.roll_back();
                    return Err(TableError::Interrupted);
                }
            }
        }
    }

    /// Sends the changes, the new version, the commit and the guard at once. Without changes, it commits the same
    /// version again.
    async fn send(&self, changes: Option<&BTreeMap<&'static str, Changes>>, version: i64) -> Result<(), PostgresError> {
        let session = self.state.borrow().session.clone();
        let session = session.ok_or_else(|| PostgresError::Unknown("there is no connection".into()))?;
        let sent = async {
            let names = self.shared.names;
            let mut calls: Vec<(Statement, Vec<&(dyn ToSql + Sync)>)> = Vec::new();
            let tables: Vec<_> = changes
                .into_iter()
                .flatten()
                .map(|(table, changes)| (table, split(changes)))
                .collect();
            for (table, (keys, values, removed)) in &tables {
                if !keys.is_empty() {
                    calls.push((session.prepare(&names.put(table)).await?, vec![keys, values]));
                }
                if !removed.is_empty() {
                    calls.push((session.prepare(&names.remove(table)).await?, vec![removed]));
                }
            }
            calls.push((session.prepare(&names.advance()).await?, vec![&version]));
            let guard = session.prepare(GUARD).await?;
            let rows = join_all(
                calls
                    .iter()
                    .map(|(statement, parameters)| session.client.execute(statement, parameters)),
            );
            let commit = join(
                session.client.batch_execute("COMMIT"),
                session.client.query_one(&guard, &[]),
            );
            let (rows, (committed, guard)) = join(rows, commit).await;
            // After the first failure the transaction is undone, and COMMIT ends it without applying anything.
            for applied in rows {
                applied?;
            }
            // Whatever the server says of a commit that failed, it is asked what has become of it.
            committed.map_err(|error| PostgresError::Unknown(describe(&error)))?;
            guarded(guard?.try_get(0)?)
        };
        self.attended(&session.address, sent).await?;
        match session.warnings.first() {
            Some(warning) => Err(PostgresError::Unknown(warning)),
            None => Ok(()),
        }
    }

    fn roll_back(&self) {
        let session = self.state.borrow().session.clone();
        let Some(session) = session else { return };
        let ended = async { Ok(session.client.batch_execute("ROLLBACK").await?) };
        let ended = self.shared.handle.block_on(self.attended(&session.address, ended));
        if let Err(error) = ended {
            self.lose(&error);
        }
    }

    /// Sends the heartbeat, or connects again.
    async fn renew(&self) {
        if *self.shared.link.borrow() == Link::Fenced {
            return;
        }
        let known = self.state.borrow().session.is_some();
        let alive = async {
            let session = self.session().await?;
            session.client.batch_execute("").await?;
            Ok::<_, Halt>(())
        };
        // Connecting has a deadline of its own.
        let limit = if known { HEARTBEAT_TIMEOUT } else { OPEN_PATIENCE };
        match timeout(limit, alive).await {
            Ok(Ok(())) => {}
            Ok(Err(Halt::Postgres(error))) => self.lose(&error),
            Ok(Err(Halt::Table(error))) => self.refused(&error),
            Err(_) => self.lose(&"no answer to the heartbeat"),
        }
    }
}

impl Engine for Writer {
    type Transaction = Self;

    fn next(&mut self, queue: &mut mpsc::Receiver<Job<Self>>) -> Option<Job<Self>> {
        let handle = self.shared.handle.clone();
        loop {
            let pause = if self.state.borrow().session.is_some() {
                HEARTBEAT
            } else {
                RETRY_DELAY
            };
            match handle.block_on(async { timeout(pause, queue.recv()).await }) {
                Ok(job) => return job,
                Err(_) => handle.block_on(self.renew()),
            }
        }
    }

    fn transact(&mut self, work: &mut dyn FnMut(&Self) -> bool) -> Result<(), TableError> {
        if *self.shared.link.borrow() == Link::Fenced {
            return Err(TableError::Fenced(self.shared.names.store.into()));
        }
        let version = self.locked()?;
        *self.state.borrow_mut() = State {
            version,
            ..self.state.take()
        };
        let sound = work(self);
        let changes = std::mem::take(&mut self.state.borrow_mut().changes);
        if sound {
            return self.commit(&changes);
        }
        self.roll_back();
        Err(TableError::Aborted)
    }
}
