//! The broker's calls: over HTTP, or collected ([`super::collector`]).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Extension, Router};
use messages::limits::{MAX_FORWARD, MAX_NOTICE};
use messages::{CallKind, Forward, ForwardAnswer, OutcomeNotice};
use service::Problem;
use service::http::CBOR;
use service::tls::PeerName;

use super::{Provider, caller};
use crate::starting::Starting;

/// The provider's routes.
pub(crate) fn routes(provider: Starting<Arc<Provider>>) -> Router {
    Router::new()
        .route("/forward", post(forward))
        .route("/outcome", post(outcome))
        .with_state(provider)
}

type Started = Starting<Arc<Provider>>;
/// The name in the certificate of the caller.
type Name = Option<Extension<PeerName>>;

async fn forward(provider: State<Started>, name: Name, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    received(&provider, CallKind::Forward, name, headers, body).await
}

async fn outcome(provider: State<Started>, name: Name, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    received(&provider, CallKind::Outcome, name, headers, body).await
}

/// A call over the connector's own listener.
async fn received(
    provider: &Started,
    kind: CallKind,
    name: Name,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let provider = provider.started()?;
    require_signer(provider, name, &headers)?;
    call(provider, kind, &headers, body).await
}

/// With mutual TLS, the process that calls must be the writer that has signed the call.
fn require_signer(provider: &Provider, name: Name, headers: &HeaderMap) -> Result<(), Problem> {
    let name = name.map(|Extension(name)| name);
    if provider.common.tls.is_none() || caller::signs_itself(name.as_ref(), headers) {
        Ok(())
    } else {
        Err(caller::refuse())
    }
}

/// Authenticates a call and does what it asks for.
///
/// # Errors
/// The problem that the caller gets.
pub(super) async fn call(
    provider: &Arc<Provider>,
    kind: CallKind,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let common = &provider.common;
    let (context, limit) = match kind {
        CallKind::Forward => (common.confirmed()?, MAX_FORWARD),
        CallKind::Outcome => (common.context.known(), MAX_NOTICE),
    };
    let callers = &provider.callers;
    let body = callers.authenticated(&context, kind, common.now(), headers, body, limit);
    let body = body.await?;
    match kind {
        CallKind::Forward => {
            let forward: Forward = record::cbor::from_slice(&body)
                .map_err(|_| Problem::bad_request("malformed-forward", "the body is not a well-formed forward"))?;
            // Spawned, so that a broker that hangs up does not stop an answer halfway: an answer that was released must
            // be kept.
            let provider = provider.clone();
            let answer = tokio::spawn(async move { provider.forward(context, forward).await });
            let answer = answer.await.map_err(|_| Problem::internal())??;
            let (status, body) = match &answer {
                ForwardAnswer::Reply(reply) => (StatusCode::OK, record::cbor::to_vec(reply)),
                ForwardAnswer::Deferral(deferral) => (StatusCode::ACCEPTED, record::cbor::to_vec(deferral)),
            };
            Ok((status, [(header::CONTENT_TYPE, CBOR)], body).into_response())
        }
        CallKind::Outcome => {
            let notice: OutcomeNotice = record::cbor::from_slice(&body).map_err(|_| {
                Problem::bad_request("malformed-notice", "the body is not a well-formed outcome notice")
            })?;
            Ok(provider.outcome(context, &notice).await?.into_response())
        }
    }
}
