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
//! | `202` | [`query::EvidenceResult`]: `pending`; the request is asynchronous (`consumer::later`) |
//! | `400` `question` | the query itself is invalid |
//! | `400` `login-required` | the permission demands a preview, and the query has no login or no valid proof of it |
//! | `401` | the authority's system presented no valid credential |
//! | `403` `not-permitted` | no rule permits it, or identity refused; the reason is not disclosed |
//! | `403` `refused` | the provider refused, or a check failed here (alarm); which of them is not disclosed |
//! | `503` | retryable: `starting`, `log-not-witnessed`, `directory-unconfirmed`, `broker-unavailable`, `clock`, … |
//! | `503` `not-listed` | the directory does not list this connector with its keys |
//! | `504` | the provider did not answer in time |
//!
//!
//! The paths below `/evidence/{exchange}` are for exchanges with a preview and asynchronous ones:
//!
//! | | |
//! | --- | --- |
//! | `GET /evidence/{exchange}` | how it stands, without evidence; 202 while it is open |
//! | `DELETE /evidence/{exchange}` | withdraws an asynchronous request |
//! | `POST /evidence/{exchange}/preview` | the evidence for the person's eyes ([`PreviewShown`]) |
//! | `POST /evidence/{exchange}/decision` | what follows from the person's decision ([`EvidenceResult`]) |

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router, body::Bytes};
use record::PreviewDecision;
use serde::de::DeserializeOwned;
use service::Problem;
use service::secret::CredentialDigest;
use uuid::Uuid;

use super::idempotency::key::{KeyedRequest, key_missing};
use super::login::Login;
use super::problem_details::ProblemDetails;
use super::query::{DecisionQuery, EvidenceQuery, EvidenceResult, PreviewQuery, PreviewShown, ResultState};
use crate::config::ConsumerConfig;
use crate::error::Error;
use crate::starting::Starting;

/// What serves the interface.
pub(crate) trait EvidenceService: Send + Sync + 'static {
    /// Requests evidence. `traceparent` is the caller's W3C trace context; `keyed` is its idempotency key.
    fn evidence(
        &self,
        query: &EvidenceQuery,
        traceparent: Option<&str>,
        keyed: Option<&KeyedRequest>,
    ) -> impl Future<Output = Result<EvidenceResult, Problem>> + Send;

    /// How an exchange with a preview or an asynchronous one stands.
    fn state(&self, exchange: Uuid) -> impl Future<Output = Result<EvidenceResult, Problem>> + Send;

    /// Withdraws an asynchronous request.
    fn withdraw(&self, exchange: Uuid) -> impl Future<Output = Result<EvidenceResult, Problem>> + Send;

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
        .route("/evidence/{exchange}", get(state_of::<S>).delete(withdraw::<S>))
        .route("/evidence/{exchange}/preview", post(show::<S>))
        .route("/evidence/{exchange}/decision", post(decide::<S>))
        .with_state((service, guard))
}

type RouteState<S> = (Starting<Arc<S>>, Guard);

/// Request evidence about one person.
///
/// The answer comes when the exchange is closed in the log. A caller that gets no answer sends the request again with
/// the same `Idempotency-Key`. So does the caller of an asynchronous request when the answer is available.
#[utoipa::path(
    post,
    path = "/evidence",
    request_body = EvidenceQuery,
    params(
        ("Idempotency-Key" = Option<String>, Header, example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"",
            description = "32 to 255 random characters in quotation marks. For a day, the same key with the same body has \
                the same exchange and the same answer. An answer with Retry-After is not final: send it again. Any other \
                one is final, and another attempt needs another key."),
        ("traceparent" = Option<String>, Header, description = "W3C Trace Context; the record has its trace id."),
    ),
    responses(
        (status = 200, description = "`delivered` with evidence, or `nothing_found`", body = EvidenceResult),
        (status = 202, description = "`awaiting_preview`: the permission demands that the person sees the evidence \
            first. `pending`: the request is asynchronous, and the provider answers later",
            headers(("Retry-After" = u64, description = "seconds, while the answer is pending")),
            body = EvidenceResult),
        (status = 400, description = "`question`: the request itself is not valid. `login-required`: the permission \
            demands a preview, and the request has no login or no valid proof of it. `idempotency-key`: the header is not valid, or missing \
            in an asynchronous request",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 401, description = "no valid credential", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 403, description = "`not-permitted`: no permission, or identity refused. `refused`: the provider \
            refused, or a check failed. The reason is not disclosed",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 409, description = "`closed`: the exchange of this key was closed while no caller waited for it",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency-key-reused`: the key came with another body",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 503, description = "not possible now: `starting`, `log-not-witnessed`, `directory-unconfirmed`, \
            `not-listed`, `broker-unavailable`, `provider-unavailable`, `clock`, `busy`, `stopped`",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 504, description = "`timeout`: the provider did not answer in time",
            body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn evidence<S: EvidenceService>(
    State((service, guard)): State<RouteState<S>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<WithStatus, Problem> {
    guard.require(&headers)?;
    let keyed = KeyedRequest::read(&headers, &body)?;
    let query: EvidenceQuery = read(&body)?;
    if query.asynchronous && keyed.is_none() {
        return Err(key_missing());
    }
    let service = service.started()?.clone();
    // Spawned, so that a client that hangs up does not leave an exchange unacknowledged.
    let answer = tokio::spawn(async move {
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        service.evidence(&query, traceparent, keyed.as_ref()).await
    });
    answer.await.map_err(|_| Problem::internal())?.map(with_status)
}

/// How an exchange with a preview or an asynchronous one stands, without its evidence.
///
/// An asynchronous exchange is forgotten when its answer was collected, a day after it was withdrawn, or a week after
/// its answer became available.
#[utoipa::path(
    get,
    path = "/evidence/{exchange}",
    params(("exchange" = Uuid, Path, description = "the number of the exchange")),
    responses(
        (status = 200, description = "it has ended", body = EvidenceResult),
        (status = 202, description = "it is open",
            headers(("Retry-After" = u64, description = "seconds, while the answer is pending")),
            body = EvidenceResult),
        (status = 400, description = "the path has no number of an exchange", content_type = "text/plain", body = String),
        (status = 401, description = "no valid credential", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: there is no such exchange",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 503, description = "not possible now: `starting`, `stopped`",
            body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn state_of<S: EvidenceService>(
    State((service, guard)): State<RouteState<S>>,
    headers: HeaderMap,
    Path(exchange): Path<Uuid>,
) -> Result<WithStatus, Problem> {
    guard.require(&headers)?;
    service.started()?.state(exchange).await.map(with_status)
}

/// Withdraw an asynchronous request. Evidence that has come or still comes is destroyed.
#[utoipa::path(
    delete,
    path = "/evidence/{exchange}",
    params(("exchange" = Uuid, Path, description = "the number of the exchange")),
    responses(
        (status = 200, description = "`withdrawn`: it is closed in the log", body = EvidenceResult),
        (status = 202, description = "`withdrawing`: the broker does not know it yet", body = EvidenceResult),
        (status = 400, description = "the path has no number of an exchange", content_type = "text/plain", body = String),
        (status = 401, description = "no valid credential", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: no such exchange waits for its answer",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 503, description = "not possible now: `starting`, `under-way`, `stopped`",
            body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn withdraw<S: EvidenceService>(
    State((service, guard)): State<RouteState<S>>,
    headers: HeaderMap,
    Path(exchange): Path<Uuid>,
) -> Result<WithStatus, Problem> {
    guard.require(&headers)?;
    let service = service.started()?.clone();
    // Spawned, so that a client that hangs up does not stop a withdrawal halfway.
    let withdrawn = tokio::spawn(async move { service.withdraw(exchange).await });
    withdrawn.await.map_err(|_| Problem::internal())?.map(with_status)
}

/// Show evidence to its person, who has not decided yet.
#[utoipa::path(
    post,
    path = "/evidence/{exchange}/preview",
    params(("exchange" = Uuid, Path, description = "the number of the exchange")),
    request_body = PreviewQuery,
    responses(
        (status = 200, description = "the evidence, for the person's eyes alone", body = PreviewShown),
        (status = 400, description = "`question`: the request itself is not valid",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 401, description = "no valid credential", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: there is no such exchange, or it is another login's",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 409, description = "`decided`: the person has decided. `too-late`: the time for it is over",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 503, description = "not possible now: `starting`, `stopped`",
            body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show<S: EvidenceService>(
    State((service, guard)): State<RouteState<S>>,
    headers: HeaderMap,
    Path(exchange): Path<Uuid>,
    body: Bytes,
) -> Result<Json<PreviewShown>, Problem> {
    guard.require(&headers)?;
    let query: PreviewQuery = read(&body)?;
    service.started()?.show(exchange, &query.login).await.map(Json)
}

/// Record the person's decision. The same decision has the same answer for ten minutes.
#[utoipa::path(
    post,
    path = "/evidence/{exchange}/decision",
    params(("exchange" = Uuid, Path, description = "the number of the exchange")),
    request_body = DecisionQuery,
    responses(
        (status = 200, description = "`delivered` with evidence to use, `rejected` or `cancelled`", body = EvidenceResult),
        (status = 400, description = "`question`: the request itself is not valid",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 401, description = "no valid credential", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 403, description = "`refused`: the log has another decision",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: there is no such exchange, or it is another login's",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 409, description = "`decided`: another decision was made. `too-late`: the time for it is over",
            body = ProblemDetails, content_type = "application/problem+json"),
        (status = 503, description = "not possible now: `starting`, `under-way`, `broker-unavailable`, `stopped`, …",
            body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn decide<S: EvidenceService>(
    State((service, guard)): State<RouteState<S>>,
    headers: HeaderMap,
    Path(exchange): Path<Uuid>,
    body: Bytes,
) -> Result<WithStatus, Problem> {
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

/// A result with its status and headers.
pub(crate) type WithStatus = (StatusCode, HeaderMap, Json<EvidenceResult>);

/// 202 while the exchange waits for a decision, an answer or its entry.
fn with_status(result: EvidenceResult) -> WithStatus {
    let status = match result.outcome {
        ResultState::AwaitingPreview
        | ResultState::RecordingDecision
        | ResultState::Pending
        | ResultState::Withdrawing => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    let retry_after = result.retry_after.map(|seconds| (RETRY_AFTER, seconds.into()));
    (status, retry_after.into_iter().collect(), Json(result))
}
