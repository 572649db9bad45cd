//! Taking a person's next number: one at a time, without a gap, and never twice (design §5.4).
//!
//! A number is free when the person's last one stands in the log, used or voided. Whoever asks earlier waits some seconds and
//! then gets a retryable refusal. A label that is not used is voided by identity itself:
//!
//! * after 10 s, if the ledger can be read and takes entries (the append of the `void` is the proof), or
//! * once the broker's chain has gone on for 2 s without it: the broker has written an entry that is at least 2 s younger than
//!   the reservation. An honest broker writes in order, so this is an alarm.
//!
//! If the broker's entry comes in between, the ledger takes one of the two and refuses the other for its label: both ways the
//! number is used, once. Nobody's labels are voided like anybody's.

use std::sync::Arc;
use std::time::Duration;

use record::{COUNTERS, CitizenPart, Header, Idnr, Parts, SealedRecord, Series, SharedPart, Timestamp, VoidRecord};
use service::Problem;
use tlog::Hash;
use tokio::time::Instant;

use crate::identity::{Identity, LockKey, internal, log_problem};
use crate::log::{AppendError, OwnKind, TransparencyLog};
use crate::periods::PeriodSecret;
use crate::state::{NumberKey, NumberRow};

/// After so many seconds an unused label is voided.
const VOID_AFTER: u64 = 10;
/// For so many seconds the broker's chain may go on without a label.
const OVERTAKEN_AFTER: u64 = 2;
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The uniform refusal: whatever limit is reached, the caller learns only that.
pub(crate) fn refused() -> Problem {
    Problem::forbidden("refused", "identity does not answer this request")
}

fn busy() -> Problem {
    Problem::unavailable("busy", 1, "another exchange has to be recorded first")
}

impl<L: TransparencyLog> Identity<L> {
    /// The number to try next. For a person: the next one, once the last is settled. For nobody: a random one.
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
            metrics::counter!("identity_series_full_total").increment(1);
            tracing::error!("a series is full: no more exchanges about one person in this period");
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
            // Found in the log when the state caught up.
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
            // Far fewer than 2^32 are ever taken in a period, so this ends.
            if self.state.number(&key).map_err(internal)?.is_none() {
                return Ok(key.number);
            }
        }
    }

    /// Whether the number's label stands in the log; voids it when that is due.
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
        // A task of its own, because the caller may give up waiting, and an append cannot be taken back: the lock is held
        // until it is known how it ended, so that one label is never voided twice.
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

    /// Why the label may be voided now, if it may.
    fn void_cause(&self, key: &NumberKey, row: &NumberRow) -> Result<Option<&'static str>, Problem> {
        let now = self.clock.now();
        if now >= row.reserved_at.saturating_add(VOID_AFTER) {
            return Ok(Some("unused"));
        }
        if matches!(key.series, Series::Inspections | Series::DelayedInspections) {
            return Ok(None);
        }
        let limit = Timestamp(row.reserved_at).after(OVERTAKEN_AFTER);
        for writer in &self.brokers {
            let newest = self.log.newest_entry_time(writer).map_err(log_problem)?;
            // Strictly later: both times are whole seconds.
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
                    tracing::warn!("ALARM: the broker went on without using a label that it was given");
                } else {
                    tracing::info!("a label that was not used is void");
                }
                Ok(())
            }
            Err(AppendError::LabelUsed) => Ok(()),
            Err(AppendError::Unavailable(reason)) => {
                tracing::warn!(%reason, "a void cannot be written at present");
                Err(busy())
            }
            Err(AppendError::Refused(reason)) => {
                tracing::error!(%reason, "the ledger refused a void");
                Err(Problem::internal())
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

    /// Seals a record of identity's own under the key of the number's first day.
    pub(crate) fn seal(&self, row: &NumberRow, shared: SharedPart) -> Result<SealedRecord, Problem> {
        let Some(day_key) = self.day_keys.existing(row.class, row.expiry, self.today()) else {
            tracing::error!("the day key of a number in use is missing: restore the day keys");
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

    /// Looks after everything that was handed out and not yet seen in the log.
    pub(crate) async fn sweep(self: &Arc<Self>) -> Result<(), Problem> {
        let pending = self.state.pending().map_err(internal)?;
        metrics::gauge!("identity_pending_labels").set(pending.len() as f64);
        let mut settled = Vec::new();
        for (label, key) in pending {
            let Some(row) = self.state.number(&key).map_err(internal)? else {
                continue;
            };
            let due = self.clock.now() >= row.reserved_at.saturating_add(VOID_AFTER);
            let settled_now = if due {
                self.settle(&key, &row).await?
            } else {
                self.is_logged(&key, &row)?
            };
            if !settled_now {
                continue;
            }
            if let Some(located) = self.log.locate(key.period, &label).map_err(log_problem)? {
                let leaf = self.log.leaf(located.index).await.map_err(log_problem)?;
                settled.push((label, leaf));
            }
        }
        if !settled.is_empty() {
            self.state.settled(settled).await.map_err(internal)?;
        }
        Ok(())
    }

    /// Drops what cannot be asked for again.
    pub(crate) async fn prune(&self) -> Result<(), Problem> {
        let now = self.clock.now();
        let yesterday = Timestamp(now).day().saturating_sub(1);
        self.state.prune(now, yesterday).await.map_err(internal)
    }
}
