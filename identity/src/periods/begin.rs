//! The `period` entry that begins a period.

use record::{Body, Period, PeriodEvent, SignedEntry, Timestamp, period_label};
use service::clock::AgreedTime;

use super::error::PeriodError;
use super::secret::PeriodSecret;
use crate::log::{AppendError, LogError, TransparencyLog};

/// Finds the entry that begins the period, and checks that its key is identity's. Returns the logged start.
pub(super) async fn locate<L: TransparencyLog>(secret: &PeriodSecret, log: &L) -> Result<Option<u64>, PeriodError> {
    let label = period_label(secret.period, PeriodEvent::BEGIN);
    let Some(located) = log.locate(Period::MAP0, &label)? else {
        return Ok(None);
    };
    let leaf = log.leaf(located.index).await?;
    let start = match logged(&leaf) {
        Some((key, start)) if key == *secret.key.public_key().as_bytes() => start,
        _ => return Err(PeriodError::OtherKey(secret.period.0)),
    };
    // A concurrent call may have set it, to the same value.
    let _ = secret.begin.set((located.index, leaf));
    Ok(Some(start))
}

/// Writes the `begin` entry of a period that is not in the log. A period begins once, so this takes an agreed time.
pub(super) async fn begin<L: TransparencyLog>(
    secret: &PeriodSecret,
    log: &L,
    _now: &AgreedTime,
) -> Result<(), PeriodError> {
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
    if locate(secret, log).await?.is_none() {
        return Err(LogError::Unavailable("the period's `begin` entry is not visible yet".into()).into());
    }
    metrics::counter!("identity_periods_begun_total").increment(1);
    tracing::info!(period = secret.period.0, "period begun");
    Ok(())
}

/// The VRF public key and the start in a `begin` entry.
fn logged(leaf: &[u8]) -> Option<([u8; 32], u64)> {
    match SignedEntry::parse(leaf).ok()?.entry().body {
        Body::Period {
            event: PeriodEvent::Begin { vrf_key, start },
            ..
        } => Some((vrf_key, start.0)),
        _ => None,
    }
}
