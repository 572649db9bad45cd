//! Both kinds in their newest versions, and how a change set changes them.

use record::{GenesisDocument, Timestamp};
use text::Paragraph;
use thiserror::Error;
use tlog::Hash;
use tlog::checkpoint::Origin;

use crate::authority::{Authorities, QuorumError, Threshold, ThresholdError};
use crate::change_set::{ChangeSet, SignedChangeSet};
use crate::header::SetHeader;
use crate::kind::{TrustKind, Version};
use crate::operation::{Operation, Operations};
use crate::refused::{SetError, SetProblem};
use crate::trust_map::TrustMap;

/// The directory and the Registerlandkarte of a log. It is immutable: a set makes another one, which shares what has
/// not changed. A clone is cheap.
#[derive(Debug, Clone)]
pub struct TrustState {
    origin: Origin,
    /// The digests of the first sets' signed headers, by which the genesis document names them.
    first: Option<FirstSets>,
    authorities: Authorities,
    directory: TrustMap,
    registerlandkarte: TrustMap,
}

#[derive(Debug, Clone, Copy)]
struct FirstSets {
    directory: Hash,
    registerlandkarte: Hash,
}

/// Why a genesis document is not the beginning of a directory and a Registerlandkarte. None of these goes away on a
/// retry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GenesisProblem {
    /// The log's name is not an origin.
    #[error("the genesis document names no valid origin")]
    Origin,
    /// The threshold is not one that a set can reach.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// An authority is named twice, so that fewer are left than must sign.
    #[error(transparent)]
    Quorum(#[from] QuorumError),
}

impl TrustState {
    /// The state before the first sets, which the authorities of the genesis document sign. It accepts any first sets,
    /// for drafting those that a genesis document will name.
    #[must_use]
    pub fn new(origin: Origin, genesis: Authorities) -> Self {
        Self {
            origin,
            first: None,
            authorities: genesis,
            directory: TrustMap::empty(TrustKind::Directory),
            registerlandkarte: TrustMap::empty(TrustKind::Registerlandkarte),
        }
    }

    /// The state before the first sets of a log. It accepts only the first sets that the genesis document names.
    ///
    /// # Errors
    /// See [`GenesisProblem`].
    pub fn founded(genesis: &GenesisDocument) -> Result<Self, GenesisProblem> {
        let origin = genesis.origin.parse().map_err(|_| GenesisProblem::Origin)?;
        let authorities = Authorities::genesis(&genesis.authorities, Threshold::new(genesis.threshold)?)?;
        let first = FirstSets {
            directory: genesis.directory,
            registerlandkarte: genesis.registerlandkarte,
        };
        Ok(Self {
            first: Some(first),
            ..Self::new(origin, authorities)
        })
    }

    /// Replaces the versions by later ones that were read from snapshots ([`crate::Snapshot::accept`]).
    ///
    /// # Errors
    /// [`SetProblem::Quorum`] when the directory's authorities could not sign a set; an accepted snapshot has enough.
    pub fn with_snapshots(&self, maps: impl IntoIterator<Item = TrustMap>) -> Result<Self, SetProblem> {
        let mut next = self.clone();
        for map in maps {
            next.replace(map)?;
        }
        Ok(next)
    }

    /// The log that the state belongs to.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The authorities in force, who sign the next set of either kind.
    #[must_use]
    pub const fn authorities(&self) -> &Authorities {
        &self.authorities
    }

    /// The directory.
    #[must_use]
    pub const fn directory(&self) -> &TrustMap {
        &self.directory
    }

    /// The Registerlandkarte.
    #[must_use]
    pub const fn registerlandkarte(&self) -> &TrustMap {
        &self.registerlandkarte
    }

    /// The version of one kind.
    #[must_use]
    pub const fn map(&self, kind: TrustKind) -> &TrustMap {
        match kind {
            TrustKind::Directory => &self.directory,
            TrustKind::Registerlandkarte => &self.registerlandkarte,
        }
    }

    fn replace(&mut self, map: TrustMap) -> Result<(), SetProblem> {
        match map.kind() {
            TrustKind::Directory => {
                if let Some(authorities) = map.authorities()? {
                    self.authorities = authorities;
                }
                self.directory = map;
            }
            TrustKind::Registerlandkarte => self.registerlandkarte = map,
        }
        Ok(())
    }

    /// Checks a set completely and returns the state after it. `kind` is that of the entry that carries the set.
    ///
    /// The authorities in force before the set must have signed it, those of the directory also for a set of the
    /// Registerlandkarte.
    ///
    /// # Errors
    /// See [`SetError`].
    pub fn apply(&self, kind: TrustKind, set: &SignedChangeSet) -> Result<Self, SetError> {
        let header = set.header();
        self.checked(kind, set).map_err(|problem| SetError {
            kind: header.kind,
            version: header.version,
            problem,
        })
    }

    fn checked(&self, kind: TrustKind, set: &SignedChangeSet) -> Result<Self, SetProblem> {
        let header = set.header();
        if header.kind != kind {
            return Err(SetProblem::OtherKind(kind));
        }
        if header.origin != self.origin {
            return Err(SetProblem::OtherLog(self.origin.clone()));
        }
        let next = self.next_version(kind)?;
        if header.version != next {
            return Err(SetProblem::OtherVersion(next));
        }
        self.check_first(kind, set)?;
        self.authorities.verify(set.signed())?;
        let map = self.changed(kind, header.valid_from, set.operations())?;
        if map.root() != header.root {
            return Err(SetProblem::Root {
                named: header.root,
                computed: map.root(),
            });
        }
        let mut state = self.clone();
        state.replace(map.with_header(set.signed().digest()))?;
        Ok(state)
    }

    /// Makes the next set of a kind, for authorities to sign, and checks its operations as [`TrustState::apply`] does.
    ///
    /// # Errors
    /// See [`SetError`].
    pub fn propose(
        &self,
        kind: TrustKind,
        valid_from: Timestamp,
        reason: Paragraph,
        operations: Vec<Operation>,
    ) -> Result<ChangeSet, SetError> {
        let refused = |problem| SetError {
            kind,
            version: self.map(kind).version(),
            problem,
        };
        let version = self.next_version(kind).map_err(refused)?;
        let refused = |problem| SetError { kind, version, problem };
        let operations = Operations::new(operations).map_err(|error| refused(SetProblem::Draft(error)))?;
        let map = self.changed(kind, valid_from, &operations).map_err(refused)?;
        let header = SetHeader {
            kind,
            origin: self.origin.clone(),
            version,
            valid_from,
            reason,
            operations: operations.digest(),
            root: map.root(),
        };
        Ok(ChangeSet { header, operations })
    }

    /// Checks that a first set is the one that the genesis document names.
    fn check_first(&self, kind: TrustKind, set: &SignedChangeSet) -> Result<(), SetProblem> {
        let named = self.first.map(|first| match kind {
            TrustKind::Directory => first.directory,
            TrustKind::Registerlandkarte => first.registerlandkarte,
        });
        let is_first = self.map(kind).version() == Version::EMPTY;
        match named.filter(|_| is_first) {
            Some(named) if named != set.signed().digest() => Err(SetProblem::OtherFirst(named)),
            _ => Ok(()),
        }
    }

    fn next_version(&self, kind: TrustKind) -> Result<Version, SetProblem> {
        self.map(kind).version().next().ok_or(SetProblem::NoVersion)
    }

    fn changed(&self, kind: TrustKind, valid_from: Timestamp, operations: &Operations) -> Result<TrustMap, SetProblem> {
        let before = self.map(kind);
        if valid_from < before.valid_from() {
            return Err(SetProblem::Backdated(before.valid_from()));
        }
        before.change(self.next_version(kind)?, valid_from, operations)
    }
}
