//! Follows a log that another ledger writes: reads its newest state, and says who writes.
//!
//! All reads go to the primary. [`Follow::sequencer`] must be called regularly: it notices a primary that is gone or
//! has become a standby, and finds the next one. What is read may be committed and not replicated yet, so a follower
//! shows only what a checkpoint of the log covers: the sequencer signs after the commit was acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ::store::postgres::{Connector, Driver, NO_LEASE, PostgresConfig, wait};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::Client;

use super::claim::{Addresses, LOCK, check_layout};
use super::keeper::Kept;
use super::session::failure;
use super::{APPLICATION, PostgresStore};
use crate::store::StoreError;

/// How long the primary may take to answer before another one is looked for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Who writes to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequencer {
    /// The number of its claim.
    pub epoch: i64,
    /// Whether it lives: it has the lock, which the server takes away when it is silent for some seconds.
    pub lives: bool,
    /// Where it says that writers reach it.
    pub addresses: Addresses,
}

/// The connection of a follower, beside those on which it reads.
pub struct Follow {
    store: Arc<PostgresStore>,
    client: Mutex<Option<Client>>,
    connections: AtomicI64,
}

impl Follow {
    /// Opens the log for reading while another ledger writes to it. The store shows the newest state.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] if no primary can be reached; [`StoreError::Damaged`] if the database has no log.
    pub fn open(config: &PostgresConfig) -> Result<Self, StoreError> {
        let (driver, connector) = (Driver::start()?, Arc::new(Connector::new(config, APPLICATION)?));
        let connected = wait(driver.handle(), async {
            let connected = connector.primary(NO_LEASE).await?;
            check_layout(&connected.client).await?;
            Ok::<_, StoreError>(connected)
        })?;
        let kept = Kept::reading(connector.clone(), connected.address);
        let store = PostgresStore::of(driver, connector, kept, None, config);
        Ok(Self {
            store: Arc::new(store),
            client: Mutex::new(Some(connected.client)),
            connections: AtomicI64::new(0),
        })
    }

    /// The store.
    pub fn store(&self) -> Arc<PostgresStore> {
        self.store.clone()
    }

    /// Asks the primary who writes to the log. Blocks for some seconds at most.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] while no primary answers. Reads wait meanwhile.
    pub fn sequencer(&self) -> Result<Sequencer, StoreError> {
        self.store.wait(async {
            let mut kept = self.client.lock().await;
            let client = match kept.take() {
                Some(client) => client,
                None => self.connect().await?,
            };
            let asked = timeout(ANSWER_TIMEOUT, ask(&client)).await;
            match asked.unwrap_or_else(|_| Err(StoreError::Unknown("the primary does not answer".into()))) {
                Ok(sequencer) => {
                    *kept = Some(client);
                    Ok(sequencer)
                }
                Err(error) => {
                    self.store.kept.server_lost(&error.to_string());
                    Err(error)
                }
            }
        })
    }

    async fn connect(&self) -> Result<Client, StoreError> {
        let connected = self.store.connector.primary(NO_LEASE).await?;
        let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        self.store.kept.read_from(connected.address, number);
        Ok(connected.client)
    }
}

async fn ask(client: &Client) -> Result<Sequencer, StoreError> {
    // The two halves of the lock's number, as `pg_locks` shows them.
    let (high, low) = ((LOCK >> 32) as u32, LOCK as u32);
    let sql = format!(
        "SELECT epoch, address, writing, pg_is_in_recovery(), EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND classid = '{high}'::oid AND objid = '{low}'::oid AND objsubid = 1 AND granted) FROM claim"
    );
    let row = client.query_one(&sql, &[]).await.map_err(failure)?;
    let fields = || -> Result<_, tokio_postgres::Error> {
        let sequencer = Sequencer {
            epoch: row.try_get(0)?,
            addresses: Addresses {
                public: row.try_get(1)?,
                writing: row.try_get(2)?,
            },
            lives: row.try_get(4)?,
        };
        Ok((sequencer, row.try_get::<_, bool>(3)?))
    };
    match fields().map_err(failure)? {
        (_, true) => Err(StoreError::Unknown("the primary has become a standby".into())),
        (sequencer, false) => Ok(sequencer),
    }
}
