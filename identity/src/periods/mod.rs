//! Periods: one VRF key for each, begun in the log a day ahead, final and forgotten in time (design §5.2).
//!
//! A period is a calendar month (UTC). Period 1 begins when the log has none yet; a period that could not be begun in time,
//! because identity was down over the turn of the month, begins when identity is back. A period's secret is on disk before its
//! `period` entry is written, and the entry of a period of ours must carry our key: if the log says something else,
//! identity's state and the log do not belong together, and identity does not start. The secret is stored wrapped ([`crate::wrapping`]).
//!
//! The current period is the newest whose start has come *and* whose begin stands in the log. So no label is ever handed out
//! under a key that the public cannot see.

mod aging;
mod begin;
mod error;
mod secret;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use record::{Period, PeriodEvent, Timestamp, period_label};
use zeroize::Zeroizing;

use self::begin::begin;
pub use self::error::PeriodError;
pub use self::secret::{Evaluated, PeriodSecret};
use crate::log::TransparencyLog;
use crate::state::{IdentityState, PeriodRow};
use crate::wrapping::WrappingKeys;

/// How long before its start a period's begin is written.
const BEGIN_LEAD_TIME: u64 = 86_400;

/// All periods of ours.
#[derive(Debug)]
pub struct Periods {
    wrapping: WrappingKeys,
    secrets: RwLock<BTreeMap<u32, Arc<PeriodSecret>>>,
    /// Their secret is destroyed, and whether the log says so has not been seen yet.
    unlogged: Mutex<BTreeSet<u32>>,
    /// Their wrapping key is not there, with their start: destroyed since the backup that was restored, or missing.
    keyless: Mutex<BTreeMap<u32, u64>>,
}

impl Periods {
    /// Reads them from the state and unwraps their secrets.
    ///
    /// # Errors
    /// When the store fails, or a secret's wrapping key is another one.
    pub fn load(state: &IdentityState, wrapping: WrappingKeys) -> Result<Self, PeriodError> {
        let (mut secrets, mut unlogged, mut keyless) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        for (period, row) in state.periods()? {
            let Some(wrapped) = &row.wrapped else {
                wrapping.destroy(period)?;
                unlogged.insert(period.0);
                continue;
            };
            let Some(key) = wrapping.get(period)? else {
                keyless.insert(period.0, row.start);
                continue;
            };
            let seed = key.unwrap(period, wrapped)?;
            secrets.insert(period.0, Arc::new(PeriodSecret::new(period, row.start, &seed)?));
        }
        Ok(Self {
            wrapping,
            secrets: RwLock::new(secrets),
            unlogged: Mutex::new(unlogged),
            keyless: Mutex::new(keyless),
        })
    }

    /// The period whose labels are handed out at `now`.
    pub fn current(&self, now: u64) -> Option<Arc<PeriodSecret>> {
        self.all()
            .into_iter()
            .rev()
            .find(|secret| secret.start <= now && secret.begin().is_some())
    }

    /// All periods with a living secret, ascending.
    pub fn all(&self) -> Vec<Arc<PeriodSecret>> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.values().map(Arc::clone).collect()
    }

    /// A period's secret.
    pub fn get(&self, period: Period) -> Option<Arc<PeriodSecret>> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.get(&period.0).map(Arc::clone)
    }

    /// Does what is due at `now`: makes the next period's key, writes begins, takes note of where they stand, ends old periods.
    ///
    /// # Errors
    /// [`PeriodError`]; those that are not retryable end the process.
    pub async fn tick<L: TransparencyLog>(&self, state: &IdentityState, log: &L, now: u64) -> Result<(), PeriodError> {
        self.forget_keyless(state, log).await?;
        self.add_due(state, log, now).await?;
        for secret in self.all() {
            if secret.begin().is_none() {
                begin(&secret, log).await?;
            }
        }
        self.age(state, log, now).await
    }

    /// Of a period that has no wrapping key the log must say that it is destroyed.
    async fn forget_keyless<L: TransparencyLog>(&self, state: &IdentityState, log: &L) -> Result<(), PeriodError> {
        let keyless = self.keyless().clone();
        for (number, start) in keyless {
            let period = Period(number);
            log.refresh().await?;
            let destroyed = log.locate(Period::MAP0, &period_label(period, PeriodEvent::DESTROYED))?;
            if destroyed.is_none() {
                return Err(PeriodError::WrappingKeyMissing(number));
            }
            state.forget_period(period, start).await?;
            self.keyless().remove(&number);
        }
        Ok(())
    }

    fn keyless(&self) -> MutexGuard<'_, BTreeMap<u32, u64>> {
        self.keyless.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn add_due<L: TransparencyLog>(&self, state: &IdentityState, log: &L, now: u64) -> Result<(), PeriodError> {
        let last = self.all().pop();
        let (number, start) = match &last {
            None => (1, now),
            Some(last) => (last.period.0 + 1, Timestamp(last.start).next_month().0),
        };
        if start > now + BEGIN_LEAD_TIME {
            return Ok(());
        }
        let period = Period(number);
        log.refresh().await?;
        if log
            .locate(Period::MAP0, &period_label(period, PeriodEvent::BEGIN))?
            .is_some()
        {
            return Err(PeriodError::SecretMissing(number));
        }
        let seed = Zeroizing::new(service::secret::random()?);
        let row = PeriodRow {
            start: start.max(now),
            wrapped: Some(self.wrapping.make(period)?.wrap(period, &seed)?),
        };
        let secret = Arc::new(PeriodSecret::new(period, row.start, &seed)?);
        state.add_period(period, row).await?;
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(number, secret);
        Ok(())
    }

    fn forget(&self, period: Period) {
        self.unlogged().insert(period.0);
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.remove(&period.0);
    }

    fn unlogged(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.unlogged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
