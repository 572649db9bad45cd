//! The HTTP interface: deterministic CBOR over `POST`. Each route has one authorised caller.
//!
//! | Route | Caller | Request → answer |
//! | --- | --- | --- |
//! | `/labels` | broker | [`LabelRequest`] → [`messages::LabelAnswer`] |
//! | `/labels/outcome-key` | broker | [`OutcomeKeyRequest`] → [`messages::OutcomeKeyAnswer`] |
//! | `/labels/denial-key` | broker | [`DenialKeyRequest`] → [`record::DayKey`] |
//! | `/disclosures` | cockpit | [`DisclosureRequest`] → [`messages::Disclosure`] |

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use certificates::Peers;
use certificates::peer::only;
use messages::{DenialKeyRequest, DisclosureRequest, LabelRequest, OutcomeKeyRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use service::Problem;

use crate::identity::Identity;
use crate::log::TransparencyLog;

/// An upper bound for every request: an S1 is below 2 KiB, an ID token below 16 KiB.
const MAX_BODY: usize = 64 * 1024;

type Shared<L> = Arc<Identity<L>>;

/// Who may call the routes of each caller.
#[derive(Clone)]
pub(crate) struct RouteCallers {
    pub(crate) broker: Peers,
    pub(crate) cockpit: Peers,
}

/// The routes with their authorisation.
pub(crate) fn routes<L: TransparencyLog>(identity: Shared<L>, callers: RouteCallers) -> Router {
    let broker = Router::new()
        .route("/labels", post(labels::<L>))
        .route("/labels/outcome-key", post(outcome_key::<L>))
        .route("/labels/denial-key", post(denial_key::<L>))
        .route_layer(from_fn_with_state(callers.broker, only));
    let portal = Router::new()
        .route("/disclosures", post(disclosures::<L>))
        .route_layer(from_fn_with_state(callers.cockpit, only));
    broker
        .merge(portal)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(identity)
}

async fn labels<L: TransparencyLog>(State(identity): State<Shared<L>>, body: Bytes) -> Result<Response, Problem> {
    let answer = async { identity.labels(parse::<LabelRequest>(&body)?).await }.await;
    count("identity_label_requests_total", &answer);
    Ok(cbor(answer?))
}

async fn outcome_key<L: TransparencyLog>(State(identity): State<Shared<L>>, body: Bytes) -> Result<Response, Problem> {
    let answer = async { identity.outcome_key(&parse::<OutcomeKeyRequest>(&body)?).await }.await;
    count("identity_outcome_key_requests_total", &answer);
    Ok(cbor(encode(&answer?)))
}

async fn denial_key<L: TransparencyLog>(State(identity): State<Shared<L>>, body: Bytes) -> Result<Response, Problem> {
    let answer = async { identity.denial_key(&parse::<DenialKeyRequest>(&body)?).await }.await;
    count("identity_denial_key_requests_total", &answer);
    Ok(cbor(encode(&answer?)))
}

async fn disclosures<L: TransparencyLog>(State(identity): State<Shared<L>>, body: Bytes) -> Result<Response, Problem> {
    let answer = async { identity.disclose(&parse::<DisclosureRequest>(&body)?).await }.await;
    count("identity_disclosures_total", &answer);
    Ok(cbor(encode(&answer?)))
}

/// The parser's reason may quote the message, so the answer leaves it out.
fn parse<T: DeserializeOwned + Serialize>(body: &[u8]) -> Result<T, Problem> {
    record::cbor::from_slice(body)
        .map_err(|_| Problem::bad_request("malformed-request", "the body is not the CBOR that this route accepts"))
}

fn encode<T: Serialize>(answer: &T) -> Vec<u8> {
    record::cbor::to_vec(answer)
}

fn cbor(bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/cbor"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, bytes).into_response()
}

fn count<T>(name: &'static str, answer: &Result<T, Problem>) {
    let result = match answer {
        Ok(_) => "answered",
        Err(problem) if problem.retryable() => "later",
        Err(problem) if problem.status >= 500 => "failed",
        Err(_) => "refused",
    };
    service::coarse::count(name, "result", result);
}
