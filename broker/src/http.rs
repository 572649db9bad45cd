//! The broker's interface, in deterministic CBOR.
//!
//! | | |
//! | --- | --- |
//! | `POST /exchanges` | [`ExchangeRequest`] → [`messages::Completion`], or `202` with [`messages::Deferred`] |
//! | `POST /exchanges/{id}/withdrawal` | [`Withdrawal`] → [`messages::Completion`] |
//! | `POST /exchanges/{id}/preview` | [`SignedDecision`] → [`messages::PreviewNotice`] |
//! | `POST /exchanges/{id}/acknowledgement` | [`Acknowledgement`] → `204` |
//! | `POST /calls` | [`Collection`] → [`messages::CollectedCall`], or `204` if there is none while it waits |
//! | `POST /calls/{id}/answer` | [`CallAnswer`] → `204`, or `404` if nobody waits for it any more |

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use messages::call::CALL_VALIDITY;
use messages::limits::{
    MAX_ACKNOWLEDGEMENT, MAX_CALL_ANSWER, MAX_COLLECTION, MAX_EXCHANGE_REQUEST, MAX_PREVIEW_DECISION, MAX_WITHDRAWAL,
};
use messages::{
    Acknowledgement, CallAnswer, Collection, ExchangeAnswer, ExchangeRequest, MessageError, SignedDecision, Withdrawal,
};
use record::ParticipantId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use service::http::CBOR;
use service::listen::Turn;
use service::nonces::NonceRefused;
use service::problem::Problem;
use service::tls::PeerName;
use trust::{Component, History};
use uuid::Uuid;

use crate::broker::Broker;
use crate::collection::TooManyCollectors;
use crate::journal::{ClosedExchange, JournalEntry};
use crate::problems::{not_permitted, stopped};
use crate::{flow, notices};

pub(crate) fn routes(broker: Arc<Broker>) -> Router {
    Router::new()
        .route(
            "/exchanges",
            post(exchange).layer(DefaultBodyLimit::max(MAX_EXCHANGE_REQUEST)),
        )
        .route(
            "/exchanges/{id}/acknowledgement",
            post(acknowledge).layer(DefaultBodyLimit::max(MAX_ACKNOWLEDGEMENT)),
        )
        .route(
            "/exchanges/{id}/preview",
            post(preview).layer(DefaultBodyLimit::max(MAX_PREVIEW_DECISION)),
        )
        .route(
            "/exchanges/{id}/withdrawal",
            post(withdraw).layer(DefaultBodyLimit::max(MAX_WITHDRAWAL)),
        )
        .route("/calls", post(collect).layer(DefaultBodyLimit::max(MAX_COLLECTION)))
        .route(
            "/calls/{id}/answer",
            post(answer).layer(DefaultBodyLimit::max(MAX_CALL_ANSWER)),
        )
        .with_state(broker)
}

/// The name in the certificate of the caller.
type Name = Option<Extension<PeerName>>;

fn peer(name: &Name) -> Option<&PeerName> {
    name.as_ref().map(|Extension(name)| name)
}

async fn exchange(State(broker): State<Arc<Broker>>, name: Name, body: Bytes) -> Result<Response, Problem> {
    let request: ExchangeRequest = read(&body)?;
    broker.transport.require(peer(&name), &request.metadata.consumer)?;
    let (status, body) = match flow::exchange(&broker, request).await? {
        ExchangeAnswer::Completed(completion) => (StatusCode::OK, record::cbor::to_vec(&completion)),
        ExchangeAnswer::Deferred(deferred) => (StatusCode::ACCEPTED, record::cbor::to_vec(&deferred)),
    };
    Ok((status, [(header::CONTENT_TYPE, CBOR)], body).into_response())
}

/// Ends an exchange that waits for its evidence.
async fn withdraw(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<Uuid>,
    name: Name,
    body: Bytes,
) -> Result<Response, Problem> {
    let withdrawal: Withdrawal = read(&body)?;
    if withdrawal.exchange != id {
        return Err(not_permitted());
    }
    let completion = flow::deferred::withdraw(&broker, withdrawal, peer(&name).cloned()).await?;
    Ok(([(header::CONTENT_TYPE, CBOR)], record::cbor::to_vec(&completion)).into_response())
}

/// Records the person's decision, and answers with the proof that it is in the log.
async fn preview(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<Uuid>,
    name: Name,
    body: Bytes,
) -> Result<Response, Problem> {
    let decision: SignedDecision = read(&body)?;
    if decision.statement.exchange != id {
        return Err(not_permitted());
    }
    let notice = flow::preview::decide(&broker, decision, peer(&name).cloned()).await?;
    Ok(([(header::CONTENT_TYPE, CBOR)], record::cbor::to_vec(&notice)).into_response())
}

/// The consumer has stored the completion or the preview's notice, so the journal need not keep it for the consumer.
/// Only an acknowledgement that the consumer has signed counts.
async fn acknowledge(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<Uuid>,
    name: Name,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let acknowledgement: Acknowledgement = read(&body)?;
    // A row that is already removed: the answer to the first acknowledgement was lost.
    let Some(entry) = broker.journal.get(id).await.map_err(stopped)? else {
        return Ok(StatusCode::NO_CONTENT);
    };
    broker.transport.require(peer(&name), entry.consumer())?;
    let history = broker.live.confirmed()?;
    let consumer = history.state().directory().component(entry.consumer());
    let signed = consumer.is_some_and(|consumer| consumer.verified(|key| acknowledgement.verify(key)).is_ok());
    if acknowledgement.exchange != id || !signed {
        return Err(not_permitted());
    }
    let JournalEntry::Closed(closed) = entry else {
        return Err(Problem::conflict("exchange-open", "the exchange is not closed yet"));
    };
    let entry = acknowledgement.entry;
    let mark = move |closed: &mut ClosedExchange| {
        if closed.preview.as_ref().and_then(|preview| preview.recorded()) == Some(entry) {
            closed.preview = None;
        } else {
            closed.acknowledged = true;
        }
    };
    notices::settle(&broker, &closed, mark)
        .await
        .map_err(|_| Problem::internal())?;
    Ok(StatusCode::NO_CONTENT)
}

/// Waits for a call that the component collects.
async fn collect(
    State(broker): State<Arc<Broker>>,
    name: Name,
    turn: Option<Extension<Turn>>,
    body: Bytes,
) -> Result<Response, Problem> {
    let collection: Collection = read(&body)?;
    let statement = &collection.statement;
    broker.transport.require(peer(&name), &statement.component)?;
    let (history, now) = (broker.live.history(), broker.now());
    let provider = provider(&history, &statement.component)?;
    provider
        .verified(|key| collection.verify(key, now))
        .map_err(|error| match error {
            // No secret from the sender, who can correct the clock.
            MessageError::Expired => Problem::bad_request(
                "clock",
                "the times of the request and of the broker differ by more than a minute",
            ),
            _ => not_permitted(),
        })?;
    let expires = statement.sent.after(CALL_VALIDITY).seconds();
    let used = broker
        .connectors
        .mailboxes
        .nonces
        .use_once(statement.nonce, expires, now.seconds());
    used.map_err(|error| match error {
        NonceRefused::Used => not_permitted(),
        NonceRefused::Full => Problem::unavailable("busy", 1, "too many collections"),
    })?;
    if let Some(Extension(turn)) = turn {
        turn.give_back();
    }
    let wait = Duration::from_secs(statement.wait);
    match broker.connectors.mailboxes.collect(&statement.component, wait).await {
        Ok(Some(call)) => Ok(([(header::CONTENT_TYPE, CBOR)], record::cbor::to_vec(&call)).into_response()),
        Ok(None) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(TooManyCollectors) => Err(Problem::unavailable(
            "busy",
            5,
            "too many requests of this component wait for a call",
        )),
    }
}

/// Gives an answer to the task that waits for it.
async fn answer(
    State(broker): State<Arc<Broker>>,
    Path(id): Path<Uuid>,
    name: Name,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let answer: CallAnswer = read(&body)?;
    let component = answer.statement.component.clone();
    broker.transport.require(peer(&name), &component)?;
    let history = broker.live.history();
    let provider = provider(&history, &component)?;
    if answer.statement.call != id || provider.verified(|key| answer.verify(key)).is_err() {
        return Err(not_permitted());
    }
    if broker.connectors.mailboxes.answer(&component, answer) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("nobody waits for an answer to this call"))
    }
}

fn read<T: DeserializeOwned + Serialize>(body: &[u8]) -> Result<T, Problem> {
    record::cbor::from_slice(body).map_err(|error| Problem::bad_request("malformed-request", error.to_string()))
}

/// A component that the newest directory lists as a provider, also a suspended one: it gets the outcomes of what it has
/// served.
fn provider<'a>(history: &'a History, component: &ParticipantId) -> Result<&'a Component, Problem> {
    let component = history.state().directory().component(component);
    component
        .filter(|component| component.provider)
        .ok_or_else(not_permitted)
}
