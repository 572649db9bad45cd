//! `ledger check`: reads everything that is stored and compares it with itself, also beside a running ledger.
//!
//! * the tree: every tile and the head's root are made again from the entries; all kept and published checkpoints have its roots;
//! * what belongs to entries ([`crate::rules::check`]): chains and their index, labels, records, documents, open intents;
//! * nothing is left over: no row that no entry accounts for.
//!
//! Not checked, because other tools do it without trusting this store: writers' signatures, roots of map entries and the rules
//! (`verifier audit`); the log's signature on its checkpoints, and whether witnesses have seen more than is stored (start-up).

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
use crate::rules::check::Belongings;
use crate::server::store_below;
use crate::store::rocks::RocksStore;
use crate::store::{Column, END, Store, StoreError};

/// Findings that are told one by one; the rest is counted.
const TOLD: usize = 100;
const ATTEMPTS: u32 = 3;

/// Why nothing could be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is no store.
    #[error("there is no ledger's store in {0}")]
    NoStore(PathBuf),
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong, each with its place.
#[derive(Debug, Default)]
pub struct Findings {
    told: Vec<String>,
    count: u64,
}

impl Findings {
    /// Adds one.
    pub(crate) fn add(&mut self, finding: String) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(finding);
        }
    }

    /// The first hundred.
    pub fn told(&self) -> &[String] {
        &self.told
    }

    /// All of them.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// What a check came to.
#[derive(Debug)]
pub struct Report {
    /// Number of entries that the head says.
    pub size: u64,
    /// Root that the head says.
    pub root: Hash,
    /// Sealed records that are stored.
    pub records: u64,
    /// What is wrong; nothing, if the store is sound.
    pub findings: Findings,
}

/// Checks the store in the data directory `data`.
///
/// # Errors
/// [`CheckError`] when there is nothing to check. What is wrong stands in the [`Report`].
pub fn check(data: &Path) -> Result<Report, CheckError> {
    let directory = store_below(data).ok_or_else(|| CheckError::NoStore(data.to_path_buf()))?;
    let mut attempt = 1;
    loop {
        // Beside a running ledger a reader may have opened files of two moments: then the next attempt sees another state.
        let report = check_rows(&Rows::new(Arc::new(RocksStore::open_read_only(&directory)?)))?;
        if report.findings.count == 0 || attempt == ATTEMPTS {
            return Ok(report);
        }
        attempt += 1;
    }
}

/// Checks the log in `rows`.
pub(crate) fn check_rows(rows: &Rows) -> Result<Report, StoreError> {
    let Some(head) = rows.head()? else {
        return Err(StoreError(
            "the store holds no head: no ledger has been started on it".into(),
        ));
    };
    let mut walk = Walk {
        rows,
        edge: Edge::default(),
        expected: Vec::new(),
        history: Vec::new(),
        belongings: Belongings::default(),
        findings: Findings::default(),
    };
    walk.expected.push(("the head", head.size, head.root));
    walk.expect_checkpoint("the newest signed checkpoint", rows.checkpoint()?);
    walk.expect_checkpoint("the published checkpoint", rows.published()?);
    walk.load_history(0, 0)?;
    walk.check_roots();
    for number in 0..head.size.div_ceil(TILE_WIDTH) {
        let width = (head.size - number * TILE_WIDTH).min(TILE_WIDTH) as u16;
        if let Err(reason) = walk.bundle(number, width)? {
            walk.findings.add(format!("{reason}; what follows was not looked at"));
            return Ok(walk.report(head.size, head.root));
        }
    }
    walk.beyond(head.size)?;
    walk.belongings.finish(rows, &mut walk.findings)?;
    Ok(walk.report(head.size, head.root))
}

/// Number of rows of a column.
pub(crate) fn count(store: &dyn Store, column: Column) -> Result<u64, StoreError> {
    let mut rows = 0;
    store.scan(column, &[], &END, &mut |_, _| {
        rows += 1;
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn parse(note: &[u8]) -> Option<Checkpoint> {
    Note::parse(note).ok()?.text.parse().ok()
}

struct Walk<'a> {
    rows: &'a Rows,
    edge: Edge,
    /// Roots that the tree must have: who says so, size, root.
    expected: Vec<(&'static str, u64, Hash)>,
    /// The same of published checkpoints, for the bundle that is being read.
    history: Vec<(u64, Hash)>,
    belongings: Belongings,
    findings: Findings,
}

impl Walk<'_> {
    fn expect_checkpoint(&mut self, name: &'static str, note: Option<String>) {
        let Some(note) = note else { return };
        match parse(note.as_bytes()) {
            Some(checkpoint) => self.expected.push((name, checkpoint.size.get(), checkpoint.root)),
            None => self.findings.add(format!("{name} cannot be read")),
        }
    }

    /// The published checkpoints of sizes `from` to `to`.
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
                        "the published checkpoint of size {} is another",
                        hex::encode(key)
                    )),
                }
                ControlFlow::Continue(())
            })
    }

    /// Compares the tree, as far as it is read, with what has this size.
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

    /// Reads a bundle; the inner error is a finding after which the tree cannot be followed.
    fn bundle(&mut self, number: u64, width: u16) -> Result<Result<(), String>, StoreError> {
        let bytes = match self.rows.bundle(number, width) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Err(format!("bundle {number} has fewer than {width} entries"))),
            Err(error) => return Ok(Err(format!("bundle {number}: {error}"))),
        };
        let leaves = match decode_bundle(&bytes, width) {
            Ok(leaves) => leaves,
            Err(error) => return Ok(Err(format!("bundle {number}: {error}"))),
        };
        let old = self.edge.size();
        self.load_history(old + 1, old + u64::from(width))?;
        for leaf in leaves {
            let index = self.edge.size();
            self.edge.append(leaf_hash(leaf));
            match SignedEntry::parse(leaf) {
                Ok(entry) => {
                    let store = self.rows.store().as_ref();
                    self.belongings.entry(index, &entry, store, &mut self.findings)?;
                }
                Err(error) => self.findings.add(format!("entry {index}: {error}")),
            }
            self.check_roots();
        }
        self.tiles(old);
        self.edge = self.edge.trimmed();
        Ok(Ok(()))
    }

    /// Compares the stored tiles with those that the entries since `old` make.
    fn tiles(&mut self, old: u64) {
        for tile in self.edge.changed_tiles(old) {
            let (level, index) = (tile.level, tile.index);
            match self.rows.tile_hashes(level, index, tile.hashes.len() as u16) {
                Ok(stored) if stored == tile.hashes => {}
                Ok(_) => self
                    .findings
                    .add(format!("tile {index} of level {level} is not what its entries make")),
                Err(error) => self.findings.add(format!("tile {index} of level {level}: {error}")),
            }
        }
    }

    /// Nothing may claim or hold more than the head says.
    fn beyond(&mut self, size: u64) -> Result<(), StoreError> {
        for (name, of, _) in &self.expected {
            if *of > size {
                self.findings.add(format!(
                    "{name} is about {of} entries, the store has {size}: it is an old or mixed backup"
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
                .add(format!("{stored} tiles are stored, the tree has {tiles}"));
        }
        Ok(())
    }

    fn report(self, size: u64, root: Hash) -> Report {
        Report {
            size,
            root,
            records: self.belongings.records(),
            findings: self.findings,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::rules::testing::{BROKER, Pen, World, intent, labelled, raw, submit};
    use crate::store::memory::MemoryStore;
    use crate::store::{Batch, Durability};
    use record::LabelledKind;

    /// Genesis, directory, registry, period, then 100 intents, of which the first has its outcome.
    async fn log() -> Rows {
        let store = Arc::new(MemoryStore::new());
        let (shared, _) = World::new().started(store.clone()).await;
        let mut broker = Pen::new(BROKER);
        for label in 1..=100 {
            let entry = raw(&broker.write(intent(label)), label);
            submit(&shared, vec![entry]).await.remove(0).unwrap();
        }
        let outcome = broker.write(labelled(LabelledKind::Outcome, 1, 200, Some(4)));
        submit(&shared, vec![raw(&outcome, 200)]).await.remove(0).unwrap();
        shared.log.end();
        let rows = Rows::new(store);
        let note = rows.checkpoint().unwrap().unwrap();
        rows.keep_published(105, &note).unwrap();
        rows
    }

    fn findings(rows: &Rows) -> Vec<String> {
        check_rows(rows).unwrap().findings.told
    }

    fn rows_of(rows: &Rows, column: Column) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut all = Vec::new();
        let visited = rows.store().scan(column, &[], &END, &mut |key, value| {
            all.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        });
        visited.unwrap();
        all
    }

    fn write(rows: &Rows, change: impl FnOnce(&mut Batch)) {
        let mut batch = Batch::default();
        change(&mut batch);
        rows.store().write(&batch, Durability::Synced).unwrap();
    }

    #[tokio::test]
    async fn a_sound_log_has_no_findings() {
        let report = check_rows(&log().await).unwrap();
        assert_eq!(report.findings.told(), [] as [String; 0]);
        assert_eq!((report.size, report.records), (105, 101));
        let empty = Rows::new(Arc::new(MemoryStore::new()));
        assert!(check_rows(&empty).is_err());
    }

    #[tokio::test]
    async fn every_changed_removed_or_added_row_is_found() {
        for column in Column::ALL {
            let rows = log().await;
            for (key, value) in rows_of(&rows, column) {
                if key == b"quorum" {
                    continue;
                }
                write(&rows, |batch| batch.delete(column, &key));
                // A checkpoint is made again: without one nothing is wrong. Without a head there is no log.
                let may_be_missing = key == b"checkpoint" || key == b"published" || column == Column::Checkpoints;
                if !may_be_missing && key != b"head" {
                    assert!(!findings(&rows).is_empty(), "{column:?} {key:?} removed");
                }
                let mut changed = value.clone();
                // A checkpoint's signature is looked at by the next start; here its third line, the root.
                let root = value
                    .split(|byte| *byte == b'\n')
                    .take(2)
                    .map(|line| line.len() + 1)
                    .sum();
                let place = if may_be_missing { root } else { value.len() / 2 };
                changed[place] ^= 1;
                write(&rows, |batch| batch.put(column, &key, &changed));
                let noticed = check_rows(&rows).is_ok_and(|report| report.findings.count() > 0);
                assert!(noticed, "{column:?} {key:?} changed");
                write(&rows, |batch| batch.put(column, &key, &value));
            }
            assert_eq!(findings(&rows), [] as [String; 0], "{column:?} is as it was");
            if column != Column::Meta {
                write(&rows, |batch| batch.put(column, &[0xfe; 40], &[0; 40]));
                assert!(!findings(&rows).is_empty(), "{column:?}: a row too many");
            }
        }
    }

    #[tokio::test]
    async fn findings_name_their_place() {
        let rows = log().await;
        let place = 7u64.to_be_bytes();
        write(&rows, |batch| batch.put(Column::Records, &place, b"other"));
        write(&rows, |batch| batch.delete(Column::Intents, &place));
        assert_eq!(
            findings(&rows),
            [
                "the record of entry 7 is not the one that the entry commits to",
                "the rows of open intents are not the intents without outcome: entry 7"
            ]
        );
    }
}
