//! The consequences of an answer for each entry, its caller, and the chain.

use std::time::Duration;

use record::{RefusalCode, WriterId};
use service::problem::Problem;

use super::chain::Item;
use super::engine::{Engine, Stop};
use super::job::AppendError;
use crate::api::{ApiError, AppendAnswer, WriterHead};
use crate::recorded::{Proved, ReceiptError};

/// The cause of a refusal, by the problem's slug, which the ledger's interface defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefusalCause {
    /// The ledger does not accept entries now. `definite` if it has certainly not appended the entry.
    Busy { definite: bool },
    /// The entry is not the next one of the chain.
    Chain,
    /// The entry's time is too old or in the future.
    Time,
    /// The label is in the log.
    LabelUsed,
    /// A fault of the entry that an earlier entry of the same request would have prevented, had it been recorded.
    Dependent,
    /// A fault of the entry itself.
    Fault,
}

impl RefusalCause {
    fn of(problem: &Problem) -> Self {
        let code = RefusalCode::from_slug(&problem.slug);
        // Refusals of one entry, although their status is one of a failed request: the entry is not in the log.
        if matches!(code, Some(RefusalCode::Clock | RefusalCode::Rebuilding)) {
            return Self::Busy { definite: true };
        }
        match problem.status {
            429 => return Self::Busy { definite: true },
            500.. => return Self::Busy { definite: false },
            _ => {}
        }
        match code {
            Some(RefusalCode::Chain | RefusalCode::SequenceUsed) => Self::Chain,
            Some(RefusalCode::ClockSkew) => Self::Time,
            Some(RefusalCode::LabelUsed) => Self::LabelUsed,
            // Example: the label's period has its `begin` in the same request, but that entry was refused for its
            // chain.
            Some(RefusalCode::Period | RefusalCode::Refers) => Self::Dependent,
            _ => Self::Fault,
        }
    }
}

/// The decision on an entry.
enum Verdict {
    /// It is in the log, as the chain's next entry.
    Confirmed(Proved),
    /// It is taken out of the chain, and its caller receives the result.
    Out(Result<Proved, AppendError>),
    /// It stays in the chain and is sent again.
    Again(RetryReason),
}

/// Why an entry is sent again.
enum RetryReason {
    Chained,
    Aged,
    Busy { definite: bool },
    Unsound(String),
}

/// Decides on one entry. `gap`: an entry before this one in the same request was not recorded as sent.
fn judge(
    item: &Item,
    answer: &AppendAnswer,
    proof: Option<Result<Proved, ReceiptError>>,
    me: &WriterId,
    last: Option<WriterHead>,
    gap: bool,
) -> Verdict {
    let unsound = |reason: String| Verdict::Again(RetryReason::Unsound(reason));
    match (answer, proof) {
        (AppendAnswer::Recorded { .. }, _) if gap => unsound("an entry is recorded after a refused one".into()),
        (AppendAnswer::Recorded { index, .. }, Some(Ok(proved))) => {
            if proved.entry.bytes() != item.signed.bytes() {
                unsound("a receipt for another entry".into())
            } else if proved.index.get() != *index {
                unsound("a receipt for another index than the answer's".into())
            } else if last.is_some_and(|last| proved.index <= last.index) {
                unsound("an index that is not after the last receipt's".into())
            } else {
                Verdict::Confirmed(proved)
            }
        }
        (AppendAnswer::Recorded { .. }, Some(Err(error))) => unsound(error.to_string()),
        (AppendAnswer::Recorded { .. }, None) => unsound("no receipt".into()),
        (AppendAnswer::Refused { problem, .. }, proof) => refused(item, problem, proof, me, gap),
    }
}

fn refused(
    item: &Item,
    problem: &Problem,
    proof: Option<Result<Proved, ReceiptError>>,
    me: &WriterId,
    gap: bool,
) -> Verdict {
    // The conflicting entry may be the same one: appended before a restart, or signed again while the old bytes were
    // recorded.
    if let Some(Ok(stored)) = proof {
        let (entry, ours) = (stored.entry.entry(), item.signed.entry());
        if entry.writer == *me && entry.body == ours.body {
            let in_place = (entry.sequence, entry.previous) == (ours.sequence, ours.previous);
            return if in_place {
                Verdict::Confirmed(stored)
            } else {
                Verdict::Out(Ok(stored))
            };
        }
    }
    match RefusalCause::of(problem) {
        RefusalCause::Busy { definite } => Verdict::Again(RetryReason::Busy { definite }),
        RefusalCause::Chain => Verdict::Again(RetryReason::Chained),
        RefusalCause::Dependent if gap => Verdict::Again(RetryReason::Chained),
        RefusalCause::Time if item.is_stale_intent() => Verdict::Out(Err(AppendError::GivenUp)),
        RefusalCause::Time => Verdict::Again(RetryReason::Aged),
        RefusalCause::LabelUsed => Verdict::Out(Err(AppendError::LabelUsed)),
        RefusalCause::Dependent | RefusalCause::Fault => {
            Verdict::Out(Err(AppendError::Refused(Box::new(problem.clone()))))
        }
    }
}

/// The result of one round of answers.
#[derive(Default)]
struct Round {
    kept: Vec<Item>,
    answered: Vec<(Item, Result<Proved, AppendError>)>,
    /// The pending entries must be signed again.
    gap: bool,
    progress: bool,
    /// The first answer that ends the round. Later answers are ignored.
    end: Option<RetryReason>,
}

impl Engine {
    /// Settles the answers to the first `count` pending entries. Returns the pause before the next request.
    pub(super) async fn settle(
        &mut self,
        count: usize,
        answers: Result<Vec<AppendAnswer>, ApiError>,
    ) -> Result<Option<Duration>, Stop> {
        match answers {
            Ok(answers) if answers.len() == count => self.settle_each(answers).await,
            Ok(answers) => {
                let error = ApiError::Invalid(format!("{} answers, not {count}", answers.len()));
                self.mark_uncertain(count);
                Ok(Some(self.unanswered(&error)))
            }
            Err(ApiError::Refused(problem)) => self.settle_whole(count, problem).await,
            Err(error) => {
                if !matches!(error, ApiError::NotConnected(_)) {
                    self.mark_uncertain(count);
                }
                Ok(Some(self.unanswered(&error)))
            }
        }
    }

    /// Settles a refusal of the request as a whole.
    async fn settle_whole(&mut self, count: usize, problem: Box<Problem>) -> Result<Option<Duration>, Stop> {
        if let RefusalCause::Busy { definite } = RefusalCause::of(&problem) {
            if !definite {
                self.mark_uncertain(count);
            }
            let asked = Duration::from_secs(u64::from(problem.retry_after.unwrap_or(0)));
            return Ok(Some(self.unanswered(&ApiError::Refused(problem)).max(asked)));
        }
        if count > 1 {
            // The request is too large, or one entry causes the refusal of all: smaller requests find it.
            self.limit = count / 2;
            return Ok(None);
        }
        let receipt = None;
        self.settle_each(vec![AppendAnswer::Refused { problem, receipt }]).await
    }

    async fn settle_each(&mut self, answers: Vec<AppendAnswer>) -> Result<Option<Duration>, Stop> {
        let proofs = self.prove_all(&answers).await?;
        let items: Vec<Item> = self.chain.pending.drain(..answers.len()).collect();
        let mut round = Round::default();
        for ((item, answer), proof) in items.into_iter().zip(&answers).zip(proofs) {
            if round.end.is_some() {
                round.kept.push(item);
                continue;
            }
            let verdict = judge(&item, answer, proof, &self.state.id, self.chain.confirmed, round.gap);
            self.apply(&mut round, item, verdict);
        }
        self.finish(round).await
    }

    fn apply(&mut self, round: &mut Round, mut item: Item, verdict: Verdict) {
        match verdict {
            Verdict::Confirmed(proved) => {
                round.gap |= proved.entry.bytes() != item.signed.bytes();
                round.progress = true;
                self.dirty = true;
                self.chain.confirmed = Some(WriterHead {
                    sequence: proved.entry.entry().sequence,
                    leaf_hash: proved.entry.leaf_hash(),
                    index: proved.index,
                });
                round.answered.push((item, Ok(proved)));
            }
            Verdict::Out(answer) => {
                (round.gap, round.progress) = (true, true);
                round.answered.push((item, answer));
            }
            Verdict::Again(RetryReason::Aged) => {
                round.gap = true;
                item.time = None;
                round.kept.push(item);
            }
            Verdict::Again(RetryReason::Chained) if round.gap => round.kept.push(item),
            Verdict::Again(why) => {
                item.uncertain |= matches!(why, RetryReason::Unsound(_) | RetryReason::Busy { definite: false });
                round.kept.push(item);
                round.end = Some(why);
            }
        }
    }

    /// Updates chain and journal, answers the callers, and returns the pause before the next request.
    async fn finish(&mut self, round: Round) -> Result<Option<Duration>, Stop> {
        for item in round.kept.into_iter().rev() {
            self.chain.pending.push_front(item);
        }
        if round.gap {
            let now = self.now();
            self.chain.rechain(0, now)?;
            // An entry that was taken out must be out of the journal before its caller receives the result, and an
            // entry that was signed again must be in the journal before it is sent.
            self.commit().await?;
        }
        for (item, answer) in round.answered {
            match item.caller {
                Some(caller) => caller.answer(answer),
                None => note_restored(&answer),
            }
        }
        if round.progress {
            self.progress();
        }
        match round.end {
            None if round.progress => Ok(None),
            None => Ok(Some(self.back_off())),
            Some(RetryReason::Chained) => self.reconcile().await.map(Some),
            Some(RetryReason::Unsound(reason)) => self.strike(reason).map(Some),
            Some(RetryReason::Busy { .. } | RetryReason::Aged) => Ok(Some(self.back_off())),
        }
    }

    fn mark_uncertain(&mut self, count: usize) {
        for item in self.chain.pending.iter_mut().take(count) {
            item.uncertain = true;
        }
    }
}

/// Logs the result of an entry from the journal, which has no caller.
fn note_restored(answer: &Result<Proved, AppendError>) {
    match answer {
        Ok(proved) => tracing::info!(index = %proved.index, "an entry from before the restart is recorded"),
        Err(error) => tracing::warn!(%error, "an entry from before the restart is not recorded"),
    }
}
