//! What was in force when: every set that was applied, with its place in the log, and every value that it put.
//!
//! A version is in force for the entries after the one that carries its set. An entry, a receipt or a record is judged
//! by the version in force at its own index, so a key that was rotated away still verifies what it signed before.
//!
//! The history knows nothing of entries that the follower has not read yet: the caller must have followed the log up
//! to the index that it asks about. A history that begins with a snapshot does not know what was before, and says so
//! instead of "there was no value".

use std::collections::BTreeSet;
use std::sync::Arc;

use record::{GenesisDocument, Kind, RightError, SignedEntry, Timestamp, WriterGrant, WriterId};
use rpds::{RedBlackTreeMapSync, VectorSync};
use thiserror::Error;
use tlog::Hash;
use tlog::merkle::Index;

use crate::change_set::SignedChangeSet;
use crate::index::{PublicKey, public_keys};
use crate::key::{Key, Section};
use crate::kind::{TrustKind, Version};
use crate::refused::{SetError, SetProblem};
use crate::relations::Relations;
use crate::state::{GenesisProblem, TrustState};
use crate::stored::StoredValue;
use crate::trust_map::TrustMap;
use crate::value::Value;

/// For how many seconds an exchange may still rely on a version that has been superseded.
pub const SUPERSEDED_GRACE: u64 = 60;

/// Where the entry that carries a set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The entry's index in the log.
    pub index: Index,
    /// The entry's time.
    pub time: Timestamp,
}

/// A set that was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedSet {
    /// Where its entry is.
    pub position: Position,
    /// The version that it made.
    pub version: Version,
    /// The digest of its signed header, by which entries and records name the version.
    pub header: Hash,
    /// When the authorities meant it to take effect.
    pub valid_from: Timestamp,
    /// The root after it.
    pub root: Hash,
}

impl AppliedSet {
    fn new(map: &TrustMap, position: Position) -> Self {
        Self {
            position,
            version: map.version(),
            header: map.header(),
            valid_from: map.valid_from(),
            root: map.root(),
        }
    }
}

/// A question that the history cannot answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HistoryError {
    /// The history begins later, with a snapshot. Replaying the sets from the first one answers the question.
    #[error("the history begins with version {0} of a snapshot")]
    Before(Version),
    /// The version is not known yet. The follower may be behind; this goes away when it has caught up.
    #[error("the newest known version is {0}")]
    NotYet(Version),
    /// The values that were in force together contradict each other, which is an error in the program.
    #[error("an earlier version cannot be built: {0}")]
    Rebuild(SetProblem),
}

/// Why an exchange may not rely on a version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RelianceError {
    /// The history does not answer; see there which answer a retry can change.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// A later version is in force for too long.
    #[error("version {version} was superseded {seconds} s ago")]
    Superseded {
        /// The version.
        version: Version,
        /// Since when a later version is known, in seconds.
        seconds: u64,
    },
}

/// Why an entry's writer had no right at the entry's index.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WriterError {
    /// The history does not answer.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The directory in force did not permit the entry.
    #[error(transparent)]
    Right(#[from] RightError),
}

/// A change of one key: the version whose set made it, and the value since then.
#[derive(Debug, Clone)]
struct Change {
    version: Version,
    value: Option<Arc<StoredValue>>,
}

/// The history of one kind.
#[derive(Debug, Clone)]
struct Track {
    /// The first known version: empty, or that of a snapshot.
    first: TrustMap,
    /// The applied sets, the snapshot's own included.
    applied: VectorSync<AppliedSet>,
    /// The changes of each key that has changed after the first version, ascending by version.
    changes: RedBlackTreeMapSync<Key, Arc<[Change]>>,
    /// The keys of the writers that have had a key id after the first version.
    writers: RedBlackTreeMapSync<WriterId, Arc<[Key]>>,
}

impl Track {
    fn new(first: TrustMap, position: Option<Position>) -> Self {
        let mut applied = VectorSync::new_sync();
        if let Some(position) = position {
            applied.push_back_mut(AppliedSet::new(&first, position));
        }
        Self {
            first,
            applied,
            changes: RedBlackTreeMapSync::new_sync(),
            writers: RedBlackTreeMapSync::new_sync(),
        }
    }

    /// How many of the applied sets have an entry before `index`.
    fn applied_before(&self, index: Index) -> usize {
        let (mut low, mut high) = (0, self.applied.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.applied.get(middle) {
                Some(set) if set.position.index < index => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    fn in_force(&self, index: Index) -> Result<Version, HistoryError> {
        match self.applied_before(index).checked_sub(1) {
            Some(last) => Ok(self.applied.get(last).map_or(Version::EMPTY, |set| set.version)),
            None if self.first.version() == Version::EMPTY => Ok(Version::EMPTY),
            None => Err(HistoryError::Before(self.first.version())),
        }
    }

    /// The value of a key in a known version.
    fn value(&self, key: &Key, version: Version) -> Option<&Arc<StoredValue>> {
        let changes = self.changes.get(key).map_or(&[][..], |changes| changes);
        match changes
            .partition_point(|change| change.version <= version)
            .checked_sub(1)
        {
            Some(last) => changes[last].value.as_ref(),
            None => self.first.get(key),
        }
    }

    /// The set that made a version.
    fn set(&self, version: Version) -> Option<&AppliedSet> {
        let first = self.applied.first()?.version;
        let at = version.0.checked_sub(first.0)?;
        self.applied.get(usize::try_from(at).ok()?)
    }

    fn record(&mut self, map: &TrustMap, position: Position, set: &SignedChangeSet) {
        let version = map.version();
        self.applied.push_back_mut(AppliedSet::new(map, position));
        for operation in set.operations().list() {
            let key = operation.key();
            let value = map.get(key).cloned();
            for public_key in value.iter().flat_map(|stored| public_keys(stored.value())) {
                if let PublicKey::Writer(id) = public_key {
                    let known = self.writers.get(&id).map_or(&[][..], |keys| keys);
                    if !known.contains(key) {
                        self.writers
                            .insert_mut(id, [known, core::slice::from_ref(key)].concat().into());
                    }
                }
            }
            let before = self.changes.get(key).map_or(&[][..], |changes| changes);
            let after = [before, &[Change { version, value }]].concat();
            self.changes.insert_mut(key.clone(), after.into());
        }
    }
}

/// The newest versions of both kinds and their history. It is immutable, a set makes another one, and a clone is cheap.
#[derive(Debug, Clone)]
pub struct History {
    /// The operator that the genesis document names, and its right to write sets, which no directory can end.
    operator: Option<WriterGrant>,
    state: TrustState,
    directory: Track,
    registerlandkarte: Track,
    relations: Relations,
}

impl History {
    /// The history of a log before its first sets.
    ///
    /// # Errors
    /// See [`GenesisProblem`].
    pub fn founded(genesis: &GenesisDocument) -> Result<Self, GenesisProblem> {
        let operator = WriterGrant {
            name: "operator".into(),
            key: genesis.operator,
            kinds: vec![Kind::Genesis, Kind::Directory, Kind::Registry],
        };
        Ok(Self {
            operator: Some(operator),
            ..Self::new(TrustState::founded(genesis)?)
        })
    }

    /// A history that begins before the first sets, without an operator.
    #[must_use]
    pub fn new(state: TrustState) -> Self {
        Self::starting_at(state, None, None)
    }

    /// A history that begins with the versions of `state`, which come from snapshots, and the places of their sets'
    /// entries. A kind without a place begins with the empty version.
    #[must_use]
    pub fn starting_at(state: TrustState, directory: Option<Position>, registerlandkarte: Option<Position>) -> Self {
        Self {
            operator: None,
            directory: Track::new(state.directory().clone(), directory),
            registerlandkarte: Track::new(state.registerlandkarte().clone(), registerlandkarte),
            state,
            relations: Relations::default(),
        }
    }

    /// The newest versions.
    #[must_use]
    pub const fn state(&self) -> &TrustState {
        &self.state
    }

    const fn track(&self, kind: TrustKind) -> &Track {
        match kind {
            TrustKind::Directory => &self.directory,
            TrustKind::Registerlandkarte => &self.registerlandkarte,
        }
    }

    /// The applied sets of a kind, from the first known one.
    pub fn applied(&self, kind: TrustKind) -> impl Iterator<Item = &AppliedSet> {
        self.track(kind).applied.iter()
    }

    /// The applied sets of both kinds whose entries are at `index` or later, in the order of the log.
    pub fn applied_from(&self, index: Index) -> impl Iterator<Item = (TrustKind, &AppliedSet)> {
        let mut next = TrustKind::ALL.map(|kind| (kind, self.track(kind).applied_before(index)));
        core::iter::from_fn(move || {
            let sets = next.iter_mut().filter_map(|(kind, at)| {
                let set = self.track(*kind).applied.get(*at)?;
                Some((*kind, at, set))
            });
            let (kind, at, set) = sets.min_by_key(|(.., set)| set.position.index)?;
            *at += 1;
            Some((kind, set))
        })
    }

    /// The set that made a version; `None` if the version is not known, or is the empty one.
    #[must_use]
    pub fn set_of(&self, kind: TrustKind, version: Version) -> Option<&AppliedSet> {
        self.track(kind).set(version)
    }

    /// Applies a set as [`TrustState::apply`] does and remembers what it has changed. `kind` and `position` are those
    /// of the entry that carries the set.
    ///
    /// # Errors
    /// See [`SetError`].
    pub fn apply(&self, kind: TrustKind, position: Position, set: &SignedChangeSet) -> Result<Self, SetError> {
        let last = TrustKind::ALL.map(|kind| self.track(kind).applied.last().map(|set| set.position.index));
        if last.into_iter().flatten().any(|last| position.index <= last) {
            let header = set.header();
            return Err(SetError {
                kind: header.kind,
                version: header.version,
                problem: SetProblem::Position,
            });
        }
        if set.header().valid_from > position.time {
            return Err(SetError {
                kind: set.header().kind,
                version: set.header().version,
                problem: SetProblem::Early(position.time),
            });
        }
        let mut next = self.clone();
        next.state = self.state.apply(kind, set)?;
        let track = match kind {
            TrustKind::Directory => &mut next.directory,
            TrustKind::Registerlandkarte => &mut next.registerlandkarte,
        };
        track.record(next.state.map(kind), position, set);
        Ok(next)
    }

    /// The version in force for the entry at `index`: that of the last set whose entry is before it.
    ///
    /// # Errors
    /// [`HistoryError::Before`]
    pub fn in_force(&self, kind: TrustKind, index: Index) -> Result<Version, HistoryError> {
        self.track(kind).in_force(index)
    }

    /// The value of a key in force for the entry at `index`.
    ///
    /// # Errors
    /// [`HistoryError::Before`]
    pub fn value_at(&self, key: &Key, index: Index) -> Result<Option<&Arc<StoredValue>>, HistoryError> {
        let track = self.track(key.section().kind());
        Ok(track.value(key, track.in_force(index)?))
    }

    /// The writer that had this key id for the entry at `index`.
    ///
    /// # Errors
    /// [`HistoryError::Before`]
    pub fn writer_at(&self, id: &WriterId, index: Index) -> Result<Option<&WriterGrant>, HistoryError> {
        let track = &self.directory;
        let version = track.in_force(index)?;
        let since = track.writers.get(id).map_or(&[][..], |keys| keys);
        let candidates = since.iter().chain(track.first.index().owner(&PublicKey::Writer(*id)));
        let mut grants = candidates.filter_map(|key| match track.value(key, version)?.value() {
            Value::Writer(grant) => Some(grant),
            _ => None,
        });
        Ok(grants.find(|grant| grant.key.id() == *id))
    }

    /// Checks that the writer of the entry at `index` had the right to write it, by the directory in force there. The
    /// operator may always write the entries that carry sets.
    ///
    /// # Errors
    /// See [`WriterError`].
    pub fn check_writer_at(&self, entry: &SignedEntry, index: Index) -> Result<&WriterGrant, WriterError> {
        let grant = self.right_at(entry, index)?;
        grant.check(entry)?;
        Ok(grant)
    }

    /// The right to write the entry at `index`, of the writer that the entry names. Whether it has signed the entry is
    /// not checked.
    ///
    /// # Errors
    /// [`WriterError`] except for the signature.
    pub fn right_at(&self, entry: &SignedEntry, index: Index) -> Result<&WriterGrant, WriterError> {
        let id = entry.entry().writer;
        let kind = entry.entry().body.kind();
        let operator = self.operator.as_ref();
        let by_operator = operator.filter(|grant| grant.kinds.contains(&kind) && grant.key.id() == id);
        let grant = match by_operator {
            Some(grant) => grant,
            None => self.writer_at(&id, index)?.ok_or(RightError::UnknownWriter(id))?,
        };
        grant.check_kind(entry)?;
        Ok(grant)
    }

    /// Whether this writer is the operator, whom the genesis document names.
    #[must_use]
    pub fn is_operator(&self, id: &WriterId) -> bool {
        self.operator.as_ref().is_some_and(|grant| grant.key.id() == *id)
    }

    /// A whole version, for its root's proofs ([`TrustMap::prove`]). The newest one is at hand; an earlier one is built
    /// from the newest, in time proportional to the number of keys that have ever changed.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn map_of(&self, kind: TrustKind, version: Version) -> Result<TrustMap, HistoryError> {
        let (newest, track) = (self.state.map(kind), self.track(kind));
        self.check_known(kind, version)?;
        let Some(set) = track.set(version) else {
            return Ok(track.first.clone());
        };
        let later = track.changes.iter().filter(|(_, changes)| {
            let last = changes.last();
            last.is_some_and(|change| change.version > version)
        });
        let values = later.map(|(key, _)| (key.clone(), track.value(key, version).cloned()));
        let map = newest.with_values(version, set.valid_from, values.collect());
        Ok(map.map_err(HistoryError::Rebuild)?.with_header(set.header))
    }

    pub(crate) const fn relations(&self) -> &Relations {
        &self.relations
    }

    /// The value of a key in a version of its kind.
    ///
    /// # Errors
    /// See [`HistoryError`].
    pub fn value_in(&self, key: &Key, version: Version) -> Result<Option<&Arc<StoredValue>>, HistoryError> {
        let kind = key.section().kind();
        self.check_known(kind, version)?;
        Ok(self.track(kind).value(key, version))
    }

    /// The digest of a version's signed header; zero for version 0.
    pub(crate) fn header_of(&self, kind: TrustKind, version: Version) -> Result<Hash, HistoryError> {
        self.check_known(kind, version)?;
        let track = self.track(kind);
        Ok(track.set(version).map_or(track.first.header(), |set| set.header))
    }

    fn check_known(&self, kind: TrustKind, version: Version) -> Result<(), HistoryError> {
        let (newest, first) = (self.state.map(kind).version(), self.track(kind).first.version());
        if version > newest {
            return Err(HistoryError::NotYet(newest));
        }
        if version < first {
            return Err(HistoryError::Before(first));
        }
        Ok(())
    }

    /// The set whose signed header has this digest, which is how entries and records name a version. The newest sets
    /// are searched first.
    #[must_use]
    pub fn named(&self, kind: TrustKind, header: &Hash) -> Option<&AppliedSet> {
        let applied = &self.track(kind).applied;
        let newest_first = (0..applied.len()).rev();
        newest_first
            .filter_map(|at| applied.get(at))
            .find(|set| set.header == *header)
    }

    /// The sets that have put or ended the value of a key, ascending, with the value since then, from the first known
    /// version on.
    #[must_use]
    pub fn changes_of(&self, key: &Key) -> Vec<(&AppliedSet, Option<&Arc<StoredValue>>)> {
        let track = self.track(key.section().kind());
        let first = track.first.get(key).into_iter();
        let first = first.filter_map(|stored| Some((track.set(stored.version())?, Some(stored))));
        let changes = track.changes.get(key).map_or(&[][..], |changes| changes);
        let later = changes.iter();
        let later = later.filter_map(|change| Some((track.set(change.version)?, change.value.as_ref())));
        first.chain(later).collect()
    }

    /// The versions of the directory that have put or ended a value of these sections, ascending, from the first known
    /// one on.
    #[must_use]
    pub fn changes_in(&self, sections: &[Section]) -> Vec<Version> {
        let changes = self.directory.changes.iter();
        let changes = changes.filter(|(key, _)| sections.contains(&key.section()));
        let versions = changes.flat_map(|(_, changes)| changes.iter().map(|change| change.version));
        let versions: BTreeSet<Version> = versions.collect();
        versions.into_iter().collect()
    }

    /// The newest set of a kind; `None` before the first one.
    #[must_use]
    pub fn newest(&self, kind: TrustKind) -> Option<&AppliedSet> {
        self.track(kind).applied.last()
    }

    /// Checks that an exchange may rely on a version at `now`: it is the newest, or has been superseded for less than
    /// [`SUPERSEDED_GRACE`] by the time of the entry that carries the next set.
    ///
    /// # Errors
    /// See [`RelianceError`].
    pub fn may_rely_on(&self, kind: TrustKind, version: Version, now: Timestamp) -> Result<(), RelianceError> {
        let newest = self.state.map(kind).version();
        if version == newest {
            return Ok(());
        }
        if version > newest {
            return Err(HistoryError::NotYet(newest).into());
        }
        let track = self.track(kind);
        let next = version.next().and_then(|next| track.set(next));
        let next = next.ok_or_else(|| HistoryError::Before(track.first.version()))?;
        let seconds = now.since(next.position.time);
        if seconds < SUPERSEDED_GRACE {
            Ok(())
        } else {
            Err(RelianceError::Superseded { version, seconds })
        }
    }
}
