//! A store in a database: its writer and its readers.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::config::PostgresConfig;
use super::connect::Connector;
use super::error::PostgresError;
use super::owner::create_table;
use super::runtime::{Driver, wait};
use super::session::Names;
use super::shared::{Link, OPEN_PATIENCE, RETRY_DELAY, Shared};
use super::snapshot::{PostgresSnapshot, Readers};
use super::writer::Writer;
use crate::error::TableError;
use crate::group_commit::GroupCommit;

/// A store in a database.
pub(crate) struct Database {
    // Ends before the connections.
    writer: Option<GroupCommit<Writer>>,
    readers: Readers,
    shared: Arc<Shared>,
    _driver: Driver,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Database({})", self.shared.names.store)
    }
}

impl Database {
    /// Opens the store for this process alone; creates its schema if it is missing.
    ///
    /// # Errors
    /// [`TableError::InUse`] if another process has it open, [`TableError::OtherVersion`], [`TableError::Database`] if
    /// no primary can be reached or it does not replicate synchronously.
    pub(crate) fn open(config: &PostgresConfig, store: &'static str) -> Result<Self, TableError> {
        let driver = Driver::start().map_err(TableError::database)?;
        let shared = Arc::new(Shared {
            connector: Connector::new(config, store).map_err(TableError::database)?,
            names: Names { store },
            link: watch::Sender::new(Link::Down),
            ending: CancellationToken::new(),
            failover: config.failover(),
            handle: driver.handle().clone(),
        });
        let writer = Writer::open(&shared)?;
        let writer = GroupCommit::start(writer)
            .map_err(|error| TableError::database(PostgresError::configuration("the store's thread", error)))?;
        Ok(Self {
            writer: Some(writer),
            readers: Readers::new(shared.clone()),
            shared,
            _driver: driver,
        })
    }

    /// The present state.
    pub(crate) fn snapshot(&self) -> Result<PostgresSnapshot, TableError> {
        self.readers.snapshot()
    }

    /// Repeats a read whose connection breaks, until it succeeds or a fail-over would have ended.
    pub(crate) fn persist<T>(&self, read: impl Fn() -> Result<T, TableError>) -> Result<T, TableError> {
        let started = Instant::now();
        loop {
            match read() {
                Err(error) if error.may_pass() && started.elapsed() < self.shared.failover => {
                    std::thread::sleep(RETRY_DELAY);
                }
                done => return done,
            }
        }
    }

    /// Runs `change` in the next group.
    pub(crate) async fn commit<T: Send + 'static, E: Send + 'static>(
        &self,
        change: impl FnOnce(&Writer) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, TableError> {
        match &self.writer {
            Some(writer) => writer.write(change).await,
            None => Err(TableError::Ending),
        }
    }

    /// Creates a table if it is missing.
    pub(crate) fn create_table(&self, table: &'static str) -> Result<(), TableError> {
        let started = Instant::now();
        loop {
            let created = wait(&self.shared.handle, create_table(&self.shared, table));
            match created {
                Err(PostgresError::Unknown(_)) if started.elapsed() < OPEN_PATIENCE => {
                    std::thread::sleep(RETRY_DELAY);
                }
                done => return done.map_err(TableError::database),
            }
        }
    }

    /// Waits until another process has taken over.
    pub(crate) fn fenced(&self) -> impl Future<Output = TableError> + Send + use<> {
        let (mut links, store) = (self.shared.link.subscribe(), self.shared.names.store);
        async move {
            if links.wait_for(|link| *link == Link::Fenced).await.is_err() {
                // The store is closed.
                return std::future::pending().await;
            }
            TableError::Fenced(store.into())
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.shared.ending.cancel();
        self.writer = None;
    }
}
