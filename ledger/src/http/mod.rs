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
//! | `GET /records/{index}` | a sealed record |
//! | `POST /records/batch` | up to 256 entries with their records ([`record::stored`]) |
//! | `POST /entries` | an answer for each entry, streamed if there are many |
//!
//! [`entrance`] says who may read records and write entries.
//! [`record::submission`] defines the answers to `POST /entries`. If the whole request is refused, the answer is a
//! problem with status 400, 413, 415, 429 or 503. A ledger that follows the log answers 307 with the address of the one
//! that writes to it, or 503 `follower` while that is not known.

mod answers;
pub mod body;
mod compression;
#[cfg(test)]
mod compression_tests;
mod entrance;
#[cfg(test)]
mod entrance_tests;
mod entries;
mod read;
mod readable;
mod receive;
mod reply;
mod roles;
#[cfg(test)]
mod rotation_tests;
mod served;
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

use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use axum::{Extension, Router};
use certificates::{Callers, Peers, callers};
use service::Problem;

use entrance::Writers;
pub(crate) use roles::Roles;
#[cfg(test)]
pub(crate) use roles::sequencer_health;
pub(crate) use served::{FollowState, FollowedLog, SequencerAddresses, ServedLog};
pub(crate) use shared::Shared;

/// The routes of the public entrance.
pub(crate) fn routes(roles: Roles) -> Router {
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
    let shared = roles.current();
    let own = if shared.writing_entrance {
        entries(Writers::Operator)
    } else {
        let readers = Callers::Credentials(shared.records_credentials.clone());
        entries(Writers::All).merge(records(readers))
    };
    own.merge(public)
        .merge(tree::routes())
        .fallback(|| async { Problem::not_found("") })
        .with_state(roles)
}

/// The routes of the writing entrance. `readers` may read records.
pub(crate) fn writing_routes(roles: Roles, readers: Peers) -> Router {
    entries(Writers::Certified)
        .merge(records(Callers::Peers(readers)))
        .fallback(|| async { Problem::not_found("") })
        .with_state(roles)
}

fn entries(writers: Writers) -> Router<Roles> {
    // `receive` limits the body.
    let layers = (DefaultBodyLimit::disable(), Extension(writers));
    Router::new().route("/entries", post(entries::append).layer(layers))
}

fn records(readers: Callers) -> Router<Roles> {
    Router::new()
        .route("/records/{index}", get(read::record))
        .route(
            "/records/batch",
            post(read::records).layer(DefaultBodyLimit::max(read::MAX_BATCH_BODY)),
        )
        .route_layer(middleware::from_fn_with_state(readers, callers::only))
}
