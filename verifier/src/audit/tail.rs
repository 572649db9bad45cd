//! The audit of a growing log, which an auditing witness runs before it cosigns.
//!
//! [`Tail`] reads the entries from the last audited size up to the size of a checkpoint, compares the root of their
//! tree with the checkpoint's, and applies each entry to the same [`LogState`] as the audit of a whole log. So it
//! checks rights, signatures, chains, periods, documents, and recomputes every root that a `map` or `period` entry
//! states. The entries count only if their tree has the signed root: other bytes that the server serves say nothing
//! about the log.
//!
//! The state is kept in memory. A witness that starts reads the log once from its beginning.

use record::SignedEntry;
use tlog::Hash;
use tlog::merkle::{Frontier, Size, leaf_hash};

use super::bundle;
use super::finding::Findings;
use super::layout::{self, TILE};
use super::options::TOLERANCE;
use super::source::Source;
use super::source_error::SourceError;
use super::state::{EntryReporter, LogState};

/// Why the audit does not support a checkpoint.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum TailError {
    /// The log cannot be read up to the checkpoint, or serves other entries than it has signed. The caller may retry.
    #[error("the log cannot be audited now: {0}")]
    Unreadable(String),
    /// The entries that the log has signed are not sound. Retrying does not help.
    #[error("the audit found: {0}")]
    Unsound(String),
}

impl From<SourceError> for TailError {
    fn from(error: SourceError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// A log with the state of its audit up to some size.
#[derive(Debug)]
pub(crate) struct Tail {
    source: Source,
    genesis: Option<Hash>,
    state: LogState,
    tree: Frontier,
    findings: Findings,
}

impl Tail {
    /// Starts at size 0. `genesis` is the leaf hash of entry 0, if it is known from elsewhere.
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
            // The entries read are not those that the log has signed, or not all of them, so the state is useless.
            self.forget();
            read?;
            let what = "its entries do not make the tree that it has signed";
            return Err(TailError::Unreadable(what.to_owned()));
        }
        self.check_genesis();
        self.state.check_judged(&mut self.findings);
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
            let bytes = self.source.bundle(size.get(), number).await?;
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
