//! The genesis document, the directory and the Registerlandkarte in force, and the rights of the writers that follow
//! from them.
//!
//! An empty log accepts only the genesis entry with the configured leaf hash. Next it accepts the first change sets of
//! the directory and the Registerlandkarte, whose headers the genesis document names, and nothing else before both are
//! recorded. Each later set must follow from the version before, with enough valid signatures of authorities, and the
//! log admits it no earlier than it is meant to take effect ([`History::apply`]). The operator of the genesis document
//! may always write sets, and so may the writers to which the directory grants it.
//!
//! A version is in force for the entries after the one that carries its set.
//!
//! | Column | Key | Value |
//! | --- | --- | --- |
//! | `Documents` | digest | the genesis document; a set's signed header; a set's operations |
//! | `Sets` | see [`super::sets`] | |

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use record::{Body, DocumentKind, Entry, GenesisDocument, Kind, NewestSets, SignedEntry, VerifyingKey, WriterId};
use tlog::Hash;
use tlog::merkle::Index;
use trust::{
    GenesisProblem, History, Operations, Position, Section, SignedChangeSet, SignedHeader, TrustKind, Value, Version,
};

use super::keys::WriterKeys;
use super::refusal::Refusal;
use super::sets;
use super::shared_history::SharedHistory;
use super::submission::{Document, Submission};
use crate::engine::rows::Rows;
use crate::store::{Batch, Column, StoreError};

/// How many sets are read and verified before they are applied. Bounds the memory while many are replayed.
const REPLAYED_AT_ONCE: usize = 256;

/// The founding documents that have been recorded so far, and what follows from them.
pub(super) struct Founding {
    genesis: Hash,
    origin: String,
    /// The ledger itself, which writes the `map` entries.
    ledger: WriterId,
    keys: Arc<WriterKeys>,
    shared: Arc<SharedHistory>,
    founded: Option<Founded>,
    /// The kinds that each writer may write. Kept by writer id, because hashing a key for every entry is too expensive.
    rights: HashMap<WriterId, HashSet<Kind>>,
}

/// A log with its genesis entry.
pub(super) struct Founded {
    operator: VerifyingKey,
    history: Arc<History>,
}

/// The effect of a document entry that passed the checks.
pub(super) enum DocumentChange {
    Genesis(Founded),
    /// The history after a set of this kind.
    Set(TrustKind, Arc<History>),
    /// The document does not affect the log's own rules.
    None,
}

fn damaged(what: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!(
        "{what} is damaged or of another log: check the configured genesis hash, or restore from a backup"
    ))
}

impl Founded {
    fn new(document: &GenesisDocument) -> Result<Self, GenesisProblem> {
        Ok(Self {
            operator: document.operator,
            history: Arc::new(History::founded(document)?),
        })
    }

    /// The entry of the newest set of a kind.
    fn entry_of(&self, kind: TrustKind) -> Option<Index> {
        self.history.newest(kind).map(|set| set.position.index)
    }

    fn newest(&self) -> Option<NewestSets> {
        Some(NewestSets {
            directory: self.entry_of(TrustKind::Directory)?,
            registerlandkarte: self.entry_of(TrustKind::Registerlandkarte)?,
        })
    }

    /// Replays the recorded sets. Their signatures take most of the time and are verified ahead, in parallel.
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
        for part in places.chunks(REPLAYED_AT_ONCE) {
            let read = |(index, _): &(u64, TrustKind)| {
                let (entry, mut set) = stored_set(rows, *index)?;
                set.verify_ahead(self.history.state().authorities());
                Ok::<_, StoreError>((entry, set))
            };
            for ((index, kind), read) in part.iter().zip(in_parallel(part, read)) {
                let (entry, set) = read?;
                let position = Position {
                    index: Index::new(*index)?,
                    time: entry.entry().time,
                };
                let next = self.history.apply(*kind, position, &set);
                let next = next.map_err(|error| damaged(format!("the change set in entry {index} ({error})")))?;
                self.history = Arc::new(next);
            }
        }
        Ok(())
    }
}

/// Applies a function to all items on the processor's cores; returns the results in order.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let chunks = items.chunks(items.len().div_ceil(cores).max(1));
    thread::scope(|scope| {
        let threads: Vec<_> = chunks
            .map(|chunk| scope.spawn(|| chunk.iter().map(&work).collect::<Vec<R>>()))
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, Vec<R>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().flat_map(join).collect()
    })
}

/// The entry with a change set, and the set's documents: the signed header, and the bytes of the operations.
pub(crate) fn set_documents(rows: &Rows, index: u64) -> Result<(SignedEntry, SignedHeader, Vec<u8>), StoreError> {
    let read = || -> Result<Option<_>, StoreError> {
        let Some(entry) = rows.entry(index)?.and_then(|leaf| SignedEntry::parse(leaf).ok()) else {
            return Ok(None);
        };
        let Some(digest) = entry.entry().body.document() else {
            return Ok(None);
        };
        let header = rows.store().get(Column::Documents, &digest.0)?;
        let Some(header) = header.and_then(|bytes| SignedHeader::parse(&bytes).ok()) else {
            return Ok(None);
        };
        let operations = rows.store().get(Column::Documents, &header.header().operations.0)?;
        Ok(operations.map(|operations| (entry, header, operations)))
    };
    read()?.ok_or_else(|| damaged_set(index))
}

/// The change set that an entry carries, with the entry.
pub(crate) fn stored_set(rows: &Rows, index: u64) -> Result<(SignedEntry, SignedChangeSet), StoreError> {
    let (entry, header, operations) = set_documents(rows, index)?;
    let set = Operations::parse(&operations).and_then(|operations| SignedChangeSet::new(header, operations));
    Ok((entry, set.map_err(|_| damaged_set(index))?))
}

fn damaged_set(index: u64) -> StoreError {
    damaged(format!("the change set in entry {index}"))
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
        let shared = Arc::new(SharedHistory::default());
        let mut founding = Self {
            shared,
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
        let mut founded = Founded::new(&document).map_err(|_| damaged("the genesis document"))?;
        founded.replay(rows)?;
        founding.founded = Some(founded);
        founding.derive_rights();
        Ok(founding)
    }

    /// The history, for the request handlers.
    pub(super) fn shared(&self) -> Arc<SharedHistory> {
        self.shared.clone()
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

    /// Checks the document of an entry whose writer may write this kind, and which would get this index.
    pub(super) fn check_document(&self, submission: &Submission, index: Index) -> Result<DocumentChange, Refusal> {
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
                let position = Position {
                    index,
                    time: entry.time,
                };
                let history = check_set(&founded.history, (kind, position), set, &self.ledger)?;
                Ok(DocumentChange::Set(kind, Arc::new(history)))
            }
            _ => Ok(DocumentChange::None),
        }
    }

    /// The effect of a recorded document entry with this index.
    pub(super) fn recorded_change(
        &self,
        rows: &Rows,
        entry: &SignedEntry,
        index: Index,
    ) -> Result<DocumentChange, StoreError> {
        let (Body::Document { kind, .. }, Some(digest)) = (&entry.entry().body, entry.entry().body.document()) else {
            return Ok(DocumentChange::None);
        };
        if *kind == DocumentKind::Genesis {
            let document = rows.store().get(Column::Documents, &digest.0)?;
            let document = document.and_then(|bytes| GenesisDocument::parse(&bytes).ok());
            let founded = document.and_then(|document| Founded::new(&document).ok());
            let founded = founded.filter(|_| entry.leaf_hash() == self.genesis);
            return founded
                .map(DocumentChange::Genesis)
                .ok_or_else(|| damaged("the genesis document"));
        }
        let (Some(kind), Some(founded)) = (TrustKind::of_entry(entry.entry().body.kind()), &self.founded) else {
            return Ok(DocumentChange::None);
        };
        let (_, set) = stored_set(rows, index.get())?;
        let position = Position {
            index,
            time: entry.entry().time,
        };
        let next = founded.history.apply(kind, position, &set);
        let next = next.map_err(|error| damaged(format!("the change set in entry {index} ({error})")))?;
        Ok(DocumentChange::Set(kind, Arc::new(next)))
    }

    fn check_genesis(&self, submission: &Submission, bytes: &[u8]) -> Result<Founded, Refusal> {
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
        Founded::new(&document).map_err(|error| Refusal::document(error.to_string()))
    }

    /// Applies the effect of the document entry with this index.
    pub(super) fn apply(&mut self, change: DocumentChange, index: u64, batch: &mut Batch) -> Result<(), StoreError> {
        match (change, &mut self.founded) {
            (DocumentChange::Genesis(founded), _) => self.founded = Some(founded),
            (DocumentChange::Set(kind, history), Some(founded)) => {
                sets::put(batch, kind, history.state().map(kind).version(), index);
                founded.history = history;
            }
            _ => return Ok(()),
        }
        self.derive_rights();
        Ok(())
    }

    /// Derives the writers' rights, and what the request handlers know, from the recorded documents.
    fn derive_rights(&mut self) {
        self.rights.clear();
        let Some(founded) = &self.founded else {
            return;
        };
        let is_complete = founded.newest().is_some();
        let writers = founded.history.state().directory().section(Section::Writer);
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
        let kinds: &[Kind] = match (founded.entry_of(TrustKind::Directory), is_complete) {
            (None, _) => &[Kind::Directory],
            (Some(_), false) => &[Kind::Registry],
            (Some(_), true) => &[Kind::Directory, Kind::Registry],
        };
        self.rights.entry(founded.operator.id()).or_default().extend(kinds);
        let keys = grants.iter().map(|grant| grant.key);
        self.keys.replace(std::iter::once(founded.operator).chain(keys));
        self.shared.replace(founded.history.clone());
    }
}

/// Checks a set for its entry and returns the history after it. An authority has signed something wrong if a set with
/// valid signatures is refused, so that raises an alarm.
fn check_set(
    history: &History,
    (kind, position): (TrustKind, Position),
    set: &SignedChangeSet,
    ledger: &WriterId,
) -> Result<History, Refusal> {
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
    let next = history
        .apply(kind, position, set)
        .map_err(|error| refused(&error, error.has_valid_signatures()))?;
    // Without `map` entries no later version could take effect.
    let writes_maps = |history: &History| {
        let grant = history.state().directory().writer(ledger);
        grant.is_some_and(|grant| grant.kinds.contains(&Kind::Map))
    };
    if writes_maps(history) && !writes_maps(&next) {
        let reason = "after the set the ledger could write no map entries: first grant its next key under another name";
        return Err(refused(&reason, true));
    }
    Ok(next)
}
