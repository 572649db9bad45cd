//! Which versions of the directory, and which of their values, an [`super::Anchor`] must contain.
//!
//! | Version | Values |
//! | --- | --- |
//! | the first, and each in which authorities or their threshold changed | all authorities, the threshold |
//! | each in which writers changed | |
//! | the one before it | the writers that the change has ended or replaced |
//! | the newest | all writers |
//!
//! So each grant is proved once, in the last version that had it, and an anchor grows with the changes of writers and
//! authorities and not with the directory.

use std::collections::BTreeMap;

use thiserror::Error;
use tlog::Hash;
use tlog::merkle::Index;
use trust::{History, HistoryError, Key, Section, TrustKind, TrustMap, ValueProof, Version};

use super::anchor::{MAX_VALUES, MAX_VERSIONS};

const SIGNERS: [Section; 2] = [Section::Authority, Section::Threshold];

/// A version of an anchor, without the documents of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedVersion {
    /// The version.
    pub version: Version,
    /// The entry that carries its change set, whose receipt the anchor needs.
    pub index: Index,
    /// The digest of its signed header.
    pub header: Hash,
    /// The values under its root, ascending by key.
    pub values: Vec<ValueProof>,
}

/// Why no anchor can be planned. None of these goes away on a retry with the same history.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The history begins with a snapshot, so that the first version is not known, or it has no directory yet.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Writers or authorities have changed so often that readers would refuse the anchor.
    #[error(
        "an anchor would need {versions} versions and {values} values, and may have {MAX_VERSIONS} and {MAX_VALUES}"
    )]
    TooLarge {
        /// How many versions it would need.
        versions: usize,
        /// How many values it would need.
        values: usize,
    },
}

/// Plans an anchor whose newest version is that of `history`.
///
/// # Errors
/// See [`PlanError`].
pub fn plan(history: &History) -> Result<Vec<PlannedVersion>, PlanError> {
    let first = history.applied(TrustKind::Directory).next().map(|set| set.version);
    if first != Some(Version(1)) {
        return Err(HistoryError::Before(first.unwrap_or(Version::EMPTY)).into());
    }
    let mut draft = Draft::default();
    for version in history.changes_in(&SIGNERS) {
        let map = history.map_of(TrustKind::Directory, version)?;
        for section in SIGNERS {
            draft.prove(&map, keys(&map, section));
        }
    }
    for version in history.changes_in(&[Section::Writer]) {
        let before = history.map_of(TrustKind::Directory, Version(version.0 - 1))?;
        let after = history.map_of(TrustKind::Directory, version)?;
        draft.0.entry(version).or_default();
        let ended = keys(&before, Section::Writer).filter(|key| put_in(&after, key) != put_in(&before, key));
        draft.prove(&before, ended);
    }
    let newest = history.state().directory();
    draft.0.entry(newest.version()).or_default();
    draft.prove(newest, keys(newest, Section::Writer));
    draft.finish(history)
}

/// The values of each version.
#[derive(Default)]
struct Draft(BTreeMap<Version, BTreeMap<Key, ValueProof>>);

impl Draft {
    /// Adds values of a version. Without keys it adds nothing.
    fn prove(&mut self, map: &TrustMap, keys: impl Iterator<Item = Key>) {
        for key in keys {
            let proof = map.prove(&key);
            self.0.entry(map.version()).or_default().insert(key, proof);
        }
    }

    fn finish(self, history: &History) -> Result<Vec<PlannedVersion>, PlanError> {
        let (versions, values) = (self.0.len(), self.0.values().map(BTreeMap::len).sum());
        if versions > MAX_VERSIONS || values > MAX_VALUES {
            return Err(PlanError::TooLarge { versions, values });
        }
        let planned = history.applied(TrustKind::Directory).filter_map(|set| {
            let values = self.0.get(&set.version)?;
            Some(PlannedVersion {
                version: set.version,
                index: set.position.index,
                header: set.header,
                values: values.values().cloned().collect(),
            })
        });
        Ok(planned.collect())
    }
}

/// The keys of a section in ascending order.
fn keys(map: &TrustMap, section: Section) -> impl Iterator<Item = Key> {
    // A value that is in a map has a key, so none is left out.
    map.section(section).filter_map(|value| value.key().ok())
}

/// The version whose set has put the value of a key.
fn put_in(map: &TrustMap, key: &Key) -> Option<Version> {
    map.get(key).map(|stored| stored.version())
}
