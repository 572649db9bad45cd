//! The time of the entries, and what is done while the ledger's own clock is in doubt.
//!
//! An auditor accepts no entry whose time is ten minutes before an earlier entry's, and an entry stays for ever. One
//! entry with a time years ahead would therefore make the log unsound permanently. So the ledger records entries, its
//! own `map` entries too, only while
//!
//! * its clock has not jumped ([`CheckedClock`]), and
//! * its clock is not behind the latest entry by more than the allowed skew; a restarted ledger may have a slow clock.
//!
//! Otherwise it refuses them with [`record::RefusalCode::Clock`], which is retryable, and continues as soon as the
//! clock is right. What ends or destroys a period also needs the witnesses' time.

use std::sync::Arc;

use service::clock::{AgreedTime, CheckedClock, ClockError, WitnessTime};

use super::refusal::Refusal;
use crate::engine::rows::Rows;
use crate::store::{Batch, StoreError};

/// The clocks that the rules read.
pub struct RulesClock {
    /// The ledger's own clock.
    pub clock: Arc<CheckedClock>,
    /// Returns the time that the quorum of witnesses has cosigned last.
    pub witness_time: Box<dyn Fn() -> WitnessTime + Send>,
}

/// The clocks, and the latest time in the log.
pub(super) struct Times {
    clock: RulesClock,
    skew: u64,
    latest: u64,
    /// Whether `latest` has changed since it was stored.
    changed: bool,
}

impl Times {
    pub(super) fn load(rows: &Rows, clock: RulesClock, skew: u64) -> Result<Self, StoreError> {
        Ok(Self {
            clock,
            skew,
            latest: rows.latest_time()?,
            changed: false,
        })
    }

    /// The ledger's time for a new entry.
    pub(super) fn now(&self) -> Result<u64, Refusal> {
        let now = self.clock.clock.check().map_err(in_doubt)?;
        if now.saturating_add(self.skew) < self.latest {
            return Err(Refusal::clock("the ledger's clock is behind the latest entry"));
        }
        Ok(now)
    }

    /// The time by the ledger's clock and the witnesses, for what cannot be undone.
    pub(super) fn agreed(&self) -> Result<AgreedTime, Refusal> {
        self.now()?;
        let witnessed = (self.clock.witness_time)();
        self.clock.clock.agreed(witnessed).map_err(in_doubt)
    }

    /// Refuses an entry whose time is too far from the ledger's.
    pub(super) fn check(&self, time: u64) -> Result<(), Refusal> {
        let now = self.now()?;
        if now.abs_diff(time) <= self.skew {
            Ok(())
        } else {
            Err(Refusal::clock_skew(self.skew, now, time))
        }
    }

    /// Notes the time of a staged entry.
    pub(super) fn add(&mut self, time: u64) {
        self.changed |= time > self.latest;
        self.latest = self.latest.max(time);
    }

    /// Stages the latest time.
    pub(super) fn stage(&mut self, batch: &mut Batch) {
        if std::mem::take(&mut self.changed) {
            Rows::put_latest_time(batch, self.latest);
        }
    }
}

fn in_doubt(error: ClockError) -> Refusal {
    Refusal::clock(format!("the ledger's clock is in doubt: {error}"))
}
