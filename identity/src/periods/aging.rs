//! What happens to a period after its end (design §5.2).
//!
//! | After its end | |
//! | --- | --- |
//! | 34 days | intents that are still open are closed as `lost`: their broker's journal is gone |
//! | 35 days | it becomes `final`: its map's root stands in the log, and the log takes no label of it any more |
//! | when the last record has expired | its secret is destroyed, whose labels were whose is forgotten, and the log is told |
//!
//! The last record is one written just before `final`, so the day after the longest retention of that entry's day. The secret is
//! destroyed *before* the log says so: the log never says of a living secret that it is gone. The state drops it first, then the
//! wrapping key goes, which is what opens the secret in every backup. A crash in between leaves a row without a secret: the next
//! start destroys the wrapping key again ([`Periods::load`]), and the next round writes the entry.

use record::{Period, PeriodEvent, RetentionClass, Timestamp, period_label};

use super::Periods;
use super::error::PeriodError;
use super::secret::PeriodSecret;
use crate::log::{AppendError, LogError, TransparencyLog};
use crate::state::IdentityState;

const DAY: u64 = 86_400;
/// How long after a period's end an open intent is given up, seconds.
const LOST_AFTER: u64 = 34 * DAY;
/// How long after its end a period becomes final, seconds.
const FINAL_AFTER: u64 = 35 * DAY;

impl Periods {
    /// Does what is due at `now` for the periods that have ended.
    pub(super) async fn age<L: TransparencyLog>(
        &self,
        state: &IdentityState,
        log: &L,
        now: u64,
    ) -> Result<(), PeriodError> {
        for secret in self.all() {
            let Some(end) = self.end(secret.period) else { break };
            if now < end + LOST_AFTER {
                break;
            }
            log.refresh().await?;
            if log
                .locate(Period::MAP0, &period_label(secret.period, PeriodEvent::FINAL))?
                .is_none()
            {
                give_up_open_intents(secret.period, log).await?;
                if now < end + FINAL_AFTER {
                    break;
                }
                finish(secret.period, log).await?;
            }
            if self.all_has_expired(secret.period, log, now)? {
                self.destroy(&secret, state).await?;
            }
        }
        self.log_destroyed(log).await
    }

    /// When a period ended: when the next one, seen in the log, started.
    fn end(&self, period: Period) -> Option<u64> {
        let next = self.get(Period(period.0.checked_add(1)?))?;
        next.begin().map(|_| next.start)
    }

    fn all_has_expired<L: TransparencyLog>(&self, period: Period, log: &L, now: u64) -> Result<bool, PeriodError> {
        let located = log.locate(Period::MAP0, &period_label(period, PeriodEvent::FINAL))?;
        Ok(located.is_some_and(|last| Timestamp(now).day() > RetentionClass::last_expiry(last.time).0))
    }

    async fn destroy(&self, secret: &PeriodSecret, state: &IdentityState) -> Result<(), PeriodError> {
        state.forget_period(secret.period, secret.start).await?;
        self.wrapping.destroy(secret.period)?;
        self.forget(secret.period);
        tracing::info!(period = secret.period.0, "period secret destroyed");
        Ok(())
    }

    /// Writes of every destroyed secret that it is, unless it is written.
    async fn log_destroyed<L: TransparencyLog>(&self, log: &L) -> Result<(), PeriodError> {
        let unlogged: Vec<_> = self.unlogged().iter().copied().map(Period).collect();
        for period in unlogged {
            log.refresh().await?;
            if log
                .locate(Period::MAP0, &period_label(period, PeriodEvent::DESTROYED))?
                .is_none()
            {
                write(period, PeriodEvent::Destroyed, log).await?;
            }
            self.unlogged().remove(&period.0);
        }
        Ok(())
    }
}

async fn give_up_open_intents<L: TransparencyLog>(period: Period, log: &L) -> Result<(), PeriodError> {
    for intent in log.open_intents(period)? {
        tracing::error!(
            intent,
            "ALARM: an intent of a closed period was never closed; it is given up as lost"
        );
        match log.give_up(intent).await {
            Ok(()) => {}
            Err(AppendError::Unavailable(reason)) => return Err(LogError::Unavailable(reason).into()),
            // Somebody has closed it meanwhile: the next round sees that.
            Err(error) => return Err(LogError::Unavailable(error.to_string()).into()),
        }
    }
    Ok(())
}

/// The root is of what has been followed; if the log has more, it refuses, and the next round has followed that too.
async fn finish<L: TransparencyLog>(period: Period, log: &L) -> Result<(), PeriodError> {
    let root = log.map_root(period)?;
    write(period, PeriodEvent::Final { root }, log).await?;
    log.refresh().await?;
    tracing::info!(period = period.0, "period final");
    Ok(())
}

async fn write<L: TransparencyLog>(period: Period, event: PeriodEvent, log: &L) -> Result<(), PeriodError> {
    match log.write_period(period, event).await {
        Ok(()) | Err(AppendError::LabelUsed) => Ok(()),
        Err(AppendError::Unavailable(reason) | AppendError::Refused(reason)) => {
            Err(LogError::Unavailable(reason).into())
        }
    }
}
