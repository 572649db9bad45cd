//! Handlers for people and pages that read the directory and the Registerlandkarte, as JSON.
//!
//! | Endpoint | Answer |
//! | --- | --- |
//! | `GET /trust/{kind}` | the newest published version |
//! | `GET /trust/{kind}/{version}` | one version: its entry, times, reason, root |
//! | `GET /trust/{kind}/{version}/values?prefix=&after=&limit=` | values, ascending by key |
//! | `GET /trust/{kind}/{version}/values/{key}` | one value, or its absence, with its proof under the version's root |
//! | `GET /trust/{kind}/{version}/history/{key}?before=` | the versions up to this one that put or ended the value |
//! | `GET /trust/{kind}/{version}/search?q=&after=&limit=` | values whose key or texts have all words |
//!
//! A kind is `directory` or `registry`. A version whose entry is not published yet is a 503. What names a version never
//! changes and may be cached permanently. A page has at most [`MAX_LIMIT`] values and about [`PAGE_BYTES`]; `next` is
//! the `after` or `before` of the next page, or `null`.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use record::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use service::Problem;
use tlog::Hash;
use trust::{AppliedSet, History, Key, SignedHeader, StoredValue, TrustKind, TrustMap, Version};

use super::readable;
use super::reply::{IMMUTABLE, NO_STORE, Reply, absent, index, internal, not_witnessed, reply};
use super::shared::Shared;
use crate::store::{Column, StoreError};

type SharedState = State<Arc<Shared>>;

const JSON: &str = "application/json";
const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;
/// A page ends with the value that exceeds this many bytes of CBOR.
const PAGE_BYTES: usize = 256 << 10;
/// The longest query for a search, in bytes.
const MAX_QUERY: usize = 100;

/// The query of a list or a search.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ListQuery {
    prefix: Option<String>,
    q: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// The query of a history.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HistoryQuery {
    before: Option<u32>,
}

#[derive(Serialize)]
struct VersionShown {
    kind: TrustKind,
    version: Version,
    /// The entry of its change set, and the entry's time.
    entry: u64,
    time: Timestamp,
    valid_from: Timestamp,
    reason: String,
    /// The digest of the signed header, which is a document.
    #[serde(with = "record::bytes")]
    header: Hash,
    #[serde(with = "record::bytes")]
    operations: Hash,
    #[serde(with = "record::bytes")]
    root: Hash,
}

#[derive(Serialize)]
struct ValueShown<'a> {
    key: &'a Key,
    /// The version that put it.
    since: Version,
    value: Json,
}

#[derive(Serialize)]
struct ListShown<'a> {
    kind: TrustKind,
    version: Version,
    values: Vec<ValueShown<'a>>,
    next: Option<&'a Key>,
}

#[derive(Serialize)]
struct ProvedShown<'a> {
    kind: TrustKind,
    version: Version,
    key: &'a Key,
    since: Option<Version>,
    value: Json,
    /// The proof of value or absence under the root in the header.
    #[serde(with = "record::bytes")]
    proof: Vec<u8>,
    /// The signed header, whose digest is in the entry.
    #[serde(with = "record::bytes")]
    header: Vec<u8>,
    entry: u64,
}

#[derive(Serialize)]
struct ChangeShown {
    version: Version,
    entry: u64,
    time: Timestamp,
    valid_from: Timestamp,
    reason: String,
    /// `null` if the value ended.
    value: Json,
}

#[derive(Serialize)]
struct HistoryShown<'a> {
    key: &'a Key,
    changes: Vec<ChangeShown>,
    next: Option<Version>,
}

/// A published version.
struct Published {
    shared: Arc<Shared>,
    history: Arc<History>,
    kind: TrustKind,
    set: AppliedSet,
}

impl Published {
    fn find(shared: &Arc<Shared>, kind: &str, version: &str) -> Result<Self, Problem> {
        let kind: TrustKind = kind.parse().map_err(|_| absent())?;
        let version = u32::try_from(index(version)?).map_err(|_| absent())?;
        let history = shared.history.current().ok_or_else(absent)?;
        let set = *history.set_of(kind, Version(version)).ok_or_else(absent)?;
        if set.position.index.get() >= published_size(shared)? {
            return Err(not_witnessed());
        }
        Ok(Self {
            shared: shared.clone(),
            history,
            kind,
            set,
        })
    }

    fn newest(shared: &Arc<Shared>, kind: &str) -> Result<Self, Problem> {
        let kind: TrustKind = kind.parse().map_err(|_| absent())?;
        let history = shared.history.current().ok_or_else(absent)?;
        let size = published_size(shared)?;
        let newest = history.newest(kind).map_or(0, |set| set.version.0);
        let mut sets = (1..=newest)
            .rev()
            .filter_map(|version| history.set_of(kind, Version(version)));
        let set = *sets
            .find(|set| set.position.index.get() < size)
            .ok_or_else(not_witnessed)?;
        Ok(Self {
            shared: shared.clone(),
            history,
            kind,
            set,
        })
    }

    /// A key of this kind.
    fn key(&self, key: &str) -> Result<Key, Problem> {
        let key = key.parse::<Key>().ok().filter(|key| key.section().kind() == self.kind);
        key.ok_or_else(absent)
    }

    fn map(&self) -> Result<Arc<TrustMap>, Problem> {
        let map = self.shared.trust.version(&self.history, self.kind, self.set.version);
        map.map_err(|error| internal(&StoreError::failed("a version", error)))
    }

    /// The signed header of the set that made a version.
    fn header(&self, digest: &Hash) -> Result<SignedHeader, Problem> {
        let store = self.shared.log.rows().store();
        let bytes = store
            .get(Column::Documents, &digest.0)
            .map_err(|error| internal(&error))?;
        let header = bytes.and_then(|bytes| SignedHeader::parse(&bytes).ok());
        header.ok_or_else(|| internal(&StoreError::damaged("the header of a change set is damaged")))
    }

    fn show(&self) -> Result<Vec<u8>, Problem> {
        let signed = self.header(&self.set.header)?;
        write(&VersionShown {
            kind: self.kind,
            version: self.set.version,
            entry: self.set.position.index.get(),
            time: self.set.position.time,
            valid_from: self.set.valid_from,
            reason: signed.header().reason.to_string(),
            header: self.set.header,
            operations: signed.header().operations,
            root: self.set.root,
        })
    }

    /// The values after a key that begin with a prefix and that `wanted` accepts.
    fn list(
        &self,
        map: &TrustMap,
        query: &ListQuery,
        mut wanted: impl FnMut(&Key, &StoredValue) -> bool,
    ) -> Result<Vec<u8>, Problem> {
        let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(bad_query(format!("a limit is a number from 1 to {MAX_LIMIT}")));
        }
        let prefix = query.prefix.as_deref().unwrap_or_default();
        let after = query.after.as_deref().unwrap_or_default();
        let values = map.starting_at(prefix.max(after));
        let values = values.take_while(|(key, _)| key.as_str().starts_with(prefix));
        let mut values = values.filter(|(key, stored)| key.as_str() != after && wanted(key, stored));
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < limit && bytes < PAGE_BYTES {
            let Some((key, stored)) = values.next() else { break };
            let value = stored.value().to_bytes();
            bytes += value.len();
            page.push(ValueShown {
                key,
                since: stored.version(),
                value: readable::json(&value),
            });
        }
        let next = page.last().map(|last| last.key).filter(|_| values.next().is_some());
        write(&ListShown {
            kind: self.kind,
            version: self.set.version,
            values: page,
            next,
        })
    }

    fn prove(&self, key: &Key) -> Result<Vec<u8>, Problem> {
        let map = self.map()?;
        let stored = map.get(key);
        write(&ProvedShown {
            kind: self.kind,
            version: self.set.version,
            key,
            since: stored.map(|stored| stored.version()),
            value: shown(stored),
            proof: map.prove(key).to_bytes(),
            header: self.header(&self.set.header)?.bytes().to_vec(),
            entry: self.set.position.index.get(),
        })
    }

    fn changes(&self, key: &Key, before: Option<u32>) -> Result<Vec<u8>, Problem> {
        let end = before.map_or(self.set.version.0, |before| {
            before.saturating_sub(1).min(self.set.version.0)
        });
        let changes = self.history.changes_of(key).into_iter().rev();
        let mut changes = changes.filter(|(set, _)| set.version.0 <= end);
        let page = changes.by_ref().take(DEFAULT_LIMIT).map(|(set, value)| {
            Ok(ChangeShown {
                version: set.version,
                entry: set.position.index.get(),
                time: set.position.time,
                valid_from: set.valid_from,
                reason: self.header(&set.header)?.header().reason.to_string(),
                value: shown(value),
            })
        });
        let page: Vec<ChangeShown> = page.collect::<Result<_, Problem>>()?;
        let last = page.last().map(|change| change.version);
        let next = last.filter(|_| changes.next().is_some());
        if page.is_empty() && before.is_none() {
            return Err(absent());
        }
        write(&HistoryShown {
            key,
            changes: page,
            next,
        })
    }
}

fn published_size(shared: &Shared) -> Result<u64, Problem> {
    let published = shared.publication.witnessed(&shared.log.snapshot());
    published.map(|published| published.size).ok_or_else(not_witnessed)
}

fn shown(stored: Option<&Arc<StoredValue>>) -> Json {
    stored.map_or(Json::Null, |stored| readable::json(&stored.value().to_bytes()))
}

fn write(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(|error| internal(&StoreError::failed("an answer", error)))
}

fn bad_query(detail: impl Into<String>) -> Problem {
    Problem::bad_request("query", detail)
}

fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query
        .map(|Query(query)| query)
        .map_err(|error| bad_query(error.body_text()))
}

/// `GET /trust/{kind}`
pub(super) async fn newest(State(shared): SharedState, Path(kind): Path<String>, headers: HeaderMap) -> Reply {
    let version = Published::newest(&shared, &kind)?;
    Ok(reply(&headers, JSON, NO_STORE, version.show()?))
}

/// `GET /trust/{kind}/{version}`
pub(super) async fn version(
    State(shared): SharedState,
    Path((kind, version)): Path<(String, String)>,
    headers: HeaderMap,
) -> Reply {
    let version = Published::find(&shared, &kind, &version)?;
    Ok(reply(&headers, JSON, IMMUTABLE, version.show()?))
}

/// `GET /trust/{kind}/{version}/values`
pub(super) async fn values(
    State(shared): SharedState,
    Path((kind, version)): Path<(String, String)>,
    list: Result<Query<ListQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Reply {
    let list = query(list)?;
    if list.q.is_some() {
        return Err(bad_query("a list has no `q`; a search has"));
    }
    let version = Published::find(&shared, &kind, &version)?;
    let work = move || version.list(&*version.map()?, &list, |_, _| true);
    Ok(reply(&headers, JSON, IMMUTABLE, shared.trust.values(work).await?))
}

/// `GET /trust/{kind}/{version}/search`
pub(super) async fn search(
    State(shared): SharedState,
    Path((kind, version)): Path<(String, String)>,
    list: Result<Query<ListQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Reply {
    let list = query(list)?;
    let words = readable::fold(list.q.as_deref().unwrap_or_default());
    if words.len() > MAX_QUERY || words.split_whitespace().next().is_none() {
        return Err(bad_query(format!("`q` has a word and at most {MAX_QUERY} bytes")));
    }
    let version = Published::find(&shared, &kind, &version)?;
    let work = move || {
        let map = version.map()?;
        version.shared.trust.with_texts(map.len(), |text| {
            version.list(&map, &list, |key, stored| {
                let text = text(stored);
                let has = |word: &str| key.as_str().contains(word) || text.contains(word);
                words.split_whitespace().all(has)
            })
        })
    };
    Ok(reply(&headers, JSON, IMMUTABLE, shared.trust.values(work).await?))
}

/// `GET /trust/{kind}/{version}/values/{key}`
pub(super) async fn value(
    State(shared): SharedState,
    Path((kind, version, key)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Reply {
    let version = Published::find(&shared, &kind, &version)?;
    let key = version.key(&key)?;
    let work = move || version.prove(&key);
    Ok(reply(&headers, JSON, IMMUTABLE, shared.trust.values(work).await?))
}

/// `GET /trust/{kind}/{version}/history/{key}`
pub(super) async fn history(
    State(shared): SharedState,
    Path((kind, version, key)): Path<(String, String, String)>,
    before: Result<Query<HistoryQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Reply {
    let HistoryQuery { before } = query(before)?;
    let version = Published::find(&shared, &kind, &version)?;
    let key = version.key(&key)?;
    let work = move || version.changes(&key, before);
    Ok(reply(&headers, JSON, IMMUTABLE, shared.trust.values(work).await?))
}
