//! The genesis document, the directory in force, and the rights of the writers that follow from them.
//!
//! An empty log accepts only the genesis entry with the configured leaf hash. Next it accepts the directory and the
//! Registerlandkarte whose digests the genesis document names, and nothing else before both are recorded. Later
//! versions of both must be signed by an authority of the genesis document and written by its operator, and a
//! directory's version must increase.
//!
//! | Column | Key | Value |
//! | --- | --- | --- |
//! | `Documents` | digest | the document |
//! | `Meta` | `directory`, `registry` | digest of the document in force |

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

/// The founding documents that have been recorded so far.
pub(super) struct Founding {
    genesis: Hash,
    origin: String,
    keys: Arc<WriterKeys>,
    document: Option<GenesisDocument>,
    directory: Option<Directory>,
    has_registry: bool,
    /// The kinds that each writer may write. Kept by writer id, because hashing a key for every entry is too expensive.
    rights: HashMap<WriterId, HashSet<Kind>>,
}

/// The effect of a document entry that passed the checks.
pub(super) enum DocumentChange {
    Genesis(GenesisDocument),
    Directory(Directory),
    Registry,
    /// The document does not affect the log's own rules.
    None,
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!(
        "{what} is damaged or of another log: check the configured genesis hash, or restore from a backup"
    ))
}

impl Founding {
    /// Loads the recorded documents. `genesis` is the leaf hash of entry 0; `origin` is the log's origin.
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
        founding.derive_rights();
        Ok(founding)
    }

    /// Whether the writer may write this kind now.
    pub(super) fn may_write(&self, writer: &WriterId, kind: Kind) -> bool {
        match self.document {
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

    /// Checks the document of an entry whose writer may write this kind.
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
                "this is not the genesis entry that the ledger is configured with",
            ));
        }
        let document = GenesisDocument::parse(bytes).map_err(|error| Refusal::document(error.to_string()))?;
        if document.origin != self.origin || document.operator.id() != submission.entry().entry().writer {
            return Err(Refusal::document(
                "the genesis document belongs to another log or another operator",
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
        if !self.has_registry && *digest != genesis.registerlandkarte {
            return Err(Refusal::document(
                "this is not the Registerlandkarte that the genesis document names",
            ));
        }
        SignedDocument::open(bytes, &genesis.authorities).map_err(|error| Refusal::document(error.to_string()))?;
        Ok(())
    }

    /// Applies the effect of a recorded document entry; `digest` is the digest of its document.
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
        self.derive_rights();
    }

    /// Derives the writers' rights and the set of known keys from the recorded documents.
    fn derive_rights(&mut self) {
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
