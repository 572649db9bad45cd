//! What happens to a period after its end (design §5.2).
//!
//! | Time after its end | Event |
//! | --- | --- |
//! | 34 days | intents that are still open are closed as `lost`, because their broker's journal is gone |
//! | 35 days | the period becomes `final`: its map's root is logged, and the log accepts no more of its labels |
//! | when its last record has expired | secret and label owners are deleted, then `destroyed` is logged |
//!
//! The last record may be written just before `final`, so the secret lives until the longest retention from the day of
//! that entry has passed. The secret is destroyed *before* the log says so; the log never claims that an existing
//! secret is destroyed. The state deletes it first. Then the wrapping key is destroyed, with which alone a backup's
//! copy could be opened. A crash in between leaves a row without a secret. The next start destroys the wrapping key
//! again ([`Periods::load`]), and the next tick writes the entry.
//!
//! None of this can be undone, so each step takes an [`AgreedTime`].

use record::{Period, PeriodEvent, RetentionClass, period_label};
use service::clock::AgreedTime;

use super::Periods;
use super::error::PeriodError;
use super::secret::PeriodSecret;
use crate::log::{AppendError, LogError, TransparencyLog};
use crate::state::IdentityState;

const DAY: u64 = 86_400;
/// How long after a period's end an open intent is closed as lost, seconds.
const LOST_AFTER: u64 = 34 * DAY;
/// How long after its end a period becomes final, seconds.
const FINAL_AFTER: u64 = 35 * DAY;

impl Periods {
    /// Does what is due at `now` for the periods that have ended.
    pub(super) async fn age<L: TransparencyLog>(
        &self,
        state: &IdentityState,
        log: &L,
        now: &AgreedTime,
    ) -> Result<(), PeriodError> {
        for secret in self.all() {
            let Some(end) = self.end(secret.period) else { break };
            if now.seconds() < end + LOST_AFTER {
                break;
            }
            log.refresh().await?;
            if log
                .locate(Period::MAP0, &period_label(secret.period, PeriodEvent::FINAL))?
                .is_none()
            {
                give_up_open_intents(secret.period, log, now).await?;
                if now.seconds() < end + FINAL_AFTER {
                    break;
                }
                finish(secret.period, log, now).await?;
            }
            if self.all_has_expired(secret.period, log, now)? {
                self.destroy(&secret, state, now).await?;
            }
        }
        self.log_destroyed(log).await
    }

    /// The end of a period: the start of the next one, once the log has begun it.
    fn end(&self, period: Period) -> Option<u64> {
        let next = self.get(Period(period.0.checked_add(1)?))?;
        next.begin().map(|_| next.start)
    }

    fn all_has_expired<L: TransparencyLog>(
        &self,
        period: Period,
        log: &L,
        now: &AgreedTime,
    ) -> Result<bool, PeriodError> {
        let located = log.locate(Period::MAP0, &period_label(period, PeriodEvent::FINAL))?;
        Ok(located.is_some_and(|last| now.seconds() >= RetentionClass::last_expiry(last.time).end().0))
    }

    async fn destroy(
        &self,
        secret: &PeriodSecret,
        state: &IdentityState,
        _now: &AgreedTime,
    ) -> Result<(), PeriodError> {
        state.forget_period(secret.period, secret.start).await?;
        self.wrapping.destroy(secret.period)?;
        self.forget(secret.period);
        tracing::info!(period = secret.period.0, "period secret destroyed");
        Ok(())
    }

    /// Writes `destroyed` for every destroyed secret, unless it is already in the log.
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

async fn give_up_open_intents<L: TransparencyLog>(
    period: Period,
    log: &L,
    _now: &AgreedTime,
) -> Result<(), PeriodError> {
    for intent in log.open_intents(period)? {
        tracing::error!(
            intent,
            "ALARM: an intent of an ended period was never closed; it is recorded as lost"
        );
        match log.give_up(intent).await {
            Ok(()) => {}
            Err(AppendError::Unavailable(reason)) => return Err(LogError::Unavailable(reason).into()),
            // Another writer has closed it meanwhile. The next tick sees that.
            Err(error) => return Err(LogError::Unavailable(error.to_string()).into()),
        }
    }
    Ok(())
}

/// The root covers the followed part of the log. If the log has more entries, the ledger refuses the root, and the next
/// tick tries again.
async fn finish<L: TransparencyLog>(period: Period, log: &L, _now: &AgreedTime) -> Result<(), PeriodError> {
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
