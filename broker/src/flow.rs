//! The walk of one exchange, from the consumer's request to the completion.
//!
//! The walk runs as a task of its own: a consumer that hangs up does not stop it, for what is recorded must be closed. What
//! the task needs to close an exchange stands in the journal before the intent is recorded; [`resume`] continues after a
//! restart: it forwards again (the provider answers the same bytes) before it closes.
//!
//! What goes wrong, and what follows:
//!
//! | Where | What the consumer gets | What is recorded |
//! | --- | --- | --- |
//! | signatures | 403 `not-permitted` | nothing: nobody stands for the request |
//! | permission, or identity refuses | 403 `not-permitted` | `denial` |
//! | identity or ledger away | 503, may be tried again | nothing (identity voids the label) |
//! | provider refuses, fails, is late | a completion that says so | `outcome` |

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ledger_client::anchor::Anchored;
use ledger_client::recorded::{Denial, Intent, Outcome, Recorded};
use ledger_client::writer::{AppendError, Draft, Writer};
use messages::{Completion, ExchangeRequest, Forward, LabelAnswer, LabelRequest, OutcomeNotice, Reply};
use record::content::ExchangeRecord;
use record::entry::{Body, LabelledKind};
use record::{DayKey, ExpiryDay, RetentionClass, SealedRecord, Timestamp};
use registerlandkarte::Snapshot;
use service::clock::Clock;
use service::http::{CallError, Client};
use service::problem::Problem;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::authenticate::{Authenticated, authenticate};
use crate::config::Config;
use crate::journal::{Journal, Row, Stage};
use crate::permit::{Permitted, permit};
use crate::records::{self, Ending};

/// SPEC: design §5.4: identity is asked for a label only while our own writer waits less than this.
const WRITER_MAY_WAIT: Duration = Duration::from_secs(1);

/// The broker's state, shared by all tasks.
#[derive(Clone)]
pub struct Broker(pub(crate) Arc<Inner>);

/// What a broker holds.
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) anchored: Anchored,
    pub(crate) map: Snapshot,
    pub(crate) writer: Writer,
    /// Knows our credential at identity.
    pub(crate) identity: Client,
    /// To connectors.
    pub(crate) connectors: Client,
    pub(crate) journal: Journal,
    /// Exchanges that a task of this process is walking.
    pub(crate) under_way: Mutex<HashSet<Uuid>>,
    /// Rung when an exchange has been closed.
    pub(crate) closed: Notify,
}

impl Broker {
    /// Walks an exchange in a task of its own and waits for its end.
    ///
    /// # Errors
    /// The problem that the consumer is told.
    pub async fn exchange(&self, request: ExchangeRequest) -> Result<Completion, Problem> {
        let broker = self.clone();
        match tokio::spawn(async move { broker.walk(request).await }).await {
            Ok(result) => result,
            Err(_) => Err(Problem::internal()),
        }
    }

    async fn walk(&self, request: ExchangeRequest) -> Result<Completion, Problem> {
        let id = request.metadata.exchange;
        let Some(_guard) = self.enter(id) else {
            return Err(Problem::unavailable("under-way", 1, "the exchange is being made"));
        };
        if let Some(row) = self.journalled(id)? {
            return self.known(row, &request).await;
        }
        let now = self.now();
        let authenticated = authenticate(request, &self.0.anchored.directory, now).map_err(|error| {
            tracing::info!(exchange = %id, %error, "not authenticated");
            count("not_authenticated");
            not_permitted()
        })?;
        if authenticated.request().metadata.deadline < now {
            return Err(Problem::bad_request("deadline-passed", "the deadline lies in the past"));
        }
        match permit(authenticated, &self.0.map, now) {
            Ok(permitted) => self.permitted(permitted).await,
            Err(denied) => {
                let (authenticated, reason) = *denied;
                self.deny(&authenticated, &reason.to_string(), RetentionClass::IdnrG2y)
                    .await
            }
        }
    }

    /// The same request again: its completion, if the exchange is closed; else it is walked to its end now.
    async fn known(&self, row: Row, request: &ExchangeRequest) -> Result<Completion, Problem> {
        if row.request != *request {
            return Err(Problem::conflict(
                "exchange-id-used",
                "another request has used this exchange id",
            ));
        }
        match row.stage {
            Stage::Closed { completion, .. } => Ok(*completion),
            Stage::Open => self.record_and_close(row).await,
        }
    }

    async fn permitted(&self, permitted: Permitted) -> Result<Completion, Problem> {
        if self.0.writer.waiting() >= WRITER_MAY_WAIT {
            return Err(try_again("the log is slow at the moment"));
        }
        let request = permitted.authenticated().request().clone();
        let rule = &permitted.permission().rule;
        let ask = LabelRequest {
            s1: request.s1.clone(),
            retention: rule.retention,
            disclosure: rule.disclosure,
        };
        let labels: LabelAnswer = match self.ask_identity("labels", &ask).await {
            Ok(labels) => labels,
            Err(error) if error.retryable() => return Err(try_again("identity does not answer")),
            Err(error) => {
                tracing::info!(exchange = %request.metadata.exchange, %error, "identity refuses");
                return self
                    .deny(permitted.authenticated(), "identity refuses", rule.retention)
                    .await;
            }
        };
        let content = records::intent(&permitted, labels.expiry);
        let sealed = self.seal(&content, None, &request, (labels.intent, &labels.intent_key))?;
        let row = Row {
            intent_record: sealed.bytes().to_vec(),
            content,
            labels,
            request,
            stage: Stage::Open,
        };
        self.0.journal.put(&row).await.map_err(stopped)?;
        self.record_and_close(row).await
    }

    /// From a journalled row to the completion.
    pub(crate) async fn record_and_close(&self, row: Row) -> Result<Completion, Problem> {
        let intent = match self.record_intent(&row).await? {
            Some(intent) => intent,
            None => {
                self.0
                    .journal
                    .remove(row.request.metadata.exchange)
                    .await
                    .map_err(stopped)?;
                return Err(try_again("the log does not take entries at the moment"));
            }
        };
        let ending = self.forward(&intent, &row).await;
        let (outcome, notice) = self.record_outcome(&row, &intent, &ending).await?;
        self.release(&outcome, notice, ending, row).await
    }

    /// Records the intent; `None` if it was given up and certainly does not stand in the log.
    async fn record_intent(&self, row: &Row) -> Result<Option<Recorded<Intent>>, Problem> {
        let sealed = SealedRecord::parse(row.intent_record.clone()).map_err(|_| Problem::internal())?;
        let body = Body::Labelled {
            kind: LabelledKind::Intent,
            period: row.labels.period,
            label: row.labels.intent,
            commitment: sealed.commitment(),
            refers: None,
        };
        // The same body again, after a restart, answers with the entry that is there.
        match self
            .0
            .writer
            .append::<Intent>(Draft::now(body), Some(sealed), None)
            .await
        {
            Ok(intent) => Ok(Some(intent)),
            Err(AppendError::Stopped(alarm)) => Err(stopped(alarm)),
            Err(AppendError::Ended) => Err(try_again("the broker is ending")),
            Err(error) => {
                tracing::warn!(exchange = %row.request.metadata.exchange, %error, "intent given up");
                Ok(None)
            }
        }
    }

    /// Asks the provider. Takes the recorded intent, so that it cannot be called without one.
    async fn forward(&self, intent: &Recorded<Intent>, row: &Row) -> Ending {
        let request = &row.request;
        let Some(route) = self.0.config.routes.get(&request.metadata.provider) else {
            return Ending::Failed;
        };
        let message = Forward {
            metadata: request.metadata.clone(),
            s1: request.s1.clone(),
            s2: request.s2,
            answer_key: request.answer_key,
            sealed_request: request.sealed_request.clone(),
            for_provider: row.labels.for_provider.clone(),
            intent_receipt: intent.receipt_bytes().to_vec(),
            sealed_record: row.intent_record.clone(),
        };
        let url = format!("{route}/forward");
        let call = self.0.connectors.post_cbor(&url, record::cbor::to_vec(&message));
        let limit = Duration::from_secs(self.0.config.forward_seconds);
        let answer = match tokio::time::timeout(limit, call).await {
            Err(_) => return Ending::TimedOut,
            Ok(Err(error)) => {
                tracing::warn!(exchange = %request.metadata.exchange, %error, "provider does not reply");
                return Ending::Failed;
            }
            Ok(Ok(answer)) => answer,
        };
        match self.valid_reply(&answer, intent, request) {
            Some(reply) => Ending::Replied(reply),
            None => {
                tracing::error!(exchange = %request.metadata.exchange, "the provider's reply does not hold");
                Ending::Failed
            }
        }
    }

    /// A reply counts if the provider signed it for this message and this intent.
    fn valid_reply(&self, answer: &[u8], intent: &Recorded<Intent>, request: &ExchangeRequest) -> Option<Reply> {
        let reply: Reply = record::cbor::from_slice(answer).ok()?;
        let provider = self.0.anchored.directory.participant(&request.metadata.provider)?;
        reply.verify(&provider.signing_key).ok()?;
        let statement = &reply.statement;
        (statement.message == request.metadata.message && statement.intent == intent.index().get()).then_some(reply)
    }

    /// Records how it ended. There is no giving up: an intent without an outcome stays open for all to see.
    async fn record_outcome(
        &self,
        row: &Row,
        intent: &Recorded<Intent>,
        ending: &Ending,
    ) -> Result<(Recorded<Outcome>, OutcomeNotice), Problem> {
        let (key, expiry) = self.outcome_key(row).await?;
        let content = records::outcome(row.content.clone(), ending, expiry);
        let sealed = self.seal(&content, Some(ending), &row.request, (row.labels.outcome, &key))?;
        let body = Body::Labelled {
            kind: LabelledKind::Outcome,
            period: row.labels.period,
            label: row.labels.outcome,
            commitment: sealed.commitment(),
            refers: Some(intent.index()),
        };
        let appended = self
            .0
            .writer
            .append::<Outcome>(Draft::now(body), Some(sealed.clone()), None)
            .await;
        let outcome = appended.map_err(|error| not_recorded(&error))?;
        let notice = OutcomeNotice {
            intent_receipt: intent.receipt_bytes().to_vec(),
            outcome_receipt: outcome.receipt_bytes().to_vec(),
            sealed_record: sealed.bytes().to_vec(),
            shared_key: key.part(record::PartName::Shared),
        };
        Ok((outcome, notice))
    }

    /// The key and expiry day of a record that is closed now: the first answer's, unless its day is over.
    async fn outcome_key(&self, row: &Row) -> Result<(record::RecordKey, ExpiryDay), Problem> {
        let labels = &row.labels;
        if labels.class.expiry(self.now()) == labels.expiry {
            return Ok((labels.outcome_key.clone(), labels.expiry));
        }
        let ask = messages::OutcomeKeyRequest {
            token: labels.token.clone(),
            label: labels.outcome,
            phase: record::Phase::Outcome,
            class: labels.class,
            s1: row.request.s1.digest(),
        };
        let answer: messages::OutcomeKeyAnswer = self
            .ask_identity("labels/outcome-key", &ask)
            .await
            .map_err(|_| try_again("identity does not answer"))?;
        Ok((answer.key, answer.expiry))
    }

    /// Makes the completion. Takes the recorded outcome, so that it cannot be called without one.
    async fn release(
        &self,
        outcome: &Recorded<Outcome>,
        notice: OutcomeNotice,
        ending: Ending,
        mut row: Row,
    ) -> Result<Completion, Problem> {
        let kind = ending.outcome();
        let reply = match ending {
            Ending::Replied(reply) => Some(reply),
            Ending::Failed | Ending::TimedOut => None,
        };
        let completion = Completion { notice, reply };
        row.stage = Stage::Closed {
            completion: Box::new(completion.clone()),
            acknowledged: false,
            notified: false,
        };
        self.0.journal.put(&row).await.map_err(stopped)?;
        tracing::info!(exchange = %row.request.metadata.exchange, index = outcome.index().get(), "closed");
        count(match kind {
            record::Outcome::Delivered => "delivered",
            record::Outcome::NothingFound => "nothing_found",
            record::Outcome::Refused => "refused",
            record::Outcome::Failed => "failed",
            record::Outcome::TimedOut => "timed_out",
        });
        self.0.closed.notify_one();
        Ok(completion)
    }

    /// Records a refusal of the abstract permission and refuses, always with the same words.
    async fn deny(
        &self,
        authenticated: &Authenticated,
        reason: &str,
        class: RetentionClass,
    ) -> Result<Completion, Problem> {
        let expiry = class.expiry(self.now());
        let key: DayKey = self
            .ask_identity("labels/denial-key", &messages::DenialKeyRequest { class, expiry })
            .await
            .map_err(|_| try_again("identity does not answer"))?;
        let supervision = &self.0.anchored.directory.supervision;
        let sealed = records::seal_denial(
            authenticated,
            (reason, self.0.map.digest()),
            (class, expiry),
            &key,
            supervision,
        )
        .map_err(|_| Problem::internal())?;
        let body = Body::Denial {
            commitment: sealed.commitment(),
        };
        let appended = self
            .0
            .writer
            .append::<Denial>(Draft::now(body), Some(sealed), None)
            .await;
        appended.map_err(|error| not_recorded(&error))?;
        count("denied");
        Err(not_permitted())
    }

    fn seal(
        &self,
        content: &ExchangeRecord,
        ending: Option<&Ending>,
        request: &ExchangeRequest,
        (label, key): (record::Label, &record::RecordKey),
    ) -> Result<SealedRecord, Problem> {
        let supervision = &self.0.anchored.directory.supervision;
        let official = &request.metadata.official;
        records::seal(content.clone(), ending, official, &label, key, supervision).map_err(|error| {
            tracing::error!(%error, "a record could not be sealed");
            Problem::internal()
        })
    }

    async fn ask_identity<Q: serde::Serialize, A: serde::Serialize + serde::de::DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
    ) -> Result<A, CallError> {
        let url = format!("{}/{path}", self.0.config.identity);
        let answer = self.0.identity.post_cbor(&url, record::cbor::to_vec(question)).await?;
        record::cbor::from_slice(&answer).map_err(|error| CallError::Invalid(error.to_string()))
    }

    pub(crate) fn journalled(&self, exchange: Uuid) -> Result<Option<Row>, Problem> {
        self.0.journal.get(exchange).map_err(stopped)
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.0.clock.now())
    }

    /// Marks an exchange as being walked by this task; `None` if another one walks it.
    pub(crate) fn enter(&self, exchange: Uuid) -> Option<UnderWay> {
        let mut set = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        set.insert(exchange).then(|| UnderWay(self.clone(), exchange))
    }
}

/// An exchange that this task walks; left on drop.
pub(crate) struct UnderWay(Broker, Uuid);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0
            .0
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.1);
    }
}

/// Walks to their end the exchanges that an earlier run of the broker left open.
pub async fn resume(broker: Broker) {
    let rows = match broker.0.journal.all() {
        Ok(rows) => rows,
        Err(error) => {
            tracing::error!(%error, "the journal cannot be read: open exchanges stay open");
            return;
        }
    };
    for row in rows.into_iter().filter(|row| matches!(row.stage, Stage::Open)) {
        let id = row.request.metadata.exchange;
        let Some(_guard) = broker.enter(id) else { continue };
        match broker.record_and_close(row).await {
            Ok(_) => tracing::info!(exchange = %id, "closed after a restart"),
            Err(problem) => tracing::warn!(exchange = %id, problem = problem.slug, "still open after a restart"),
        }
    }
}

fn not_permitted() -> Problem {
    Problem::forbidden("not-permitted", "")
}

fn try_again(why: &str) -> Problem {
    Problem::unavailable("try-again", 2, why)
}

fn stopped(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "the broker cannot record: it refuses until an operator has looked");
    Problem::unavailable("stopped", 60, "the broker cannot record exchanges at the moment")
}

fn not_recorded(error: &AppendError) -> Problem {
    match error {
        AppendError::GivenUp | AppendError::Ended => try_again("the log does not take entries at the moment"),
        _ => stopped(error),
    }
}

fn count(result: &'static str) {
    metrics::counter!("broker_exchanges_total", "result" => result).increment(1);
}
