//! What callers do with an asynchronous exchange: begin it, ask how it stands, collect its answer, withdraw it.

use messages::Deferred;
use service::Problem;
use store::TableError;
use uuid::Uuid;

use super::table::{BeginError, LaterRow, Stage};
use crate::consumer::accept::protocol_entry;
use crate::consumer::checks::later::{self as check, AcceptedDeferral};
use crate::consumer::idempotency::key::{KeyedRequest, key_reused};
use crate::consumer::query::{EvidenceResult, ResultState};
use crate::consumer::request::{PendingRequest, does_not_wait};
use crate::consumer::{Consumer, refuse, state_failed};
use crate::context::CheckContext;

/// A caller is asked to come back this many seconds after the time that the provider has named.
const COME_BACK_AFTER: u64 = 15;

impl Consumer {
    /// Records an asynchronous request that is about to be sent.
    pub(in crate::consumer) async fn begin_later(&self, pending: &PendingRequest) -> Result<(), Problem> {
        self.later.begin(pending).await.map_err(|error| match error {
            BeginError::Seal => Problem::internal(),
            BeginError::State(error) => state_failed(&error),
        })
    }

    /// Checks a deferral, and relies on it.
    pub(super) async fn prove_deferral(
        &self,
        request: &messages::ExchangeRequest,
        deferred: &Deferred,
    ) -> Result<AcceptedDeferral, Problem> {
        let check = |context: &CheckContext| check::check(context, request, deferred);
        let context = &self.common.context;
        let (_, accepted) = context.judge(context.known(), &deferred.intent_receipt, check).await;
        let accepted = accepted.map_err(|error| refuse(request.metadata.exchange, error.check, error.why))?;
        self.common.rely(&[accepted.checkpoint()]).await?;
        Ok(accepted)
    }

    /// Lets an exchange wait whose provider answers later. Its caller is here.
    pub(in crate::consumer) async fn defer(
        &self,
        pending: &PendingRequest,
        deferred: &Deferred,
    ) -> Result<EvidenceResult, Problem> {
        let exchange = pending.exchange();
        let accepted = self.prove_deferral(&pending.request, deferred).await?;
        if let Some(xnachweis) = &pending.xnachweis {
            let opened = accepted.open(&pending.answer_key, xnachweis);
            opened.map_err(|error| refuse(exchange, error.check, error.why))?;
        }
        let row = self.later.get(exchange).await.map_err(|error| state_failed(&error))?;
        let row = self.wait(exchange, row.ok_or_else(Problem::internal)?, &accepted).await;
        let row = row.map_err(|error| state_failed(&error))?;
        self.later_result(exchange, &row).ok_or_else(Problem::internal)
    }

    /// Writes that an exchange waits.
    pub(super) async fn wait(
        &self,
        exchange: Uuid,
        row: LaterRow,
        accepted: &AcceptedDeferral,
    ) -> Result<LaterRow, TableError> {
        let (intent, begun) = accepted.intent();
        let stage = Stage::Waiting {
            intent,
            begun,
            available: accepted.available,
        };
        let row = LaterRow { stage, ..row };
        self.later.put(exchange, &row).await?;
        tracing::info!(%exchange, intent, available = %accepted.available, "waits for its answer");
        Ok(row)
    }

    /// Answers a repeated request of an asynchronous exchange.
    pub(in crate::consumer) async fn collect(
        &self,
        exchange: Uuid,
        keyed: &KeyedRequest,
    ) -> Result<EvidenceResult, Problem> {
        let failed = |error: TableError| state_failed(&error);
        let row = self.later.get(exchange).await.map_err(failed)?;
        let row = row.ok_or_else(|| Problem::unavailable("under-way", 1, "the exchange is being ended"))?;
        if row.fingerprint != keyed.fingerprint {
            return Err(key_reused());
        }
        if matches!(
            row.stage,
            Stage::Waiting { .. } | Stage::Withdrawing { .. } | Stage::Withdrawn { .. }
        ) {
            return self.later_result(exchange, &row).ok_or_else(Problem::internal);
        }
        self.common.ready()?;
        let pending = self.later.pending(exchange, keyed).await.map_err(failed)?;
        let pending = pending.ok_or_else(Problem::internal)?;
        let Stage::Available {
            outcome, acknowledged, ..
        } = row.stage
        else {
            tracing::info!(%exchange, "continued for a repeated request");
            return self.close(&pending, None).await;
        };
        let completion = self.later.completion(exchange).await.map_err(failed)?;
        let completion = completion.ok_or_else(Problem::internal)?;
        let accepted = self.prove(&pending.request, &completion).await?;
        let entry = protocol_entry(&pending, &accepted, &completion.notice, self.common.now());
        self.common.log(entry).await?;
        let answer = self.answer(&pending, &accepted, &completion, None).await?;
        // Otherwise the sweep acknowledges it; the key has its answer already.
        if acknowledged || self.acknowledge(exchange, outcome).await {
            self.later.remove(exchange).await.map_err(failed)?;
        }
        tracing::info!(%exchange, outcome, "collected");
        answer
    }

    /// How an asynchronous exchange stands; `None` if there is none that its caller knows.
    pub(in crate::consumer) async fn later_state(&self, exchange: Uuid) -> Result<Option<EvidenceResult>, Problem> {
        let row = self.later.get(exchange).await.map_err(|error| state_failed(&error))?;
        Ok(row.and_then(|row| self.later_result(exchange, &row)))
    }

    /// Withdraws an asynchronous exchange.
    pub(in crate::consumer) async fn withdraw_later(&self, exchange: Uuid) -> Result<EvidenceResult, Problem> {
        let failed = |error: TableError| state_failed(&error);
        let known = async || {
            let row = self.later.get(exchange).await.map_err(failed)?;
            row.ok_or_else(does_not_wait)
        };
        let turn = self.answers.try_turn(known().await?.key);
        let _turn = turn.ok_or_else(|| Problem::unavailable("under-way", 1, "the exchange is in progress"))?;
        // It may have changed before the turn.
        let row = known().await?;
        let now = self.common.now();
        let stage = match row.stage {
            // Its caller does not know its number.
            Stage::Sent { .. } => return Err(does_not_wait()),
            Stage::Waiting { intent, .. } => Stage::Withdrawing { intent, at: now },
            // The sweep acknowledges it before.
            Stage::Available {
                acknowledged: false, ..
            } => {
                return Err(Problem::unavailable("under-way", 5, "the exchange is in progress"));
            }
            Stage::Available { intent, outcome, .. } => Stage::Withdrawn {
                intent,
                outcome: Some(outcome),
                at: now,
            },
            ended @ (Stage::Withdrawing { .. } | Stage::Withdrawn { .. }) => ended,
        };
        let row = LaterRow { stage, ..row };
        // Before anything else: what was withdrawn is not opened, whatever happens next.
        self.later.put(exchange, &row).await.map_err(failed)?;
        let row = match row.stage {
            Stage::Withdrawing { .. } => self.bring_withdrawal(exchange, row).await.map_err(failed)?.0,
            _ => {
                self.later.close_to_everyone(exchange).await.map_err(failed)?;
                row
            }
        };
        self.later_result(exchange, &row).ok_or_else(does_not_wait)
    }

    /// What the interface says of a row; `None` before the log has its intent.
    fn later_result(&self, exchange: Uuid, row: &LaterRow) -> Option<EvidenceResult> {
        let result = |outcome, intent| EvidenceResult::new(exchange, outcome, intent);
        Some(match row.stage {
            Stage::Sent { .. } => return None,
            Stage::Waiting { intent, available, .. } => EvidenceResult {
                available_at: Some(available.to_string()),
                ..result(ResultState::Pending, intent)
            }
            .retry_after(available.since(self.common.now()).saturating_add(COME_BACK_AFTER)),
            Stage::Available { intent, outcome, .. } => EvidenceResult {
                outcome_entry: Some(outcome),
                ..result(ResultState::Available, intent)
            },
            Stage::Withdrawing { intent, .. } => result(ResultState::Withdrawing, intent),
            Stage::Withdrawn { intent, outcome, .. } => EvidenceResult {
                outcome_entry: outcome,
                ..result(ResultState::Withdrawn, intent)
            },
        })
    }
}
