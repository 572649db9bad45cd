//! P9: an intent is served once. Durable, by the intent's index.
//!
//! ```text
//! never ──▶ answered (sealed bytes kept) ──▶ outcome seen (bytes dropped, digest kept a day)
//! ```
//!
//! The same forward again, also after a restart of either side, gets the same sealed bytes: the broker may have lost them.
//! Another forward for the same intent, or one after its outcome, is refused. "The same" is everything but the receipt, of
//! which a restarted broker may have got a newer one for the same entry.
//!
//! Rows of seen outcomes are dropped after a day: P1 has refused their intents for their age long before.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use messages::{AnswerStatement, CheckName, Forward, Reply, Signature};
use record::receipt::Receipt;
use record::{ExchangeRecord, Timestamp};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use uuid::Uuid;

use super::checks::CheckFailed;
use crate::store::{Store, StoreError, index_key};

/// An outcome must turn up this many seconds after the answer.
const OUTCOME_WITHIN: u64 = 120;
/// Rows are kept this long after their outcome was seen.
const RETENTION: u64 = 86_400;

/// What is kept of a served intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServedIntent {
    /// Index of the intent.
    pub(crate) intent: u64,
    /// [`digest`] of the forward.
    #[serde(with = "record::bytes")]
    digest: Hash,
    /// The answer, until its outcome is seen.
    reply: Option<Reply>,
    /// What was signed.
    pub(crate) statement: AnswerStatement,
    /// The signature.
    pub(crate) signature: Signature,
    /// The exchange.
    pub(crate) exchange: Uuid,
    /// The intent's record, if the checks got that far: the outcome's must say the same.
    pub(crate) record: Option<ExchangeRecord>,
    /// When it was answered.
    since: Timestamp,
    /// Whether the outcome was seen.
    pub(crate) seen: bool,
    /// Whether its lack was reported.
    alarmed: bool,
}

/// The intent has not been served: only [`ServedIntents::before`] makes one.
#[derive(Debug)]
pub(crate) struct NotServed {
    intent: u64,
    digest: Hash,
}

/// What P9 finds.
#[derive(Debug)]
pub(crate) enum ServedBefore {
    /// Nothing.
    Never(NotServed),
    /// The same forward, with its answer.
    Same(Box<Reply>),
}

/// The served intents.
#[derive(Debug, Clone)]
pub(crate) struct ServedIntents {
    store: Store<ServedIntent>,
    in_progress: Arc<Mutex<HashSet<u64>>>,
}

/// An intent that is being served by this task; left on drop.
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

/// What makes a forward the same: all of it but the receipt's proof.
pub(crate) fn digest(forward: &Forward, receipt: &Receipt) -> Hash {
    let same = Forward {
        intent_receipt: receipt.entry().bytes().to_vec(),
        ..forward.clone()
    };
    messages::sha256_of(&[&receipt.index().get().to_be_bytes(), &record::cbor::to_vec(&same)])
}

impl ServedIntents {
    /// Opens the store in `directory`.
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            store: Store::open(directory, "served")?,
            in_progress: Arc::default(),
        })
    }

    /// Marks an intent as being served; `None` if another task serves it.
    pub(crate) fn enter(&self, intent: u64) -> Option<InProgress> {
        let mut set = self.in_progress.lock().unwrap_or_else(PoisonError::into_inner);
        set.insert(intent).then(|| InProgress {
            served: self.clone(),
            intent,
        })
    }

    /// P9: whether the intent has been served before, and how. To be called with the intent [entered](ServedIntents::enter).
    pub(crate) async fn before(
        &self,
        intent: u64,
        digest: Hash,
    ) -> Result<Result<ServedBefore, CheckFailed>, StoreError> {
        Ok(p9_not_served(self.store.get(index_key(intent)).await?, intent, digest))
    }

    /// Keeps the answer. Durable when it returns: only then may the answer leave.
    pub(crate) async fn keep(
        &self,
        fresh: NotServed,
        reply: &Reply,
        exchange: Uuid,
        record: Option<ExchangeRecord>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
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
        self.store.put(index_key(fresh.intent), &row).await
    }

    /// The row of an intent.
    pub(crate) async fn row(&self, intent: u64) -> Result<Option<ServedIntent>, StoreError> {
        self.store.get(index_key(intent)).await
    }

    /// The outcome was seen: the sealed bytes are not needed any more.
    pub(crate) async fn seen(&self, mut row: ServedIntent, now: Timestamp) -> Result<(), StoreError> {
        row.reply = None;
        row.seen = true;
        row.since = now;
        self.store.put(index_key(row.intent), &row).await
    }

    /// Rows whose outcome is overdue, each reported once; drops rows seen long ago.
    pub(crate) async fn overdue(&self, now: Timestamp) -> Result<Vec<ServedIntent>, StoreError> {
        let mut overdue = Vec::new();
        for (key, mut row) in self.store.all().await? {
            let age = now.since(row.since);
            if row.seen && age > RETENTION {
                self.store.remove(key).await?;
            } else if !row.seen && !row.alarmed && age > OUTCOME_WITHIN {
                row.alarmed = true;
                self.store.put(key, &row).await?;
                overdue.push(row);
            }
        }
        Ok(overdue)
    }
}

/// The decision of P9.
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
    async fn p9_the_same_forward_gets_the_same_bytes_also_after_a_restart() {
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
    async fn a_missing_outcome_is_reported_once_and_after_two_minutes() {
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
    async fn one_task_at_a_time_serves_an_intent() {
        let directory = tempfile::tempdir().unwrap();
        let served = ServedIntents::open(directory.path()).unwrap();
        let guard = served.enter(7).unwrap();
        assert!(served.enter(7).is_none());
        assert!(served.enter(8).is_some());
        drop(guard);
        assert!(served.enter(7).is_some());
    }
}
