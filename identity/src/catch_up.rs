//! Catching up with the log after a backup was restored.
//!
//! A restored state lacks the numbers that were handed out after the backup. The log shows them: a person's numbers
//! have no gap, so the first number that is not in the log is the next one ([`Identity::catch_up`]). Identity searches
//! for it when the number that it is about to hand out is already in the log. This also covers a person who is not in
//! the backup at all.
//!
//! | Missing in the restored state | Consequence |
//! | --- | --- |
//! | the last number, and whether it is used | it is in the log, otherwise it would not have been skipped |
//! | a number that was handed out and is not in the log | it is handed out again; the ledger accepts its label once |
//! | the day whose key a record was sealed under | only a few are possible; the reader tries them ([`record_days`]) |
//! | answers and quotas | a repeated request gets a new number, and the period's counts restart |
//! | inspections of the day | a second disclosure on that day writes a second inspection |
//!
//! The secret of a period that began after the backup cannot be recovered. Identity then refuses to start.

use record::{COUNTERS, ExpiryDay, Phase, RetentionClass, Timestamp};
use service::Problem;

use crate::identity::{Identity, internal, log_problem};
use crate::log::TransparencyLog;
use crate::periods::PeriodSecret;
use crate::state::NumberKey;

/// How long before its entry a label may have been handed out, seconds. The record may therefore be sealed under the
/// key of the day before.
const MAX_RESERVATION_AGE: u64 = 86_400;

impl<L: TransparencyLog> Identity<L> {
    /// Records that the numbers from `known` on are used, as far as they are in the log. The caller holds the person's
    /// lock.
    pub(crate) async fn catch_up(&self, secret: &PeriodSecret, known: &NumberKey) -> Result<(), Problem> {
        let mut proofs = Vec::new();
        for number in known.number..COUNTERS {
            let evaluated = secret.evaluate(&known.idnr, known.series, number);
            let located = self.log.locate(secret.period(), evaluated.labels.of(Phase::Intent));
            if located.map_err(log_problem)?.is_none() {
                break;
            }
            proofs.push(evaluated.proof);
        }
        let numbers = proofs.len();
        tracing::warn!(
            numbers,
            "the log has labels that the state lacks: the state was restored and catches up"
        );
        metrics::counter!("identity_caught_up_total").increment(numbers as u64);
        self.state.advance(known, proofs).await.map_err(internal)
    }
}

/// The classes and days whose keys may open the record of an entry written at `time`, if the state has no row for it.
pub(crate) fn record_days(time: Timestamp) -> Vec<(RetentionClass, ExpiryDay)> {
    let times = [time, time.before(MAX_RESERVATION_AGE)];
    let days = RetentionClass::ALL.map(|class| times.map(|time| (class, class.expiry(time))));
    days.into_iter().flatten().collect()
}
