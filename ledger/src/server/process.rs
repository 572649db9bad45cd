//! What a process keeps from its configuration, whatever its role.

use std::path::Path;
use std::sync::Arc;

use service::Clock;
use service::clock::{CheckedClock, Confirmation, LastCheckedTime};

use super::error::Error;
use super::sequence::{Followed, Setup};
use crate::address::LedgerAddress;
use crate::config::{Config, StoreConfig};
use crate::engine::{Limits, Signer};
use crate::store::postgres::Addresses;
use crate::store::{Store, StoreError};

/// The file by whose deletion an operator confirms a jump of the clock.
const CLOCK_STOPPED: &str = "clock.stopped";

pub(super) struct Process {
    pub(super) config: Config,
    pub(super) clock: Arc<CheckedClock>,
}

impl Process {
    pub(super) fn new(config: Config, clock: Arc<dyn Clock>) -> Self {
        let confirmation = Confirmation::Operator(config.data.join(CLOCK_STOPPED));
        Self {
            clock: CheckedClock::new(clock, confirmation),
            config,
        }
    }

    /// Where writers reach this ledger.
    pub(super) fn addresses(&self) -> Addresses {
        let text = |address: Option<&LedgerAddress>| address.map(ToString::to_string).unwrap_or_default();
        let writing = self.config.writing.as_ref();
        Addresses {
            public: text(self.config.address.as_ref()),
            writing: text(writing.and_then(|writing| writing.address.as_ref())),
        }
    }

    pub(super) fn signer(&self) -> Result<Signer, Error> {
        // A jump must not leave the log without a valid key.
        Ok(self.config.signer(LastCheckedTime::of(self.clock.clone()))?)
    }

    /// The parts of a ledger that writes to this store.
    pub(super) fn setup(&self, store: Arc<dyn Store>, followed: Option<Followed>) -> Result<Setup, Error> {
        let config = &self.config;
        Ok(Setup {
            store,
            confirmed_at_start: matches!(config.store, StoreConfig::Postgres(_)),
            signer: self.signer()?,
            rules: config.rules()?,
            policy: config.policy()?,
            on_failure: config.on_failure(),
            writing_entrance: config.writing.is_some(),
            records_credentials: config.credentials()?,
            limits: Limits {
                queue: config.queue,
                ..Limits::default()
            },
            clock: self.clock.clone(),
            followed,
        })
    }

    /// Reads every part of the configuration, so that a mistake is found before the store is opened.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.signer()?;
        self.config.rules()?;
        self.config.policy()?;
        self.config.credentials()?;
        Ok(())
    }
}

/// For the file that confirms a jump of the clock; RocksDB creates the directory itself.
pub(super) fn create_directory(data: &Path) -> Result<(), StoreError> {
    let created = service::durable::private_directory(data);
    created.map_err(|error| StoreError::failed(error.to_string(), error))
}
