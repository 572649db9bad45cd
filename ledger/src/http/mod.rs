//! The HTTP interface (design §7).
//!
//! | Endpoint | Answer |
//! | --- | --- |
//! | `GET /checkpoint` | the newest checkpoint that meets the witness policy; 503 until there is one |
//! | `GET /checkpoints/{size}` | the checkpoint that met the witness policy at this size, or at the next larger one |
//! | `GET /head` | the newest checkpoint, with the log's signature alone |
//! | `GET /tile/<level>/<number>[.p/<width>]` | hashes of a tile, up to the head |
//! | `GET /tile/entries/<number>[.p/<width>]` | a bundle of entries, up to the head |
//! | `GET /entries/{index}/receipt` | tlog-proof under the head |
//! | `GET /entries/{index}/receipt?witnessed` | tlog-proof under the published checkpoint; 503 until it covers the entry |
//! | `GET /documents/{digest}` | a public document |
//! | `GET /writers/{kid}/head` | CBOR `{"leaf", "index", "sequence"}` |
//! | `GET /records/{index}` | a sealed record; 401 without a credential |
//! | `POST /entries` | see `wire` and [`crate::rules::refusal`]; 400, 413, 415, 429, 503 as problem details for the whole request |

mod entries;
mod read;
#[cfg(test)]
mod rotation_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tree_tests;
pub(crate) mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::routing::{get, post};
use service::Problem;
use service::secret::CredentialDigest;
use tower_http::cors::{Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::engine::Log;
use crate::engine::publication::Publication;
use crate::rules::{Checker, Rules};
use crate::store::StoreError;

/// What handlers share.
pub(crate) struct Shared {
    /// The log.
    pub(crate) log: Log<Rules>,
    /// The published checkpoint.
    pub(crate) publication: Arc<Publication>,
    /// Checks submissions.
    pub(crate) checker: Checker,
    /// Who may read records.
    pub(crate) records_credentials: Vec<CredentialDigest>,
}

/// All routes.
pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::IF_NONE_MATCH])
        .expose_headers([header::ETAG, header::RETRY_AFTER]);
    let resource_policy = SetResponseHeaderLayer::overriding(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    let public = Router::new()
        .route("/checkpoint", get(read::checkpoint))
        .route("/checkpoints/{size}", get(read::history))
        .route("/head", get(read::head))
        .route("/tile/{*path}", get(read::tile))
        .route("/entries/{index}/receipt", get(read::receipt))
        .route("/documents/{digest}", get(read::document))
        .route("/writers/{kid}/head", get(read::writer))
        .layer(cors)
        .layer(resource_policy);
    Router::new()
        .route(
            "/entries",
            post(entries::append).layer(DefaultBodyLimit::max(entries::MAX_REQUEST)),
        )
        .route("/records/{index}", get(read::record))
        .merge(public)
        .fallback(|| async { Problem::not_found("") })
        .with_state(shared)
}

/// A fault of the store goes to the log, not to the requester.
fn internal(error: &StoreError) -> Problem {
    tracing::error!(%error, "a request failed");
    Problem::internal()
}
