//! P9: an intent is served once. The intents that were served are recorded durably, by index.
//!
//! ```text
//! not served ──▶ answered (sealed bytes kept) ──▶ closed (the outcome was seen; an index and a digest are kept)
//!      └─▶ pending (deferred) ─▶ answered or closed
//! ```
//!
//! The same forward gets the same sealed bytes again, even after a restart of broker or connector, because the broker
//! may have lost them. Another forward for the same intent, or any forward after its outcome, is refused. Two forwards
//! are the same if they are equal except for the proof in the receipt: a restarted broker may have a newer proof of
//! the same entry. A pending intent has no answer yet: its forward is served again, by the checks of the time at which
//! the register was asked first.
//!
//! What is kept, and how long:
//!
//! | | Kept | Until |
//! | --- | --- | --- |
//! | sealed answer | its bytes | the outcome is seen, or [`ANSWER_RETENTION_SECONDS`] |
//! | answered | statement, the intent's record | the outcome is seen, or [`ANSWERED_RETENTION`] |
//! | closed | 100 bytes | [`CLOSED_RETENTION`], longer than a broker repeats the notice of an outcome |
//! | pending | 150 bytes, at most [`MAX_LATER`] of them | an answer, the outcome is seen, or [`PENDING_RETENTION`] |

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use messages::limits::{
    ANSWER_RETENTION_SECONDS, MAX_GIVE_UP_SECONDS, MAX_LATER, MAX_LATER_SECONDS, OUTCOME_WITHIN_SECONDS,
};
use messages::{AnswerStatement, CheckName, Forward, Reply, Signature};
use record::{ExchangeRecord, Timestamp};
use serde::{Deserialize, Serialize};
use service::clock::CheckedClock;
use store::{Store, TableError};
use tlog::Hash;
use uuid::Uuid;

use super::checks::CheckFailed;
use crate::state::{self, StateTable, index_key};

/// A day in seconds.
const DAY: u64 = 86_400;
/// An answered intent without an outcome is kept this many seconds: until identity has reported it as lost.
const ANSWERED_RETENTION: u64 = 36 * DAY;
/// A closed intent is kept this many seconds.
const CLOSED_RETENTION: u64 = 8 * DAY;
/// A pending intent is kept this many seconds. By then a broker has recorded that no answer arrived.
const PENDING_RETENTION: u64 = MAX_LATER_SECONDS + MAX_GIVE_UP_SECONDS + OUTCOME_WITHIN_SECONDS;
/// The most closed or pending intents that one sweep removes.
const SWEEP: usize = 4096;

/// Record of an intent that was answered and has no outcome yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnsweredIntent {
    /// Index of the intent.
    pub(crate) intent: u64,
    /// [`digest`] of the forward.
    #[serde(with = "record::bytes")]
    digest: Hash,
    /// The answer; removed when no broker can ask for it any more.
    reply: Option<Reply>,
    /// The signed statement of the answer.
    pub(crate) statement: AnswerStatement,
    /// The provider's signature of the statement.
    pub(crate) signature: Signature,
    /// The exchange.
    pub(crate) exchange: Uuid,
    /// The intent's record, if the checks got that far. The outcome's record must match it.
    pub(crate) record: Option<ExchangeRecord>,
    /// When the intent was answered.
    answered: Timestamp,
    /// Whether the missing outcome was reported.
    alarmed: bool,
}

/// Record of an intent whose outcome was seen and matches.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClosedIntent {
    /// [`digest`] of the forward.
    #[serde(with = "record::bytes")]
    digest: Hash,
    /// When the outcome was seen.
    seen: Timestamp,
}

/// Record of an intent whose answer is available later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PendingIntent {
    /// [`digest`] of the forward.
    #[serde(with = "record::bytes")]
    digest: Hash,
    /// The exchange.
    pub(crate) exchange: Uuid,
    /// When the checks passed and the register was asked first.
    pub(crate) asked: Timestamp,
    /// The time that the last deferral names. The register is not asked before.
    pub(crate) available: Timestamp,
}

/// Proof that the intent has not been answered. Only [`ServedIntents::before`] makes one.
#[derive(Debug)]
pub(crate) struct NotServed {
    intent: u64,
    digest: Hash,
    pending: Option<PendingIntent>,
}

impl NotServed {
    /// The deferral that the intent has got, if any.
    pub(crate) fn pending(&self) -> Option<&PendingIntent> {
        self.pending.as_ref()
    }
}

/// Result of P9.
#[derive(Debug)]
pub(crate) enum ServedBefore {
    /// The intent has not been served.
    Never(NotServed),
    /// The same forward was served, with this answer.
    Same(Box<Reply>),
}

/// What is known of an intent whose outcome arrives.
#[derive(Debug)]
pub(crate) enum Known {
    /// It was not answered.
    Never,
    /// It was answered, and this is its first outcome.
    Answered(Box<AnsweredIntent>),
    /// It was deferred and not answered.
    Pending(PendingIntent),
    /// Its outcome was seen before.
    Closed,
}

/// The served intents.
#[derive(Debug, Clone)]
pub(crate) struct ServedIntents {
    answered: StateTable<AnsweredIntent>,
    closed: StateTable<ClosedIntent>,
    pending: StateTable<PendingIntent>,
    in_progress: Arc<Mutex<HashSet<u64>>>,
}

/// Marks an intent as in progress until it is dropped.
pub(crate) struct InProgress {
    served: ServedIntents,
    intent: u64,
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.served
            .in_progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.intent);
    }
}

/// Digest of a forward without the receipt's proof: the same forward has the same digest.
pub(crate) fn digest(forward: &Forward, index: u64, leaf: &[u8]) -> Hash {
    let mut same = Forward {
        intent_receipt: leaf.to_vec(),
        ..forward.clone()
    };
    if let Some(representative) = &mut same.representative {
        // The record, whose commitment the entry has, stays.
        representative.intent_receipt = Vec::new();
    }
    messages::sha256_of(&[&index.to_be_bytes(), &record::cbor::to_vec(&same)])
}

impl ServedIntents {
    /// Opens the tables of the state file.
    pub(crate) fn open(store: &Store) -> Result<Self, TableError> {
        Ok(Self {
            answered: state::open_table(store, "answered")?,
            closed: state::open_table(store, "closed")?,
            pending: state::open_table(store, "pending")?,
            in_progress: Arc::default(),
        })
    }

    /// Marks an intent as in progress. Returns `None` if another task serves it.
    pub(crate) fn enter(&self, intent: u64) -> Option<InProgress> {
        let mut set = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        set.insert(intent).then(|| InProgress {
            served: self.clone(),
            intent,
        })
    }

    /// P9: whether the intent has been served before, and with which answer. The caller must have
    /// [entered](ServedIntents::enter) the intent.
    pub(crate) async fn before(
        &self,
        intent: u64,
        digest: Hash,
    ) -> Result<Result<ServedBefore, CheckFailed>, TableError> {
        let failed = CheckFailed::of(CheckName::P9);
        let another = || failed("the intent was served before, for another forward");
        if let Some(row) = self.closed.get(index_key(intent)).await? {
            return Ok(Err(if row.digest == digest {
                failed("the intent's outcome has been seen")
            } else {
                another()
            }));
        }
        let Some(row) = self.answered.get(index_key(intent)).await? else {
            let pending = self.pending.get(index_key(intent)).await?;
            return Ok(match pending {
                Some(row) if row.digest != digest => Err(another()),
                pending => Ok(ServedBefore::Never(NotServed {
                    intent,
                    digest,
                    pending,
                })),
            });
        };
        Ok(match row.reply {
            _ if row.digest != digest => Err(another()),
            Some(reply) => Ok(ServedBefore::Same(Box::new(reply))),
            None => Err(failed("the intent was answered days ago")),
        })
    }

    /// Records the answer. The write is durable when the call returns; the answer must not leave before.
    pub(crate) async fn keep(
        &self,
        fresh: NotServed,
        reply: &Reply,
        exchange: Uuid,
        record: Option<ExchangeRecord>,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let row = AnsweredIntent {
            intent: fresh.intent,
            digest: fresh.digest,
            reply: Some(reply.clone()),
            statement: reply.statement.clone(),
            signature: reply.signature,
            exchange,
            record,
            answered: now,
            alarmed: false,
        };
        self.answered.put(index_key(fresh.intent), &row).await?;
        if fresh.pending.is_some() {
            self.pending.remove(index_key(fresh.intent)).await?;
        }
        Ok(())
    }

    /// Whether one more intent can be deferred.
    pub(crate) async fn may_defer(&self) -> Result<bool, TableError> {
        Ok(self.pending.count().await? < MAX_LATER as u64)
    }

    /// Records that the answer is available later. The write is durable when the call returns; the deferral must not
    /// leave before.
    pub(crate) async fn defer(
        &self,
        fresh: NotServed,
        exchange: Uuid,
        (asked, available): (Timestamp, Timestamp),
    ) -> Result<(), TableError> {
        let row = PendingIntent {
            digest: fresh.digest,
            exchange,
            asked: fresh.pending.map_or(asked, |before| before.asked),
            available,
        };
        self.pending.put(index_key(fresh.intent), &row).await
    }

    /// What is known of an intent.
    pub(crate) async fn known(&self, intent: u64) -> Result<Known, TableError> {
        if self.closed.get(index_key(intent)).await?.is_some() {
            return Ok(Known::Closed);
        }
        if let Some(row) = self.answered.get(index_key(intent)).await? {
            return Ok(Known::Answered(Box::new(row)));
        }
        let pending = self.pending.get(index_key(intent)).await?;
        Ok(pending.map_or(Known::Never, Known::Pending))
    }

    /// Records that the outcome was seen, and drops the answer, which is not needed any more. After a crash between
    /// the two writes the intent counts as closed.
    pub(crate) async fn close(&self, row: &AnsweredIntent, now: Timestamp) -> Result<(), TableError> {
        let closed = ClosedIntent {
            digest: row.digest,
            seen: now,
        };
        self.closed.put(index_key(row.intent), &closed).await?;
        self.answered.remove(index_key(row.intent)).await
    }

    /// Records that the outcome of a pending intent was seen.
    pub(crate) async fn close_pending(
        &self,
        intent: u64,
        row: &PendingIntent,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let closed = ClosedIntent {
            digest: row.digest,
            seen: now,
        };
        self.closed.put(index_key(intent), &closed).await?;
        self.pending.remove(index_key(intent)).await
    }

    /// Returns the intents whose outcome is overdue, each only once, and removes what need not be kept any longer.
    /// While the clock is in doubt it does neither: a clock that is years ahead would accuse the broker, and forget
    /// what was served.
    pub(crate) async fn overdue(&self, clock: &CheckedClock) -> Result<Vec<AnsweredIntent>, TableError> {
        match clock.check() {
            Ok(now) => self.sweep(Timestamp(now)).await,
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Forgets pending intents that no broker asks for any more, and returns how many. While the clock is in doubt it
    /// forgets none.
    pub(crate) async fn forget_pending(&self, clock: &CheckedClock) -> Result<usize, TableError> {
        let Ok(now) = clock.check() else { return Ok(0) };
        let expired = move |row: &PendingIntent| Timestamp(now).since(row.asked) > PENDING_RETENTION;
        self.pending.remove_leading(SWEEP, expired).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<Vec<AnsweredIntent>, TableError> {
        let expired = move |row: &ClosedIntent| now.since(row.seen) > CLOSED_RETENTION;
        self.closed.remove_leading(SWEEP, expired).await?;
        let mut overdue = Vec::new();
        for (key, mut row) in self.answered.all().await? {
            let age = now.since(row.answered);
            if age > ANSWERED_RETENTION || self.closed.get(key).await?.is_some() {
                self.answered.remove(key).await?;
            } else if age > ANSWER_RETENTION_SECONDS && row.reply.is_some() {
                row.reply = None;
                self.answered.put(key, &row).await?;
            } else if age > OUTCOME_WITHIN_SECONDS && !row.alarmed {
                row.alarmed = true;
                self.answered.put(key, &row).await?;
                overdue.push(row);
            }
        }
        Ok(overdue)
    }
}

#[cfg(test)]
mod tests;
