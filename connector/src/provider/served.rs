//! P9: an intent is served once. The intents that were served are recorded durably, by index.
//!
//! ```text
//! not served ──▶ answered (sealed bytes kept) ──▶ outcome seen (bytes dropped, digest kept a day)
//! ```
//!
//! The same forward gets the same sealed bytes again, even after a restart of broker or connector, because the broker
//! may have lost them. Another forward for the same intent, or any forward after its outcome, is refused. Two forwards
//! are the same if they are equal except for the proof in the receipt: a restarted broker may have a newer proof of
//! the same entry.
//!
//! A row is removed a day after its outcome was seen. By then P1 refuses the intent for its age.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use messages::{AnswerStatement, CheckName, Forward, Reply, Signature};
use record::receipt::Receipt;
use record::{ExchangeRecord, Timestamp};
use serde::{Deserialize, Serialize};
use service::table::TableError;
use tlog::Hash;
use uuid::Uuid;

use super::checks::CheckFailed;
use crate::state::{self, StateTable, index_key};

/// An outcome is overdue this many seconds after the answer.
const OUTCOME_WITHIN: u64 = 120;
/// Rows are kept this many seconds after their outcome was seen.
const RETENTION: u64 = 86_400;

/// Record of a served intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServedIntent {
    /// Index of the intent.
    pub(crate) intent: u64,
    /// [`digest`] of the forward.
    #[serde(with = "record::bytes")]
    digest: Hash,
    /// The answer; removed when its outcome is seen.
    reply: Option<Reply>,
    /// The signed statement of the answer.
    pub(crate) statement: AnswerStatement,
    /// The provider's signature of the statement.
    pub(crate) signature: Signature,
    /// The exchange.
    pub(crate) exchange: Uuid,
    /// The intent's record, if the checks got that far. The outcome's record must match it.
    pub(crate) record: Option<ExchangeRecord>,
    /// When the intent was answered, or its outcome was seen.
    since: Timestamp,
    /// Whether the outcome was seen and matches.
    pub(crate) seen: bool,
    /// Whether the missing outcome was reported.
    alarmed: bool,
}

/// Proof that the intent has not been served. Only [`ServedIntents::before`] makes one.
#[derive(Debug)]
pub(crate) struct NotServed {
    intent: u64,
    digest: Hash,
}

/// Result of P9.
#[derive(Debug)]
pub(crate) enum ServedBefore {
    /// The intent has not been served.
    Never(NotServed),
    /// The same forward was served, with this answer.
    Same(Box<Reply>),
}

/// The served intents.
#[derive(Debug, Clone)]
pub(crate) struct ServedIntents {
    table: StateTable<ServedIntent>,
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
pub(crate) fn digest(forward: &Forward, receipt: &Receipt) -> Hash {
    let same = Forward {
        intent_receipt: receipt.entry().bytes().to_vec(),
        ..forward.clone()
    };
    messages::sha256_of(&[&receipt.index().get().to_be_bytes(), &record::cbor::to_vec(&same)])
}

impl ServedIntents {
    /// Opens the state file in `directory`.
    pub(crate) fn open(directory: &Path) -> Result<Self, TableError> {
        Ok(Self {
            table: state::open(directory, "served")?,
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
        Ok(p9_not_served(self.table.get(index_key(intent)).await?, intent, digest))
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
        let row = ServedIntent {
            intent: fresh.intent,
            digest: fresh.digest,
            reply: Some(reply.clone()),
            statement: reply.statement.clone(),
            signature: reply.signature,
            exchange,
            record,
            since: now,
            seen: false,
            alarmed: false,
        };
        self.table.put(index_key(fresh.intent), &row).await
    }

    /// Reads the record of an intent.
    pub(crate) async fn row(&self, intent: u64) -> Result<Option<ServedIntent>, TableError> {
        self.table.get(index_key(intent)).await
    }

    /// Records that the outcome was seen, and drops the sealed bytes, which are not needed any more.
    pub(crate) async fn seen(&self, mut row: ServedIntent, now: Timestamp) -> Result<(), TableError> {
        row.reply = None;
        row.seen = true;
        row.since = now;
        self.table.put(index_key(row.intent), &row).await
    }

    /// Returns the intents whose outcome is overdue, each only once, and removes those whose outcome was seen long
    /// ago.
    pub(crate) async fn overdue(&self, now: Timestamp) -> Result<Vec<ServedIntent>, TableError> {
        let mut overdue = Vec::new();
        for (key, mut row) in self.table.all().await? {
            let age = now.since(row.since);
            if row.seen && age > RETENTION {
                self.table.remove(key).await?;
            } else if !row.seen && !row.alarmed && age > OUTCOME_WITHIN {
                row.alarmed = true;
                self.table.put(key, &row).await?;
                overdue.push(row);
            }
        }
        Ok(overdue)
    }
}

/// Decides P9 from the record of the intent.
fn p9_not_served(row: Option<ServedIntent>, intent: u64, digest: Hash) -> Result<ServedBefore, CheckFailed> {
    let failed = CheckFailed::of(CheckName::P9);
    match row {
        None => Ok(ServedBefore::Never(NotServed { intent, digest })),
        Some(row) if row.digest != digest => Err(failed("the intent was served before, for another forward")),
        Some(ServedIntent { reply: Some(reply), .. }) => Ok(ServedBefore::Same(Box::new(reply))),
        Some(_) => Err(failed("the intent's outcome has been seen")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use messages::ReplyOutcome;
    use record::SigningKey;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn reply() -> Reply {
        let key = SigningKey::from_seed([3; 32]);
        Reply::sign(
            &key,
            (Uuid::from_u128(1), 7),
            (ReplyOutcome::NothingFound, None),
            None,
            vec![1, 2, 3],
        )
    }

    async fn fresh(served: &ServedIntents) -> NotServed {
        match served.before(7, Hash([1; 32])).await.unwrap().unwrap() {
            ServedBefore::Never(fresh) => fresh,
            ServedBefore::Same(_) => panic!("served"),
        }
    }

    #[tokio::test]
    async fn p9_the_same_forward_gets_the_same_bytes_even_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let served = ServedIntents::open(directory.path()).unwrap();
        let fresh = fresh(&served).await;
        served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
        drop(served);
        let served = ServedIntents::open(directory.path()).unwrap();
        let Ok(ServedBefore::Same(again)) = served.before(7, Hash([1; 32])).await.unwrap() else {
            panic!("not the same")
        };
        assert_eq!(*again, reply());
    }

    #[tokio::test]
    async fn p9_another_forward_or_one_after_the_outcome_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let served = ServedIntents::open(directory.path()).unwrap();
        let fresh = fresh(&served).await;
        served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
        let other = served.before(7, Hash([2; 32])).await.unwrap().unwrap_err();
        assert_eq!(other.check, CheckName::P9);
        let row = served.row(7).await.unwrap().unwrap();
        served.seen(row, NOW).await.unwrap();
        let late = served.before(7, Hash([1; 32])).await.unwrap().unwrap_err();
        assert_eq!(
            late,
            CheckFailed {
                check: CheckName::P9,
                why: "the intent's outcome has been seen"
            }
        );
    }

    #[tokio::test]
    async fn a_missing_outcome_is_reported_once_after_two_minutes() {
        let directory = tempfile::tempdir().unwrap();
        let served = ServedIntents::open(directory.path()).unwrap();
        let fresh = fresh(&served).await;
        served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
        assert!(served.overdue(NOW.after(120)).await.unwrap().is_empty());
        assert_eq!(served.overdue(NOW.after(121)).await.unwrap().len(), 1);
        assert!(served.overdue(NOW.after(300)).await.unwrap().is_empty());
        let row = served.row(7).await.unwrap().unwrap();
        served.seen(row, NOW).await.unwrap();
        assert!(served.overdue(NOW.after(RETENTION + 1)).await.unwrap().is_empty());
        assert!(served.row(7).await.unwrap().is_none(), "dropped a day later");
    }

    #[tokio::test]
    async fn an_intent_is_served_by_one_task_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let served = ServedIntents::open(directory.path()).unwrap();
        let guard = served.enter(7).unwrap();
        assert!(served.enter(7).is_none());
        assert!(served.enter(8).is_some());
        drop(guard);
        assert!(served.enter(7).is_some());
    }
}
