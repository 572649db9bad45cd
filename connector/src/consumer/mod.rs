//! The consumer's side: requests evidence, and hands it to its authority only when every check has passed.
//!
//! The interface to the authority's systems is in [`interface`].
//!
//! After a lost answer the connector sends the same request again, and the broker answers it with the same completion.
//! An exchange that has no completion at its deadline stays in the journal, and [`unresolved`] closes it later. One
//! that may wait for days is in a table of its own ([`later`]).

mod accept;
mod broker;
mod callback;
pub mod checks;
pub(crate) mod idempotency;
pub(crate) mod interface;
mod journal;
mod later;
pub mod login;
mod preview;
mod problem_details;
pub mod query;
pub mod reading;
mod repeated;
pub(crate) mod representative;
pub mod request;
mod trace;
mod unresolved;

use std::sync::Arc;
use std::time::Duration;

use messages::ExchangeAnswer;
use messages::limits::MAX_EXCHANGE_REQUEST;
use record::{PreviewDecision, Timestamp};
use service::clock::CheckedClock;
use service::http::CallError;
use service::{Backoff, Clock, Problem, Shutdown};
use store::TableError;
use uuid::Uuid;

use crate::alarm;
use crate::common::Common;
use crate::config::{Config, ConsumerConfig};
use crate::error::Error;
use crate::state;
use broker::BrokerClient;
use callback::Callback;
use idempotency::key::{KeyedRequest, closed_without_caller};
use idempotency::{ExchangeKey, KeptAnswers};
use interface::EvidenceService;
use journal::Journal;
use later::table::LaterTable;
use login::Login;
use preview::{Previews, Viewer};
use query::{EvidenceQuery, EvidenceResult, PreviewShown};
use representative::require_power;
use request::PendingRequest;
use unresolved::Unresolved;

pub use checks::Accepted;

/// The delays between two attempts to reach the broker.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(500);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(4);
/// How long to keep retrying while the broker is unavailable.
const RETRY_FOR: Duration = Duration::from_secs(5);
/// Seconds that the broker may take beyond the deadline, to record the outcome.
const OUTCOME_GRACE: u64 = 15;
/// The problem of an exchange that the broker has not begun and begins no more, because its deadline has passed.
const NOT_BEGUN: &str = "not-begun";
/// How often to search for previews for which something is due.
const PREVIEW_POLL_INTERVAL: Duration = Duration::from_secs(2);

/// The consumer's connector.
#[derive(Debug)]
pub struct Consumer {
    common: Common,
    broker: BrokerClient,
    journal: Journal,
    previews: Previews,
    answers: KeptAnswers,
    later: LaterTable,
    callback: Option<Callback>,
    deadline_seconds: u64,
    unresolved: Unresolved,
}

impl EvidenceService for Consumer {
    async fn evidence(
        &self,
        query: &EvidenceQuery,
        traceparent: Option<&str>,
        keyed: Option<&KeyedRequest>,
    ) -> Result<EvidenceResult, Problem> {
        let trace = trace::trace_id(traceparent).map_err(|_| Problem::internal())?;
        match keyed {
            Some(keyed) => self.once(query, trace, keyed).await,
            None => self.request(query, trace, None).await,
        }
    }

    async fn state(&self, exchange: Uuid) -> Result<EvidenceResult, Problem> {
        match self.later_state(exchange).await? {
            Some(state) => Ok(state),
            None => self.previews.state(exchange).await,
        }
    }

    async fn withdraw(&self, exchange: Uuid) -> Result<EvidenceResult, Problem> {
        self.withdraw_later(exchange).await
    }

    async fn show(&self, exchange: Uuid, login: &Login) -> Result<PreviewShown, Problem> {
        self.previews.show(&self.common, exchange, login).await
    }

    async fn decide(
        &self,
        exchange: Uuid,
        login: &Login,
        decision: PreviewDecision,
    ) -> Result<EvidenceResult, Problem> {
        self.common.ready()?;
        self.previews.decide(&self.common, exchange, login, decision).await
    }
}

impl Consumer {
    /// The parts that both roles use.
    pub(crate) fn common(&self) -> &Common {
        &self.common
    }

    /// Opens keys and state, waits for the ledger, and resumes exchanges that an earlier run left open.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(
        config: &Config,
        role: &ConsumerConfig,
        shutdown: Shutdown,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, Error> {
        let common = Common::start(config, shutdown.clone(), clock.clone()).await?;
        let (unresolved, waiting) = unresolved::unresolved();
        let state = |error: TableError| Error::State(error.to_string());
        let store = state::open_store(&config.store, &config.data).map_err(state)?;
        state::end_when_taken_over(&store, shutdown.clone());
        let limit = Duration::from_secs(role.deadline_seconds + OUTCOME_GRACE);
        let broker = BrokerClient::new(&role.broker, &common.broker_client()?, limit);
        let consumer = Arc::new(Self {
            journal: Journal::open(&store).map_err(state)?,
            previews: Previews::open(&store, broker.clone(), role.preview_seconds).map_err(state)?,
            answers: KeptAnswers::open(&store).await.map_err(state)?,
            later: LaterTable::open(&store).await.map_err(state)?,
            callback: role.callback.as_deref().map(|url| Callback::new(url, &common.http)),
            broker,
            deadline_seconds: role.deadline_seconds,
            unresolved,
            common,
        });
        consumer.previews.restore().await.map_err(state)?;
        let clock = CheckedClock::unattended(clock);
        tokio::spawn(sweep(consumer.clone(), clock.clone(), shutdown.clone()));
        tokio::spawn(consumer.clone().look_after_later(clock, shutdown.clone()));
        let left_open = consumer.journal.pending().await.map_err(state)?;
        for pending in left_open {
            consumer.unresolved.add(pending);
        }
        let resolver = consumer.clone();
        let settle = move |pending: PendingRequest| {
            let consumer = resolver.clone();
            async move { (!consumer.settle(&pending).await).then_some(pending) }
        };
        tokio::spawn(unresolved::resolve(waiting, shutdown, settle));
        Ok(consumer)
    }

    /// Begins an exchange and takes it to its answer.
    async fn request(
        &self,
        query: &EvidenceQuery,
        trace: String,
        keyed: Option<&KeyedRequest>,
    ) -> Result<EvidenceResult, Problem> {
        self.common.ready()?;
        self.unresolved.has_room()?;
        let context = self.common.confirmed()?;
        self.common.listed(&context)?;
        let now = self.common.now();
        let deadline = now.after(self.deadline_seconds);
        let mut pending = request::build(&context, &self.common.keys.signing(), query, trace, now, deadline)?;
        pending.key = keyed.map(|keyed| key_of(keyed, &pending)).transpose()?;
        let needs_preview = request::needs_preview(&context, &pending.request.metadata, now);
        require_power(query, now)?;
        if query.asynchronous {
            if needs_preview {
                return Err(request::no_asynchronous_preview());
            }
            let _place = self.later.reserve()?;
            self.begin_later(&pending).await?;
            return self.close(&pending, None).await;
        }
        if needs_preview {
            request::require_login(query, now)?;
        }
        let viewer = needs_preview.then(|| self.previews.viewer(query.login.clone()));
        let viewer = viewer.transpose()?;
        let kept = self.journal.keep(&pending).await;
        kept.map_err(|error| state_failed(&error))?;
        self.close(&pending, viewer).await
    }

    /// Takes an exchange that is in the journal to its answer, or lets it wait.
    async fn close(&self, pending: &PendingRequest, viewer: Option<Viewer>) -> Result<EvidenceResult, Problem> {
        let exchange = pending.exchange();
        let completion = match self.complete(pending).await {
            Ok(ExchangeAnswer::Completed(completion)) => completion,
            Ok(ExchangeAnswer::Deferred(deferred)) => return self.defer(pending, &deferred).await,
            Err(problem) => {
                if problem.retryable() && problem.slug != NOT_BEGUN {
                    self.ask_again(pending);
                }
                return Err(problem);
            }
        };
        let answer = self.accept(pending, &completion, viewer).await?;
        tracing::info!(%exchange, outcome = ?answer.outcome, intent = answer.intent, "closed");
        Ok(answer)
    }

    /// Sends the request and returns the broker's answer. Retries after a lost answer, or while the broker is
    /// still working on the exchange, until the deadline; the broker recognises the exchange by its id. While the
    /// broker is unavailable, it retries for [`RETRY_FOR`] only, because a user is waiting for a page.
    async fn complete(&self, pending: &PendingRequest) -> Result<ExchangeAnswer, Problem> {
        let exchange = pending.request.metadata.exchange;
        let body = record::cbor::to_vec(&pending.request);
        if body.len() > MAX_EXCHANGE_REQUEST {
            return Err(Problem::bad_request("question", "the request is too large"));
        }
        let since = tokio::time::Instant::now();
        let mut backoff = Backoff::new(FIRST_RETRY_DELAY, MAX_RETRY_DELAY);
        loop {
            let error = match self.broker.exchange(body.clone()).await {
                Ok(bytes) => {
                    let answer = ExchangeAnswer::parse(&bytes);
                    return answer.ok_or_else(|| refuse(exchange, "C1", "the completion is malformed"));
                }
                Err(error) => error,
            };
            if !error.retryable() {
                return Err(self.refused_by_broker(pending, &error).await);
            }
            let under_way = error.problem().is_some_and(|problem| problem.slug == "under-way");
            let late = self.common.now() > pending.request.metadata.deadline;
            if late && under_way {
                return Err(Problem::timeout("the provider did not answer in time"));
            }
            if let Some(problem) = error.problem().filter(|problem| problem.slug == "provider-unavailable") {
                // The broker has begun nothing. A person who waits learns it at once.
                return Err(problem.clone());
            }
            let cannot = error.problem().is_some() && !under_way;
            if late || cannot && since.elapsed() > RETRY_FOR {
                tracing::warn!(%exchange, %error, "the broker is unavailable");
                return Err(Problem::unavailable(
                    "broker-unavailable",
                    5,
                    "the broker is unavailable",
                ));
            }
            tokio::time::sleep(backoff.failed()).await;
        }
    }

    /// The broker has begun nothing, and will not. A refusal for good is the answer of the request's key; after any
    /// other one the key may begin another exchange.
    async fn refused_by_broker(&self, pending: &PendingRequest, error: &CallError) -> Problem {
        let problem = self.refusal(pending, error);
        let kept = if problem.retryable() {
            Ok(())
        } else {
            let answer = Err(problem.clone());
            self.keep_answer(pending.key.as_ref(), pending.exchange(), &answer)
                .await
        };
        let forgotten = match kept {
            Ok(()) => self.forget(pending).await,
            Err(error) => Err(error),
        };
        forgotten.map_or_else(|error| state_failed(&error), |()| problem)
    }

    fn refusal(&self, pending: &PendingRequest, error: &CallError) -> Problem {
        let exchange = pending.request.metadata.exchange;
        let late = self.common.now() > pending.request.metadata.deadline;
        match error.problem() {
            Some(problem) if problem.slug == "deadline-passed" && late => {
                Problem::unavailable(NOT_BEGUN, 1, "the deadline has passed, and nothing was begun")
            }
            Some(problem) if problem.status == 403 => {
                tracing::info!(%exchange, "not permitted");
                Problem::forbidden("not-permitted", "")
            }
            Some(problem) if ["clock", "deadline-passed"].contains(&problem.slug.as_str()) => {
                alarm::raise("clock", Some(exchange), &error.to_string());
                Problem::unavailable("clock", 60, "the clocks of this connector and of the broker differ")
            }
            _ => refuse(exchange, "broker", &error.to_string()),
        }
    }

    /// Asks once for the completion of an unresolved exchange, checks and acknowledges it. Returns whether the exchange
    /// need not be asked for again. It asks only after the deadline, when the broker begins nothing for this request
    /// any more: no evidence is read for a caller who has stopped waiting.
    async fn settle(&self, pending: &PendingRequest) -> bool {
        if self.common.now() <= pending.request.metadata.deadline {
            return false;
        }
        let exchange = pending.request.metadata.exchange;
        let turn = pending.key.as_ref().map(|key| self.answers.try_turn(key.kept.id));
        if matches!(turn, Some(None)) {
            // A repeated request continues the exchange.
            return false;
        }
        if matches!(self.journal.get(exchange).await, Ok(None)) {
            return true;
        }
        let answer = self.broker.exchange(record::cbor::to_vec(&pending.request)).await;
        let old = self.common.now() > pending.request.metadata.deadline.after(unresolved::RETENTION);
        match answer {
            Ok(bytes) => {
                let done = match ExchangeAnswer::parse(&bytes) {
                    Some(ExchangeAnswer::Completed(completion)) => {
                        self.accept(pending, &completion, None).await.map(drop)
                    }
                    Some(ExchangeAnswer::Deferred(_)) | None => {
                        Err(refuse(exchange, "C1", "the completion is malformed"))
                    }
                };
                tracing::info!(%exchange, outcome = ?done.err().map(|problem| problem.slug), "closed late; its evidence was dropped");
                true
            }
            Err(error) if error.retryable() && !old => false,
            Err(error) => {
                tracing::warn!(%exchange, %error, "the broker has no completion of this exchange");
                let begun = error.problem().is_none_or(|problem| problem.slug != "deadline-passed");
                let kept = if begun {
                    let answer = Err(closed_without_caller());
                    self.keep_answer(pending.key.as_ref(), exchange, &answer).await
                } else {
                    Ok(())
                };
                let forgotten = match kept {
                    Ok(()) => self.journal.forget(exchange).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = forgotten {
                    alarm::raise("state", Some(exchange), &error.to_string());
                }
                true
            }
        }
    }
}

/// The idempotency key of a new exchange.
fn key_of(keyed: &KeyedRequest, pending: &PendingRequest) -> Result<ExchangeKey, Problem> {
    let message = pending.xnachweis.as_ref().and_then(|message| message.to_xml().ok());
    let message = zeroize::Zeroizing::new(message.ok_or_else(Problem::internal)?);
    ExchangeKey::new(keyed, pending.request.metadata.exchange, &message).ok_or_else(Problem::internal)
}

/// Looks after the previews and the idempotency keys until `shutdown`. While the clock is in doubt, nothing ends.
async fn sweep(consumer: Arc<Consumer>, clock: Arc<CheckedClock>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = clock.sleep(PREVIEW_POLL_INTERVAL) => {}
            () = shutdown.wait() => return,
        }
        consumer.common.destroy_expired(&clock);
        if let Ok(now) = clock.check() {
            consumer.previews.sweep(&consumer.common, Timestamp(now)).await;
            if let Err(error) = consumer.answers.sweep(Timestamp(now)).await {
                alarm::raise("state", None, &error.to_string());
            }
        }
    }
}

/// Returns the uniform refusal and raises the alarm that tells the operator the reason.
fn refuse(exchange: Uuid, check: &'static str, why: &str) -> Problem {
    alarm::raise(check, Some(exchange), why);
    Problem::forbidden("refused", "")
}

fn state_failed(error: &TableError) -> Problem {
    alarm::raise("state", None, &error.to_string());
    Problem::unavailable("stopped", 60, "the connector's state cannot be read or written")
}

#[cfg(test)]
mod tests;
