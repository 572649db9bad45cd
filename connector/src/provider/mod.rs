//! The provider's side: checks a forward, asks the register, answers, and then verifies that the broker records the
//! outcome.
//!
//! | | | |
//! | --- | --- | --- |
//! | `POST /forward` | [`Forward`] → [`Reply`], or `202` and [`Deferral`] | `400` · `403` not authentic · `503` |
//! | `POST /outcome` | [`OutcomeNotice`] → `204` | `404` no answer known · `409` differs from the answer (alarm) |
//!
//! Both need the broker's signature of the call ([`caller`]); every other caller gets `401` and causes nothing. A
//! connector that the broker cannot reach collects these calls ([`collector`]).
//!
//! A forward that belongs to its intent (P1, P2 and P3) gets a signed reply, even when it is refused or too late, so
//! that the broker can record how the exchange ended. The same forward gets the same reply again: the broker may have
//! lost it. If the register needs time and the exchange is not synchronous, the answer is a [`Deferral`] that names a
//! time. The broker sends the same forward again then, and the register is asked again. Of the statuses, `403`,
//! `starting`, `log-not-witnessed`, `directory-unconfirmed`, `log-broken`, `not-listed`, `stopped` and `busy` state
//! that the register was not asked for this call.

mod caller;
pub mod checks;
mod collecting;
pub(crate) mod collector;
mod entries;
pub(crate) mod interface;
mod logins;
mod outcome;
mod release;
mod served;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use messages::{AnswerResult, CheckName, Deferral, Forward, ForwardAnswer, OutcomeNotice, Reply, ReplyOutcome};
use record::Timestamp;
use service::clock::{CheckedClock, Clock};
use service::{Impairment, Problem, Shutdown};
use store::TableError;

use crate::alarm;
use crate::common::Common;
use crate::config::{Config, ProviderConfig};
use crate::context::CheckContext;
use crate::error::Error;
use crate::state;
use caller::Callers;
use checks::{Authentic, CheckFailed};
use collecting::Collecting;
use entries::{answered, closed_entry};
use logins::{LoginError, UsedLogins};
use outcome::{AnswerComparison, ClosedExchange};
use release::{AnswerError, Register};
use served::{Known, NotServed, ServedBefore, ServedIntents};

pub use checks::Checked;

/// How often to search for overdue outcomes.
const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// The provider's connector.
#[derive(Debug)]
pub struct Provider {
    common: Common,
    register: Register,
    served: ServedIntents,
    logins: UsedLogins,
    callers: Callers,
    collecting: Collecting,
}

impl Provider {
    /// The parts that both roles use.
    pub(crate) fn common(&self) -> &Common {
        &self.common
    }

    /// As both roles, and behind while a connector that collects its calls gets none from the broker.
    pub(crate) fn health(&self) -> Result<(), Impairment> {
        self.common.health()?;
        self.collecting.health()
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
        let common = Common::start(config, shutdown.clone(), clock.clone()).await?;
        let state = |error: TableError| Error::State(error.to_string());
        let store = state::open_store(&config.store, &config.data).map_err(state)?;
        state::end_when_taken_over(&store, shutdown.clone());
        let provider = Arc::new(Self {
            register: Register::new(role, &common.http)?,
            served: ServedIntents::open(&store).map_err(state)?,
            logins: UsedLogins::open(&store).map_err(state)?,
            callers: Callers::default(),
            collecting: Collecting::default(),
            common,
        });
        let clock = CheckedClock::unattended(clock);
        tokio::spawn(report_overdue(provider.clone(), clock, shutdown));
        Ok(provider)
    }

    async fn forward(&self, context: CheckContext, forward: Forward) -> Result<ForwardAnswer, Problem> {
        self.common.ready()?;
        let check = |context: &CheckContext| checks::authenticate(context, &self.common.keys.sealing(), &forward);
        let judged = self.common.context.judge(context, forward.last_receipt(), check).await;
        let (context, authentic) = judged;
        let authentic = authentic.map_err(|failure| not_authentic(&forward, failure))?;
        let index = authentic.index();
        let _under_way = self
            .served
            .enter(index)
            .ok_or_else(|| Problem::unavailable("under-way", 1, "the same intent is in progress"))?;
        let digest = served::digest(&forward, index, authentic.leaf());
        let before = self.served.before(index, digest).await;
        let fresh = match before.map_err(|error| state_failed(&error))? {
            Ok(ServedBefore::Same(reply)) => return Ok(ForwardAnswer::Reply(*reply)),
            Ok(ServedBefore::Never(fresh)) => Ok(fresh),
            Err(failure) => Err(failure),
        };
        // The broker takes no new answer from a component that is not listed, or with another key.
        self.common.listed(&context)?;
        match fresh {
            Ok(fresh) => self.serve(context, &forward, authentic, fresh).await,
            Err(failure) => {
                let result = AnswerResult::Refused(failure.check);
                let reply = self.refuse(&context, &forward, index, failure, result)?;
                Ok(ForwardAnswer::Reply(reply))
            }
        }
    }

    /// Runs the checks, asks the register only when all passed, and keeps the answer before it leaves. A forward whose
    /// answer was deferred is checked as of the time at which it passed first, and then whether it is still due.
    async fn serve(
        &self,
        context: CheckContext,
        forward: &Forward,
        authentic: Authentic,
        fresh: NotServed,
    ) -> Result<ForwardAnswer, Problem> {
        let now = self.common.now();
        let first = fresh.pending().map_or(now, |pending| pending.asked);
        let (index, untimely) = (authentic.index(), authentic.untimely(forward, first));
        let (context, checked) = self.check(context, forward, authentic, first).await;
        let checked = checked
            .map_err(|failure| (failure, untimely))
            .and_then(|checked| match fresh.pending() {
                None => Ok(checked),
                Some(_) => match checks::still_due(&context, forward, &checked, now) {
                    Ok(()) => Ok(checked),
                    Err(failure) => {
                        let late = (failure.check == CheckName::P8).then_some(AnswerResult::TimedOut);
                        Err((failure, late))
                    }
                },
            });
        let checked = match checked {
            Ok(checked) => checked,
            Err((failure, technical)) => {
                let result = technical.unwrap_or(AnswerResult::Refused(failure.check));
                let reply = self.refuse(&context, forward, index, failure, result)?;
                return self.keep(forward, fresh, reply, None).await.map(ForwardAnswer::Reply);
            }
        };
        self.common.rely(&checked.checkpoints()).await?;
        if fresh.pending().is_none() && !forward.metadata.synchronous {
            self.require_place().await?;
        }
        let login = match self.logins.use_once(checked.login(), index).await {
            Ok(login) => login,
            Err(LoginError::Used(failure)) => {
                let result = AnswerResult::Refused(failure.check);
                let reply = self.refuse(&context, forward, index, failure, result)?;
                let kept = self.keep(forward, fresh, reply, Some(&checked)).await;
                return kept.map(ForwardAnswer::Reply);
            }
            Err(LoginError::Full) => {
                alarm::raise(
                    "busy",
                    None,
                    "too many logins are kept: no exchange with a login is served",
                );
                return Err(Problem::unavailable("busy", 60, "too many logins at once"));
            }
            Err(LoginError::State(error)) => return Err(state_failed(&error)),
        };
        let tokens = (&fresh, &login);
        let answer = release::release(
            &self.register,
            &self.common.keys.signing(),
            forward,
            &checked,
            tokens,
            now,
        )
        .await
        .map_err(|error| unanswerable(&error))?;
        match answer {
            ForwardAnswer::Reply(reply) => {
                count_answer(reply.statement.outcome);
                let kept = self.keep(forward, fresh, reply, Some(&checked)).await;
                kept.map(ForwardAnswer::Reply)
            }
            ForwardAnswer::Deferral(deferral) => {
                let kept = self.defer(forward, fresh, deferral, &checked).await;
                kept.map(ForwardAnswer::Deferral)
            }
        }
    }

    /// Refuses a forward that may be deferred while too many are. The register has not been asked.
    async fn require_place(&self) -> Result<(), Problem> {
        let may_defer = self.served.may_defer().await.map_err(|error| state_failed(&error))?;
        if may_defer {
            return Ok(());
        }
        alarm::raise(
            "busy",
            None,
            "too many answers are deferred: no exchange that may wait is served",
        );
        Err(Problem::unavailable("busy", 60, "too many answers are deferred"))
    }

    /// Runs the checks, and once more from the first when they fail with a history that may be too old.
    async fn check(
        &self,
        context: CheckContext,
        forward: &Forward,
        authentic: Authentic,
        now: Timestamp,
    ) -> (CheckContext, Result<Checked, CheckFailed>) {
        let sealing = &self.common.keys.sealing();
        let intent = authentic.intent();
        let checked = checks::check(&context, sealing, forward, authentic, now);
        if checked.is_ok() {
            return (context, checked);
        }
        let Some(newer) = self.common.context.newer(&context, intent).await else {
            return (context, checked);
        };
        let checked = checks::authenticate(&newer, sealing, forward)
            .and_then(|authentic| checks::check(&newer, sealing, forward, authentic, now));
        (newer, checked)
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
        if let Some(checked) = checked
            && fresh.pending().is_none()
        {
            // Before the answer is kept, because a kept answer can leave at any time. A deferred one was logged then.
            self.common.log(answered(exchange, checked, self.common.now())).await?;
        }
        self.served
            .keep(fresh, &reply, exchange, record, self.common.now())
            .await
            .map_err(|error| state_failed(&error))?;
        tracing::info!(%exchange, intent = reply.statement.intent, outcome = ?reply.statement.outcome, "answered");
        Ok(reply)
    }

    /// Keeps that the answer is available later, before the deferral leaves.
    async fn defer(
        &self,
        forward: &Forward,
        fresh: NotServed,
        deferral: Deferral,
        checked: &Checked,
    ) -> Result<Deferral, Problem> {
        let (exchange, now) = (forward.metadata.exchange, self.common.now());
        if fresh.pending().is_none() {
            self.common.log(answered(exchange, checked, now)).await?;
            service::coarse::count("connector_answers_total", "outcome", "deferred");
        }
        let (intent, available) = (deferral.statement.intent, deferral.statement.available);
        let deferred = self.served.defer(fresh, exchange, (now, available)).await;
        deferred.map_err(|error| state_failed(&error))?;
        tracing::info!(%exchange, intent, %available, "deferred");
        Ok(deferral)
    }

    fn refuse(
        &self,
        context: &CheckContext,
        forward: &Forward,
        index: u64,
        failure: CheckFailed,
        result: AnswerResult,
    ) -> Result<Reply, Problem> {
        let exchange = forward.metadata.exchange;
        tracing::warn!(%exchange, intent = index, check = failure.check.as_str(), why = failure.why, "refused");
        service::coarse::count("connector_refusals_total", "check", failure.check.as_str());
        let common = &self.common;
        release::refuse(context, &common.keys.signing(), forward, index, result, common.now())
            .map_err(|error| unanswerable(&error))
    }

    async fn outcome(&self, context: CheckContext, notice: &OutcomeNotice) -> Result<StatusCode, Problem> {
        let differs = |exchange, why: &'static str| {
            alarm::raise("outcome-differs", exchange, why);
            Problem::conflict("outcome-differs", why)
        };
        let check = |context: &CheckContext| ClosedExchange::check(context, notice);
        let (context, closed) = self.common.context.judge(context, notice.last_receipt(), check).await;
        let closed = closed.map_err(|why| differs(None, why))?;
        let record = closed.record();
        let exchange = Some(record.ids.exchange);
        let intent = closed.intent().index().get();
        let known = self.served.known(intent).await.map_err(|error| state_failed(&error))?;
        let row = match known {
            Known::Closed => return Ok(StatusCode::NO_CONTENT),
            Known::Answered(row) => row,
            Known::Pending(row) => {
                closed.check_pending(&row).map_err(|why| differs(exchange, why))?;
                self.accept(&closed, notice).await?;
                let closed = self.served.close_pending(intent, &row, self.common.now()).await;
                closed.map_err(|error| state_failed(&error))?;
                return Ok(StatusCode::NO_CONTENT);
            }
            Known::Never => {
                let delivered = record
                    .result
                    .as_ref()
                    .is_some_and(|result| result.outcome == record::Outcome::Delivered);
                if delivered && record.provider.id == context.me {
                    return Err(differs(
                        exchange,
                        "the outcome says delivered, but nothing was delivered",
                    ));
                }
                return Err(Problem::not_found("nothing was answered for this intent"));
            }
        };
        match closed.check_answer(&row).map_err(|why| differs(exchange, why))? {
            AnswerComparison::Same => {}
            AnswerComparison::Lost => alarm::raise(
                "answer-lost",
                exchange,
                "the broker recorded that no answer arrived, but this connector answered",
            ),
        }
        self.accept(&closed, notice).await?;
        self.served
            .close(&row, self.common.now())
            .await
            .map_err(|error| state_failed(&error))?;
        Ok(StatusCode::NO_CONTENT)
    }

    /// Writes an outcome that was checked into the authority's protocol.
    async fn accept(&self, closed: &ClosedExchange, notice: &OutcomeNotice) -> Result<(), Problem> {
        self.common.rely(&closed.checkpoints()).await?;
        self.common.log(closed_entry(closed, notice, self.common.now())).await
    }
}

/// 403: the forward does not belong to its intent (P1, P2, P3). Nothing is signed or kept for it.
fn not_authentic(forward: &Forward, failure: CheckFailed) -> Problem {
    let exchange = forward.metadata.exchange;
    tracing::warn!(%exchange, check = failure.check.as_str(), why = failure.why, "not authentic");
    service::coarse::count("connector_refusals_total", "check", failure.check.as_str());
    Problem::forbidden("not-authentic", "")
}

/// Runs until shutdown. Each alarm is raised again until its cause is gone.
async fn report_overdue(provider: Arc<Provider>, clock: Arc<CheckedClock>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = clock.sleep(POLL_INTERVAL) => {}
            () = shutdown.wait() => return,
        }
        provider.common.destroy_expired(&clock);
        if let Err(error) = provider.logins.forget(&clock).await {
            alarm::raise("state", None, &error.to_string());
        }
        match provider.served.forget_pending(&clock).await {
            Ok(0) => {}
            Ok(_) => alarm::raise(
                "outcome-missing",
                None,
                "a deferred exchange has got no outcome within its time",
            ),
            Err(error) => alarm::raise("state", None, &error.to_string()),
        }
        match provider.served.overdue(&clock).await {
            Ok(rows) => {
                for row in rows {
                    alarm::raise(
                        "outcome-missing",
                        Some(row.exchange),
                        "no outcome within five minutes of the answer",
                    );
                }
            }
            Err(error) => alarm::raise("state", None, &error.to_string()),
        }
    }
}

fn state_failed(error: &TableError) -> Problem {
    alarm::raise("state", None, &error.to_string());
    Problem::unavailable("state", 10, "the connector's state cannot be read or written")
}

/// Reports an answer that cannot be sealed, because the consumer's key is unusable. The register was not asked.
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
        ReplyOutcome::TimedOut => "timed_out",
    };
    service::coarse::count("connector_answers_total", "outcome", outcome);
}

#[cfg(test)]
mod tests;
