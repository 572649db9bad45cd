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

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use record::{Idnr, Period, PeriodEvent, Phase, Series, Timestamp, period_label};
use tlog::vrf::SecretKey;
use zeroize::Zeroizing;

use crate::committer::StoreError;
use crate::log::{AppendError, Log, LogError};
use crate::state::{Labels, PeriodRow, State};
use crate::wrapping::{WrappingError, WrappingKeys};
use aging::logged_key;

/// How long before its start a period's begin is written.
const AHEAD: u64 = 86_400;

/// Why the periods cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum PeriodError {
    /// The log begins a period whose secret is not here. Fatal: restore identity's state.
    #[error("the log has begun period {0}, and its secret is not in the state: restore the state of this identity")]
    SecretMissing(u32),
    /// The log's key of a period is not ours. Fatal: this state belongs to another log.
    #[error("the key of period {0} in the log is not the one in the state: the state belongs to another log")]
    OtherKey(u32),
    /// The entry was refused. Fatal: the directory must allow identity to write `period`.
    #[error("the begin of period {0} was refused: {1}")]
    Refused(u32, String),
    /// The log does not answer, or is broken.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A period's secret is here and its wrapping key is not. Fatal: bring the folder of wrapping keys back from its replica.
    #[error("the wrapping key of period {0} is missing: bring the folder of wrapping keys back from its replica")]
    WrappingKeyMissing(u32),
    /// The wrapping keys fail.
    #[error(transparent)]
    Wrapping(#[from] WrappingError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] service::secret::SecretError),
}

impl PeriodError {
    /// Whether trying again may help.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Log(LogError::Unavailable(_)))
    }
}

/// What the function says about one number.
#[derive(Clone)]
pub struct Evaluated {
    /// The VRF proof of all its labels.
    pub proof: [u8; 80],
    /// The labels.
    pub labels: Labels,
}

/// A period with its secret.
pub struct Secret {
    period: Period,
    start: u64,
    key: SecretKey,
    /// Where its begin stands, and the entry's bytes.
    begin: OnceLock<(u64, Vec<u8>)>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret(period {})", self.period.0)
    }
}

impl Secret {
    fn new(period: Period, start: u64, seed: &[u8; 32]) -> Result<Self, StoreError> {
        Ok(Self {
            period,
            start,
            key: SecretKey::from_seed(seed).map_err(|_| StoreError::Corrupt("periods"))?,
            begin: OnceLock::new(),
        })
    }

    /// The period.
    pub fn period(&self) -> Period {
        self.period
    }

    /// Index and bytes of the entry that begins it, once it stands in the log.
    pub fn begin(&self) -> Option<(u64, &[u8])> {
        self.begin.get().map(|(index, leaf)| (*index, leaf.as_slice()))
    }

    /// Proof and labels of a number.
    pub fn evaluate(&self, idnr: &Idnr, series: Series, number: u32) -> Evaluated {
        let alpha = record::label::alpha(idnr, self.period, series, number);
        let (proof, output) = self.key.prove(&alpha);
        Evaluated {
            proof: proof.0,
            labels: Labels {
                intent: record::label::label(&output, Phase::Intent),
                outcome: record::label::label(&output, Phase::Outcome),
                preview: record::label::label(&output, Phase::Preview),
            },
        }
    }
}

/// All periods of ours.
#[derive(Debug)]
pub struct Periods {
    wrapping: WrappingKeys,
    secrets: RwLock<BTreeMap<u32, Arc<Secret>>>,
    /// Their secret is destroyed, and whether the log says so has not been seen yet.
    untold: Mutex<BTreeSet<u32>>,
    /// Their wrapping key is not there, with their start: destroyed since the backup that was restored, or missing.
    keyless: Mutex<BTreeMap<u32, u64>>,
}

impl Periods {
    /// Reads them from the state and unwraps their secrets.
    ///
    /// # Errors
    /// When the store fails, or a secret's wrapping key is another one.
    pub fn load(state: &State, wrapping: WrappingKeys) -> Result<Self, PeriodError> {
        let (mut secrets, mut untold, mut keyless) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        for (period, row) in state.periods()? {
            let Some(wrapped) = &row.wrapped else {
                wrapping.destroy(period)?;
                untold.insert(period.0);
                continue;
            };
            let Some(key) = wrapping.get(period)? else {
                keyless.insert(period.0, row.start);
                continue;
            };
            let seed = key.unwrap(period, wrapped)?;
            secrets.insert(period.0, Arc::new(Secret::new(period, row.start, &seed)?));
        }
        Ok(Self {
            wrapping,
            secrets: RwLock::new(secrets),
            untold: Mutex::new(untold),
            keyless: Mutex::new(keyless),
        })
    }

    /// The period whose labels are handed out at `now`.
    pub fn current(&self, now: u64) -> Option<Arc<Secret>> {
        self.all()
            .into_iter()
            .rev()
            .find(|secret| secret.start <= now && secret.begin().is_some())
    }

    /// All periods with a living secret, ascending.
    pub fn all(&self) -> Vec<Arc<Secret>> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.values().map(Arc::clone).collect()
    }

    /// A period's secret.
    pub fn get(&self, period: Period) -> Option<Arc<Secret>> {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.get(&period.0).map(Arc::clone)
    }

    /// Does what is due at `now`: makes the next period's key, writes begins, takes note of where they stand, ends old periods.
    ///
    /// # Errors
    /// [`PeriodError`]; those that are not retryable end the process.
    pub async fn tick<L: Log>(&self, state: &State, log: &L, now: u64) -> Result<(), PeriodError> {
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
    async fn forget_keyless<L: Log>(&self, state: &State, log: &L) -> Result<(), PeriodError> {
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

    async fn add_due<L: Log>(&self, state: &State, log: &L, now: u64) -> Result<(), PeriodError> {
        let last = self.all().pop();
        let (number, start) = match &last {
            None => (1, now),
            Some(last) => (last.period.0 + 1, Timestamp(last.start).next_month().0),
        };
        if start > now + AHEAD {
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
        let secret = Arc::new(Secret::new(period, row.start, &seed)?);
        state.add_period(period, row).await?;
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(number, secret);
        Ok(())
    }

    fn forget(&self, period: Period) {
        self.untold().insert(period.0);
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        secrets.remove(&period.0);
    }

    fn untold(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the begin of a period unless it stands in the log, and checks that what stands there is ours.
async fn begin<L: Log>(secret: &Secret, log: &L) -> Result<(), PeriodError> {
    let label = period_label(secret.period, PeriodEvent::BEGIN);
    log.refresh().await?;
    if log.locate(Period::MAP0, &label)?.is_none() {
        let key = *secret.key.public_key().as_bytes();
        let event = PeriodEvent::Begin {
            vrf_key: key,
            start: Timestamp(secret.start),
        };
        match log.write_period(secret.period, event).await {
            Ok(()) | Err(AppendError::LabelUsed) => log.refresh().await?,
            Err(AppendError::Unavailable(reason)) => return Err(LogError::Unavailable(reason).into()),
            Err(AppendError::Refused(reason)) => return Err(PeriodError::Refused(secret.period.0, reason)),
        }
    }
    let Some(located) = log.locate(Period::MAP0, &label)? else {
        return Err(LogError::Unavailable("the period's begin is not visible yet".into()).into());
    };
    let leaf = log.leaf(located.index).await?;
    if logged_key(&leaf).as_ref() != Some(secret.key.public_key().as_bytes()) {
        return Err(PeriodError::OtherKey(secret.period.0));
    }
    // Set by somebody else meanwhile: to the same.
    let _ = secret.begin.set((located.index, leaf));
    metrics::counter!("identity_periods_begun_total").increment(1);
    tracing::info!(period = secret.period.0, index = located.index, "period begun");
    Ok(())
}
