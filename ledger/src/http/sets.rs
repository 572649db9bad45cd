//! Handlers that lead a follower to the newest change sets.
//!
//! A published `map` entry names the entries with the newest sets before it. A reader of its receipt knows that no
//! later version was in force, and fetches the sets that it lacks, several hundred in one page.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use service::Problem;
use service::http::CBOR;
use tlog::merkle::Index;
use trust::limits::{MAX_PAGE_SETS, PAGE_BYTES};
use trust::{History, LoggedSet, SetPage};

use super::read::witnessed;
use super::reply::{NO_STORE, Reply, absent, index, internal, not_witnessed, reply};
use super::shared::Shared;
use crate::engine::publication::PublishedCheckpoint;
use crate::rules::founding::set_documents;
use crate::rules::sets;
use crate::store::StoreError;

type SharedState = State<Arc<Shared>>;

fn published(shared: &Shared) -> Result<Arc<PublishedCheckpoint>, Problem> {
    let published = shared.publication.witnessed(&shared.log.snapshot());
    published.ok_or_else(not_witnessed)
}

/// `GET /trust/newest`
pub(super) async fn newest(State(shared): SharedState, headers: HeaderMap) -> Reply {
    let published = published(&shared)?;
    let number = sets::newest_map(shared.log.rows().store().as_ref(), published.size);
    let number = number.map_err(|error| internal(&error))?.ok_or_else(not_witnessed)?;
    witnessed(&shared, number, &headers)
}

/// `GET /trust/sets/{index}`
pub(super) async fn page(State(shared): SharedState, Path(from): Path<String>, headers: HeaderMap) -> Reply {
    let from = Index::new(index(&from)?).map_err(|_| absent())?;
    let published = published(&shared)?;
    let history = shared.history.current().ok_or_else(absent)?;
    let work = {
        let shared = shared.clone();
        move || {
            let page = make_page(&shared, &history, from, &published);
            Ok(page.map_err(|error| internal(&error))?.into_bytes())
        }
    };
    Ok(reply(&headers, CBOR, NO_STORE, shared.trust.page(work).await?))
}

/// The sets from an entry on, up to the published checkpoint or the limits of a page.
fn make_page(
    shared: &Shared,
    history: &History,
    from: Index,
    published: &PublishedCheckpoint,
) -> Result<SetPage, StoreError> {
    // This snapshot is not older than the published checkpoint.
    let snapshot = shared.log.snapshot();
    let (mut sets, mut bytes) = (Vec::new(), 0);
    for (_, set) in history.applied_from(from).take(MAX_PAGE_SETS) {
        let index = set.position.index;
        if index.get() >= published.size {
            break;
        }
        let (entry, header, operations) = set_documents(shared.log.rows(), index.get())?;
        let logged = LoggedSet {
            index,
            leaf: entry.into_bytes(),
            header: header.bytes().to_vec(),
            operations,
        };
        bytes += logged.len();
        if bytes > PAGE_BYTES && !sets.is_empty() {
            break;
        }
        sets.push(logged);
    }
    let indices: Vec<Index> = sets.iter().map(|set| set.index).collect();
    let proof = match indices.as_slice() {
        [] => Vec::new(),
        indices => snapshot.inclusion_batch(indices, published.size)?,
    };
    Ok(SetPage {
        checkpoint: published.note.clone(),
        proof,
        sets,
    })
}
