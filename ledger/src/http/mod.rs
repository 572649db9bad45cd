//! The HTTP interface of the ledger (design §7).
//!
//! | Endpoint | Answer |
//! | --- | --- |
//! | `GET /checkpoint`, `/checkpoints/…`, `/head`, `/tile/…` | checkpoints, tiles and bundles: see [`tree`] |
//! | `GET /entries/{index}/receipt` | the receipt (tlog-proof) under the head |
//! | `GET /entries/{index}/receipt?witnessed` | the receipt under the published checkpoint; 503 until covered |
//! | `GET /trust/newest` | the receipt of the newest published `map` entry; 503 until there is one |
//! | `GET /trust/sets/{index}` | the published change sets from an entry on: [`trust::SetPage`] |
//! | `GET /trust/{kind}/…` | versions, values, histories and search as JSON: see [`versions`] |
//! | `GET /documents/{digest}` | a public document |
//! | `GET /writers/{kid}/head` | CBOR `{"leaf", "index", "sequence"}` |
//! | `GET /records/{index}` | a sealed record; 401 without a credential |
//! | `POST /records/batch` | up to 256 entries with their records ([`record::stored`]); 401 without a credential |
//! | `POST /entries` | an answer for each entry, streamed if there are many |
//!
//! [`record::submission`] defines the answers to `POST /entries`. If the whole request is refused, the answer is a
//! problem with status 400, 413, 415, 429 or 503.

mod answers;
pub mod body;
mod compression;
#[cfg(test)]
mod compression_tests;
mod entries;
mod read;
mod readable;
mod receive;
mod reply;
#[cfg(test)]
mod rotation_tests;
mod sets;
mod shared;
mod strangers;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod tree;
#[cfg(test)]
mod tree_tests;
mod trust_reads;
mod versions;
#[cfg(test)]
mod versions_tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use service::Problem;

pub(crate) use shared::Shared;
use tree::ReadApi;

/// All routes.
pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    let public = tree::open_to_web_pages(
        Router::new()
            .route("/entries/{index}/receipt", get(read::receipt))
            .route("/trust/newest", get(sets::newest))
            .route("/trust/sets/{index}", get(sets::page))
            .route("/trust/{kind}", get(versions::newest))
            .route("/trust/{kind}/{version}", get(versions::version))
            .route("/trust/{kind}/{version}/values", get(versions::values))
            .route("/trust/{kind}/{version}/values/{*key}", get(versions::value))
            .route("/trust/{kind}/{version}/history/{*key}", get(versions::history))
            .route("/trust/{kind}/{version}/search", get(versions::search))
            .route("/documents/{digest}", compression::get_compressible(read::document))
            .route("/writers/{kid}/head", get(read::writer)),
    );
    let tree = tree::routes(ReadApi {
        rows: shared.log.rows().clone(),
        snapshots: shared.log.snapshots(),
        publication: shared.publication.clone(),
    });
    Router::new()
        .route(
            "/entries",
            // `receive` limits the body.
            post(entries::append).layer(DefaultBodyLimit::disable()),
        )
        .route("/records/{index}", get(read::record))
        .route(
            "/records/batch",
            post(read::records).layer(DefaultBodyLimit::max(read::MAX_BATCH_BODY)),
        )
        .merge(public)
        .fallback(|| async { Problem::not_found("") })
        .with_state(shared)
        .merge(tree)
}
