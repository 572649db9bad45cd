//! Fakes of ledger and identity. They serve a small log made with `tlog` and `record` over HTTP, and a [`Mode`] makes
//! them misbehave.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use messages::{DisclosedEntry, Disclosure, DisclosureRequest, EntryKeys, PeriodInfo};
use proof::bundle::CompletenessProof;
use record::{Body, DayKey, Kind, PartName, Period, Phase, Series, SignedEntry, StoredEntry};
use service::Problem;
use tlog::merkle::{HashReader, Index, inclusion_batch};
use tlog::tile::{Resource, encode_bundle};
use trust::{LoggedSet, SetPage, SignedHeader, TrustKind};

use fixtures::sample_log::{self, SampleLog};

/// How the fakes of ledger and identity behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Sound,
    /// One byte of every sealed record is changed.
    TamperedRecords,
    /// No witness has cosigned yet.
    Unwitnessed,
    /// Every call to the ledger fails.
    LedgerDown,
    /// Identity refuses the login.
    IdentityRefuses,
    /// Identity refuses the login by its times alone.
    IdentityClock,
    /// Identity sends the receipt of an entry that is not an inspection.
    WrongInspection,
    /// Identity discloses an outcome under another number, and no proof of completeness, which would have the right
    /// one.
    WrongNumber,
    /// Identity withholds the last exchange, in the list and in the proof of completeness.
    Withheld,
    /// Identity withholds the last exchange in the list alone.
    Unlisted,
    /// Identity has no published checkpoint.
    Unpublished,
    /// Every record has expired, so identity discloses no keys.
    Expired,
    /// The ledger sends the receipt of another entry instead of that of a change set.
    WrongSets,
    /// The ledger sends other bytes as the newest entries.
    WrongBundles,
}

pub(crate) struct Backend {
    pub log: SampleLog,
    pub mode: Mode,
    /// Log indices of intent and outcome of each exchange.
    pub exchanges: Vec<(u64, Option<u64>)>,
    pub inspection: u64,
    /// How many checkpoints the ledger has served.
    pub checkpoints: usize,
    /// How many change sets the ledger has served.
    pub sets: usize,
    /// Requests that identity has received.
    pub tokens: Vec<DisclosureRequest>,
}

pub(crate) type SharedBackend = Arc<Mutex<Backend>>;

pub(crate) fn lock(backend: &Mutex<Backend>) -> MutexGuard<'_, Backend> {
    backend.lock().unwrap()
}

pub(crate) fn backend(exchanges: usize) -> Backend {
    let mut log = SampleLog::new();
    let exchanges = (0..exchanges)
        .map(|_| {
            let (intent, number) = log.intent();
            log.map();
            let outcome = log.outcome(intent, number);
            log.map();
            (intent, Some(outcome))
        })
        .collect();
    let inspection = log.inspection(0);
    log.map();
    Backend {
        log,
        mode: Mode::Sound,
        exchanges,
        inspection,
        checkpoints: 0,
        sets: 0,
        tokens: Vec::new(),
    }
}

pub(crate) fn ledger_routes(backend: SharedBackend) -> Router {
    Router::new()
        .route("/checkpoint", get(checkpoint))
        .route("/records/batch", post(stored))
        .route("/entries/{index}/receipt", get(receipt))
        .route("/documents/{digest}", get(document))
        .route("/trust/newest", get(newest_map))
        .route("/tile/{*path}", get(tile))
        .route("/trust/sets/{index}", get(change_sets))
        .with_state(backend)
}

fn down() -> Response {
    Problem::unavailable("down", 1, "the ledger is down").into_response()
}

async fn checkpoint(State(backend): State<SharedBackend>) -> Response {
    let mut backend = lock(&backend);
    backend.checkpoints += 1;
    match backend.mode {
        Mode::LedgerDown => down(),
        Mode::Unwitnessed => backend.log.checkpoint(0).into_response(),
        _ => backend.log.checkpoint(2).into_response(),
    }
}

async fn stored(State(backend): State<SharedBackend>, body: Bytes) -> Response {
    let backend = lock(&backend);
    if backend.mode == Mode::LedgerDown {
        return down();
    }
    let indices: Vec<u64> = record::cbor::from_slice(&body).unwrap();
    let stored = indices.iter().map(|index| {
        let mut record = backend.log.records.get(index)?.clone();
        if backend.mode == Mode::TamperedRecords {
            let last = record.len() - 1;
            record[last] ^= 1;
        }
        Some(StoredEntry {
            leaf: backend.log.leaves[usize::try_from(*index).unwrap()].clone(),
            record: Some(record),
        })
    });
    record::cbor::to_vec(&stored.collect::<Vec<_>>()).into_response()
}

async fn tile(State(backend): State<SharedBackend>, Path(path): Path<String>) -> Response {
    let mut backend = lock(&backend);
    if backend.mode == Mode::LedgerDown {
        return down();
    }
    let resource = format!("tile/{path}").parse();
    let wrong = backend.mode == Mode::WrongBundles;
    let log = &mut backend.log;
    let count = |width: u16| usize::from(width);
    match resource {
        Ok(Resource::Bundle(bundle)) => {
            let first = usize::try_from(bundle.index()).unwrap() * 256;
            let mut leaves = log.leaves[first..][..count(bundle.width())].to_vec();
            if wrong {
                let last = leaves.len() - 1;
                leaves[last] = leaves[last - 1].clone();
            }
            encode_bundle(&leaves).unwrap().into_response()
        }
        Ok(Resource::Tile(tile)) => {
            let first = tile.index() * 256;
            let hashes = (0..u64::from(tile.width())).map(|at| log.tree.read(8 * tile.level(), first + at).unwrap().0);
            hashes.flatten().collect::<Vec<u8>>().into_response()
        }
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn receipt(State(backend): State<SharedBackend>, RawQuery(query): RawQuery, Path(index): Path<u64>) -> Response {
    let backend = lock(&backend);
    if usize::try_from(index).unwrap() >= backend.log.leaves.len() {
        return Problem::new(404, "not-found", "there is no such entry", "").into_response();
    }
    match (backend.mode, query.as_deref()) {
        (Mode::LedgerDown, _) => down(),
        (Mode::Unwitnessed, Some("witnessed")) => Problem::unavailable("unwitnessed", 1, "not yet").into_response(),
        (Mode::WrongSets, Some("witnessed")) if set_indices(&backend).contains(&index) => {
            backend.log.receipt(0, 2).into_response()
        }
        (_, Some("witnessed")) => backend.log.receipt(index, 2).into_response(),
        _ => backend.log.receipt(index, 0).into_response(),
    }
}

/// The receipt of an entry under a checkpoint that the witnesses have cosigned.
fn witnessed(backend: &Backend, index: u64) -> Response {
    match backend.mode {
        Mode::LedgerDown => down(),
        Mode::Unwitnessed => Problem::unavailable("unwitnessed", 1, "not yet").into_response(),
        _ => backend.log.receipt(index, 2).into_response(),
    }
}

async fn newest_map(State(backend): State<SharedBackend>) -> Response {
    let backend = lock(&backend);
    let (map, _) = backend.log.snapshots.last().unwrap();
    witnessed(&backend, *map)
}

/// All change sets from an entry on, in one page.
async fn change_sets(State(backend): State<SharedBackend>, Path(from): Path<u64>) -> Response {
    let mut backend = lock(&backend);
    match backend.mode {
        Mode::LedgerDown => return down(),
        Mode::Unwitnessed => return Problem::unavailable("unwitnessed", 1, "not yet").into_response(),
        _ => {}
    }
    let mut indices = set_indices(&backend);
    indices.retain(|index| *index >= from);
    backend.sets += indices.len();
    let log = &mut backend.log;
    let sets = indices.iter().map(|index| {
        let leaf = log.leaves[usize::try_from(*index).unwrap()].clone();
        let Body::Document { digest, .. } = SignedEntry::parse(leaf.clone()).unwrap().entry().body else {
            unreachable!("an entry with a change set")
        };
        let header = log.documents[&digest.to_string()].clone();
        let operations = SignedHeader::parse(&header).unwrap().header().operations;
        LoggedSet {
            index: Index::new(*index).unwrap(),
            leaf,
            header,
            operations: log.documents[&operations.to_string()].clone(),
        }
    });
    let sets: Vec<LoggedSet> = sets.collect();
    let size = log.size();
    let placed: Vec<Index> = sets.iter().map(|set| set.index).collect();
    let proof = match placed.as_slice() {
        [] => Vec::new(),
        placed => inclusion_batch(&mut log.tree, placed, size).unwrap(),
    };
    let page = SetPage {
        checkpoint: String::from_utf8(log.checkpoint(2).into()).unwrap(),
        proof,
        sets,
    };
    page.into_bytes().into_response()
}

/// The entries with change sets, ascending.
fn set_indices(backend: &Backend) -> Vec<u64> {
    let kinds = [TrustKind::Directory, TrustKind::Registerlandkarte];
    let sets = kinds.into_iter().flat_map(|kind| backend.log.trust().applied(kind));
    let mut indices: Vec<u64> = sets.map(|set| set.position.index.get()).collect();
    indices.sort_unstable();
    indices
}

async fn document(State(backend): State<SharedBackend>, Path(digest): Path<String>) -> Response {
    lock(&backend).log.documents[&digest].clone().into_response()
}

pub(crate) fn identity_routes(backend: SharedBackend) -> Router {
    Router::new().route("/disclosures", post(disclose)).with_state(backend)
}

async fn disclose(State(backend): State<SharedBackend>, body: Bytes) -> Response {
    let mut backend = lock(&backend);
    let Ok(request) = record::cbor::from_slice::<DisclosureRequest>(&body) else {
        return (StatusCode::BAD_REQUEST, Json("no request")).into_response();
    };
    backend.tokens.push(request);
    if backend.mode == Mode::IdentityRefuses {
        return Problem::forbidden("login", "refused").into_response();
    }
    if backend.mode == Mode::IdentityClock {
        return Problem::forbidden("login-time", "refused").into_response();
    }
    record::cbor::to_vec(&disclosure(&backend)).into_response()
}

fn disclosure(backend: &Backend) -> Disclosure {
    let mut entries = Vec::new();
    let withheld = usize::from(matches!(backend.mode, Mode::Withheld | Mode::Unlisted));
    let shown = backend.exchanges.len() - withheld;
    for (number, (intent, outcome)) in (0_u32..).zip(&backend.exchanges[..shown]) {
        entries.push(entry(
            backend,
            *intent,
            Kind::Intent,
            Series::Exchanges,
            number,
            Phase::Intent,
        ));
        let other = u32::from(backend.mode == Mode::WrongNumber);
        entries.extend(outcome.map(|outcome| {
            let mut disclosed = entry(
                backend,
                outcome,
                Kind::Outcome,
                Series::Exchanges,
                number,
                Phase::Outcome,
            );
            let (_, proof) = backend.log.label_of(number + other, Series::Exchanges, Phase::Outcome);
            disclosed.vrf_proof = proof;
            disclosed
        }));
    }
    entries.push(entry(
        backend,
        backend.inspection,
        Kind::Inspection,
        Series::Inspections,
        0,
        Phase::Intent,
    ));
    let inspection = match backend.mode {
        Mode::WrongInspection => backend.exchanges[0].0,
        _ => backend.inspection,
    };
    Disclosure {
        idnr: sample_log::idnr(),
        display_name: "Emma Mustermann".into(),
        date_of_birth: "1964-08-12".parse().ok(),
        inspection_receipt: backend.log.receipt(inspection, 0),
        checkpoint: backend.log.checkpoint(0).into_bytes(),
        periods: vec![PeriodInfo {
            period: Period(1),
            begin_receipt: backend.log.receipt(3, 0),
        }],
        entries,
        complete: (!matches!(backend.mode, Mode::Unpublished | Mode::WrongNumber)).then(|| complete(backend, shown)),
    }
}

/// Identity's proof of completeness, which has no entries and records.
fn complete(backend: &Backend, shown: usize) -> CompletenessProof<()> {
    let last = backend.log.snapshots.len() - 1;
    let bundle = backend
        .log
        .bundle_showing(&sample_log::idnr(), last, &|_, series, number, _| {
            backend.mode != Mode::Withheld || series != Series::Exchanges || (number as usize) < shown
        });
    let cosigners = if backend.mode == Mode::Unwitnessed { 0 } else { 2 };
    let proof = CompletenessProof {
        checkpoint: backend.log.checkpoint(cosigners).into_bytes(),
        ..bundle.proof
    };
    proof.fill(|_, _| Ok::<_, ()>(())).unwrap()
}

fn entry(backend: &Backend, index: u64, kind: Kind, series: Series, number: u32, phase: Phase) -> DisclosedEntry {
    let (label, vrf_proof) = backend.log.label_of(number, series, phase);
    // The day key with which the small log seals its records.
    let key = DayKey([8; 32]).record_key(&label);
    DisclosedEntry {
        index,
        kind,
        period: Period(1),
        series,
        number,
        phase,
        vrf_proof,
        keys: if backend.mode == Mode::Expired {
            Vec::new()
        } else {
            // Like an identity that no longer knows the record's expiry day, this one sends two candidates; the second
            // is right.
            let keys = |key: record::RecordKey| EntryKeys {
                shared: key.part(PartName::Shared),
                citizen: key.part(PartName::Citizen),
            };
            vec![keys(DayKey([9; 32]).record_key(&label)), keys(key)]
        },
    }
}
