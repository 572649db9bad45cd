//! What everything else rests on: the genesis document, the directory in force, and who may write what.
//!
//! An empty log takes only the genesis entry whose leaf hash it was told from outside. Then come the directory and the
//! Registerlandkarte that the genesis document names by digest; before that nothing else is taken. Later versions of both are
//! signed by an authority of the genesis document, written by its operator, and numbered upwards.
//!
//! | Column | Key | Value |
//! | --- | --- | --- |
//! | `Documents` | digest | the document |
//! | `Meta` | `directory`, `registry` | digest of the one in force |

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use record::{
    Body, Directory, DocumentKind, Entry, GenesisDocument, Kind, SignedDocument, SignedEntry, VerifyingKey, WriterId,
};
use tlog::Hash;

use super::keys::WriterKeys;
use super::refusal::Refusal;
use super::submission::Submission;
use crate::engine::rows::Rows;
use crate::store::{Batch, Column, StoreError};

pub(super) const DIRECTORY: &[u8] = b"directory";
pub(super) const REGISTRY: &[u8] = b"registry";

/// How far the log is founded.
pub(super) struct Founding {
    genesis: Hash,
    origin: String,
    keys: Arc<WriterKeys>,
    document: Option<GenesisDocument>,
    directory: Option<Directory>,
    has_registry: bool,
    /// What each writer may write by these documents. A writer's id is a hash of its key: too dear to compute for every entry.
    rights: HashMap<WriterId, HashSet<Kind>>,
}

/// What a document entry changes, checked.
pub(super) enum DocumentChange {
    Genesis(GenesisDocument),
    Directory(Directory),
    Registry,
    /// Nothing that the log itself goes by.
    None,
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!(
        "{what} is damaged or of another log: check the configured genesis hash, or restore from a backup"
    ))
}

impl Founding {
    /// Reads what is recorded. `genesis` is the leaf hash of entry 0, `origin` the log's.
    pub(super) fn load(rows: &Rows, genesis: Hash, origin: String, keys: Arc<WriterKeys>) -> Result<Self, StoreError> {
        let mut founding = Self {
            genesis,
            origin,
            keys,
            document: None,
            directory: None,
            has_registry: false,
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
        if let Some(digest) = rows.store().get(Column::Meta, DIRECTORY)? {
            let bytes = rows.store().get(Column::Documents, &digest)?;
            let directory = bytes.and_then(|bytes| Directory::open(&bytes, &document.authorities).ok());
            founding.directory = Some(directory.ok_or_else(|| damaged("the directory"))?);
        }
        founding.has_registry = rows.store().get(Column::Meta, REGISTRY)?.is_some();
        founding.document = Some(document);
        founding.take_effect();
        Ok(founding)
    }

    /// Whether the writer may write this kind now.
    pub(super) fn may_write(&self, writer: &WriterId, kind: Kind) -> bool {
        match self.document {
            // Nobody is known yet; it must be the entry with the configured hash.
            None => kind == Kind::Genesis,
            Some(_) => self.rights.get(writer).is_some_and(|kinds| kinds.contains(&kind)),
        }
    }

    /// Refuses what the writer may not write.
    pub(super) fn check_right(&self, entry: &Entry) -> Result<(), Refusal> {
        let kind = entry.body.kind();
        if self.may_write(&entry.writer, kind) {
            Ok(())
        } else if !self.has_registry {
            Err(Refusal::right(
                "the log begins with its genesis entry, its first directory and its first Registerlandkarte",
            ))
        } else {
            Err(Refusal::right(format!(
                "the directory does not allow this writer to write entries of the kind {kind}"
            )))
        }
    }

    /// Checks the document of an entry whose writer has the right to it.
    pub(super) fn check_document(&self, submission: &Submission) -> Result<DocumentChange, Refusal> {
        let entry = submission.entry().entry();
        let (Body::Document { kind, digest }, Some(bytes)) = (&entry.body, &submission.document) else {
            return Ok(DocumentChange::None);
        };
        match (kind, &self.document) {
            (DocumentKind::Genesis, _) => self.check_genesis(submission, bytes).map(DocumentChange::Genesis),
            (DocumentKind::Directory, Some(genesis)) => self
                .check_directory(genesis, digest, bytes)
                .map(DocumentChange::Directory),
            (DocumentKind::Registry, Some(genesis)) => self
                .check_registry(genesis, digest, bytes)
                .map(|()| DocumentChange::Registry),
            _ => Ok(DocumentChange::None),
        }
    }

    fn check_genesis(&self, submission: &Submission, bytes: &[u8]) -> Result<GenesisDocument, Refusal> {
        if submission.entry().leaf_hash() != self.genesis {
            return Err(Refusal::right(
                "this is not the genesis entry that this log was set up for",
            ));
        }
        let document = GenesisDocument::parse(bytes).map_err(|error| Refusal::document(error.to_string()))?;
        if document.origin != self.origin || document.operator.id() != submission.entry().entry().writer {
            return Err(Refusal::document(
                "the genesis document is of another log or another operator",
            ));
        }
        Ok(document)
    }

    fn check_directory(&self, genesis: &GenesisDocument, digest: &Hash, bytes: &[u8]) -> Result<Directory, Refusal> {
        let directory =
            Directory::open(bytes, &genesis.authorities).map_err(|error| Refusal::document(error.to_string()))?;
        match &self.directory {
            None if *digest != genesis.directory => Err(Refusal::document(
                "this is not the directory that the genesis document names",
            )),
            Some(before) if directory.version <= before.version => Err(Refusal::document(format!(
                "the directory in force has version {}",
                before.version
            ))),
            _ => Ok(directory),
        }
    }

    fn check_registry(&self, genesis: &GenesisDocument, digest: &Hash, bytes: &[u8]) -> Result<(), Refusal> {
        if !self.has_registry && *digest != genesis.registry {
            return Err(Refusal::document(
                "this is not the Registerlandkarte that the genesis document names",
            ));
        }
        SignedDocument::open(bytes, &genesis.authorities).map_err(|error| Refusal::document(error.to_string()))?;
        Ok(())
    }

    /// Notes a recorded change, whose document has this digest.
    pub(super) fn apply(&mut self, change: DocumentChange, digest: &Hash, batch: &mut Batch) {
        match change {
            DocumentChange::Genesis(document) => self.document = Some(document),
            DocumentChange::Directory(directory) => {
                batch.put(Column::Meta, DIRECTORY, &digest.0);
                self.directory = Some(directory);
            }
            DocumentChange::Registry => {
                batch.put(Column::Meta, REGISTRY, &digest.0);
                self.has_registry = true;
            }
            DocumentChange::None => return,
        }
        self.take_effect();
    }

    /// What follows from the documents recorded so far: who may write what, and whose signatures are verified at all.
    fn take_effect(&mut self) {
        let operator = self.document.as_ref().map(|document| document.operator);
        let founded = self.has_registry;
        self.rights.clear();
        for grant in self
            .directory
            .iter()
            .flat_map(|directory| &directory.writers)
            .filter(|_| founded)
        {
            let kinds = grant.kinds.iter().copied().filter(|kind| *kind != Kind::Genesis);
            self.rights.entry(grant.key.id()).or_default().extend(kinds);
        }
        if let Some(operator) = operator {
            let kinds: &[Kind] = match (&self.directory, founded) {
                (None, _) => &[Kind::Directory],
                (Some(_), false) => &[Kind::Registry],
                (Some(_), true) => &[Kind::Directory, Kind::Registry],
            };
            self.rights.entry(operator.id()).or_default().extend(kinds);
        }
        let writers = self
            .directory
            .iter()
            .flat_map(|directory| directory.writers.iter().map(|grant| grant.key));
        let all: Vec<VerifyingKey> = operator.into_iter().chain(writers).collect();
        self.keys.replace(all.into_iter());
    }
}
