//! `ledger check`: reads the whole store and checks that it is consistent, also while a ledger runs on it.
//!
//! * The tree: every tile and the root of the head are recomputed from the entries, and every checkpoint must have the
//!   tree's root at its size.
//! * The rows that belong to entries ([`crate::rules::check`]): chains and their index, labels, records, documents,
//!   open intents.
//! * Surplus rows: every row must belong to an entry.
//!
//! Other tools check the rest without trusting this store. `verifier audit` checks writers' signatures, the roots of
//! map entries and the rules. Start-up checks the log's signature on its checkpoints, and whether witnesses have seen
//! more than is stored.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use record::SignedEntry;
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::leaf_hash;
use tlog::note::Note;
use tlog::tile::decode_bundle;

use crate::engine::edge::{Edge, TILE_HEIGHT, TILE_WIDTH};
use crate::engine::rows::Rows;
use crate::rules::check::Attachments;
use crate::rules::findings::Findings;
use crate::server::find_store;
use crate::store::postgres::{PostgresConfig, PostgresStore};
use crate::store::rocks::RocksStore;
use crate::store::{Column, END, StoreError, count};

const MAX_ATTEMPTS: u32 = 3;

/// Why the store could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The directory has no store.
    #[error("there is no ledger's store in {0}")]
    NoStore(PathBuf),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The result of a check.
#[derive(Debug)]
pub struct Report {
    /// The number of entries according to the head.
    pub size: u64,
    /// The root according to the head.
    pub root: Hash,
    /// The number of stored sealed records.
    pub records: u64,
    /// All inconsistencies; none if the store is sound.
    pub findings: Findings,
}

/// Checks the store in the data directory `data`.
///
/// # Errors
/// [`CheckError`] if the store cannot be read. Inconsistencies are no error; the [`Report`] lists them.
pub fn check(data: &Path) -> Result<Report, CheckError> {
    let directory = find_store(data).ok_or_else(|| CheckError::NoStore(data.to_path_buf()))?;
    let mut attempt = 1;
    loop {
        // While a ledger runs, the reader may have opened files of two different states. The next attempt sees a newer
        // state.
        let report = check_rows(&Rows::new(Arc::new(RocksStore::open_read_only(&directory)?)))?;
        if report.findings.count() == 0 || attempt == MAX_ATTEMPTS {
            return Ok(report);
        }
        attempt += 1;
    }
}

/// Checks the log in a database.
///
/// # Errors
/// As [`check`].
pub fn check_database(config: &PostgresConfig) -> Result<Report, CheckError> {
    Ok(check_rows(&Rows::new(Arc::new(PostgresStore::open_read_only(
        config,
    )?)))?)
}

/// Checks the log in `rows`.
pub(crate) fn check_rows(rows: &Rows) -> Result<Report, StoreError> {
    let Some(head) = rows.head()? else {
        return Err(StoreError::Damaged(
            "the store has no head: no ledger has been started on it".into(),
        ));
    };
    let mut walk = StoreWalk {
        rows,
        edge: Edge::default(),
        expected: Vec::new(),
        history: Vec::new(),
        attachments: Attachments::default(),
        findings: Findings::default(),
    };
    walk.expected.push(("the head", head.size, head.root));
    walk.expect_checkpoint("the newest signed checkpoint", rows.checkpoint()?);
    walk.expect_checkpoint("the published checkpoint", rows.published()?);
    walk.load_history(0, 0)?;
    walk.check_roots();
    for number in 0..head.size.div_ceil(TILE_WIDTH) {
        let width = (head.size - number * TILE_WIDTH).min(TILE_WIDTH) as u16;
        if let ControlFlow::Break(reason) = walk.check_bundle(number, width)? {
            walk.findings.add(format!("{reason}; later entries were not checked"));
            return Ok(walk.report(head.size, head.root));
        }
    }
    walk.check_surplus(head.size)?;
    walk.attachments.finish(rows, &mut walk.findings)?;
    Ok(walk.report(head.size, head.root))
}

fn parse(note: &[u8]) -> Option<Checkpoint> {
    Note::parse(note).ok()?.text.parse().ok()
}

struct StoreWalk<'a> {
    rows: &'a Rows,
    edge: Edge,
    /// Roots that the tree must have: the name of their source, the size, the root.
    expected: Vec<(&'static str, u64, Hash)>,
    /// Size and root of the published checkpoints, for the bundle that is being read.
    history: Vec<(u64, Hash)>,
    attachments: Attachments,
    findings: Findings,
}

impl StoreWalk<'_> {
    fn expect_checkpoint(&mut self, name: &'static str, note: Option<String>) {
        let Some(note) = note else { return };
        match parse(note.as_bytes()) {
            Some(checkpoint) => self.expected.push((name, checkpoint.size.get(), checkpoint.root)),
            None => self.findings.add(format!("{name} cannot be read")),
        }
    }

    /// Loads the published checkpoints of sizes `from` to `to`, inclusive.
    fn load_history(&mut self, from: u64, to: u64) -> Result<(), StoreError> {
        self.history.clear();
        let (history, findings) = (&mut self.history, &mut self.findings);
        let (from, end) = (from.to_be_bytes(), (to + 1).to_be_bytes());
        self.rows
            .store()
            .scan(Column::Checkpoints, &from, &end, &mut |key, note| {
                match parse(note).filter(|checkpoint| checkpoint.size.get().to_be_bytes() == key) {
                    Some(checkpoint) => history.push((checkpoint.size.get(), checkpoint.root)),
                    None => findings.add(format!(
                        "the published checkpoint under size {} has another size or cannot be read",
                        hex::encode(key)
                    )),
                }
                ControlFlow::Continue(())
            })
    }

    /// Compares the tree read so far with the checkpoints of its size.
    fn check_roots(&mut self) {
        let size = self.edge.size();
        if let Ok(at) = self.history.binary_search_by_key(&size, |(of, _)| *of)
            && self.history[at].1 != self.edge.root()
        {
            self.findings.add(format!(
                "the published checkpoint of size {size} has another root than the entries"
            ));
        }
        for (name, _, root) in self.expected.iter().filter(|(_, of, _)| *of == size) {
            if *root != self.edge.root() {
                self.findings
                    .add(format!("{name} has another root than the first {size} entries"));
            }
        }
    }

    /// Reads a bundle; breaks with a finding after which the tree cannot be followed.
    fn check_bundle(&mut self, number: u64, width: u16) -> Result<ControlFlow<String>, StoreError> {
        let damaged = |reason: String| Ok(ControlFlow::Break(format!("bundle {number}{reason}")));
        let bytes = match self.rows.bundle(number, width) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return damaged(format!(" has fewer than {width} entries")),
            Err(error) => return damaged(format!(": {error}")),
        };
        let leaves = match decode_bundle(&bytes, width) {
            Ok(leaves) => leaves,
            Err(error) => return damaged(format!(": {error}")),
        };
        let old = self.edge.size();
        self.load_history(old + 1, old + u64::from(width))?;
        for leaf in leaves {
            let index = self.edge.size();
            self.edge.append(leaf_hash(leaf));
            match SignedEntry::parse(leaf) {
                Ok(entry) => {
                    let store = self.rows.store().as_ref();
                    self.attachments.entry(index, &entry, store, &mut self.findings)?;
                }
                Err(error) => self.findings.add(format!("entry {index}: {error}")),
            }
            self.check_roots();
        }
        self.check_tiles(old);
        self.edge = self.edge.trimmed();
        Ok(ControlFlow::Continue(()))
    }

    /// Compares the stored tiles with the tiles of the entries since `old`.
    fn check_tiles(&mut self, old: u64) {
        for tile in self.edge.changed_tiles(old) {
            let (level, index) = (tile.level, tile.index);
            match self.rows.tile_hashes(level, index, tile.hashes.len() as u16) {
                Ok(stored) if stored == tile.hashes => {}
                Ok(_) => self
                    .findings
                    .add(format!("tile {index} of level {level} differs from its entries")),
                Err(error) => self.findings.add(format!("tile {index} of level {level}: {error}")),
            }
        }
    }

    /// Checks that no row and no checkpoint goes beyond the head.
    fn check_surplus(&mut self, size: u64) -> Result<(), StoreError> {
        for (name, of, _) in &self.expected {
            if *of > size {
                self.findings.add(format!(
                    "{name} has {of} entries, but the store has {size}: it is an old or mixed backup"
                ));
            }
        }
        let mut surplus = 0;
        let store = self.rows.store();
        store.scan(Column::Entries, &size.to_be_bytes(), &END, &mut |_, _| {
            surplus += 1;
            ControlFlow::Continue(())
        })?;
        if surplus > 0 || self.rows.entry(size)?.is_some() {
            self.findings
                .add(format!("there are entries beyond the head, from {size} on"));
        }
        let mut later = false;
        store.scan(Column::Checkpoints, &(size + 1).to_be_bytes(), &END, &mut |_, _| {
            later = true;
            ControlFlow::Break(())
        })?;
        if later {
            self.findings
                .add(format!("a checkpoint of more than {size} entries was published"));
        }
        let mut tiles = 0;
        let mut nodes = size;
        while nodes > 0 {
            tiles += nodes.div_ceil(TILE_WIDTH);
            nodes >>= TILE_HEIGHT;
        }
        let stored = count(self.rows.store().as_ref(), Column::Tiles)?;
        if stored != tiles {
            self.findings
                .add(format!("{stored} tiles are stored, but the tree has {tiles}"));
        }
        Ok(())
    }

    fn report(self, size: u64, root: Hash) -> Report {
        Report {
            size,
            root,
            records: self.attachments.records(),
            findings: self.findings,
        }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
