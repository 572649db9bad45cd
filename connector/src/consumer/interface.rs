//! The interface of a consumer's connector to its authority's systems (JSON over HTTP). The connector and its mock
//! ([`crate::mock`]) serve it with the same routes, so that a program that was written with the one works with the
//! other.
//!
//! `POST /evidence` (JSON, [`query::EvidenceQuery`]) answers
//!
//! | | |
//! | --- | --- |
//! | `200` | [`query::EvidenceResult`]: `delivered` with evidence, or `nothing_found` |
//! | `202` | [`query::EvidenceResult`]: `awaiting_preview`; the permission demands one (`consumer::preview`) |
//! | `400` `question` | the query itself is invalid |
//! | `400` `login-required` | the permission demands a preview, and the query names no login |
//! | `401` | the authority's system presented no valid credential |
//! | `403` `not-permitted` | no rule permits it, or identity refused; the reason is not disclosed |
//! | `403` `refused` | the provider refused, or a check failed here (alarm); which of them is not disclosed |
//! | `503` | retryable: `starting`, `log-not-witnessed`, `directory-unconfirmed`, `broker-unavailable`, `clock`, … |
//! | `503` `not-listed` | the directory does not list this connector with its keys |
//! | `504` | the provider did not answer in time |
//!
//!
//! The paths below `/evidence/{exchange}` are for exchanges with a preview:
//!
//! | | |
//! | --- | --- |
//! | `GET /evidence/{exchange}` | how it stands, without evidence; 202 while it is open |
//! | `POST /evidence/{exchange}/preview` | the evidence for the person's eyes ([`PreviewShown`]) |
//! | `POST /evidence/{exchange}/decision` | what follows from the person's decision ([`EvidenceResult`]) |

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router, body::Bytes};
use record::PreviewDecision;
use serde::de::DeserializeOwned;
use service::Problem;
use service::secret::CredentialDigest;
use uuid::Uuid;

use super::login::Login;
use super::query::{DecisionQuery, EvidenceQuery, EvidenceResult, PreviewQuery, PreviewShown, ResultState};
use crate::config::ConsumerConfig;
use crate::error::Error;
use crate::starting::Starting;

/// What serves the interface.
pub(crate) trait EvidenceService: Send + Sync + 'static {
    /// Requests evidence. `traceparent` is the caller's W3C trace context.
    fn evidence(
        &self,
        query: &EvidenceQuery,
        traceparent: Option<&str>,
    ) -> impl Future<Output = Result<EvidenceResult, Problem>> + Send;

    /// How an exchange with a preview stands.
    fn state(&self, exchange: Uuid) -> impl Future<Output = Result<EvidenceResult, Problem>> + Send;

    /// Shows evidence to its person.
    fn show(&self, exchange: Uuid, login: &Login) -> impl Future<Output = Result<PreviewShown, Problem>> + Send;

    /// Records the person's decision.
    fn decide(
        &self,
        exchange: Uuid,
        login: &Login,
        decision: PreviewDecision,
    ) -> impl Future<Output = Result<EvidenceResult, Problem>> + Send;
}

/// Authenticates the authority's own systems.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard(Option<CredentialDigest>);

impl Guard {
    /// Reads the credential's digest from the configuration. Without one, the connector must listen on loopback only.
    pub(crate) fn new(role: &ConsumerConfig, address: SocketAddr) -> Result<Self, Error> {
        match &role.credential_digest {
            Some(text) => CredentialDigest::from_hex(text)
                .map(|digest| Self(Some(digest)))
                .ok_or(Error::Config("credential_digest must be 64 hexadecimal digits")),
            None if address.ip().is_loopback() => Ok(Self(None)),
            None => Err(Error::Config(
                "without credential_digest the connector must listen on a loopback address",
            )),
        }
    }

    /// Lets every caller in. For a listener on the loopback interface.
    pub(crate) fn open() -> Self {
        Self(None)
    }

    fn require(self, headers: &HeaderMap) -> Result<(), Problem> {
        self.0.map_or(Ok(()), |digest| digest.require(headers))
    }
}

/// The consumer's routes.
pub(crate) fn routes<S: EvidenceService>(service: Starting<Arc<S>>, guard: Guard) -> Router {
    Router::new()
        .route("/evidence", post(evidence::<S>))
        .route("/evidence/{exchange}", get(state_of::<S>))
        .route("/evidence/{exchange}/preview", post(show::<S>))
        .route("/evidence/{exchange}/decision", post(decide::<S>))
        .with_state((service, guard))
}

type RouteState<S> = (Starting<Arc<S>>, Guard);

async fn evidence<S: EvidenceService>(
    State((service, guard)): State<RouteState<S>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<EvidenceResult>), Problem> {
    guard.require(&headers)?;
    let query: EvidenceQuery = read(&body)?;
    let service = service.started()?.clone();
    // Spawned, so that a client that hangs up does not leave an exchange unacknowledged.
    let answer = tokio::spawn(async move {
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        service.evidence(&query, traceparent).await
    });
    answer.await.map_err(|_| Problem::internal())?.map(with_status)
}

async fn state_of<S: EvidenceService>(
    State((service, guard)): State<RouteState<S>>,
    headers: HeaderMap,
    Path(exchange): Path<Uuid>,
) -> Result<(StatusCode, Json<EvidenceResult>), Problem> {
    guard.require(&headers)?;
    service.started()?.state(exchange).await.map(with_status)
}

async fn show<S: EvidenceService>(
    State((service, guard)): State<RouteState<S>>,
    headers: HeaderMap,
    Path(exchange): Path<Uuid>,
    body: Bytes,
) -> Result<Json<PreviewShown>, Problem> {
    guard.require(&headers)?;
    let query: PreviewQuery = read(&body)?;
    service.started()?.show(exchange, &query.login).await.map(Json)
}

async fn decide<S: EvidenceService>(
    State((service, guard)): State<RouteState<S>>,
    headers: HeaderMap,
    Path(exchange): Path<Uuid>,
    body: Bytes,
) -> Result<(StatusCode, Json<EvidenceResult>), Problem> {
    guard.require(&headers)?;
    let query: DecisionQuery = read(&body)?;
    let service = service.started()?.clone();
    // Spawned, so that a client that hangs up does not stop a decision halfway.
    let decided = tokio::spawn(async move { service.decide(exchange, &query.login, query.decision.into()).await });
    decided.await.map_err(|_| Problem::internal())?.map(with_status)
}

fn read<Q: DeserializeOwned>(body: &[u8]) -> Result<Q, Problem> {
    text::json::from_slice(body).map_err(|error| Problem::bad_request("question", error.to_string()))
}

/// 202 while the exchange waits for a decision or its entry.
fn with_status(result: EvidenceResult) -> (StatusCode, Json<EvidenceResult>) {
    let status = match result.outcome {
        ResultState::AwaitingPreview | ResultState::RecordingDecision => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    (status, Json(result))
}
