//! The provider's side: checks a forward, asks the register, answers, and then verifies that the broker records the
//! outcome.
//!
//! | | | |
//! | --- | --- | --- |
//! | `POST /forward` | [`Forward`] → [`Reply`] | `400` malformed · `503` not ready, or intent in progress |
//! | `POST /outcome` | [`OutcomeNotice`] → `204` | `404` no answer known · `409` differs from the answer (alarm) |
//!
//! Every well-formed forward gets a signed reply, even when it is refused, so that the broker can record how the
//! exchange ended.

pub mod checks;
mod outcome;
mod release;
mod served;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use messages::{CheckName, Forward, OutcomeNotice, Reply, ReplyOutcome};
use record::receipt::Receipt;
use service::table::TableError;
use service::{Clock, Problem, Shutdown};

use crate::alarm;
use crate::common::Common;
use crate::config::{Config, ProviderConfig};
use crate::error::Error;
use crate::starting::Starting;
use checks::CheckFailed;
use ledger_client::CheckpointWatch;
use outcome::ClosedExchange;
use release::{AnswerError, Register};
use served::{NotServed, ServedBefore, ServedIntents};

pub use checks::Checked;

/// How often to search for overdue outcomes.
const POLL_INTERVAL: Duration = Duration::from_secs(10);
const CBOR: &str = service::http::CBOR;

/// The provider's connector.
#[derive(Debug)]
pub struct Provider {
    common: Common,
    register: Register,
    served: ServedIntents,
}

/// The provider's routes.
pub(crate) fn routes(provider: Starting<Arc<Provider>>) -> Router {
    Router::new()
        .route("/forward", post(forward))
        .route("/outcome", post(outcome_notice))
        .with_state(provider)
}

async fn forward(State(provider): State<Starting<Arc<Provider>>>, body: Bytes) -> Result<Response, Problem> {
    let forward: Forward = record::cbor::from_slice(&body)
        .map_err(|_| Problem::bad_request("malformed-forward", "the body is not a well-formed forward"))?;
    let provider = provider.started()?.clone();
    // Spawned, so that a broker that hangs up does not stop an answer halfway: an answer that was released must be
    // kept.
    let reply = tokio::spawn(async move { provider.forward(forward).await })
        .await
        .map_err(|_| Problem::internal())??;
    Ok(([(header::CONTENT_TYPE, CBOR)], record::cbor::to_vec(&reply)).into_response())
}

async fn outcome_notice(State(provider): State<Starting<Arc<Provider>>>, body: Bytes) -> Result<StatusCode, Problem> {
    let notice: OutcomeNotice = record::cbor::from_slice(&body)
        .map_err(|_| Problem::bad_request("malformed-notice", "the body is not a well-formed outcome notice"))?;
    provider.started()?.outcome(&notice).await
}

impl Provider {
    /// The watch over the checkpoints that this connector relies on.
    pub(crate) fn watch(&self) -> CheckpointWatch {
        self.common.watch.clone()
    }

    /// Opens keys and state, waits for the ledger, and starts searching for overdue outcomes.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(
        config: &Config,
        role: &ProviderConfig,
        shutdown: Shutdown,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, Error> {
        let common = Common::start(config, shutdown.clone(), clock).await?;
        let provider = Arc::new(Self {
            register: Register::new(role, &common.http)?,
            served: ServedIntents::open(&config.data).map_err(|error| Error::State(error.to_string()))?,
            common,
        });
        tokio::spawn(report_overdue(provider.clone(), shutdown));
        Ok(provider)
    }

    async fn forward(&self, forward: Forward) -> Result<Reply, Problem> {
        self.common.ready()?;
        let Ok(receipt) = Receipt::parse(&forward.intent_receipt) else {
            let failure = CheckFailed {
                check: CheckName::P1,
                why: "the receipt is malformed",
            };
            return self.refuse(&forward, 0, failure);
        };
        let index = receipt.index().get();
        let _under_way = self
            .served
            .enter(index)
            .ok_or_else(|| Problem::unavailable("under-way", 2, "the same intent is in progress"))?;
        let digest = served::digest(&forward, &receipt);
        let before = self
            .served
            .before(index, digest)
            .await
            .map_err(|error| state_failed(&error))?;
        let fresh = match before {
            Ok(ServedBefore::Same(reply)) => return Ok(*reply),
            Ok(ServedBefore::Never(fresh)) => Ok(fresh),
            Err(failure) => Err(failure),
        };
        self.serve(&forward, index, fresh).await
    }

    /// Runs the checks, asks the register only when all passed, and keeps the answer before it leaves.
    async fn serve(
        &self,
        forward: &Forward,
        index: u64,
        fresh: Result<NotServed, CheckFailed>,
    ) -> Result<Reply, Problem> {
        let now = self.common.now();
        let checked = checks::check(&self.common.context, &self.common.sealing, forward, now);
        let (checked, fresh) = match (checked, fresh) {
            (Ok(checked), Ok(fresh)) => (checked, fresh),
            // The refusal is kept as the intent's one answer if identity's signature binds the forward to the intent.
            (Err(failure), Ok(fresh)) if failure.belongs_to_intent() => {
                let reply = self.refuse(forward, index, failure)?;
                return self.keep(forward, fresh, reply, None).await;
            }
            (Err(failure), _) | (Ok(_), Err(failure)) => return self.refuse(forward, index, failure),
        };
        self.common.rely(&checked.checkpoints()).await?;
        let signing = &self.common.signing;
        let reply = release::release(&self.register, signing, forward, &checked, &fresh, now)
            .await
            .map_err(|error| unanswerable(&error))?;
        count_answer(reply.statement.outcome);
        self.keep(forward, fresh, reply, Some(&checked)).await
    }

    async fn keep(
        &self,
        forward: &Forward,
        fresh: NotServed,
        reply: Reply,
        checked: Option<&Checked>,
    ) -> Result<Reply, Problem> {
        let record = checked.map(|checked| checked.record().clone());
        let exchange = forward.metadata.exchange;
        self.served
            .keep(fresh, &reply, exchange, record, self.common.now())
            .await
            .map_err(|error| state_failed(&error))?;
        tracing::info!(%exchange, intent = reply.statement.intent, outcome = ?reply.statement.outcome, "answered");
        Ok(reply)
    }

    fn refuse(&self, forward: &Forward, index: u64, failure: CheckFailed) -> Result<Reply, Problem> {
        let exchange = forward.metadata.exchange;
        tracing::warn!(%exchange, intent = index, check = failure.check.as_str(), why = failure.why, "refused");
        metrics::counter!("connector_refusals_total", "check" => failure.check.as_str()).increment(1);
        let common = &self.common;
        release::refuse(&common.context, &common.signing, forward, index, failure, common.now())
            .map_err(|error| unanswerable(&error))
    }

    async fn outcome(&self, notice: &OutcomeNotice) -> Result<StatusCode, Problem> {
        let differs = |exchange, why: &'static str| {
            alarm::raise("outcome-differs", exchange, why);
            Problem::conflict("outcome-differs", why)
        };
        let closed = ClosedExchange::check(&self.common.context, notice).map_err(|why| differs(None, why))?;
        let record = closed.record();
        let exchange = Some(record.ids.exchange);
        let intent = closed.intent().index().get();
        let Some(row) = self.served.row(intent).await.map_err(|error| state_failed(&error))? else {
            let delivered = record
                .result
                .as_ref()
                .is_some_and(|result| result.outcome == record::Outcome::Delivered);
            if delivered && record.provider.id == self.common.context.me.party.id {
                return Err(differs(
                    exchange,
                    "the outcome says delivered, but nothing was delivered",
                ));
            }
            return Err(Problem::not_found("nothing was answered for this intent"));
        };
        if row.seen {
            return Ok(StatusCode::NO_CONTENT);
        }
        closed.check_answer(&row).map_err(|why| differs(exchange, why))?;
        self.common
            .rely(&[closed.intent().checkpoint(), closed.outcome().checkpoint()])
            .await?;
        self.served
            .seen(row, self.common.now())
            .await
            .map_err(|error| state_failed(&error))?;
        Ok(StatusCode::NO_CONTENT)
    }
}

async fn report_overdue(provider: Arc<Provider>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            () = shutdown.wait() => return,
        }
        match provider.served.overdue(provider.common.now()).await {
            Ok(rows) => {
                for row in rows {
                    alarm::raise(
                        "outcome-missing",
                        Some(row.exchange),
                        "no outcome within two minutes of the answer",
                    );
                }
            }
            Err(error) => alarm::raise("state", None, &error.to_string()),
        }
    }
}

fn state_failed(error: &TableError) -> Problem {
    alarm::raise("state", None, &error.to_string());
    Problem::unavailable("stopped", 60, "the connector's state cannot be read or written")
}

/// Reports an answer that cannot be sealed: the consumer's key is unusable, or the evidence cannot be encoded.
fn unanswerable(error: &AnswerError) -> Problem {
    tracing::error!(%error, "the answer cannot be sealed");
    Problem::unprocessable("unanswerable", "no answer can be sealed for this request")
}

fn count_answer(outcome: ReplyOutcome) {
    let outcome = match outcome {
        ReplyOutcome::Delivered => "delivered",
        ReplyOutcome::NothingFound => "nothing_found",
        ReplyOutcome::Refused => "refused",
        ReplyOutcome::Failed => "failed",
    };
    metrics::counter!("connector_answers_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests;
