//! A store on PostgreSQL with synchronous replication: a commit is on the disks of two machines before its receipt.
//!
//! [`Durability::Synced`] waits until primary and standby have flushed the commit. [`Durability::Lazy`] is a commit
//! with `synchronous_commit = off`. Replication keeps the order of the log, so a synced commit also makes earlier lazy
//! ones durable. A `SELECT` sees one snapshot, so a scan sees each batch completely or not at all.
//!
//! | Module | What it does |
//! | --- | --- |
//! | [`::store::postgres`] | where the servers are; connections, TLS, settings, warnings |
//! | `schema` | tables and partitions |
//! | `claim` | who may write |
//! | `session` | the commit |
//! | `keeper` | heartbeat; claims again after a fail-over |
//! | `follow` | reads what another ledger commits, and says who that is |
//! | `read` | sessions for reading |
//!
//! The trait's calls block, because the sequencer is a thread and the other stores block as well. The connections are
//! driven by a small runtime of the store's own, so that they are served, and the heartbeat is sent, however busy the
//! HTTP server is. A call from a task of another runtime hands that runtime's thread over meanwhile
//! (`block_in_place`), so waiting for the network does not keep other requests from being served.

mod claim;
mod follow;
mod keeper;
mod read;
mod schema;
mod session;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use ::store::postgres::PostgresConfig;
use ::store::postgres::{Connector, Driver, NO_LEASE, wait};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

pub use claim::Addresses;
use claim::Holder;
pub use follow::{Follow, Sequencer};
use keeper::Kept;
use read::{Query, Reader, Readers, Snapshot};
use session::failure;

use super::{Batch, Column, Durability, KeyValue, Store, StoreError, Visit};

/// The program's name for the database's operator.
const APPLICATION: &str = "ledger";
/// How long opening waits for another ledger to end. It is longer than the lease, so a ledger that died with its
/// machine does not block the next one.
const OPEN_PATIENCE: Duration = Duration::from_secs(6);
/// Rows in the first part of a scan, which often ends with the first row, and the most in a later one.
const FIRST_SCAN_PART: i64 = 8;
const MAX_SCAN_PART: i64 = 512;
/// The time after which a read is repeated that found its server gone.
const READ_AGAIN: Duration = Duration::from_millis(50);

/// A store on PostgreSQL.
pub struct PostgresStore {
    // Dropping it closes the connections, and with them the claim.
    driver: Driver,
    connector: Arc<Connector>,
    kept: Arc<Kept>,
    readers: Readers,
    failover: Duration,
}

impl PostgresStore {
    /// Claims the log in the database for this process alone; creates the tables in an empty database. Waits some
    /// seconds for another ledger to end.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if no primary can be reached; [`StoreError::InUse`] if another ledger has the log open;
    /// [`StoreError::NotReplicated`] without synchronous replication.
    pub fn open(config: &PostgresConfig) -> Result<Self, StoreError> {
        Self::open_within(config, Addresses::default(), OPEN_PATIENCE, OPEN_PATIENCE)
    }

    /// As [`PostgresStore::open`], at once or not at all. `addresses` are those at which writers reach this ledger.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub fn claim_now(config: &PostgresConfig, addresses: Addresses) -> Result<Self, StoreError> {
        Self::open_within(config, addresses, Duration::ZERO, Duration::ZERO)
    }

    fn open_within(
        config: &PostgresConfig,
        addresses: Addresses,
        patience: Duration,
        in_use: Duration,
    ) -> Result<Self, StoreError> {
        let holder = Holder::new(addresses)?;
        let (driver, connector) = (Driver::start()?, Arc::new(Connector::new(config, APPLICATION)?));
        let claim = Kept::claim(connector.clone(), holder, patience, in_use);
        let kept = wait(driver.handle(), claim)?;
        driver.handle().spawn(kept.clone().keep());
        Ok(Self::of(driver, connector, kept, None, config))
    }

    /// Waits until another ledger has claimed the log; returns the reason.
    pub fn fenced(&self) -> impl Future<Output = String> + Send + use<> {
        self.kept.fenced()
    }

    /// Opens the log for reading while a ledger may write to it. The store shows exactly the state that was committed
    /// when it was opened.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if no primary can be reached; [`StoreError::Damaged`] if the database has no log.
    pub fn open_read_only(config: &PostgresConfig) -> Result<Self, StoreError> {
        let (driver, connector) = (Driver::start()?, Arc::new(Connector::new(config, APPLICATION)?));
        let (address, snapshot) = wait(driver.handle(), async {
            let connected = connector.primary(NO_LEASE).await?;
            claim::check_layout(&connected.client).await?;
            let snapshot = Snapshot::export(connected.client).await?;
            Ok::<_, StoreError>((connected.address, snapshot))
        })?;
        let kept = Kept::reading(connector.clone(), address);
        Ok(Self::of(driver, connector, kept, Some(snapshot), config))
    }

    fn of(
        driver: Driver,
        connector: Arc<Connector>,
        kept: Arc<Kept>,
        snapshot: Option<Snapshot>,
        config: &PostgresConfig,
    ) -> Self {
        Self {
            driver,
            connector,
            kept,
            readers: Readers::new(snapshot),
            failover: config.failover(),
        }
    }

    fn wait<F: Future>(&self, future: F) -> F::Output {
        wait(self.driver.handle(), future)
    }

    async fn reader(&self) -> Result<Reader, StoreError> {
        let server = self.kept.server(self.failover).await?;
        self.readers.take(&self.connector, &server).await
    }

    /// The rows of a query. Gives up when the log is claimed elsewhere, because a frozen server never answers.
    async fn read(
        &self,
        reader: &mut Reader,
        column: Column,
        query: Query,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let server = reader.server().clone();
        tokio::select! {
            rows = reader.rows(column, query, parameters) => rows,
            () = self.kept.left(&server) => Err(StoreError::Unknown("the server was lost".into())),
        }
    }

    /// The rows of a query, read again if the server is lost meanwhile.
    async fn rows(
        &self,
        column: Column,
        query: Query,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let started = Instant::now();
        loop {
            let read = match self.reader().await {
                Ok(mut reader) => {
                    let rows = self.read(&mut reader, column, query, parameters).await;
                    if rows.is_ok() {
                        self.readers.give_back(reader);
                    }
                    rows
                }
                Err(error) => Err(error),
            };
            match read {
                Err(StoreError::Unknown(_)) if started.elapsed() < self.failover => {
                    self.kept.suspect();
                    tokio::time::sleep(READ_AGAIN).await;
                }
                done => return done,
            }
        }
    }
}

fn value(row: &Row, at: usize) -> Result<&[u8], StoreError> {
    row.try_get(at).map_err(failure)
}

fn pair(row: &Row) -> Result<KeyValue, StoreError> {
    Ok((value(row, 0)?.to_vec(), value(row, 1)?.to_vec()))
}

impl Store for PostgresStore {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.wait(self.rows(column, Query::Get, &[&key]))?;
        rows.first().map(|row| value(row, 0).map(<[u8]>::to_vec)).transpose()
    }

    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError> {
        self.wait(self.kept.write(batch, durability))
    }

    fn reclaim(&self) -> Result<(), StoreError> {
        self.wait(self.kept.server(self.failover)).map(drop)
    }

    fn scan(&self, column: Column, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let mut reader = self.wait(self.reader())?;
        self.wait(self.readers.begin(&reader))?;
        let (mut next, mut part) = (from.to_vec(), FIRST_SCAN_PART);
        'parts: loop {
            let rows = self.wait(self.read(&mut reader, column, Query::Scan, &[&next, &to, &part]))?;
            for row in &rows {
                // The visitor does not run in the store's runtime, so it may call the store, too.
                if let ControlFlow::Break(()) = visit(value(row, 0)?, value(row, 1)?) {
                    break 'parts;
                }
            }
            match rows.last() {
                Some(last) if rows.len() as i64 == part => next = [value(last, 0)?, &[0]].concat(),
                _ => break,
            }
            part = (part * 4).min(MAX_SCAN_PART);
        }
        self.wait(self.readers.end(&reader))?;
        self.readers.give_back(reader);
        Ok(())
    }

    fn last(&self, column: Column, from: &[u8], to: &[u8]) -> Result<Option<KeyValue>, StoreError> {
        if from >= to {
            return Ok(None);
        }
        let rows = self.wait(self.rows(column, Query::Last, &[&from, &to]))?;
        rows.first().map(pair).transpose()
    }
}
