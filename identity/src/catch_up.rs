//! After a restored backup: what the log has and the state does not know.
//!
//! Numbers that were handed out after the backup was made are missing in a restored state. Nothing is lost with them that the log
//! does not tell: a person's numbers have no gap, so the first one that does not stand in the log is the next
//! ([`Identity::catch_up`]), and it is looked for when a number that is about to be handed out stands in the log already. That is
//! so for a person of whom the backup knows nothing, too.
//!
//! | What is missing | |
//! | --- | --- |
//! | the last number, and whether it is used | it stands in the log, or it would not be skipped |
//! | a number that was handed out and is not in the log | it is handed out again; the ledger takes its label once |
//! | under which day's key a record lies | it can only be one of a few: the citizen's side tries them ([`record_days`]) |
//! | answers, quotas, inspections of the day | a repeated request gets a new number, a second look on that day a second inspection |
//!
//! What cannot be found again is the secret of a period that began after the backup: identity does not start then.

use record::{COUNTERS, ExpiryDay, Idnr, Phase, RetentionClass, Series, Timestamp};
use service::Problem;

use crate::identity::{Identity, internal, log_problem};
use crate::log::TransparencyLog;
use crate::periods::PeriodSecret;

/// How long before its entry a label may have been handed out, seconds: a day's key may be that of the day before.
const MAX_RESERVATION_AGE: u64 = 86_400;

impl<L: TransparencyLog> Identity<L> {
    /// Notes that the numbers from `known` on are used, as far as they stand in the log. The caller holds the person's lock.
    pub(crate) async fn catch_up(
        &self,
        idnr: &Idnr,
        secret: &PeriodSecret,
        series: Series,
        known: u32,
    ) -> Result<(), Problem> {
        let mut next = known;
        while next < COUNTERS {
            let labels = secret.evaluate(idnr, series, next).labels;
            let located = self.log.locate(secret.period(), labels.of(Phase::Intent));
            if located.map_err(log_problem)?.is_none() {
                break;
            }
            next += 1;
        }
        tracing::warn!(
            numbers = next - known,
            "the log has labels that the state does not know: the state was restored, and catches up"
        );
        metrics::counter!("identity_caught_up_total").increment(u64::from(next - known));
        let advanced = self.state.advance(idnr, secret.period(), series, next).await;
        advanced.map_err(internal)
    }
}

/// Under which days' keys the record of an entry of `time` can lie, if nothing else is known of it.
pub(crate) fn record_days(time: Timestamp) -> Vec<(RetentionClass, ExpiryDay)> {
    let times = [time, time.before(MAX_RESERVATION_AGE)];
    let days = RetentionClass::ALL.map(|class| times.map(|time| (class, class.expiry(time))));
    days.into_iter().flatten().collect()
}
