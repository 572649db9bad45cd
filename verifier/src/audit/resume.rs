//! The state of an audit, saved so that the next audit reads only new entries.
//!
//! The file is trusted like the policy: it claims that the entries it covers are sound. `load` compares the current log
//! with it by the root of the tiles covered, recomputed from the current tiles of level 1. The next audit does not read
//! the bundles, leaf tiles and records of the covered entries again. If the tolerance, the policy, the genesis hash or
//! the choice to check records has changed, the audit starts from the beginning.

use std::path::Path;

use record::{Label, Period, WriterId};
use serde::{Deserialize, Serialize};
use tlog::Hash;
use tlog::checkpoint::Origin;
use trust::TrustKind;
use trust::limits::MAX_SNAPSHOT;

use super::genesis::Genesis;
use super::layout::TILE;
use super::maps::PlacedLabel;
use super::options::Options;
use super::sets::{InForce, Sets};
use super::state::{LogState, PeriodState, WriterChain};
use super::tree::Skeleton;

const FORMAT: &str = "einsicht/audit-state/v3";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    format: String,
    /// SHA-256 of the options that the state depends on.
    conditions: [u8; 32],
    /// Root of the first `size` entries, a multiple of 256.
    size: u64,
    root: [u8; 32],
    records: u64,
    genesis: Option<([u8; 32], Vec<u8>)>,
    directory: SavedVersion,
    registerlandkarte: SavedVersion,
    /// Id, name, next number, last leaf.
    writers: Vec<([u8; 32], String, u64, [u8; 32])>,
    kinds: Vec<u8>,
    /// Index, period, label.
    intents: Vec<(u64, u32, [u8; 32])>,
    open: Vec<u64>,
    holds: Vec<u64>,
    /// Number, start, labels, final root, destroyed.
    periods: Vec<SavedPeriod>,
    placed: Vec<PlacedLabel>,
    documents: Vec<[u8; 32]>,
    latest: u64,
    uncovered: Option<(u64, u64)>,
    last_map: Option<u64>,
}

/// A version in force: all values, and not the sets that led to them, so that the file does not grow with the number of
/// sets. The values count if they lead to the root in the header.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedVersion {
    /// The entry that carries its set.
    entry: u64,
    /// The set's signed header.
    #[serde(with = "record::bytes")]
    header: Vec<u8>,
    /// All values ([`trust::Snapshot`]).
    #[serde(with = "record::bytes")]
    snapshot: Vec<u8>,
}

impl SavedVersion {
    /// Saves what is in force; `None` if it is not known, or too large.
    fn of(in_force: &InForce, origin: &Origin) -> Option<Self> {
        let snapshot = in_force.map()?.to_snapshot(origin);
        Some(Self {
            entry: in_force.entry?,
            header: in_force.header.clone(),
            snapshot: Some(snapshot).filter(|snapshot| snapshot.len() <= MAX_SNAPSHOT)?,
        })
    }

    fn restore(self) -> Option<InForce> {
        InForce::restore(self.entry, self.header, &self.snapshot)
    }
}

type SavedPeriod = (u32, u64, u64, Option<[u8; 32]>, bool);

/// A restored state.
pub(crate) struct SavedState {
    pub(crate) state: LogState,
    pub(crate) records: u64,
}

fn conditions(options: &Options) -> [u8; 32] {
    let genesis = options.genesis.map(|hash| hash.to_string()).unwrap_or_default();
    let rest = format!("{}\n{}\n{genesis}", options.records, options.tolerance);
    Hash::of(&[options.policy.to_bytes().as_slice(), rest.as_bytes()].concat()).0
}

/// Writes the state, atomically.
pub(crate) fn save(
    path: &Path,
    state: &LogState,
    records: u64,
    skeleton: &Skeleton,
    options: &Options,
) -> Result<(), String> {
    let root = skeleton.root_of_tiles(state.size / TILE).ok_or("tiles are missing")?;
    let origin = state
        .genesis
        .as_ref()
        .and_then(|genesis| genesis.document.origin.parse().ok());
    let origin: Origin = origin.ok_or("the genesis document is not known")?;
    let version = |kind| SavedVersion::of(state.sets.of(kind), &origin);
    let versions = version(TrustKind::Directory).zip(version(TrustKind::Registerlandkarte));
    let (directory, registerlandkarte) = versions.ok_or("directory or Registerlandkarte are unknown or too large")?;
    let file = StateFile {
        format: FORMAT.to_owned(),
        conditions: conditions(options),
        size: state.size,
        root,
        records,
        genesis: state
            .genesis
            .as_ref()
            .map(|genesis| (genesis.hash.0, genesis.bytes.clone())),
        directory,
        registerlandkarte,
        writers: state
            .writers
            .iter()
            .map(|(id, c)| (id.0.0, c.name.clone(), c.next, c.last.0))
            .collect(),
        kinds: state.kinds.clone(),
        intents: state
            .intents
            .iter()
            .map(|(index, (period, label))| (*index, period.0, label.0))
            .collect(),
        open: state.open.iter().copied().collect(),
        holds: state.holds.iter().copied().collect(),
        periods: state
            .periods
            .iter()
            .map(|(period, p)| {
                (
                    period.0,
                    p.start,
                    p.labels,
                    p.final_root.map(|root| root.0),
                    p.destroyed,
                )
            })
            .collect(),
        placed: state.maps.placed().to_vec(),
        documents: state.documents.iter().map(|digest| digest.0).collect(),
        latest: state.latest,
        uncovered: state.uncovered,
        last_map: state.last_map,
    };
    let mut bytes = Vec::new();
    ciborium::into_writer(&file, &mut bytes).map_err(|error| error.to_string())?;
    service::durable::write_atomic(path, &bytes).map_err(|error| error.to_string())
}

/// Why the saved state is not continued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResumeError {
    /// The file cannot be read or is damaged. This says nothing about the log.
    #[error("the saved state of the audit {0}")]
    File(String),
    /// The current log does not continue the audited one.
    #[error("the log does not continue the {0} entries that were audited before")]
    Log(u64),
}

/// Reads the state. `None` if there is none, or if it was saved under other options.
///
/// # Errors
/// [`ResumeError`].
pub(crate) fn load(path: &Path, skeleton: &Skeleton, options: &Options) -> Result<Option<SavedState>, ResumeError> {
    let damaged = || ResumeError::File("is damaged: delete it to audit from the beginning".to_owned());
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ResumeError::File(format!("cannot be read: {error}"))),
    };
    let file: StateFile = ciborium::from_reader(&bytes[..]).map_err(|_| damaged())?;
    if file.format != FORMAT || file.conditions != conditions(options) {
        return Ok(None);
    }
    if skeleton.root_of_tiles(file.size / TILE) != Some(file.root) {
        return Err(ResumeError::Log(file.size));
    }
    let records = file.records;
    let state = restore(file, options.tolerance).ok_or_else(damaged)?;
    Ok(Some(SavedState { state, records }))
}

fn restore(file: StateFile, tolerance: u64) -> Option<LogState> {
    let mut state = LogState::new(tolerance, true);
    state.size = file.size;
    state.genesis = match file.genesis {
        Some((hash, bytes)) => Some(Genesis::read(Hash(hash), &bytes).ok()?),
        None => None,
    };
    state.sets = Sets::restored(file.directory.restore()?, file.registerlandkarte.restore()?)?;
    for (id, name, next, last) in file.writers {
        state.writers.insert(
            WriterId(Hash(id)),
            WriterChain {
                name,
                next,
                last: Hash(last),
            },
        );
    }
    state.kinds = file.kinds;
    state.intents = file
        .intents
        .into_iter()
        .map(|(index, period, label)| (index, (Period(period), Label(label))))
        .collect();
    state.open = file.open.into_iter().collect();
    state.holds = file.holds.into_iter().collect();
    for (number, start, labels, final_root, destroyed) in file.periods {
        let final_root = final_root.map(Hash);
        if final_root.is_none() {
            state.maps.open(Period(number));
        }
        state.periods.insert(
            Period(number),
            PeriodState {
                start,
                labels,
                final_root,
                destroyed,
            },
        );
    }
    for (period, label, index, leaf) in file.placed {
        state
            .maps
            .insert(Period(period), Label(label), index, Hash(leaf))
            .ok()?;
    }
    state.documents = file.documents.into_iter().map(Hash).collect();
    state.latest = file.latest;
    state.uncovered = file.uncovered;
    state.last_map = file.last_map;
    Some(state)
}
