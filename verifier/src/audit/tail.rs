//! The audit of a growing log, which an auditing witness runs before it cosigns.
//!
//! [`Tail`] reads the entries from the last audited size up to the size of a checkpoint, compares the root of their
//! tree with the checkpoint's, and applies each entry to the same [`LogState`] as the audit of a whole log. So it
//! checks rights, signatures, chains, periods, documents, replays the change sets, and recomputes every root that a
//! set, a `map` or `period` entry states. The entries count only if their tree has the signed root: other bytes that
//! the server serves say nothing about the log.
//!
//! **Nothing is read twice.** The leaf hash of every entry is compared with a tile that hashes to the signed root
//! ([`AuthenticatedTiles`]) before the entry changes the state. So the state never has to be dropped when a read fails
//! or the server sends other bytes: the next checkpoint continues where the last one ended.
//!
//! The state is kept in memory. A witness that starts reads the log once from its beginning.

use std::collections::HashMap;

use record::{Entry, SignedEntry};
use tlog::Hash;
use tlog::merkle::{Frontier, Size, leaf_hash};
use tlog::tile::{AuthenticatedTiles, AuthenticationError, Tile, TileSource};

use super::bundle;
use super::files::{self, Files};
use super::finding::Findings;
use super::layout::{self, TILE};
use super::options::TOLERANCE;
use super::source::Source;
use super::source_error::SourceError;
use super::state::{EntryReporter, LogState};

/// Why the audit does not support a checkpoint.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum TailError {
    /// The log cannot be read up to the checkpoint, or serves other bytes than it has signed. The caller may retry.
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

/// The most tiles that are kept, of 8 kB each.
const MAX_TILES: usize = 256;

/// A log with the state of its audit up to some size.
#[derive(Debug)]
pub(crate) struct Tail {
    source: Source,
    genesis: Option<Hash>,
    state: LogState,
    tree: Frontier,
    findings: Findings,
    tiles: Tiles,
}

/// Tiles as the source has sent them. Every use authenticates them.
#[derive(Debug, Default)]
struct Tiles(HashMap<Tile, Vec<u8>>);

/// A tile has not been read yet.
#[derive(Debug, thiserror::Error)]
#[error("not read yet")]
struct NotRead(Tile);

impl TileSource for &Tiles {
    type Error = NotRead;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, NotRead> {
        self.0.get(&tile).cloned().ok_or(NotRead(tile))
    }
}

impl Tiles {
    /// Drops what is not needed for later bundles: leaves, and tiles that belong to one tree size only.
    fn trim(&mut self) {
        self.0.retain(|tile, _| tile.is_full() && tile.level() > 0);
    }

    fn insert(&mut self, tile: Tile, bytes: Vec<u8>) {
        if self.0.len() >= MAX_TILES {
            self.0.clear();
        }
        self.0.insert(tile, bytes);
    }
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
            tiles: Tiles::default(),
        }
    }

    /// Audits the entries up to `size`, whose root must be `root`.
    pub(crate) async fn check(&mut self, size: Size, root: Hash) -> Result<(), TailError> {
        if size >= self.tree.size() {
            let read = self.read(size, root).await;
            self.tiles.trim();
            read?;
            if self.tree.root() != root {
                // Every entry was in a tree that the log has signed, so the log has signed two histories. One of them
                // has been audited without being cosigned.
                let what = format!("the audited entries are not those of the signed tree of {size} entries");
                tracing::error!("the log has signed two histories: {what}");
                *self = Self::new(self.source.clone(), self.genesis);
                return Err(TailError::Unreadable(what));
            }
            self.check_genesis();
            self.state.check_judged(&mut self.findings);
        }
        match self.findings.kept().first() {
            Some(finding) => Err(TailError::Unsound(finding.to_string())),
            None if size < self.tree.size() => Err(TailError::Unreadable(format!(
                "a checkpoint of {} entries has been audited already",
                self.tree.size()
            ))),
            None => Ok(()),
        }
    }

    async fn read(&mut self, size: Size, root: Hash) -> Result<(), TailError> {
        while self.state.size < size.get() {
            let number = self.state.size / TILE;
            let path = layout::bundle_path(size.get(), number);
            let bytes = self.source.bundle(size.get(), number).await?;
            let bytes = bytes.ok_or_else(|| TailError::Unreadable(format!("{path} is missing")))?;
            let entries = bundle::split(&bytes, layout::tile_width(size.get(), 0, number));
            let entries = entries.map_err(|what| TailError::Unreadable(format!("{path}: {what}")))?;
            let leaves = self.leaves(size, root, number).await?;
            let known = usize::try_from(self.state.size % TILE).unwrap_or(usize::MAX);
            for (entry, leaf) in entries.into_iter().zip(leaves).skip(known) {
                if leaf_hash(entry) != leaf {
                    let what = format!("{path}: its entries do not make the tree that the log has signed");
                    return Err(TailError::Unreadable(what));
                }
                self.take(&path, entry, leaf).await?;
            }
        }
        Ok(())
    }

    /// The leaf hashes of a bundle in the signed tree.
    async fn leaves(&mut self, size: Size, root: Hash, number: u64) -> Result<Vec<Hash>, TailError> {
        loop {
            let missing = match AuthenticatedTiles::new(&self.tiles, size, root).tile(0, number) {
                Ok(leaves) => return Ok(leaves.hashes().to_vec()),
                Err(AuthenticationError::Source(NotRead(tile))) => tile,
                Err(error) => {
                    // One of the tiles is wrong, but it is not known which one.
                    self.tiles = Tiles::default();
                    return Err(TailError::Unreadable(format!(
                        "its tiles do not make the tree that the log has signed: {error}"
                    )));
                }
            };
            let path = layout::tile_path(size.get(), missing.level(), missing.index());
            let bytes = self.source.tile(size.get(), missing.level(), missing.index()).await?;
            let bytes = bytes.ok_or_else(|| TailError::Unreadable(format!("{path} is missing")))?;
            self.tiles.insert(missing, bytes);
        }
    }

    /// Applies an entry of the signed tree. Reads before it changes anything.
    async fn take(&mut self, place: &str, bytes: &[u8], leaf: Hash) -> Result<(), TailError> {
        let index = self.state.size;
        let signed = SignedEntry::parse(bytes);
        let files = match &signed {
            Ok(signed) => self.files(signed.entry()).await?,
            Err(_) => Files::default(),
        };
        let appended = self.tree.append(leaf, |_, _, _| {});
        appended.map_err(|error| TailError::Unreadable(error.to_string()))?;
        match signed {
            Ok(signed) => {
                let findings = &mut self.findings;
                let mut reporter = EntryReporter { place, index, findings };
                self.state.take(&signed, &files, &mut reporter);
            }
            Err(error) => {
                self.findings.entry(place, index, format!("not an entry: {error}"));
                self.state.skip();
            }
        }
        Ok(())
    }

    /// The documents that an entry names.
    async fn files(&self, entry: &Entry) -> Result<Files, TailError> {
        let Some(digest) = entry.body.document() else {
            return Ok(Files::default());
        };
        let document = self.document(&digest).await?;
        let operations = match files::operations_of(entry, &document) {
            Some(digest) => Some(self.document(&digest).await?),
            None => None,
        };
        Ok(Files {
            document: Some(document),
            operations,
        })
    }

    /// A document that the log names. The log has signed its digest, but not that the server has it now.
    async fn document(&self, digest: &Hash) -> Result<Vec<u8>, TailError> {
        let path = layout::document_path(digest);
        match self.source.read(&path).await? {
            Some(bytes) if Hash::of(&bytes) == *digest => Ok(bytes),
            Some(_) => Err(TailError::Unreadable(format!("{path} has another content"))),
            None => Err(TailError::Unreadable(format!("{path} is missing"))),
        }
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
