//! Periods. Each has its own VRF key, is begun in the log a day ahead, becomes final, and is destroyed (design §5.2).
//!
//! A period is a calendar month in Germany. Period 1 begins when the log has no period yet. If identity was down at the
//! turn of the month, the next period begins when identity is up again. A period's secret is on disk before its
//! `period` entry is written, wrapped under a key of its own ([`crate::wrapping`]). The logged entry must carry the key
//! of the state. If it carries another one, the state does not belong to the log, and identity does not start.
//!
//! The current period is the newest one whose start has passed *and* whose `begin` entry is in the log. So no label is
//! ever handed out under a key that is not public.

mod aging;
mod begin;
mod error;
mod secret;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use record::entry::MIN_PERIOD;
use record::{LegalDay, Period, PeriodEvent, Timestamp, period_label};
use service::clock::AgreedTime;
use zeroize::Zeroizing;

use self::begin::{begin, locate};
pub use self::error::PeriodError;
pub use self::secret::{Evaluated, PeriodSecret};
use crate::log::TransparencyLog;
use crate::state::{IdentityState, PeriodRow};
use crate::wrapping::WrappingKeys;

/// How long before its start a period's `begin` entry is written, seconds.
const BEGIN_LEAD_TIME: u64 = 86_400;
/// How long after its start a period may still be begun with that start, seconds.
const POSTPONE_AFTER: u64 = 3600;

/// The periods whose secrets this identity holds or held.
#[derive(Debug)]
pub struct Periods {
    wrapping: WrappingKeys,
    secrets: RwLock<BTreeMap<u32, Arc<PeriodSecret>>>,
    /// Periods whose secret is destroyed and whose `destroyed` entry has not been seen in the log.
    unlogged: Mutex<BTreeSet<u32>>,
    /// Periods without a wrapping key, with their start. The key was destroyed after the restored backup was made, or
    /// it is missing.
    keyless: Mutex<BTreeMap<u32, u64>>,
}

impl Periods {
    /// Reads the periods from the state and unwraps their secrets.
    ///
    /// # Errors
    /// If the store fails, or a secret does not open under its wrapping key.
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

    /// All periods whose secret exists, ascending.
    pub fn all(&self) -> Vec<Arc<PeriodSecret>> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.values().map(Arc::clone).collect()
    }

    /// The secret of a period, if it exists.
    pub fn get(&self, period: Period) -> Option<Arc<PeriodSecret>> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.get(&period.0).map(Arc::clone)
    }

    /// Reads from the log which periods have begun and which are destroyed. Decides nothing, so it needs no time.
    ///
    /// # Errors
    /// [`PeriodError`]. Errors that are not retryable end the process.
    pub async fn follow<L: TransparencyLog>(&self, state: &IdentityState, log: &L) -> Result<(), PeriodError> {
        self.forget_keyless(state, log).await?;
        for secret in self.all() {
            if secret.begin().is_none() {
                log.refresh().await?;
                if let Some(start) = locate(&secret, log).await? {
                    // An entry that was signed before the period was postponed may be recorded after all.
                    self.set_start(&secret, state, start).await?;
                }
            }
        }
        Ok(())
    }

    /// Does what is due at `now`: creates the next period's key, writes `begin` entries, and ends old periods.
    /// [`Periods::follow`] comes first.
    ///
    /// # Errors
    /// [`PeriodError`]. Errors that are not retryable end the process.
    pub async fn tick<L: TransparencyLog>(
        &self,
        state: &IdentityState,
        log: &L,
        now: &AgreedTime,
    ) -> Result<(), PeriodError> {
        self.add_due(state, log, now).await?;
        for secret in self.all() {
            if secret.begin().is_none() {
                let secret = self.postpone(secret, state, now).await?;
                begin(&secret, log, now).await?;
            }
        }
        self.age(state, log, now).await
    }

    /// Moves the start of a period that the log has not begun in time, because the ledger was unavailable. A period may
    /// not begin in the past; no label has been handed out in it yet.
    async fn postpone(
        &self,
        secret: Arc<PeriodSecret>,
        state: &IdentityState,
        now: &AgreedTime,
    ) -> Result<Arc<PeriodSecret>, PeriodError> {
        if now.seconds() <= secret.start + POSTPONE_AFTER {
            return Ok(secret);
        }
        self.set_start(&secret, state, now.seconds()).await
    }

    async fn set_start(
        &self,
        secret: &Arc<PeriodSecret>,
        state: &IdentityState,
        start: u64,
    ) -> Result<Arc<PeriodSecret>, PeriodError> {
        if secret.start == start {
            return Ok(Arc::clone(secret));
        }
        let moved = Arc::new(secret.starting_at(start));
        state.move_period(moved.period, start).await?;
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(moved.period.0, Arc::clone(&moved));
        Ok(moved)
    }

    /// Forgets the periods without a wrapping key. The log must say that they are destroyed.
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

    async fn add_due<L: TransparencyLog>(
        &self,
        state: &IdentityState,
        log: &L,
        now: &AgreedTime,
    ) -> Result<(), PeriodError> {
        let now = now.seconds();
        let last = self.all().pop();
        let (number, start) = match &last {
            None => (1, now),
            Some(last) => (last.period.0 + 1, next_start(last.start)),
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

/// The start of the period after one that starts at `start`: the beginning of a month in Germany. The first period of a
/// log may start at the end of a month; it then takes the next month too, because a period has a minimum length.
fn next_start(start: u64) -> u64 {
    let month = LegalDay::of(Timestamp(start)).first_of_next_month();
    let next = month.begin().0;
    if next >= start.saturating_add(MIN_PERIOD) {
        next
    } else {
        month.first_of_next_month().begin().0
    }
}
