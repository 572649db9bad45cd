//! The mock's asynchronous exchanges, in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use record::Timestamp;
use service::Problem;
use tlog::Hash;
use uuid::Uuid;

use crate::consumer::idempotency::key::{KeyId, KeyedRequest, key_reused};
use crate::consumer::query::{EvidenceResult, ResultState};

/// An answer that is kept back.
pub(super) struct LaterAnswer {
    key: KeyId,
    fingerprint: Hash,
    /// Index of the intent.
    intent: u64,
    available: Timestamp,
    answer: Result<EvidenceResult, Problem>,
    /// Index of the outcome of a withdrawn exchange.
    withdrawn: Option<u64>,
}

impl LaterAnswer {
    pub(super) fn new(
        keyed: &KeyedRequest,
        intent: u64,
        available: Timestamp,
        answer: Result<EvidenceResult, Problem>,
    ) -> Self {
        Self {
            key: keyed.id,
            fingerprint: keyed.fingerprint,
            intent,
            available,
            answer,
            withdrawn: None,
        }
    }

    fn state(&self, exchange: Uuid, now: Timestamp) -> EvidenceResult {
        let result = |outcome| EvidenceResult::new(exchange, outcome, self.intent);
        if self.withdrawn.is_some() {
            return EvidenceResult {
                outcome_entry: self.withdrawn,
                ..result(ResultState::Withdrawn)
            };
        }
        if now >= self.available {
            return EvidenceResult {
                outcome_entry: self.answer.as_ref().ok().and_then(|answer| answer.outcome_entry),
                ..result(ResultState::Available)
            };
        }
        EvidenceResult {
            available_at: Some(self.available.to_string()),
            ..result(ResultState::Pending).retry_after(self.available.since(now))
        }
    }
}

/// What a repeated request gets.
pub(super) enum Collected {
    /// The exchange as it stands.
    State(EvidenceResult),
    /// The answer, which is the key's from now on.
    Answer(Result<EvidenceResult, Problem>),
}

/// The exchanges that wait or were withdrawn.
#[derive(Default)]
pub(super) struct LaterAnswers(Mutex<BTreeMap<Uuid, LaterAnswer>>);

impl LaterAnswers {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<Uuid, LaterAnswer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an answer back. The oldest of more than `most` makes room.
    pub(super) fn begin(&self, exchange: Uuid, later: LaterAnswer, most: usize, now: Timestamp) -> EvidenceResult {
        let state = later.state(exchange, now);
        let mut rows = self.rows();
        if rows.len() >= most {
            rows.pop_first();
        }
        rows.insert(exchange, later);
        state
    }

    /// Answers a repeated request; `None` if none with its key waits.
    pub(super) fn collect(&self, keyed: &KeyedRequest, now: Timestamp) -> Option<Result<Collected, Problem>> {
        let mut rows = self.rows();
        let (exchange, later) = rows.iter().find(|(_, later)| later.key == keyed.id)?;
        if later.fingerprint != keyed.fingerprint {
            return Some(Err(key_reused()));
        }
        let (exchange, state) = (*exchange, later.state(*exchange, now));
        if state.outcome != ResultState::Available {
            return Some(Ok(Collected::State(state)));
        }
        let later = rows.remove(&exchange)?;
        Some(Ok(Collected::Answer(later.answer)))
    }

    /// How an exchange stands.
    pub(super) fn state(&self, exchange: Uuid, now: Timestamp) -> Option<EvidenceResult> {
        self.rows().get(&exchange).map(|later| later.state(exchange, now))
    }

    /// Withdraws an exchange, with this index of its outcome.
    pub(super) fn withdraw(&self, exchange: Uuid, outcome: u64, now: Timestamp) -> Option<EvidenceResult> {
        let mut rows = self.rows();
        let later = rows.get_mut(&exchange)?;
        later.withdrawn.get_or_insert(outcome);
        Some(later.state(exchange, now))
    }
}
