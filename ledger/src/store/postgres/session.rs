//! The session of the writer, and the commit.
//!
//! A commit takes two flights, the second of which waits for the standby:
//!
//! ```text
//! 1  BEGIN; SELECT epoch FROM claim FOR SHARE; swap    this session has the claim, and keeps it until the commit
//! 2  rows; COMMIT; SELECT guard                        pipelined
//! ```
//!
//! A batch is acknowledged only if every statement succeeded, the commit came back, the *guard* is true, and the server
//! has sent no warning on this connection. The guard asks whether `synchronous_standby_names` is set. Both are needed:
//! if the wait for the standby is cancelled, the commit succeeds with a warning, and if the setting is emptied, waiting
//! commits succeed without one. The guard is the second line of defence, because a setting that is emptied and set
//! again during one commit passes it. The first is that nobody but the cluster's manager may change the setting.

use std::collections::{BTreeSet, HashMap};

use ::store::postgres::{Address, Connected, GUARD, PostgresError, Warnings, guarded};
use futures_util::future::{join, join_all};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::schema::{LIST_PARTITIONS, Partition, create_partitions, partition_named, partition_of};
use crate::failpoints::{self, Point};
use crate::store::{Batch, Column, Durability, StoreError, Swap};

/// The error of a call.
pub(super) fn failure(error: tokio_postgres::Error) -> StoreError {
    PostgresError::from(error).into()
}

impl From<PostgresError> for StoreError {
    fn from(error: PostgresError) -> Self {
        match error {
            PostgresError::Configuration { what, source } => Self::Failed { what, source },
            PostgresError::Refused(error) => Self::database(error),
            PostgresError::NotReplicated => Self::NotReplicated("`synchronous_standby_names` is empty".into()),
            PostgresError::Unknown(why) => Self::Unknown(why),
        }
    }
}

/// The changes to one column.
#[derive(Default)]
struct Changes<'a> {
    put: (Vec<&'a [u8]>, Vec<&'a [u8]>),
    removed: Vec<&'a [u8]>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Change {
    Put,
    Remove,
    Create,
    Replace,
}

impl Change {
    fn sql(self, column: Column) -> String {
        let table = column.name();
        match self {
            Self::Put => format!(
                "INSERT INTO {table} (k, v) SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
                 ON CONFLICT (k) DO UPDATE SET v = EXCLUDED.v"
            ),
            Self::Remove => format!("DELETE FROM {table} WHERE k = ANY ($1::bytea[])"),
            Self::Create => format!("INSERT INTO {table} (k, v) VALUES ($1, $2) ON CONFLICT (k) DO NOTHING"),
            Self::Replace => format!("UPDATE {table} SET v = $2 WHERE k = $1 AND v = $3"),
        }
    }
}

/// The only session that writes.
pub(super) struct Session {
    client: Client,
    pub(super) address: Address,
    warnings: Warnings,
    pub(super) epoch: i64,
    fence: Statement,
    guard: Statement,
    statements: HashMap<(Column, Change), Statement>,
    /// The partitions that exist.
    partitions: BTreeSet<Partition>,
}

impl Session {
    /// The session that has claimed this epoch.
    pub(super) async fn new(connected: Connected, epoch: i64) -> Result<Self, StoreError> {
        let client = connected.client;
        let listed = client.query(LIST_PARTITIONS, &[]).await.map_err(failure)?;
        let names: Result<Vec<&str>, _> = listed.iter().map(|row| row.try_get(0)).collect();
        let partitions = names
            .map_err(failure)?
            .into_iter()
            .filter_map(partition_named)
            .collect();
        Ok(Self {
            fence: client
                .prepare("SELECT epoch FROM claim FOR SHARE")
                .await
                .map_err(failure)?,
            guard: client.prepare(GUARD).await.map_err(failure)?,
            client,
            address: connected.address,
            warnings: connected.warnings,
            epoch,
            statements: HashMap::new(),
            partitions,
        })
    }

    /// Asks the server for a sign of life, which also renews the lease.
    pub(super) async fn beat(&self) -> Result<(), StoreError> {
        self.client.query_one("SELECT 1", &[]).await.map(drop).map_err(failure)
    }

    /// Applies a batch. After an error, the session must not be used again.
    pub(super) async fn commit(&mut self, batch: &Batch, durability: Durability) -> Result<(), StoreError> {
        let changes = collect(batch);
        self.prepare(batch, &changes).await?;
        // The fail point stands for asynchronous replication: the commit waits for the primary's disk alone.
        let unreplicated = durability == Durability::Synced && failpoints::fires(Point::SyncLeftOut);
        let begin = match durability {
            Durability::Synced if unreplicated => "BEGIN; SET LOCAL synchronous_commit = local",
            Durability::Synced => "BEGIN",
            Durability::Lazy => "BEGIN; SET LOCAL synchronous_commit = off",
        };
        self.fence(begin, batch.swapped()).await?;
        let missing = self.missing_partitions(batch);
        if !missing.is_empty() {
            let created = self.client.batch_execute(&create_partitions(&missing)).await;
            created.map_err(failure)?;
        }
        if failpoints::fires(Point::WriteFails) {
            return Err(StoreError::database(
                "No space left on device (injected by a fail point)",
            ));
        }
        let guard = self.apply(&changes).await?;
        self.partitions.extend(missing);
        if durability == Durability::Synced && !unreplicated {
            guarded(guard)?;
        }
        match self.warnings.first() {
            Some(warning) => Err(StoreError::Unknown(warning)),
            None => Ok(()),
        }
    }

    /// Begins the transaction, makes sure that nobody else has claimed the log or claims it before the commit, and
    /// carries out the swap.
    async fn fence(&self, begin: &str, swap: Option<Swap<'_>>) -> Result<(), StoreError> {
        // The client sends each request when its future is first polled, and `join` polls in order.
        let epoch = self.client.query_one(&self.fence, &[]);
        let begun = join(self.client.batch_execute(begin), epoch);
        let ((begun, epoch), swapped) = join(begun, self.swap(swap)).await;
        begun.map_err(failure)?;
        let epoch: i64 = epoch.and_then(|row| row.try_get(0)).map_err(failure)?;
        if epoch == self.epoch || failpoints::fires(Point::FenceLeftOut) {
            return swapped;
        }
        Err(StoreError::Fenced(format!(
            "epoch {epoch}, this process has {}",
            self.epoch
        )))
    }

    /// Sends all changes, the commit and the guard at once; returns the guard.
    async fn apply(&self, changes: &[(Column, Changes<'_>)]) -> Result<bool, StoreError> {
        let mut calls: Vec<(Column, Change, Vec<&(dyn ToSql + Sync)>)> = Vec::new();
        for (column, changes) in changes {
            if !changes.put.0.is_empty() {
                calls.push((*column, Change::Put, vec![&changes.put.0, &changes.put.1]));
            }
            if !changes.removed.is_empty() {
                calls.push((*column, Change::Remove, vec![&changes.removed]));
            }
        }
        let rows = join_all(calls.iter().map(|(column, change, parameters)| {
            let statement = self.statements.get(&(*column, *change));
            async move {
                match statement {
                    Some(statement) => self.client.execute(statement, parameters).await.map_err(failure),
                    None => Err(StoreError::failed(column.name(), "a statement was not prepared")),
                }
            }
        }));
        let guard = self.client.query_one(&self.guard, &[]);
        let commit = join(self.client.batch_execute("COMMIT"), guard);
        let (rows, (committed, guard)) = join(rows, commit).await;
        // After the first failure the transaction is aborted, and COMMIT ends it without applying anything.
        for applied in rows {
            applied?;
        }
        committed.map_err(failure)?;
        guard.and_then(|row| row.try_get(0)).map_err(failure)
    }

    async fn swap(&self, swap: Option<Swap<'_>>) -> Result<(), StoreError> {
        let Some(swap) = swap else { return Ok(()) };
        let (change, parameters): (_, Vec<&(dyn ToSql + Sync)>) = match &swap.before {
            None => (Change::Create, vec![&swap.key, &swap.after]),
            Some(before) => (Change::Replace, vec![&swap.key, &swap.after, before]),
        };
        let statement = self.statements.get(&(swap.column, change));
        let statement = statement.ok_or_else(|| StoreError::failed("a swap", "a statement was not prepared"))?;
        match self.client.execute(statement, &parameters).await.map_err(failure)? {
            1 => Ok(()),
            _ if failpoints::fires(Point::FenceLeftOut) => self.overwrite(&swap).await,
            _ => Err(swap.refused()),
        }
    }

    /// For a test: what a swap is without its condition.
    async fn overwrite(&self, swap: &Swap<'_>) -> Result<(), StoreError> {
        let sql = format!("UPDATE {} SET v = $2 WHERE k = $1", swap.column.name());
        let written = self.client.execute(&sql, &[&swap.key, &swap.after]).await;
        written.map(drop).map_err(failure)
    }

    /// Prepares the statements that the batch needs, outside its transaction.
    async fn prepare(&mut self, batch: &Batch, changes: &[(Column, Changes<'_>)]) -> Result<(), StoreError> {
        let mut needed = Vec::new();
        if let Some(swap) = batch.swapped() {
            needed.push((
                swap.column,
                if swap.before.is_some() {
                    Change::Replace
                } else {
                    Change::Create
                },
            ));
        }
        for (column, changes) in changes {
            if !changes.put.0.is_empty() {
                needed.push((*column, Change::Put));
            }
            if !changes.removed.is_empty() {
                needed.push((*column, Change::Remove));
            }
        }
        for (column, change) in needed {
            if !self.statements.contains_key(&(column, change)) {
                let statement = self.client.prepare(&change.sql(column)).await.map_err(failure)?;
                self.statements.insert((column, change), statement);
            }
        }
        Ok(())
    }

    fn missing_partitions(&self, batch: &Batch) -> BTreeSet<Partition> {
        let puts = batch.sorted().filter(|(_, _, value)| value.is_some());
        puts.filter_map(|(column, key, _)| partition_of(column, key))
            .filter(|partition| !self.partitions.contains(partition))
            .collect()
    }
}

/// The changes by column. Of several changes to one row, only the last counts, and a statement may name a row only
/// once.
fn collect(batch: &Batch) -> Vec<(Column, Changes<'_>)> {
    let mut changes: Vec<(Column, Changes<'_>)> = Vec::new();
    let mut rows = batch.sorted().peekable();
    while let Some((column, key, value)) = rows.next() {
        if rows.peek().is_some_and(|next| (next.0, next.1) == (column, key)) {
            continue;
        }
        if changes.last().is_none_or(|(last, _)| *last != column) {
            changes.push((column, Changes::default()));
        }
        let Some((_, changes)) = changes.last_mut() else {
            continue;
        };
        match value {
            Some(value) => {
                changes.put.0.push(key);
                changes.put.1.push(value);
            }
            None => changes.removed.push(key),
        }
    }
    changes
}
