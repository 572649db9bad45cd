//! The genesis document, the directory and the Registerlandkarte in force, and the rights of the writers that follow
//! from them.
//!
//! An empty log accepts only the genesis entry with the configured leaf hash. Next it accepts the first change sets of
//! the directory and the Registerlandkarte, whose headers the genesis document names, and nothing else before both are
//! recorded. Each later set must follow from the version before, with enough valid signatures of authorities
//! ([`TrustState::apply`]), and the log admits it no earlier than it is meant to take effect. The operator of the
//! genesis document may always write sets, and so may the writers to which the directory grants it.
//!
//! A version is in force for the entries after the one that carries its set.
//!
//! | Column | Key | Value |
//! | --- | --- | --- |
//! | `Documents` | digest | the genesis document; a set's signed header; a set's operations |
//! | `Sets` | see [`super::sets`] | |

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use record::{Body, DocumentKind, Entry, GenesisDocument, Kind, NewestSets, SignedEntry, VerifyingKey, WriterId};
use tlog::Hash;
use tlog::merkle::Index;
use trust::{Operations, Section, SetError, SignedChangeSet, SignedHeader, TrustKind, TrustState, Value, Version};

use super::keys::WriterKeys;
use super::refusal::Refusal;
use super::sets;
use super::submission::{Document, Submission};
use crate::engine::rows::Rows;
use crate::store::{Batch, Column, StoreError};

/// The founding documents that have been recorded so far, and what follows from them.
pub(super) struct Founding {
    genesis: Hash,
    origin: String,
    /// The ledger itself, which writes the `map` entries.
    ledger: WriterId,
    keys: Arc<WriterKeys>,
    founded: Option<Founded>,
    /// The kinds that each writer may write. Kept by writer id, because hashing a key for every entry is too expensive.
    rights: HashMap<WriterId, HashSet<Kind>>,
}

/// A log with its genesis entry.
struct Founded {
    operator: VerifyingKey,
    state: TrustState,
    /// The entries of the newest sets.
    directory: Option<Index>,
    registerlandkarte: Option<Index>,
}

/// The effect of a document entry that passed the checks.
pub(super) enum DocumentChange {
    Genesis(Box<(VerifyingKey, TrustState)>),
    Set(TrustKind, Box<TrustState>),
    /// The document does not affect the log's own rules.
    None,
}

fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!(
        "{what} is damaged or of another log: check the configured genesis hash, or restore from a backup"
    ))
}

impl Founded {
    fn newest(&self) -> Option<NewestSets> {
        Some(NewestSets {
            directory: self.directory?,
            registerlandkarte: self.registerlandkarte?,
        })
    }

    fn set_newest(&mut self, kind: TrustKind, index: Index) {
        match kind {
            TrustKind::Directory => self.directory = Some(index),
            TrustKind::Registerlandkarte => self.registerlandkarte = Some(index),
        }
    }

    /// Replays the recorded sets.
    fn replay(&mut self, rows: &Rows) -> Result<(), StoreError> {
        // The sets of a kind are signed by the authorities of the directory then in force, so the order of the log
        // counts.
        let mut places = Vec::new();
        for kind in TrustKind::ALL {
            let mut version = Version::EMPTY;
            while let Some(next) = version.next()
                && let Some(index) = sets::entry_of(rows.store().as_ref(), kind, next)?
            {
                places.push((index, kind));
                version = next;
            }
        }
        places.sort_unstable();
        for (index, kind) in places {
            let set = stored_set(rows, index)?;
            let next = self.state.apply(kind, &set);
            self.state = next.map_err(|error| damaged(format!("the change set in entry {index} ({error})")))?;
            self.set_newest(kind, Index::new(index)?);
        }
        Ok(())
    }
}

/// The change set that an entry carries.
pub(crate) fn stored_set(rows: &Rows, index: u64) -> Result<SignedChangeSet, StoreError> {
    let read = || -> Result<Option<SignedChangeSet>, StoreError> {
        let entry = rows.entry(index)?.and_then(|leaf| SignedEntry::parse(leaf).ok());
        let Some(digest) = entry.and_then(|entry| entry.entry().body.document()) else {
            return Ok(None);
        };
        let header = rows.store().get(Column::Documents, &digest.0)?;
        let Some(header) = header.and_then(|bytes| SignedHeader::parse(&bytes).ok()) else {
            return Ok(None);
        };
        let operations = rows.store().get(Column::Documents, &header.header().operations.0)?;
        let operations = operations.and_then(|bytes| Operations::parse(&bytes).ok());
        Ok(operations.and_then(|operations| SignedChangeSet::new(header, operations).ok()))
    };
    read()?.ok_or_else(|| damaged(format!("the change set in entry {index}")))
}

impl Founding {
    /// Loads the recorded documents. `genesis` is the leaf hash of entry 0, `ledger` the writer of the `map` entries.
    pub(super) fn load(
        rows: &Rows,
        genesis: Hash,
        origin: String,
        ledger: WriterId,
        keys: Arc<WriterKeys>,
    ) -> Result<Self, StoreError> {
        let mut founding = Self {
            genesis,
            origin,
            ledger,
            keys,
            founded: None,
            rights: HashMap::new(),
        };
        let Some(leaf) = rows.entry(0)? else {
            return Ok(founding);
        };
        let entry = SignedEntry::parse(leaf)
            .ok()
            .filter(|entry| entry.leaf_hash() == genesis);
        let digest = entry
            .and_then(|entry| entry.entry().body.document())
            .ok_or_else(|| damaged("the genesis entry"))?;
        let document = rows.store().get(Column::Documents, &digest.0)?;
        let document = document.and_then(|bytes| GenesisDocument::parse(&bytes).ok());
        let document = document.ok_or_else(|| damaged("the genesis document"))?;
        let mut founded = Founded {
            operator: document.operator,
            state: TrustState::founded(&document).map_err(|_| damaged("the genesis document"))?,
            directory: None,
            registerlandkarte: None,
        };
        founded.replay(rows)?;
        founding.founded = Some(founded);
        founding.derive_rights();
        Ok(founding)
    }

    /// The entries of the newest sets; `None` before both kinds have their first.
    pub(super) fn newest(&self) -> Option<NewestSets> {
        self.founded.as_ref()?.newest()
    }

    /// Whether the writer may write this kind now.
    pub(super) fn may_write(&self, writer: &WriterId, kind: Kind) -> bool {
        match self.founded {
            // No writer is known yet. `check_genesis` compares the entry with the configured hash.
            None => kind == Kind::Genesis,
            Some(_) => self.rights.get(writer).is_some_and(|kinds| kinds.contains(&kind)),
        }
    }

    /// Refuses an entry of a kind that its writer may not write now.
    pub(super) fn check_right(&self, entry: &Entry) -> Result<(), Refusal> {
        let kind = entry.body.kind();
        if self.may_write(&entry.writer, kind) {
            Ok(())
        } else if self.newest().is_none() {
            Err(Refusal::right(
                "the log begins with its genesis entry, its first directory and its first Registerlandkarte",
            ))
        } else {
            Err(Refusal::right(format!(
                "the directory does not allow this writer to write entries of the kind {kind}"
            )))
        }
    }

    /// Checks the document of an entry whose writer may write this kind.
    pub(super) fn check_document(&self, submission: &Submission) -> Result<DocumentChange, Refusal> {
        let entry = submission.entry().entry();
        let Body::Document { kind, .. } = &entry.body else {
            return Ok(DocumentChange::None);
        };
        match (&submission.document, &self.founded) {
            (Some(Document::Plain(bytes)), _) if *kind == DocumentKind::Genesis => {
                self.check_genesis(submission, bytes).map(DocumentChange::Genesis)
            }
            (Some(Document::Set(set)), Some(founded)) => {
                let Some(kind) = TrustKind::of_entry(entry.body.kind()) else {
                    return Ok(DocumentChange::None);
                };
                let state = check_set(founded, kind, set, entry, &self.ledger)?;
                Ok(DocumentChange::Set(kind, Box::new(state)))
            }
            _ => Ok(DocumentChange::None),
        }
    }

    fn check_genesis(&self, submission: &Submission, bytes: &[u8]) -> Result<Box<(VerifyingKey, TrustState)>, Refusal> {
        if submission.entry().leaf_hash() != self.genesis {
            return Err(Refusal::right(
                "this is not the genesis entry that the ledger is configured with",
            ));
        }
        let document = GenesisDocument::parse(bytes).map_err(|error| Refusal::document(error.to_string()))?;
        if document.origin != self.origin || document.operator.id() != submission.entry().entry().writer {
            return Err(Refusal::document(
                "the genesis document belongs to another log or another operator",
            ));
        }
        let state = TrustState::founded(&document).map_err(|error| Refusal::document(error.to_string()))?;
        Ok(Box::new((document.operator, state)))
    }

    /// Applies the effect of the document entry with this index.
    pub(super) fn apply(&mut self, change: DocumentChange, index: u64, batch: &mut Batch) -> Result<(), StoreError> {
        match (change, &mut self.founded) {
            (DocumentChange::Genesis(genesis), _) => {
                let (operator, state) = *genesis;
                self.founded = Some(Founded {
                    operator,
                    state,
                    directory: None,
                    registerlandkarte: None,
                });
            }
            (DocumentChange::Set(kind, state), Some(founded)) => {
                sets::put(batch, kind, state.map(kind).version(), index);
                founded.state = *state;
                founded.set_newest(kind, Index::new(index)?);
            }
            _ => return Ok(()),
        }
        self.derive_rights();
        Ok(())
    }

    /// Derives the writers' rights and the set of known keys from the recorded documents.
    fn derive_rights(&mut self) {
        self.rights.clear();
        let Some(founded) = &self.founded else {
            return;
        };
        let is_complete = founded.newest().is_some();
        let writers = founded.state.directory().section(Section::Writer);
        let grants: Vec<_> = writers
            .filter_map(|value| match value {
                Value::Writer(grant) => Some(grant),
                _ => None,
            })
            .collect();
        for grant in grants.iter().filter(|_| is_complete) {
            let kinds = grant.kinds.iter().copied().filter(|kind| *kind != Kind::Genesis);
            self.rights.entry(grant.key.id()).or_default().extend(kinds);
        }
        let kinds: &[Kind] = match (founded.directory, is_complete) {
            (None, _) => &[Kind::Directory],
            (Some(_), false) => &[Kind::Registry],
            (Some(_), true) => &[Kind::Directory, Kind::Registry],
        };
        self.rights.entry(founded.operator.id()).or_default().extend(kinds);
        let keys = grants.iter().map(|grant| grant.key);
        self.keys.replace(std::iter::once(founded.operator).chain(keys));
    }
}

/// Checks a set against the state and returns the state after it. An authority has signed something wrong if a set
/// with valid signatures is refused, so that raises an alarm.
fn check_set(
    founded: &Founded,
    kind: TrustKind,
    set: &SignedChangeSet,
    entry: &Entry,
    ledger: &WriterId,
) -> Result<TrustState, Refusal> {
    let refused = |error: &dyn std::fmt::Display, alarm: bool| {
        if alarm {
            tracing::error!(
                version = set.header().version.0,
                reason = %error,
                "ALARM: authorities have signed a change set of the {kind} that is refused"
            );
        }
        Refusal::document(error.to_string())
    };
    let state = founded
        .state
        .apply(kind, set)
        .map_err(|error: SetError| refused(&error, error.has_valid_signatures()))?;
    let valid_from = set.header().valid_from;
    if valid_from > entry.time {
        // A set may be published when its time has come.
        return Err(refused(
            &format!("the set takes effect at {valid_from}, which is later"),
            false,
        ));
    }
    // Without `map` entries no later version could take effect.
    let writes_maps = |state: &TrustState| {
        let grant = state.directory().writer(ledger);
        grant.is_some_and(|grant| grant.kinds.contains(&Kind::Map))
    };
    if writes_maps(&founded.state) && !writes_maps(&state) {
        let reason = "after the set the ledger could write no map entries: first grant its next key under another name";
        return Err(refused(&reason, true));
    }
    Ok(state)
}
