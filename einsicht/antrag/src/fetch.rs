//! Calls of the authority's connector (its JSON interface).

use std::sync::Weak;
use std::time::Duration;

use record::Timestamp;
use serde::Deserialize;
use serde_json::json;
use service::Backoff;
use service::http::{CallError, Client, RawResponse};
use service::secret::Credential;
use tokio::time::Instant;
use uuid::Uuid;

use crate::application::{Awaited, Decision, Evidence, Failure, Query, RequestKey, Stage};
use crate::config::{Need, Service};
use crate::error::Error;
use crate::session::Session;

/// The connector answers within its own deadline, which is shorter.
const TIMEOUT: Duration = Duration::from_secs(90);
/// How often a request is sent whose answer is lost, with [`RETRY_DELAY`] and more between.
const FETCH_ATTEMPTS: u32 = 4;
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// How many seconds a request waits for its register at most.
const LONGEST_WAIT: u64 = 30 * 86_400;
/// How long an answer whose collection was lost is collected again. The connector keeps it for a day.
const COLLECT_AGAIN_FOR: Duration = Duration::from_secs(12 * 3600);
/// How often a decision is asked for until the log has it, with [`DECISION_INTERVAL`] between.
const DECISION_ATTEMPTS: u32 = 30;
const DECISION_INTERVAL: Duration = Duration::from_secs(1);

/// An authority's connector.
#[derive(Clone)]
pub(crate) struct Connector {
    client: Client,
    url: String,
}

/// How an exchange stands, as far as a service needs it.
#[derive(Deserialize)]
struct Answer {
    exchange: Uuid,
    outcome: String,
    available_at: Option<String>,
    evidence: Option<Evidence>,
}

impl Answer {
    fn available(&self) -> Option<Timestamp> {
        self.available_at.as_ref()?.parse().ok()
    }
}

#[derive(Deserialize)]
struct Shown {
    evidence: Evidence,
}

impl Connector {
    pub(crate) fn new(service: &Service) -> Result<Self, Error> {
        let client = Client::new()?.with_timeout(TIMEOUT);
        let client = match &service.credential {
            Some(path) => client.with_credential(Credential::read(path)?),
            None => client,
        };
        Ok(Self {
            client,
            url: service.connector.clone(),
        })
    }

    /// Sends a request. While its answer is lost, it is sent again with the same key, so that there is one exchange.
    pub(crate) async fn fetch(&self, query: &Query, key: &RequestKey, now: Timestamp) -> Stage {
        let client = self.client.with_idempotency_key(&key.0);
        let mut backoff = Backoff::new(RETRY_DELAY, RETRY_DELAY * 4);
        for _ in 0..FETCH_ATTEMPTS {
            match client
                .post_json::<_, Answer>(&format!("{}/evidence", self.url), &query.0)
                .await
            {
                Ok(answer) if answer.outcome == "pending" => return pending(&answer, query, key, now),
                Ok(answer) => return stage(answer),
                Err(error) if is_lost(&error) => tracing::warn!(%error, "the connector's answer was lost"),
                Err(error) => return failed(&error),
            }
            tokio::time::sleep(backoff.failed()).await;
        }
        Stage::Failed(Failure::NoAnswer)
    }

    /// Asks how a request stands that its register answers later, and collects its answer if it is there. `None` if
    /// that is not known at present.
    pub(crate) async fn look(&self, awaited: &Awaited, now: Timestamp) -> Option<Stage> {
        let url = format!("{}/evidence/{}", self.url, awaited.exchange);
        let answer = self.client.get(&url).await.and_then(RawResponse::json::<Answer>);
        let may_collect = match &answer {
            Ok(answer) if answer.outcome == "pending" => {
                return Some(Stage::Pending(Box::new(Awaited {
                    available: answer.available().unwrap_or(awaited.available),
                    ..awaited.clone()
                })));
            }
            Ok(answer) => answer.outcome == "available",
            // The connector forgets an exchange when its answer was collected, and keeps the answer for a day. Without
            // an earlier collection the request is over, and the same key would begin another exchange.
            Err(error) if error.problem().is_some_and(|problem| problem.status == 404) => awaited
                .collected
                .is_some_and(|collected| collected.elapsed() < COLLECT_AGAIN_FOR),
            Err(error) => {
                tracing::warn!(%error, "how a request stands is not known");
                return None;
            }
        };
        if !may_collect {
            return Some(answer.map_or(Stage::Failed(Failure::Later), stage));
        }
        Some(match self.fetch(&awaited.query, &awaited.key, now).await {
            Stage::Failed(Failure::NoAnswer) => Stage::Pending(Box::new(Awaited {
                collected: awaited.collected.or_else(|| Some(Instant::now())),
                ..awaited.clone()
            })),
            stage => stage,
        })
    }

    /// Withdraws a request that waits. `None` if the connector cannot be told at present; it is to be told again.
    pub(crate) async fn withdraw(&self, awaited: &Awaited) -> Option<Stage> {
        let url = format!("{}/evidence/{}", self.url, awaited.exchange);
        match self.client.delete(&url).await.and_then(RawResponse::json::<Answer>) {
            Ok(answer) if answer.outcome == "withdrawing" => None,
            Ok(_) => Some(Stage::Withdrawn),
            // It does not wait any more.
            Err(error) if error.problem().is_some_and(|problem| problem.status == 404) => Some(Stage::Withdrawn),
            Err(error) => {
                tracing::warn!(%error, "a request is not withdrawn yet");
                None
            }
        }
    }

    /// The evidence that the person of a session has to look at.
    pub(crate) async fn preview(&self, exchange: Uuid, session: &Session) -> Result<Evidence, CallError> {
        let url = format!("{}/evidence/{exchange}/preview", self.url);
        let query = json!({ "login": session.login() });
        let shown: Shown = self.client.post_json(&url, &query).await?;
        Ok(shown.evidence)
    }

    /// Sends the decision, and waits until the log has it. The same decision may be sent again.
    pub(crate) async fn decide(&self, exchange: Uuid, decision: Decision, session: &Session) -> Stage {
        let url = format!("{}/evidence/{exchange}/decision", self.url);
        let query = json!({ "login": session.login(), "decision": decision });
        for _ in 0..DECISION_ATTEMPTS {
            match self.client.post_json::<_, Answer>(&url, &query).await {
                Ok(answer) if answer.outcome == "recording_decision" => {}
                Ok(answer) => return stage(answer),
                Err(error) if error.retryable() => {}
                Err(error) => return failed(&error),
            }
            tokio::time::sleep(DECISION_INTERVAL).await;
        }
        // The connector keeps the decision, so the preview's page can send it again.
        Stage::Preview(exchange)
    }
}

/// The request for evidence about the person of a session. One that can wait is not bound to the login: it may be
/// answered after the session.
pub(crate) fn query(service: &Service, need: &Need, session: &Session, reference: &str) -> Query {
    let applicant = session.applicant();
    let mut query = json!({
        "provider": need.provider,
        "place": need.place,
        "evidence_type": need.evidence_type,
        "form": "pdf",
        "purpose": need.purpose,
        "request_reference": reference,
        "official": service.official,
        "assurance": "high",
        "person": {
            "family_name": applicant.family_name,
            "given_name": applicant.given_name,
            "date_of_birth": applicant.date_of_birth,
            "postal_code": applicant.postal_code,
            "place": applicant.place,
        },
    });
    if need.asynchronous {
        query["asynchronous"] = true.into();
    } else {
        query["login"] = session.login().into();
        query["login_proof"] = json!({
            "token_digest": session.proved().token_digest,
            "authenticated_at": session.proved().authenticated_at,
        });
    }
    Query(query)
}

fn pending(answer: &Answer, query: &Query, key: &RequestKey, now: Timestamp) -> Stage {
    Stage::Pending(Box::new(Awaited {
        key: key.clone(),
        query: query.clone(),
        exchange: answer.exchange,
        available: answer.available().unwrap_or(now),
        ends: now.after(LONGEST_WAIT),
        asked: Some(Instant::now()),
        asking: Weak::new(),
        collected: None,
    }))
}

fn stage(answer: Answer) -> Stage {
    match (answer.outcome.as_str(), answer.evidence) {
        ("delivered", Some(evidence)) => Stage::Received(evidence),
        ("nothing_found", _) => Stage::NothingFound,
        ("awaiting_preview", _) => Stage::Preview(answer.exchange),
        ("withdrawn" | "withdrawing", _) => Stage::Withdrawn,
        ("rejected" | "cancelled" | "not_decided", _) => Stage::Refused,
        (outcome, _) => {
            tracing::warn!(outcome, "the connector answers otherwise than its interface says");
            Stage::Failed(Failure::Never)
        }
    }
}

/// Whether there is no answer of the connector: no connection, or something in between has answered for it.
fn is_lost(error: &CallError) -> bool {
    error.retryable() && error.problem().is_none_or(|problem| problem.slug == "other")
}

/// A problem with `Retry-After` is not the final answer of its key; any other one is.
fn failed(error: &CallError) -> Stage {
    tracing::warn!(%error, "evidence was not fetched");
    let problem = error.problem();
    let failure = if is_lost(error) || problem.is_some_and(|problem| problem.retry_after.is_some()) {
        Failure::NoAnswer
    } else if error.retryable() || problem.is_some_and(|problem| problem.slug == "closed") {
        Failure::Later
    } else {
        Failure::Never
    };
    Stage::Failed(failure)
}
