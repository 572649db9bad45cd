//! Collects the calls of a connector that the broker cannot reach, for example in a sealed network.
//!
//! One request for a call is open at the broker ([`messages::collection`]). A call that arrives is served as if it had
//! come over the connector's own listener, with the same check of its signature ([`super::caller`]), and the answer is
//! sent back signed. At most [`MAX_CALLS`] calls are served at once; the others wait at the broker. The connections are
//! the connector's own, so nothing has to be let in.
//!
//! A call whose answer does not reach the broker is not sent again here: the broker makes the same call again, and the
//! connector returns the answer that it has kept.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse as _;
use messages::limits::{MAX_CALL_ANSWER_BODY, MAX_COLLECTION_SECONDS};
use messages::{CallAnswer, CollectedCall, Collection};
use service::backoff::Backoff;
use service::http::{CallError, Client};
use service::{Problem, Shutdown};
use tokio::sync::Semaphore;

use super::{Provider, interface};
use crate::error::Error;

/// The most calls that are served at once.
const MAX_CALLS: usize = 64;
/// How much longer than the broker lets a request wait its answer may take.
const GRACE: Duration = Duration::from_secs(10);
/// How long the broker may take to accept an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// The pauses while the broker gives no calls. A person may wait for the next one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Collects until `shutdown`.
///
/// # Errors
/// [`Error::Http`].
pub(crate) fn start(provider: &Arc<Provider>, broker: &str, shutdown: &Shutdown) -> Result<(), Error> {
    let collector = Collector {
        provider: provider.clone(),
        broker: broker.to_owned(),
        client: provider.common.broker_client()?,
    };
    tokio::spawn(collector.run(shutdown.clone()));
    Ok(())
}

#[derive(Clone)]
struct Collector {
    provider: Arc<Provider>,
    broker: String,
    client: Client,
}

impl Collector {
    async fn run(self, shutdown: Shutdown) {
        let places = Arc::new(Semaphore::new(MAX_CALLS));
        let mut pauses = Backoff::new(FIRST_PAUSE, MAX_PAUSE);
        loop {
            let Ok(place) = places.clone().acquire_owned().await else {
                return;
            };
            let collected = tokio::select! {
                collected = self.next() => collected,
                () = shutdown.wait() => return,
            };
            let collecting = &self.provider.collecting;
            match collected {
                Ok(call) => {
                    collecting.succeeded();
                    pauses.succeeded();
                    if let Some(call) = call {
                        let collector = self.clone();
                        tokio::spawn(async move {
                            collector.serve(call).await;
                            drop(place);
                        });
                    }
                }
                Err(error) => {
                    collecting.failed(&error);
                    let asked = error.problem().and_then(|problem| problem.retry_after);
                    tokio::select! {
                        () = tokio::time::sleep(pauses.failed_with(asked)) => {}
                        () = shutdown.wait() => return,
                    }
                }
            }
        }
    }

    /// The next call. `None` if there is none for as long as the broker lets a request wait.
    async fn next(&self) -> Result<Option<CollectedCall>, CallError> {
        let common = &self.provider.common;
        // After a failure one request does not wait, because its answer says that the broker is there again.
        let wait = if self.provider.collecting.fails() {
            0
        } else {
            MAX_COLLECTION_SECONDS
        };
        let collection = Collection::sign(&common.keys.signing(), common.context.me.clone(), common.now(), wait)
            .map_err(|error| CallError::Invalid(error.to_string()))?;
        let client = self
            .client
            .with_timeout(Duration::from_secs(MAX_COLLECTION_SECONDS) + GRACE);
        let url = format!("{}/calls", self.broker);
        let call = client.post_cbor(&url, record::cbor::to_vec(&collection)).await?;
        if call.is_empty() {
            return Ok(None);
        }
        let call = record::cbor::from_slice(&call).map_err(|error| CallError::Invalid(error.to_string()))?;
        Ok(Some(call))
    }

    /// Serves a call and sends the answer to the broker.
    async fn serve(&self, call: CollectedCall) {
        let id = call.id;
        let provider = self.provider.clone();
        // Spawned, so that a fault in one call does not end the collector.
        let served = tokio::spawn(async move { answer(&provider, call).await });
        let (status, retry_after, body) = served.await.unwrap_or_else(|_| problem(&Problem::internal()));
        let common = &self.provider.common;
        let about = (common.context.me.clone(), id);
        let answer = CallAnswer::sign(&common.keys.signing(), about, (status, retry_after), body);
        let url = format!("{}/calls/{id}/answer", self.broker);
        let client = self.client.with_timeout(ANSWER_LIMIT);
        if let Err(error) = client.post_cbor(&url, record::cbor::to_vec(&answer)).await {
            tracing::warn!(%error, "the broker has not taken the answer to a collected call");
        }
    }
}

/// Status, `Retry-After` and body.
type Answer = (u16, Option<u32>, Vec<u8>);

async fn answer(provider: &Arc<Provider>, call: CollectedCall) -> Answer {
    let Ok(authorization) = HeaderValue::from_str(&call.authorization) else {
        return problem(&super::caller::refuse());
    };
    let headers = HeaderMap::from_iter([(header::AUTHORIZATION, authorization)]);
    let response = match interface::call(provider, call.kind, &headers, Body::from(call.body)).await {
        Ok(response) => response,
        Err(refused) => return problem(&refused),
    };
    let status = response.status().as_u16();
    match axum::body::to_bytes(response.into_body(), MAX_CALL_ANSWER_BODY).await {
        Ok(body) => (status, None, body.into()),
        Err(_) => problem(&Problem::internal()),
    }
}

fn problem(problem: &Problem) -> Answer {
    let status = problem.clone().into_response().status().as_u16();
    (status, problem.retry_after, problem.to_json())
}
