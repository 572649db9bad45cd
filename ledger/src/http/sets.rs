//! Handlers that lead a reader to the newest change sets.
//!
//! A published `map` entry names the entries with the newest sets before it. A reader of its receipt knows that no
//! later version was in force, and fetches the versions that it lacks.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use trust::{TrustKind, Version};

use super::read::witnessed;
use super::reply::{Reply, absent, index, internal, not_witnessed};
use super::shared::Shared;
use crate::rules::sets;

type SharedState = State<Arc<Shared>>;

/// `GET /trust/newest`
pub(super) async fn newest(State(shared): SharedState, headers: HeaderMap) -> Reply {
    let published = shared
        .publication
        .witnessed(&shared.log.snapshot())
        .ok_or_else(not_witnessed)?;
    let number = sets::newest_map(shared.log.rows().store().as_ref(), published.size);
    let number = number.map_err(|error| internal(&error))?.ok_or_else(not_witnessed)?;
    witnessed(&shared, number, &headers)
}

/// `GET /trust/{kind}/{version}`
pub(super) async fn set(
    State(shared): SharedState,
    Path((kind, version)): Path<(String, String)>,
    headers: HeaderMap,
) -> Reply {
    let kind = match kind.as_str() {
        "directory" => TrustKind::Directory,
        "registry" => TrustKind::Registerlandkarte,
        _ => return Err(absent()),
    };
    let version = u32::try_from(index(&version)?).map_err(|_| absent())?;
    let number = sets::entry_of(shared.log.rows().store().as_ref(), kind, Version(version));
    let number = number.map_err(|error| internal(&error))?.ok_or_else(absent)?;
    witnessed(&shared, number, &headers)
}
