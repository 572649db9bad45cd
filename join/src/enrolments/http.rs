//! The interface of enrolments. Bodies are deterministic CBOR; each step is answered with the dossier after it.
//!
//! | | | signed by |
//! | --- | --- | --- |
//! | `POST` | `/enrolments` | a registrar: the invitation |
//! | `POST` | `/enrolments/list` | a registrar |
//! | `GET` | `/enrolments/{id}` | no one: the hash of the invitation is known to those who take part |
//! | `POST` | `/enrolments/{id}/countersignature` | a second registrar |
//! | `POST` | `/enrolments/{id}/application` | the component's key and the link's |
//! | `POST` | `/enrolments/{id}/confirmation` | the key of the body's code |
//! | `POST` | `/enrolments/{id}/withdrawal` | a registrar |

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use enrolment::{Dossier, InvitationId, MAX_STATEMENT, Refused, Signed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use service::Problem;
use service::http::CBOR;

use super::store::{Enrolments, StepError};

pub(crate) const STEPS: &str = "join_enrolment_steps_total";

type Answer = Result<Response, Problem>;
type Shared = State<Arc<Enrolments>>;

pub(crate) fn routes(enrolments: Arc<Enrolments>) -> Router {
    Router::new()
        .route("/enrolments", post(begin))
        .route("/enrolments/list", post(list))
        .route("/enrolments/{id}", get(show))
        .route("/enrolments/{id}/countersignature", post(countersign))
        .route("/enrolments/{id}/application", post(apply))
        .route("/enrolments/{id}/confirmation", post(confirm))
        .route("/enrolments/{id}/withdrawal", post(withdraw))
        .layer(DefaultBodyLimit::max(MAX_STATEMENT))
        .with_state(enrolments)
}

async fn begin(State(enrolments): Shared, body: Bytes) -> Answer {
    let taken = enrolments.begin(read(&body)?).await;
    answer("invitation", taken)
}

async fn list(State(enrolments): Shared, body: Bytes) -> Answer {
    let found = enrolments.list(&read(&body)?).await.map_err(problem)?;
    Ok(cbor(record::cbor::to_vec(&found)))
}

async fn show(State(enrolments): Shared, Path(id): Path<String>) -> Answer {
    let dossier = enrolments.get(named(&id)?).await.map_err(problem)?;
    Ok(cbor(dossier.to_bytes()))
}

async fn countersign(State(enrolments): Shared, Path(id): Path<String>, body: Bytes) -> Answer {
    let opened = read(&body)?;
    let step = enrolments.step(named(&id)?, |dossier, state| dossier.countersign(opened, state));
    answer("countersignature", step.await)
}

async fn apply(State(enrolments): Shared, Path(id): Path<String>, body: Bytes) -> Answer {
    let application = read(&body)?;
    let step = enrolments.step(named(&id)?, |dossier, state| dossier.apply(application, state));
    answer("application", step.await)
}

async fn confirm(State(enrolments): Shared, Path(id): Path<String>, body: Bytes) -> Answer {
    let confirmation = read(&body)?;
    let step = enrolments.step(named(&id)?, |dossier, _| dossier.confirm(confirmation));
    answer("confirmation", step.await)
}

async fn withdraw(State(enrolments): Shared, Path(id): Path<String>, body: Bytes) -> Answer {
    let withdrawal = read(&body)?;
    let step = enrolments.step(named(&id)?, |dossier, state| dossier.withdraw(&withdrawal, state));
    answer("withdrawal", step.await)
}

/// Reads a signed statement.
pub(crate) fn read<T: Serialize + DeserializeOwned>(body: &[u8]) -> Result<Signed<T>, Problem> {
    Signed::from_bytes(body).map_err(|error| Problem::bad_request("malformed-request", error.to_string()))
}

fn named(id: &str) -> Result<InvitationId, Problem> {
    id.parse().map_err(|_| problem(StepError::Unknown))
}

/// An answer in CBOR.
pub(crate) fn cbor(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, CBOR)], bytes).into_response()
}

fn answer(step: &'static str, taken: Result<Dossier, StepError>) -> Answer {
    let result = if taken.is_ok() { "taken" } else { "refused" };
    metrics::counter!(STEPS, "step" => step, "result" => result).increment(1);
    match taken {
        Ok(dossier) => {
            let component = &dossier.invited().seat.id;
            tracing::info!(step, %component, stage = dossier.stage.name(), "a step of an enrolment is taken");
            Ok(cbor(dossier.to_bytes()))
        }
        Err(error) => {
            tracing::info!(step, %error, "a step of an enrolment is refused");
            Err(problem(error))
        }
    }
}

/// The answer to a step or a request that is not taken.
pub(crate) fn problem(error: StepError) -> Problem {
    let detail = error.to_string();
    let refused = match error {
        StepError::Refused(refused) => refused,
        StepError::Unknown => return Problem::not_found(detail),
        StepError::Full => return Problem::unavailable("full", 3600, detail),
        StepError::NotReady(error) => return error.into(),
        StepError::Table(error) => {
            tracing::error!(%error, "the table cannot be read or written");
            return Problem::internal();
        }
    };
    match refused {
        Refused::OtherLog => Problem::bad_request("other-log", detail),
        Refused::Clock => Problem::bad_request("clock", detail),
        Refused::Body(_) | Refused::Role(_) | Refused::Endpoint => Problem::unprocessable("invitation", detail),
        Refused::Unfit(_) => Problem::unprocessable("unfit", detail),
        Refused::Registrar => Problem::forbidden("no-registrar", detail),
        Refused::SameRegistrar => Problem::forbidden("same-registrar", detail),
        Refused::OtherInvitation => Problem::forbidden("other-invitation", detail),
        Refused::Link => Problem::forbidden("link", detail),
        Refused::Key | Refused::Present | Refused::NotListed(_) => Problem::forbidden("key", detail),
        Refused::Code => Problem::forbidden("code", detail),
        Refused::WrongWords { .. } => Problem::forbidden("words", detail),
        Refused::Listed(_) => Problem::conflict("listed", detail),
        Refused::NotNow(_) => Problem::conflict("not-now", detail),
        Refused::Used => Problem::conflict("used", detail),
        Refused::Ended(_) => Problem::conflict("ended", detail),
    }
}
