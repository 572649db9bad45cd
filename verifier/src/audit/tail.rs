//! The audit of a log that grows: what an auditing witness does before it cosigns.
//!
//! [`Tail`] reads the entries from where it was up to a checkpoint's size, compares their tree with the checkpoint's root, and hands
//! each to the same [`LogState`] as the audit of a whole log: rights, signatures, chains, periods, documents, and every root
//! that a `map` or `period` entry states, recomputed. Entries are believed only when the tree has the signed root; what the
//! server served otherwise says nothing about the log.
//!
//! The state is kept in memory: a witness that starts reads the log from its beginning, once.

use record::SignedEntry;
use tlog::Hash;
use tlog::merkle::{Frontier, Size, leaf_hash};

use super::bundle;
use super::finding::Findings;
use super::layout::{self, TILE};
use super::options::TOLERANCE;
use super::source::{Source, SourceError};
use super::state::{EntryReporter, LogState};

/// Why a checkpoint is not vouched for.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum TailError {
    /// The log cannot be read up to the checkpoint now, or serves other entries than it has signed. Retryable.
    #[error("the log cannot be audited now: {0}")]
    Unreadable(String),
    /// What the log has signed is not sound: final.
    #[error("the audit found: {0}")]
    Unsound(String),
}

impl From<SourceError> for TailError {
    fn from(error: SourceError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// A log, audited up to some size.
#[derive(Debug)]
pub(crate) struct Tail {
    source: Source,
    genesis: Option<Hash>,
    state: LogState,
    tree: Frontier,
    findings: Findings,
}

impl Tail {
    /// Nothing read yet. `genesis`: leaf hash of entry 0, if it is known from elsewhere.
    pub(crate) fn new(source: Source, genesis: Option<Hash>) -> Self {
        Self {
            source,
            genesis,
            state: LogState::new(TOLERANCE, false),
            tree: Frontier::new(),
            findings: Findings::default(),
        }
    }

    /// Audits the entries up to `size`, whose root must be `root`.
    pub(crate) async fn check(&mut self, size: Size, root: Hash) -> Result<(), TailError> {
        if size < self.tree.size() {
            self.forget();
        }
        let read = self.read(size).await;
        let fits = read.is_ok() && self.tree.root() == root;
        if !fits {
            // Whatever was read, it was not (all of) what the log has signed.
            self.forget();
            read?;
            let what = "its entries do not make the tree that it has signed";
            return Err(TailError::Unreadable(what.to_owned()));
        }
        self.check_genesis();
        match self.findings.kept().first() {
            None => Ok(()),
            Some(finding) => Err(TailError::Unsound(finding.to_string())),
        }
    }

    fn forget(&mut self) {
        *self = Self::new(self.source.clone(), self.genesis);
    }

    async fn read(&mut self, size: Size) -> Result<(), TailError> {
        while self.state.size < size.get() {
            let number = self.state.size / TILE;
            let path = layout::bundle_path(size.get(), number);
            let bytes = self.source.read(&path).await?;
            let bytes = bytes.ok_or_else(|| TailError::Unreadable(format!("{path} is missing")))?;
            let entries = bundle::split(&bytes, layout::tile_width(size.get(), 0, number));
            let entries = entries.map_err(|what| TailError::Unreadable(format!("{path}: {what}")))?;
            let known = usize::try_from(self.state.size % TILE).unwrap_or(usize::MAX);
            for entry in entries.into_iter().skip(known) {
                self.take(&path, entry).await?;
            }
        }
        Ok(())
    }

    async fn take(&mut self, place: &str, bytes: &[u8]) -> Result<(), TailError> {
        let index = self.state.size;
        let appended = self.tree.append(leaf_hash(bytes), |_, _, _| {});
        appended.map_err(|error| TailError::Unreadable(error.to_string()))?;
        let signed = match SignedEntry::parse(bytes) {
            Ok(signed) => signed,
            Err(error) => {
                self.findings.entry(place, index, format!("not an entry: {error}"));
                self.state.skip();
                return Ok(());
            }
        };
        let document = match signed.entry().body.document() {
            Some(digest) => self.source.read(&layout::document_path(&digest)).await?,
            None => None,
        };
        let findings = &mut self.findings;
        let mut reporter = EntryReporter { place, index, findings };
        self.state.take(&signed, document.as_deref(), &mut reporter);
        Ok(())
    }

    fn check_genesis(&mut self) {
        let found = self.state.genesis.as_ref().map(|genesis| genesis.hash);
        if let (Some(expected), Some(found)) = (self.genesis, found)
            && expected != found
            && self.findings.is_empty()
        {
            let what = format!("the genesis hash is {found}, not {expected}");
            self.findings.entry("tile/entries/000", 0, what);
        }
    }
}
