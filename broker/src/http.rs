//! The interface: `POST /exchanges` and `POST /exchanges/{id}/acknowledgement`, both deterministic CBOR.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use messages::{Acknowledgement, ExchangeRequest};
use service::problem::Problem;
use uuid::Uuid;

use crate::flow::Broker;
use crate::journal::Stage;
use crate::notices;

pub(crate) fn routes(broker: Broker) -> Router {
    Router::new()
        .route("/exchanges", post(exchange))
        .route("/exchanges/{id}/acknowledgement", post(acknowledge))
        .with_state(broker)
}

async fn exchange(State(broker): State<Broker>, body: Bytes) -> Result<Response, Problem> {
    let request: ExchangeRequest = record::cbor::from_slice(&body)
        .map_err(|error| Problem::bad_request("malformed-request", error.to_string()))?;
    let completion = broker.exchange(request).await?;
    Ok((
        [(header::CONTENT_TYPE, "application/cbor")],
        record::cbor::to_vec(&completion),
    )
        .into_response())
}

/// The consumer has what it needs: the journal may forget. Only the consumer's own signature counts.
async fn acknowledge(State(broker): State<Broker>, Path(id): Path<Uuid>, body: Bytes) -> Result<StatusCode, Problem> {
    let acknowledgement: Acknowledgement = record::cbor::from_slice(&body)
        .map_err(|error| Problem::bad_request("malformed-request", error.to_string()))?;
    // Forgotten already: the answer to the first acknowledgement was lost.
    let Some(row) = broker.journalled(id)? else {
        return Ok(StatusCode::NO_CONTENT);
    };
    let consumer = broker.0.anchored.directory.participant(&row.request.metadata.consumer);
    let signed = consumer.is_some_and(|consumer| acknowledgement.verify(&consumer.signing_key).is_ok());
    if acknowledgement.exchange != id || !signed {
        return Err(Problem::forbidden("not-permitted", ""));
    }
    if !matches!(row.stage, Stage::Closed { .. }) {
        return Err(Problem::conflict("exchange-open", "the exchange is not closed yet"));
    }
    notices::settle(&broker, id, |acknowledged, _| *acknowledged = true)
        .await
        .map_err(|_| Problem::internal())?;
    Ok(StatusCode::NO_CONTENT)
}
