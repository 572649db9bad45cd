//! Connecting as the owner of a store, and becoming it.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::time::{sleep, timeout};

use super::config::Address;
use super::connect::{LEASE, NO_LEASE};
use super::error::{PostgresError, synchronous};
use super::session::{LAYOUT, Session, bytes};
use super::shared::{OPEN_PATIENCE, Shared};
use crate::error::TableError;

/// The time between two signs of life.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(1);
/// How many times in a row a server may fail to answer on another connection while the writer waits for it.
const MAX_SILENCES: u32 = 2;

/// Why a group cannot begin or continue.
pub(super) enum Halt {
    /// A call of the database failed.
    Postgres(PostgresError),
    /// The store is not usable by this process, or no longer.
    Table(TableError),
}

impl<E: Into<PostgresError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Postgres(error.into())
    }
}

pub(super) fn unknown(why: &str) -> Halt {
    Halt::Postgres(PostgresError::Unknown(why.into()))
}

/// The number of the advisory lock of a store.
fn lock_number(store: &str) -> i64 {
    let digest = Sha256::digest(format!("einsicht store {store}"));
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | i64::from(*byte))
}

/// Connects to the primary, and takes the advisory lock. The store must still have this owner, if there was one.
pub(super) async fn connect(shared: &Shared, owner: Option<&[u8; 16]>) -> Result<Session, Halt> {
    let (names, store) = (shared.names, shared.names.store);
    let session = Session::new(shared.connector.primary(LEASE).await?);
    let locked = session
        .client
        .query_one("SELECT pg_try_advisory_lock($1)", &[&lock_number(store)])
        .await?;
    if let Some(owner) = owner {
        let head = session.client.query_one(&names.owner(), &[]).await?;
        if bytes(&head, 0)? != owner {
            return Err(Halt::Table(TableError::Fenced(store.into())));
        }
    }
    if locked.try_get(0)? {
        Ok(session)
    } else {
        Err(Halt::Table(TableError::InUse(store.into())))
    }
}

/// Connects, creates the schema, and makes `id` the owner. A standby has confirmed that on return.
pub(super) async fn own(shared: &Shared, id: &[u8; 16]) -> Result<Session, Halt> {
    let session = connect(shared, None).await?;
    synchronous(&session.client).await?;
    let create = format!("BEGIN; {} COMMIT;", shared.names.create());
    session.client.batch_execute(&create).await?;
    session.client.batch_execute("BEGIN").await?;
    let head = session.client.query_one(&shared.names.lock(), &[]).await?;
    if head.try_get::<_, i32>(0)? != LAYOUT {
        return Err(Halt::Table(TableError::OtherVersion(shared.names.store.into())));
    }
    session.client.execute(&shared.names.own(), &[&id.as_slice()]).await?;
    session.client.batch_execute("COMMIT").await?;
    synchronous(&session.client).await?;
    match session.warnings.first() {
        Some(warning) => Err(unknown(&warning)),
        None => Ok(session),
    }
}

/// Creates a table if it is missing, within some seconds.
pub(super) async fn create_table(shared: &Shared, table: &str) -> Result<(), PostgresError> {
    let created = timeout(OPEN_PATIENCE, create_table_now(shared, table)).await;
    created.unwrap_or_else(|_| Err(PostgresError::Unknown("no standby has confirmed a new table".into())))
}

/// Nothing can be in it before a group, whose commit a standby confirms.
async fn create_table_now(shared: &Shared, table: &str) -> Result<(), PostgresError> {
    let connected = shared.connector.primary(NO_LEASE).await?;
    let client = connected.client;
    if client.query_one(&shared.names.exists(table), &[]).await?.try_get(0)? {
        return Ok(());
    }
    let create = format!("BEGIN; {} COMMIT;", shared.names.create_table(table));
    Ok(client.batch_execute(&create).await?)
}

/// Returns when the server does not answer on another connection.
pub(super) async fn silent(shared: &Shared, address: &Address) {
    let mut silences = 0;
    while silences < MAX_SILENCES {
        sleep(HEARTBEAT).await;
        silences = match shared.connector.server(address, NO_LEASE).await {
            Ok(_) => 0,
            Err(_) => silences + 1,
        };
    }
}
