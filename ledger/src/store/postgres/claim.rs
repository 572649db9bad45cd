//! Who may write: the claim.
//!
//! The row of `claim` has an epoch and the holder, a random number of one opened store. Every write reads this row
//! first, in its own transaction and with a lock that excludes a change of it, and fails if the epoch is not its own.
//! A ledger that was frozen, cut off or forgotten can therefore write nothing once another one has claimed.
//!
//! A claim has three steps:
//!
//! 1. An advisory lock of the session, without waiting. It keeps ledgers from taking the log from each other while both
//!    live, and it ends with the session ([`LEASE`]).
//! 2. `epoch + 1` by compare-and-swap on the epoch that was read. A blind increment would also be carried out by a
//!    claim that was given up earlier and that the server finishes late.
//! 3. The commit waits for the standby. Replication keeps the order of the log, so its acknowledgement covers
//!    everything before it. Only then is anything read: rows that were committed but not yet replicated are visible
//!    before.
//!
//! The row also has the address at which writers reach the holder. Followers ([`super::follow`]) send writers there.
//!
//! A store that lost its connection claims again. It may do so only if the claim is still its own, or that of an
//! attempt of its own which the server finished late; the holder tells. If another ledger has claimed, the store is
//! fenced and never claims again.

use std::time::Duration;

use ::store::postgres::{Connected, Connector, LEASE, synchronous};
use service::secret;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::schema::{self, LAYOUT};
use super::session::{Session, failure};
use crate::failpoints::{self, Point};
use crate::store::StoreError;

/// The advisory lock. A database has one log.
pub(super) const LOCK: i64 = 0x4569_6e73_6963_6874;
/// A claim waits for a standby. If it takes longer, it is tried again; the compare-and-swap makes that harmless.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(20);

/// Who claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holder {
    /// The number of an opened store, by which it recognizes its own claims.
    pub(super) number: [u8; 16],
    /// Where writers reach the ledger.
    pub(super) addresses: Addresses,
}

/// Where writers reach a ledger; empty if it does not say, or has no such entrance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Its public entrance.
    pub public: String,
    /// Its writing entrance.
    pub writing: String,
}

impl Holder {
    /// A holder with a random number.
    pub(super) fn new(addresses: Addresses) -> Result<Self, StoreError> {
        let random = secret::random().map_err(|error| StoreError::failed("the holder's number", error))?;
        let mut holder = Self {
            addresses,
            ..Self::default()
        };
        holder.number.copy_from_slice(&random[..16]);
        Ok(holder)
    }
}

/// What a store may replace when it claims.
#[derive(Clone, Copy)]
pub(super) enum Claiming {
    /// Any claim: the store is being opened.
    First,
    /// Only a claim of its own.
    Again,
}

/// Connects to the primary and claims the log.
///
/// # Errors
/// [`StoreError::InUse`] if another ledger has the lock, [`StoreError::Fenced`] if another one has replaced this
/// store's claim, [`StoreError::Unknown`] if it may work later.
pub(super) async fn claim(connector: &Connector, holder: &Holder, how: Claiming) -> Result<Session, StoreError> {
    let claimed = timeout(CLAIM_TIMEOUT, claim_now(connector, holder, how)).await;
    claimed.unwrap_or_else(|_| Err(StoreError::Unknown("no standby has confirmed the claim".into())))
}

async fn claim_now(connector: &Connector, holder: &Holder, how: Claiming) -> Result<Session, StoreError> {
    let connected = connector.primary(LEASE).await?;
    let client = &connected.client;
    let unfenced = failpoints::fires(Point::FenceLeftOut);
    let locked = client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK]).await;
    let locked: bool = locked.and_then(|row| row.try_get(0)).map_err(failure)?;
    let without = unfenced && matches!(how, Claiming::Again);
    if !locked && !without {
        // If the one that has the lock has claimed already, this store is fenced, and need not wait.
        if let (Claiming::Again, Some(row)) = (how, read(client).await?) {
            row.replaceable(holder, how)?;
        }
        return Err(StoreError::InUse);
    }
    let epoch = match read(client).await? {
        None => {
            create(&connected).await?;
            0
        }
        Some(row) if unfenced => row.epoch,
        Some(row) => row.replaceable(holder, how)?,
    };
    let claimed = client
        .execute(
            "UPDATE claim SET epoch = epoch + 1, holder = $2, address = $3, writing = $4, since = now() \
             WHERE epoch = $1 AND current_setting('synchronous_standby_names') <> ''",
            &[
                &epoch,
                &holder.number.as_slice(),
                &holder.addresses.public,
                &holder.addresses.writing,
            ],
        )
        .await
        .map_err(failure)?;
    synchronous(client).await?;
    if let Some(warning) = connected.warnings.first() {
        return Err(StoreError::Unknown(warning));
    }
    if claimed != 1 {
        return Err(StoreError::Unknown("another claim came first".into()));
    }
    Session::new(connected, epoch + 1).await
}

/// The row of `claim`.
struct ClaimRow {
    layout: i32,
    epoch: i64,
    holder: Vec<u8>,
}

impl ClaimRow {
    /// The epoch that a claim may replace.
    fn replaceable(&self, holder: &Holder, how: Claiming) -> Result<i64, StoreError> {
        if self.layout != LAYOUT {
            return Err(StoreError::OtherVersion(format!("layout {}", self.layout).into()));
        }
        match how {
            Claiming::Again if self.holder != holder.number => Err(StoreError::Fenced(format!("epoch {}", self.epoch))),
            _ => Ok(self.epoch),
        }
    }
}

async fn read(client: &Client) -> Result<Option<ClaimRow>, StoreError> {
    let table = client.query_one("SELECT to_regclass('claim') IS NOT NULL", &[]).await;
    if !table.and_then(|row| row.try_get::<_, bool>(0)).map_err(failure)? {
        return Ok(None);
    }
    let row = client
        .query_one("SELECT layout, epoch, holder FROM claim", &[])
        .await
        .map_err(failure)?;
    let fields = || -> Result<_, tokio_postgres::Error> {
        Ok(ClaimRow {
            layout: row.try_get(0)?,
            epoch: row.try_get(1)?,
            holder: row.try_get(2)?,
        })
    };
    fields().map(Some).map_err(failure)
}

/// Creates the tables; the caller has the lock.
async fn create(connected: &Connected) -> Result<(), StoreError> {
    synchronous(&connected.client).await?;
    let sql = format!("BEGIN; {} COMMIT;", schema::create());
    connected.client.batch_execute(&sql).await.map_err(failure)
}

/// Checks the layout of a database that is only read.
pub(super) async fn check_layout(client: &Client) -> Result<(), StoreError> {
    let row = read(client).await?;
    let row =
        row.ok_or_else(|| StoreError::Damaged("the database has no log: no ledger has been started on it".into()))?;
    row.replaceable(&Holder::default(), Claiming::First).map(drop)
}
