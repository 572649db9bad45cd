//! The `period` entry that begins a period.

use record::{Body, Period, PeriodEvent, SignedEntry, Timestamp, period_label};

use super::error::PeriodError;
use super::secret::PeriodSecret;
use crate::log::{AppendError, LogError, TransparencyLog};

/// Writes the `begin` entry of a period unless it is in the log, and checks that the logged key is identity's.
pub(super) async fn begin<L: TransparencyLog>(secret: &PeriodSecret, log: &L) -> Result<(), PeriodError> {
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
        return Err(LogError::Unavailable("the period's `begin` entry is not visible yet".into()).into());
    };
    let leaf = log.leaf(located.index).await?;
    if vrf_key_of(&leaf).as_ref() != Some(secret.key.public_key().as_bytes()) {
        return Err(PeriodError::OtherKey(secret.period.0));
    }
    // A concurrent call may have set it, to the same value.
    let _ = secret.begin.set((located.index, leaf));
    metrics::counter!("identity_periods_begun_total").increment(1);
    tracing::info!(period = secret.period.0, index = located.index, "period begun");
    Ok(())
}

/// The VRF public key that a `begin` entry publishes.
fn vrf_key_of(leaf: &[u8]) -> Option<[u8; 32]> {
    match SignedEntry::parse(leaf).ok()?.entry().body {
        Body::Period {
            event: PeriodEvent::Begin { vrf_key, .. },
            ..
        } => Some(vrf_key),
        _ => None,
    }
}
