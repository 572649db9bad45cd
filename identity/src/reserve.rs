//! Reservation of a person's next number: one at a time, without a gap, and never twice (design §5.4).
//!
//! The next number is free once the person's last number is settled, that is, in the log as used or voided. An earlier
//! caller waits some seconds and then receives a retryable refusal. Identity voids an unused label
//!
//! * after 10 s, if the ledger can be read and accepts entries (a successful append of the `void` proves both), or
//! * as soon as the broker has overtaken the label: the broker has written an entry that is more than 2 s younger than
//!   the reservation. An honest broker writes in order, so this raises an alarm.
//!
//! If the broker writes its entry at the same time, the ledger accepts one of the two entries and refuses the other
//! because of its label. Either way the number is used exactly once. Labels of nobody are voided in the same way.

use std::sync::Arc;
use std::time::Duration;

use record::{
    COUNTERS, CitizenPart, Header, Idnr, Label, LegalDay, Parts, SealedRecord, Series, SharedPart, Timestamp,
    VoidRecord,
};
use service::Problem;
use service::clock::{AgreedTime, Clock as _};
use tlog::Hash;
use tokio::time::Instant;

use crate::identity::{Identity, LockKey, brokers, internal, log_problem};
use crate::log::{AppendError, OwnKind, TransparencyLog};
use crate::periods::PeriodSecret;
use crate::state::{NumberKey, NumberRow};

/// Age in seconds from which an unused label is voided.
const VOID_AFTER: u64 = 10;
/// How many seconds the broker's chain may continue without a label.
const OVERTAKEN_AFTER: u64 = 2;
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The uniform refusal.
pub(crate) fn refused() -> Problem {
    Problem::forbidden("refused", "identity does not answer this request")
}

/// The refusal at the limit of a consumer. It is the same for a person and for nobody.
pub(crate) fn over_limit() -> Problem {
    Problem::forbidden(
        "limit",
        "the consumer has used its share of the numbers of one person in this period",
    )
}

fn busy() -> Problem {
    Problem::unavailable("busy", 1, "another exchange has to be recorded first")
}

impl<L: TransparencyLog> Identity<L> {
    /// The number to try next. For a person it is the next number, once the last one is settled. For nobody it is
    /// random.
    pub(crate) async fn free_number(
        self: &Arc<Self>,
        idnr: &Idnr,
        secret: &PeriodSecret,
        series: Series,
    ) -> Result<u32, Problem> {
        if idnr.is_nobody() {
            return self.random_number(secret, series);
        }
        let deadline = Instant::now() + self.wait;
        loop {
            match tokio::time::timeout_at(deadline, self.try_next(idnr, secret, series)).await {
                Ok(Ok(Some(number))) => return Ok(number),
                Ok(Ok(None)) => {
                    tokio::time::sleep(POLL_INTERVAL.min(deadline.saturating_duration_since(Instant::now()))).await
                }
                Ok(Err(problem)) => return Err(problem),
                Err(_) => return Err(busy()),
            }
        }
    }

    async fn try_next(
        self: &Arc<Self>,
        idnr: &Idnr,
        secret: &PeriodSecret,
        series: Series,
    ) -> Result<Option<u32>, Problem> {
        let next = self.state.next(idnr, secret.period(), series).map_err(internal)?;
        if next >= COUNTERS {
            service::coarse::count("identity_series_full_total", "result", "refused");
            tracing::error!("a series is full; no further exchanges about one person in this period");
            return Err(refused());
        }
        let Some(last) = next.checked_sub(1) else {
            return Ok(Some(0));
        };
        let key = NumberKey {
            idnr: idnr.clone(),
            period: secret.period(),
            series,
            number: last,
        };
        let settled = match self.state.number(&key).map_err(internal)? {
            Some(row) => self.settle(&key, &row).await?,
            // The state found this number in the log when it caught up.
            None => true,
        };
        Ok(settled.then_some(next))
    }

    fn random_number(&self, secret: &PeriodSecret, series: Series) -> Result<u32, Problem> {
        loop {
            let key = NumberKey {
                idnr: Idnr::nobody(),
                period: secret.period(),
                series,
                number: getrandom::u32().map_err(internal)?,
            };
            // A period uses far fewer than 2^32 numbers, so the loop ends.
            if self.state.number(&key).map_err(internal)?.is_none() {
                return Ok(key.number);
            }
        }
    }

    /// Whether the number's label is in the log. Voids the label if that is due.
    pub(crate) async fn settle(self: &Arc<Self>, key: &NumberKey, row: &NumberRow) -> Result<bool, Problem> {
        if self.is_logged(key, row)? {
            return Ok(true);
        }
        let alone = self.locks.lock(LockKey::Label(row.labels.intent)).await;
        self.log.refresh().await.map_err(log_problem)?;
        if self.is_logged(key, row)? {
            return Ok(true);
        }
        let Some(cause) = self.void_cause(key, row)? else {
            return Ok(false);
        };
        if self.refused_voids.waits(&row.labels.intent, self.clock.now()) {
            return Ok(false);
        }
        // The caller may stop waiting, but an append cannot be undone. A separate task therefore holds the lock until
        // the outcome is known, so that one label is never voided twice.
        let (this, key, row) = (Arc::clone(self), key.clone(), row.clone());
        let voiding = tokio::spawn(async move {
            let _alone = alone;
            this.void(&key, &row, cause).await?;
            this.log.refresh().await.map_err(log_problem)?;
            this.is_logged(&key, &row)
        });
        voiding.await.map_err(internal)?
    }

    fn is_logged(&self, key: &NumberKey, row: &NumberRow) -> Result<bool, Problem> {
        let located = self.log.locate(key.period, &row.labels.intent).map_err(log_problem)?;
        Ok(located.is_some())
    }

    /// The cause for which the label may be voided now, if there is one.
    fn void_cause(&self, key: &NumberKey, row: &NumberRow) -> Result<Option<&'static str>, Problem> {
        // A void cannot be undone.
        let Ok(now) = self.clock.check() else { return Ok(None) };
        if has_waited(row, now) {
            return Ok(Some("unused"));
        }
        if matches!(key.series, Series::Inspections | Series::DelayedInspections) {
            return Ok(None);
        }
        let limit = Timestamp(row.reserved_at).after(OVERTAKEN_AFTER);
        for writer in brokers(self.live.history().state().directory()) {
            let newest = self.log.newest_entry_time(&writer).map_err(log_problem)?;
            // Both times are whole seconds, so require a strictly later one.
            if newest.is_some_and(|time| time > limit) {
                return Ok(Some("overtaken"));
            }
        }
        Ok(None)
    }

    async fn void(&self, key: &NumberKey, row: &NumberRow, cause: &'static str) -> Result<(), Problem> {
        let record = self.void_record(row)?;
        match self
            .log
            .append(OwnKind::Void, key.period, row.labels.intent, record)
            .await
        {
            Ok(()) => {
                metrics::counter!("identity_voids_total", "cause" => cause).increment(1);
                if cause == "overtaken" {
                    tracing::warn!("ALARM: the broker continued its chain without using a label that it had received");
                } else {
                    tracing::info!("an unused label was voided");
                }
                Ok(())
            }
            Err(AppendError::LabelUsed) => Ok(()),
            Err(AppendError::Unavailable(reason)) => {
                tracing::warn!(%reason, "a void cannot be written at present");
                Err(busy())
            }
            Err(AppendError::Refused(reason)) => {
                let (pause, first) = self.refused_voids.refused(&row.labels.intent, self.clock.now());
                metrics::counter!("identity_voids_refused_total").increment(1);
                if first {
                    tracing::error!(%reason, pause, "ALARM: the ledger refuses a void; its label is set aside");
                } else {
                    tracing::error!(%reason, pause, "the ledger refuses a void again");
                }
                Ok(())
            }
        }
    }

    fn void_record(&self, row: &NumberRow) -> Result<SealedRecord, Problem> {
        let shared = SharedPart::Void(VoidRecord {
            consumer: row.consumer.clone(),
            s1_digest: Hash(row.s1),
        });
        self.seal(row, shared)
    }

    /// Seals a record that identity writes under the key of the number's first day.
    pub(crate) fn seal(&self, row: &NumberRow, shared: SharedPart) -> Result<SealedRecord, Problem> {
        let Some(day_key) = self.day_keys.existing(row.class, row.expiry, self.today()) else {
            tracing::error!("the day key of a number in use is missing; restore the day keys");
            return Err(Problem::internal());
        };
        let header = Header::labelled(row.class, row.expiry);
        let label = &row.labels.intent;
        let parts = Parts {
            shared,
            citizen: CitizenPart { internal_reason: None },
            supervision: Vec::new(),
        };
        SealedRecord::seal(&header, Some(label), &day_key.record_key(label), &parts).map_err(internal)
    }

    /// Settles all labels that were handed out and have not been seen in the log yet. A label that cannot be settled
    /// does not keep the others from it. If ledger or log are unavailable, the next sweep continues.
    pub(crate) async fn sweep(self: &Arc<Self>) -> Result<(), Problem> {
        let pending = self.state.pending().map_err(internal)?;
        metrics::gauge!("identity_pending_labels").set(pending.len() as f64);
        let mut settled = Vec::new();
        let mut unavailable = Ok(());
        for (label, key) in pending {
            match self.sweep_label(&label, &key).await {
                Ok(Some(leaf)) => settled.push((label, leaf)),
                Ok(None) => {}
                Err(problem) if problem.retryable() => {
                    unavailable = Err(problem);
                    break;
                }
                Err(_) => metrics::counter!("identity_sweep_failures_total").increment(1),
            }
        }
        if !settled.is_empty() {
            self.refused_voids.settled(settled.iter().map(|(label, _)| label));
            self.state.settled(settled).await.map_err(internal)?;
        }
        metrics::gauge!("identity_set_aside_labels").set(self.refused_voids.len() as f64);
        unavailable
    }

    /// Settles one label if that is due. Returns its entry once it is in the log.
    async fn sweep_label(self: &Arc<Self>, label: &Label, key: &NumberKey) -> Result<Option<Vec<u8>>, Problem> {
        let Some(row) = self.state.number(key).map_err(internal)? else {
            return Ok(None);
        };
        let due = has_waited(&row, self.clock.now());
        let settled = if due {
            self.settle(key, &row).await?
        } else {
            self.is_logged(key, &row)?
        };
        if !settled {
            return Ok(None);
        }
        let Some(located) = self.log.locate(key.period, label).map_err(log_problem)? else {
            return Ok(None);
        };
        self.log.leaf(located.index).await.map(Some).map_err(log_problem)
    }

    /// Deletes rows that no request can need again.
    pub(crate) async fn prune(&self, now: &AgreedTime) -> Result<(), Problem> {
        let now = now.seconds();
        let yesterday = LegalDay::of(Timestamp(now)).before();
        let period = self.periods.current(now).map(|secret| secret.period());
        self.state.prune(now, yesterday.0, period).await.map_err(internal)
    }
}

/// Whether an unused label has waited long enough. A reservation in the future was made by a clock that was wrong.
fn has_waited(row: &NumberRow, now: u64) -> bool {
    let (since, until) = (row.reserved_at, now.saturating_add(VOID_AFTER));
    now >= since.saturating_add(VOID_AFTER) || since > until
}
