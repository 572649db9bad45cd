//! P9: an intent is served once. The intents that were served are recorded durably, by index.
//!
//! ```text
//! not served ──▶ answered (sealed bytes kept) ──▶ closed (the outcome was seen; an index and a digest are kept)
//! ```
//!
//! The same forward gets the same sealed bytes again, even after a restart of broker or connector, because the broker
//! may have lost them. Another forward for the same intent, or any forward after its outcome, is refused. Two forwards
//! are the same if they are equal except for the proof in the receipt: a restarted broker may have a newer proof of
//! the same entry.
//!
//! What is kept, and how long:
//!
//! | | Kept | Until |
//! | --- | --- | --- |
//! | sealed answer | its bytes | the outcome is seen, or [`ANSWER_RETENTION_SECONDS`] |
//! | answered | statement, the intent's record | the outcome is seen, or [`ANSWERED_RETENTION`] |
//! | closed | 100 bytes | [`CLOSED_RETENTION`], longer than a broker repeats the notice of an outcome |

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use messages::limits::{ANSWER_RETENTION_SECONDS, OUTCOME_WITHIN_SECONDS};
use messages::{AnswerStatement, CheckName, Forward, Reply, Signature};
use record::{ExchangeRecord, Timestamp};
use serde::{Deserialize, Serialize};
use service::clock::CheckedClock;
use service::table::TableError;
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
/// The most closed intents that one sweep removes.
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

/// What is known of an intent whose outcome arrives.
#[derive(Debug)]
pub(crate) enum Known {
    /// It was not answered.
    Never,
    /// It was answered, and this is its first outcome.
    Answered(Box<AnsweredIntent>),
    /// Its outcome was seen before.
    Closed,
}

/// The served intents.
#[derive(Debug, Clone)]
pub(crate) struct ServedIntents {
    answered: StateTable<AnsweredIntent>,
    closed: StateTable<ClosedIntent>,
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
    let same = Forward {
        intent_receipt: leaf.to_vec(),
        ..forward.clone()
    };
    messages::sha256_of(&[&index.to_be_bytes(), &record::cbor::to_vec(&same)])
}

impl ServedIntents {
    /// Opens the state file in `directory`.
    pub(crate) fn open(directory: &Path) -> Result<Self, TableError> {
        let file = state::open_file(directory)?;
        Ok(Self {
            answered: state::open_table(&file, "answered")?,
            closed: state::open_table(&file, "closed")?,
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
        Ok(match self.answered.get(index_key(intent)).await? {
            None => Ok(ServedBefore::Never(NotServed { intent, digest })),
            Some(row) if row.digest != digest => Err(another()),
            Some(AnsweredIntent { reply: Some(reply), .. }) => Ok(ServedBefore::Same(Box::new(reply))),
            Some(_) => Err(failed("the intent was answered days ago")),
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
        self.answered.put(index_key(fresh.intent), &row).await
    }

    /// What is known of an intent.
    pub(crate) async fn known(&self, intent: u64) -> Result<Known, TableError> {
        if self.closed.get(index_key(intent)).await?.is_some() {
            return Ok(Known::Closed);
        }
        let row = self.answered.get(index_key(intent)).await?;
        Ok(row.map_or(Known::Never, |row| Known::Answered(Box::new(row))))
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

    /// Returns the intents whose outcome is overdue, each only once, and removes what need not be kept any longer.
    /// While the clock is in doubt it does neither: a clock that is years ahead would accuse the broker, and forget
    /// what was served.
    pub(crate) async fn overdue(&self, clock: &CheckedClock) -> Result<Vec<AnsweredIntent>, TableError> {
        match clock.check() {
            Ok(now) => self.sweep(Timestamp(now)).await,
            Err(_) => Ok(Vec::new()),
        }
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
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use messages::AnswerResult;
    use record::SigningKey;
    use service::clock::ManualClock;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn reply() -> Reply {
        let key = SigningKey::from_seed([3; 32]);
        Reply::sign(&key, (Uuid::from_u128(1), 7), AnswerResult::NothingFound, vec![1, 2, 3])
    }

    async fn close(served: &ServedIntents, now: Timestamp) {
        let Known::Answered(row) = served.known(7).await.unwrap() else {
            panic!("not answered")
        };
        served.close(&row, now).await.unwrap();
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
        close(&served, NOW).await;
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
    async fn a_missing_outcome_is_reported_once_after_five_minutes() {
        let directory = tempfile::tempdir().unwrap();
        let served = ServedIntents::open(directory.path()).unwrap();
        let fresh = fresh(&served).await;
        served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
        let overdue = async |after| served.sweep(NOW.after(after)).await.unwrap().len();
        assert_eq!(overdue(OUTCOME_WITHIN_SECONDS).await, 0);
        assert_eq!(overdue(OUTCOME_WITHIN_SECONDS + 1).await, 1);
        assert_eq!(overdue(1000).await, 0);
    }

    #[tokio::test]
    async fn a_clock_that_jumped_accuses_no_broker_and_forgets_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let served = ServedIntents::open(directory.path()).unwrap();
        let fresh = fresh(&served).await;
        let manual = ManualClock::new(NOW.0);
        let clock = CheckedClock::unattended(manual.clone());
        served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
        for jump in [3600, 3 * 365 * 86_400] {
            manual.jump(jump);
            assert!(served.overdue(&clock).await.unwrap().is_empty(), "{jump}");
            assert!(matches!(served.known(7).await.unwrap(), Known::Answered(_)), "{jump}");
            manual.jump(-jump);
        }
        manual.advance(OUTCOME_WITHIN_SECONDS + 1);
        assert_eq!(served.overdue(&clock).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_closed_intent_is_kept_eight_days_in_less_than_a_hundred_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let served = ServedIntents::open(directory.path()).unwrap();
        let fresh = fresh(&served).await;
        served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
        close(&served, NOW).await;
        assert!(served.answered.all().await.unwrap().is_empty(), "the answer is dropped");
        served.sweep(NOW.after(CLOSED_RETENTION)).await.unwrap();
        assert!(matches!(served.known(7).await.unwrap(), Known::Closed));
        let row = served.closed.get(index_key(7)).await.unwrap().unwrap();
        assert!(16 + record::cbor::to_vec(&row).len() < 100);
        served.sweep(NOW.after(CLOSED_RETENTION + 1)).await.unwrap();
        assert!(matches!(served.known(7).await.unwrap(), Known::Never));
    }

    #[tokio::test]
    async fn an_answer_without_an_outcome_is_kept_two_days_and_its_statement_for_36() {
        let directory = tempfile::tempdir().unwrap();
        let served = ServedIntents::open(directory.path()).unwrap();
        let fresh = fresh(&served).await;
        served.keep(fresh, &reply(), Uuid::nil(), None, NOW).await.unwrap();
        served.sweep(NOW.after(ANSWER_RETENTION_SECONDS)).await.unwrap();
        assert!(served.before(7, Hash([1; 32])).await.unwrap().is_ok());
        served.sweep(NOW.after(ANSWER_RETENTION_SECONDS + 1)).await.unwrap();
        assert!(served.before(7, Hash([1; 32])).await.unwrap().is_err());
        served.sweep(NOW.after(ANSWERED_RETENTION)).await.unwrap();
        assert!(matches!(served.known(7).await.unwrap(), Known::Answered(_)));
        served.sweep(NOW.after(ANSWERED_RETENTION + 1)).await.unwrap();
        assert!(matches!(served.known(7).await.unwrap(), Known::Never));
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
