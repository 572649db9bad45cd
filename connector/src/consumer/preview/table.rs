//! The previews, durably: evidence that waits for its person, and decisions on their way into the log.
//!
//! A row passes through these stages:
//!
//! 1. [`Stage::Awaiting`]: the person may see the evidence and decide, until `decide_until`.
//! 2. [`Stage::Decided`]: the decision is certain, and the log does not have it yet. It is on disk, signed, before it
//!    is sent, so that never two decisions are sent. Unless it is an acceptance, the sealed answer is gone.
//! 3. [`Stage::Recorded`]: the log has the decision. The row stays for [`RESULT_RETENTION`], so that a caller whose
//!    answer was lost gets it again. Meanwhile it is acknowledged until the broker has taken that, because the broker
//!    keeps the exchange for as long.
//!
//! The table is bounded by [`MAX_PREVIEWS`]. What is due when is also in memory, so that the table is not searched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use messages::{ExchangeRequest, PreviewNotice, SignedDecision};
use record::{ExchangeResult, PreviewDecision, Timestamp};
use serde::{Deserialize, Serialize};
use service::Problem;
use store::{Store, TableError};
use uuid::Uuid;

use crate::consumer::login::LockedKey;
use crate::state::{self, StateTable, exchange_key};

/// The most previews. With more, the connector begins no exchange whose permission demands one.
pub(crate) const MAX_PREVIEWS: usize = 4096;
/// A recorded preview is kept for this many seconds.
pub(crate) const RESULT_RETENTION: u64 = 600;
/// A decision that the broker does not take is sent again after this many seconds.
const RETRY_AFTER: u64 = 10;

/// One preview.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRow {
    /// The request as sent.
    pub(crate) request: ExchangeRequest,
    /// The receipt of the intent.
    #[serde(with = "record::bytes")]
    pub(crate) intent_receipt: Vec<u8>,
    /// Index of the intent.
    pub(crate) intent: u64,
    /// Index of the outcome.
    pub(crate) outcome: u64,
    /// The result that the outcome's record has.
    pub(crate) result: ExchangeResult,
    /// The answer key, locked with the person's login; `None` if no one waits for the evidence.
    pub(crate) key: Option<LockedKey>,
    /// The provider's sealed answer; `None` when it must not be opened any more.
    pub(crate) sealed_answer: Option<SealedAnswer>,
    /// Until when the person may decide.
    pub(crate) decide_until: Timestamp,
    /// How far it has come.
    pub(crate) stage: Stage,
}

/// A provider's sealed answer.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SealedAnswer(#[serde(with = "record::bytes")] pub(crate) Vec<u8>);

/// How far a preview has come.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The person may see the evidence and decide.
    Awaiting,
    /// The decision is certain and not in the log.
    Decided {
        /// The decision.
        signed: SignedDecision,
        /// When it was made.
        at: Timestamp,
    },
    /// The decision is in the log.
    Recorded {
        /// The decision.
        signed: SignedDecision,
        /// The proof; checked again whenever evidence is handed out.
        notice: PreviewNotice,
        /// Index of the entry.
        entry: u64,
        /// When this connector accepted the proof.
        at: Timestamp,
    },
    /// What the log has is not what was decided. An operator has the alarm, and nothing is handed out.
    Contradicted {
        /// When this was noticed.
        at: Timestamp,
    },
}

impl PreviewRow {
    /// When there is something to do for the row without a caller.
    fn due(&self) -> Timestamp {
        match self.stage {
            Stage::Awaiting => self.decide_until,
            Stage::Decided { at, .. } => at.after(RETRY_AFTER),
            // Until the broker has the acknowledgement.
            Stage::Recorded { at, .. } => at.after(RETRY_AFTER),
            Stage::Contradicted { at } => at.after(RESULT_RETENTION),
        }
    }

    /// Makes the decision certain. What must not be opened any more goes in the same write.
    pub(crate) fn decide(&mut self, signed: SignedDecision, now: Timestamp) {
        if signed.statement.decision != PreviewDecision::Accepted {
            self.sealed_answer = None;
        }
        self.stage = Stage::Decided { signed, at: now };
    }

    /// What has been decided.
    pub(crate) fn decision(&self) -> Option<PreviewDecision> {
        match &self.stage {
            Stage::Decided { signed, .. } | Stage::Recorded { signed, .. } => Some(signed.statement.decision),
            Stage::Awaiting | Stage::Contradicted { .. } => None,
        }
    }
}

#[derive(Debug, Default)]
struct Index {
    due: BTreeMap<Uuid, Timestamp>,
    reserved: usize,
    busy: BTreeSet<Uuid>,
}

/// The previews of a connector. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct PreviewTable {
    rows: StateTable<PreviewRow>,
    index: Arc<Mutex<Index>>,
}

/// The place of a preview that is not in the table yet. Dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Place(Arc<Mutex<Index>>);

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.0).reserved -= 1;
    }
}

/// The right to change a preview. Dropping it lets another caller have it.
#[derive(Debug)]
pub(crate) struct Claim {
    index: Arc<Mutex<Index>>,
    exchange: Uuid,
}

impl Drop for Claim {
    fn drop(&mut self) {
        locked(&self.index).busy.remove(&self.exchange);
    }
}

fn locked(index: &Mutex<Index>) -> MutexGuard<'_, Index> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PreviewTable {
    /// Opens the table in a connector's file.
    pub(crate) fn open(store: &Store) -> Result<Self, TableError> {
        Ok(Self {
            rows: state::open_table(store, "previews")?,
            index: Arc::default(),
        })
    }

    /// Opens the table in `directory`.
    #[cfg(test)]
    pub(crate) fn open_in(directory: &std::path::Path) -> Result<Self, TableError> {
        Self::open(&state::open_file(directory)?)
    }

    /// Reads what an earlier run has left. To be called once, before anything else.
    pub(crate) async fn restore(&self) -> Result<(), TableError> {
        for (key, row) in self.rows.all().await? {
            locked(&self.index).due.insert(Uuid::from_bytes(key), row.due());
        }
        Ok(())
    }

    /// Reserves a place for a preview that may follow.
    ///
    /// # Errors
    /// 503 while there are too many.
    pub(crate) fn reserve(&self) -> Result<Place, Problem> {
        let mut index = locked(&self.index);
        if index.due.len() + index.reserved >= MAX_PREVIEWS {
            tracing::error!("too many previews wait for a decision: no exchange with one is begun");
            return Err(Problem::unavailable(
                "busy",
                10,
                "too many previews wait for a decision",
            ));
        }
        index.reserved += 1;
        Ok(Place(self.index.clone()))
    }

    /// Claims a preview for the caller.
    ///
    /// # Errors
    /// 503 while another call or the sweep has it.
    pub(crate) fn claim(&self, exchange: Uuid) -> Result<Claim, Problem> {
        if locked(&self.index).busy.insert(exchange) {
            Ok(Claim {
                index: self.index.clone(),
                exchange,
            })
        } else {
            Err(Problem::unavailable("under-way", 1, "the preview is in progress"))
        }
    }

    /// The row of an exchange.
    pub(crate) async fn get(&self, exchange: Uuid) -> Result<Option<PreviewRow>, TableError> {
        self.rows.get(exchange_key(exchange)).await
    }

    /// Writes a row; it is on disk on return.
    pub(crate) async fn put(&self, row: &PreviewRow) -> Result<(), TableError> {
        let exchange = row.request.metadata.exchange;
        self.rows.put(exchange_key(exchange), row).await?;
        locked(&self.index).due.insert(exchange, row.due());
        Ok(())
    }

    /// Removes a row.
    pub(crate) async fn remove(&self, exchange: Uuid) -> Result<(), TableError> {
        self.rows.remove(exchange_key(exchange)).await?;
        locked(&self.index).due.remove(&exchange);
        Ok(())
    }

    /// Tries a row again later, without a write.
    pub(crate) fn later(&self, exchange: Uuid, now: Timestamp) {
        self.rest(exchange, now.after(RETRY_AFTER));
    }

    /// Lets a row rest until there is something to do for it, without a write.
    pub(crate) fn rest(&self, exchange: Uuid, until: Timestamp) {
        if let Some(due) = locked(&self.index).due.get_mut(&exchange) {
            *due = until;
        }
    }

    /// The exchanges for which something is due.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<Uuid> {
        let index = locked(&self.index);
        let due = index.due.iter().filter(|(_, due)| **due < now);
        due.map(|(exchange, _)| *exchange).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_number_of_previews_is_bounded_and_places_come_back() {
        let directory = tempfile::tempdir().unwrap();
        let table = PreviewTable::open_in(directory.path()).unwrap();
        let mut places: Vec<Place> = (0..MAX_PREVIEWS).map(|_| table.reserve().unwrap()).collect();
        assert_eq!(table.reserve().unwrap_err().status, 503);
        places.pop();
        assert!(table.reserve().is_ok());
    }

    #[test]
    fn one_caller_at_a_time_has_a_preview() {
        let directory = tempfile::tempdir().unwrap();
        let table = PreviewTable::open_in(directory.path()).unwrap();
        let claim = table.claim(Uuid::from_u128(1)).unwrap();
        assert_eq!(table.claim(Uuid::from_u128(1)).unwrap_err().slug, "under-way");
        assert!(table.claim(Uuid::from_u128(2)).is_ok());
        drop(claim);
        assert!(table.claim(Uuid::from_u128(1)).is_ok());
    }
}
