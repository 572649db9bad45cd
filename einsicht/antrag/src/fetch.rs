//! Calls of the authority's connector (its JSON interface).

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use service::Backoff;
use service::http::{CallError, Client};
use service::secret::Credential;
use uuid::Uuid;

use crate::application::{Decision, Evidence, Failure, RequestKey, Stage};
use crate::config::{Need, Service};
use crate::error::Error;
use crate::session::Session;

/// The connector answers within its own deadline, which is shorter.
const TIMEOUT: Duration = Duration::from_secs(90);
/// How often a request is sent whose answer is lost, with [`RETRY_DELAY`] and more between.
const FETCH_ATTEMPTS: u32 = 4;
const RETRY_DELAY: Duration = Duration::from_secs(1);
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
    evidence: Option<Evidence>,
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
    pub(crate) async fn fetch(&self, query: &Value, key: &RequestKey) -> Stage {
        let client = self.client.with_idempotency_key(&key.0);
        let mut backoff = Backoff::new(RETRY_DELAY, RETRY_DELAY * 4);
        for _ in 0..FETCH_ATTEMPTS {
            match client.post_json(&format!("{}/evidence", self.url), query).await {
                Ok(answer) => return stage(answer),
                Err(error) if is_lost(&error) => tracing::warn!(%error, "the connector's answer was lost"),
                Err(error) => return failed(&error),
            }
            tokio::time::sleep(backoff.failed()).await;
        }
        Stage::Failed(Failure::NoAnswer)
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

/// The request for evidence about the person of a session.
pub(crate) fn query(service: &Service, need: &Need, session: &Session, reference: &str) -> Value {
    let applicant = session.applicant();
    json!({
        "provider": need.provider,
        "place": need.place,
        "evidence_type": need.evidence_type,
        "purpose": need.purpose,
        "request_reference": reference,
        "official": service.official,
        "assurance": "high",
        "login": session.login(),
        "login_proof": {
            "token_digest": session.proved().token_digest,
            "authenticated_at": session.proved().authenticated_at,
        },
        "person": {
            "family_name": applicant.family_name,
            "given_name": applicant.given_name,
            "date_of_birth": applicant.date_of_birth,
            "postal_code": applicant.postal_code,
            "place": applicant.place,
        },
    })
}

fn stage(answer: Answer) -> Stage {
    match (answer.outcome.as_str(), answer.evidence) {
        ("delivered", Some(evidence)) => Stage::Received(evidence),
        ("nothing_found", _) => Stage::NothingFound,
        ("awaiting_preview", _) => Stage::Preview(answer.exchange),
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
