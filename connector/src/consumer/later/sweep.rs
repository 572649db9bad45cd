//! What happens to asynchronous exchanges without a caller: the broker is asked for their completions, withdrawals are
//! brought to it, the authority is called, and what was not collected is destroyed.
//!
//! While the broker is not reached, a round ends after a few questions.

use std::sync::Arc;
use std::time::Duration;

use messages::{Completion, ExchangeAnswer, ExchangeRequest};
use record::Timestamp;
use service::clock::CheckedClock;
use service::http::CallError;
use service::{Clock as _, Problem, Shutdown};
use store::TableError;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::table::{ANSWER_RETENTION, LaterRow, Stage};
use crate::alarm;
use crate::consumer::accept::entry_of;
use crate::consumer::idempotency::key::closed_without_caller;
use crate::consumer::{Consumer, refuse};

/// How often to search for exchanges for which something is due.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// How many exchanges are asked for at the same time.
const CONCURRENT: usize = 8;
/// An exchange that the broker is working on is asked for again after this many seconds.
const UNDER_WAY_AFTER: u64 = 5;

/// Whether the other side was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    Yes,
    No,
}

impl Consumer {
    /// Looks after the asynchronous exchanges until `shutdown`. While the clock is in doubt, nothing ends.
    pub(in crate::consumer) async fn look_after_later(self: Arc<Self>, clock: Arc<CheckedClock>, shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = clock.sleep(POLL_INTERVAL) => {}
                () = shutdown.wait() => return,
            }
            if let Ok(now) = clock.check() {
                tokio::select! {
                    () = self.round(Timestamp(now)) => {}
                    () = shutdown.wait() => return,
                }
            }
        }
    }

    /// Does what is due.
    pub(super) async fn round(self: &Arc<Self>, now: Timestamp) {
        let mut running = JoinSet::new();
        for exchange in self.later.due(now) {
            if running.len() >= CONCURRENT && !matches!(running.join_next().await, Some(Ok(Reached::Yes))) {
                break;
            }
            let consumer = self.clone();
            running.spawn(async move {
                consumer.step(exchange, now).await.unwrap_or_else(|error| {
                    alarm::raise("state", Some(exchange), &error.to_string());
                    Reached::No
                })
            });
        }
        while running.join_next().await.is_some() {}
    }

    /// Does what is due for one exchange.
    async fn step(&self, exchange: Uuid, now: Timestamp) -> Result<Reached, TableError> {
        let Some(row) = self.later.get(exchange).await? else {
            return self.later.remove(exchange).await.map(|()| Reached::Yes);
        };
        // A caller has it otherwise.
        let Some(_turn) = self.answers.try_turn(row.key) else {
            return Ok(Reached::Yes);
        };
        let Some(row) = self.later.get(exchange).await? else {
            return Ok(Reached::Yes);
        };
        if row.is_lost(now) {
            return self.end(exchange, &row, "no answer has come").await;
        }
        match row.stage {
            Stage::Sent { .. } | Stage::Waiting { .. } => self.ask(exchange, row, now).await,
            Stage::Available { .. } => self.look_after_available(exchange, row, now).await,
            Stage::Withdrawing { .. } => Ok(self.bring_withdrawal(exchange, row).await?.1),
            Stage::Withdrawn { .. } => self.later.remove(exchange).await.map(|()| Reached::Yes),
        }
    }

    /// Asks the broker for the completion of an exchange.
    async fn ask(&self, exchange: Uuid, row: LaterRow, now: Timestamp) -> Result<Reached, TableError> {
        let Some(request) = self.later.request(exchange).await? else {
            // It was never sent.
            return self.later.remove(exchange).await.map(|()| Reached::Yes);
        };
        if !self.later.has_room() {
            tracing::error!(%exchange, "too many answers wait for their callers: no other one is taken from the broker");
            self.later.rest(exchange, &row, now);
            return Ok(Reached::Yes);
        }
        let error = match self.broker.exchange(record::cbor::to_vec(&request)).await {
            Ok(bytes) => return self.taken(exchange, row, &request, &bytes, now).await,
            Err(error) => error,
        };
        if error.retryable() {
            tracing::info!(%exchange, %error, "the broker has no answer yet");
            self.rest_after(exchange, &row, &error, now);
            return Ok(reached(&error));
        }
        let begun = error.problem().is_none_or(|problem| problem.slug != "deadline-passed");
        if matches!(row.stage, Stage::Sent { .. }) && !begun {
            return self.later.remove(exchange).await.map(|()| Reached::Yes);
        }
        self.end(exchange, &row, &error.to_string()).await
    }

    /// Takes what the broker has answered. What fails a check is asked for again, and the operator has the alarm.
    async fn taken(
        &self,
        exchange: Uuid,
        row: LaterRow,
        request: &ExchangeRequest,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Reached, TableError> {
        match ExchangeAnswer::parse(bytes) {
            Some(ExchangeAnswer::Completed(completion)) => {
                if self.take(exchange, &row, request, &completion).await?.is_err() {
                    self.later.rest(exchange, &row, now);
                }
            }
            Some(ExchangeAnswer::Deferred(deferred)) => {
                let Ok(accepted) = self.prove_deferral(request, &deferred).await else {
                    self.later.rest(exchange, &row, now);
                    return Ok(Reached::Yes);
                };
                let known = matches!(row.stage, Stage::Waiting { available, .. } if available == accepted.available);
                let row = if known {
                    row
                } else {
                    self.wait(exchange, row, &accepted).await?
                };
                self.later.rest(exchange, &row, now);
            }
            None => {
                refuse(exchange, "C1", "the completion is malformed");
                self.later.rest(exchange, &row, now);
            }
        }
        Ok(Reached::Yes)
    }

    /// Checks a completion and keeps it for its caller.
    async fn take(
        &self,
        exchange: Uuid,
        row: &LaterRow,
        request: &ExchangeRequest,
        completion: &Completion,
    ) -> Result<Result<(), Problem>, TableError> {
        let accepted = match self.prove(request, completion).await {
            Ok(accepted) => accepted,
            Err(problem) => return Ok(Err(problem)),
        };
        let entry = entry_of(exchange, None, &accepted, &completion.notice, self.common.now());
        if let Err(problem) = self.common.log(entry).await {
            return Ok(Err(problem));
        }
        if accepted.awaits_preview() {
            // Its person has no login any more: the decision is that none was made.
            let closed = (&accepted, completion.notice.intent_receipt.as_slice());
            if let Err(problem) = self.previews.keep(&self.common, request, closed, None).await {
                return Ok(Err(problem));
            }
            self.keep_answer(Some(&row.key()), exchange, &Err(closed_without_caller()))
                .await?;
        }
        let (intent, outcome) = accepted.indices();
        let bytes = record::cbor::to_vec(completion).len();
        self.later.keep(exchange, completion).await?;
        let row = LaterRow {
            stage: Stage::Available {
                intent,
                outcome,
                at: self.common.now(),
                bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
                acknowledged: false,
                called: self.callback.is_none(),
            },
            ..row.clone()
        };
        self.later.put(exchange, &row).await?;
        tracing::info!(%exchange, outcome, "closed; its answer waits for its caller");
        Ok(Ok(()))
    }

    /// Acknowledges an answer, calls the authority, and destroys what was not collected.
    async fn look_after_available(
        &self,
        exchange: Uuid,
        mut row: LaterRow,
        now: Timestamp,
    ) -> Result<Reached, TableError> {
        let Stage::Available {
            outcome,
            at,
            acknowledged,
            called,
            ..
        } = &mut row.stage
        else {
            return Ok(Reached::Yes);
        };
        if !*acknowledged && !self.acknowledge(exchange, *outcome).await {
            self.later.rest(exchange, &row, now);
            return Ok(Reached::No);
        }
        *acknowledged = true;
        if self.answers.has(&row.key, exchange) {
            // It was collected before the broker had the acknowledgement.
            return self.later.remove(exchange).await.map(|()| Reached::Yes);
        }
        if now.since(*at) > ANSWER_RETENTION {
            return self.end(exchange, &row, "no caller has collected the answer").await;
        }
        if !*called && let Some(callback) = &self.callback {
            *called =
                callback.available(&self.common.keys.signing(), exchange, now).await || callback.gives_up(*at, now);
        }
        let done = *called;
        self.later.put(exchange, &row).await?;
        if !done {
            self.later.rest(exchange, &row, now);
        }
        Ok(Reached::Yes)
    }

    /// Brings a withdrawal to the broker, when nothing can open an answer any more. Returns the row as it is then.
    pub(super) async fn bring_withdrawal(
        &self,
        exchange: Uuid,
        row: LaterRow,
    ) -> Result<(LaterRow, Reached), TableError> {
        let Stage::Withdrawing { intent, .. } = row.stage else {
            return Ok((row, Reached::Yes));
        };
        self.later.rest(exchange, &row, self.common.now());
        self.later.close_to_everyone(exchange).await?;
        let Some(request) = self.later.request(exchange).await? else {
            return Ok((row, Reached::Yes));
        };
        let outcome = match self.broker.withdraw(&self.common.keys.signing(), exchange).await {
            Ok(completion) => match self.close_withdrawn(&request, &completion).await {
                Ok(outcome) => Some(outcome),
                // The operator has the alarm; it is tried again.
                Err(_) => return Ok((row, Reached::Yes)),
            },
            Err(CallError::Refused(problem)) if !problem.retryable() => {
                tracing::warn!(%exchange, %problem, "the broker does not know the exchange that is withdrawn");
                None
            }
            Err(error) => {
                tracing::info!(%exchange, %error, "the broker does not take the withdrawal yet");
                self.rest_after(exchange, &row, &error, self.common.now());
                return Ok((row, reached(&error)));
            }
        };
        let at = self.common.now();
        let stage = Stage::Withdrawn { intent, outcome, at };
        let row = LaterRow { stage, ..row };
        self.later.put(exchange, &row).await?;
        tracing::info!(%exchange, ?outcome, "withdrawn");
        Ok((row, Reached::Yes))
    }

    /// Checks how a withdrawn exchange has ended. Its evidence, if there is some, is dropped. Returns the outcome's
    /// index.
    async fn close_withdrawn(&self, request: &ExchangeRequest, completion: &Completion) -> Result<u64, Problem> {
        let exchange = request.metadata.exchange;
        let accepted = self.prove(request, completion).await?;
        let entry = entry_of(exchange, None, &accepted, &completion.notice, self.common.now());
        self.common.log(entry).await?;
        let outcome = accepted.indices().1;
        if !self.acknowledge(exchange, outcome).await {
            return Err(Problem::unavailable(
                "broker-unavailable",
                5,
                "the broker is unavailable",
            ));
        }
        Ok(outcome)
    }

    /// Ends an exchange whose answer no one gets any more.
    async fn end(&self, exchange: Uuid, row: &LaterRow, why: &str) -> Result<Reached, TableError> {
        tracing::warn!(%exchange, why, "an asynchronous exchange ends without its caller");
        self.keep_answer(Some(&row.key()), exchange, &Err(closed_without_caller()))
            .await?;
        self.later.remove(exchange).await.map(|()| Reached::Yes)
    }

    fn rest_after(&self, exchange: Uuid, row: &LaterRow, error: &CallError, now: Timestamp) {
        if error.problem().is_some_and(|problem| problem.slug == "under-way") {
            self.later.rest_until(exchange, now.after(UNDER_WAY_AFTER));
        } else {
            self.later.rest(exchange, row, now);
        }
    }
}

fn reached(error: &CallError) -> Reached {
    match error {
        CallError::NotConnected(_) | CallError::Unreachable(_) => Reached::No,
        CallError::Refused(_) | CallError::Invalid(_) => Reached::Yes,
    }
}
