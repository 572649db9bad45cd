//! The log's rows in the store.
//!
//! | Column | Key | Value |
//! | --- | --- | --- |
//! | `Entries` | u64 index of the first entry | a **run** (see below): `(u16 length ‖ entry)*` |
//! | `Tiles` | u8 level ‖ u64 number | the tile's 1 to 256 hashes; the rightmost tile is rewritten as it grows |
//! | `Meta` | `head` | u64 size ‖ root |
//! | `Meta` | `checkpoint` | the newest checkpoint with the log's signature (lazy: a lost one is signed again) |
//! | `Meta` | `published` | the newest checkpoint that met the witness policy |
//! | `Checkpoints` | u64 size | every checkpoint that met the witness policy |
//! | `Meta` | `latest-time` | u64 POSIX seconds: the latest time of an entry |
//! | `Meta` | `quorum` | `1` if the policy needs witnesses, otherwise `0` |
//! | `Meta` | `move` | whether the log was moved ([`super::mark`]) |
//!
//! All numbers are big-endian. A **run** has the entries of one commit in one bundle. A bundle of 256 entries is the
//! concatenation of its runs. Each entry is therefore written once, and under load a bundle is one or two rows.
//! **Partial tiles and bundles are virtual**: the partial tile or bundle of width `w` is always the first `w` stored
//! hashes or entries, so there are no old partials to delete.

use std::ops::ControlFlow;
use std::sync::Arc;

use tlog::Hash;

use super::edge::TILE_WIDTH;
use crate::store::{Batch, Column, Durability, Store, StoreError, write_or_settle};

/// The largest allowed entry, in bytes (tlog-tiles has a u16 length).
pub const MAX_ENTRY: usize = 65_535;

const HEAD: &[u8] = b"head";
const CHECKPOINT: &[u8] = b"checkpoint";
const PUBLISHED: &[u8] = b"published";
const QUORUM: &[u8] = b"quorum";
const LATEST_TIME: &[u8] = b"latest-time";

/// Size and root of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Number of entries.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

impl TreeHead {
    fn row(&self) -> Vec<u8> {
        [self.size.to_be_bytes().as_slice(), &self.root.0].concat()
    }
}

/// Reads and writes the log's rows.
#[derive(Clone)]
pub struct Rows {
    store: Arc<dyn Store>,
}

/// A row does not have the required format: something other than the ledger changed the store.
fn damaged(what: &str) -> StoreError {
    StoreError::damaged(format_args!("{what} is damaged"))
}

impl Rows {
    /// Rows in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The durable head; `None` in a new store.
    pub fn head(&self) -> Result<Option<TreeHead>, StoreError> {
        let Some(row) = self.store.get(Column::Meta, HEAD)? else {
            return Ok(None);
        };
        let (size, root) = row.split_first_chunk().ok_or_else(|| damaged("the head of the tree"))?;
        let root = Hash::try_from(root).map_err(|_| damaged("the head of the tree"))?;
        Ok(Some(TreeHead {
            size: u64::from_be_bytes(*size),
            root,
        }))
    }

    /// Replaces the head `before` with `head`; `None` if there must not be a head yet. The batch is refused if the
    /// store has another head, because another process has then written to the log.
    pub fn swap_head(batch: &mut Batch, before: Option<&TreeHead>, head: &TreeHead) {
        batch.swap(Column::Meta, HEAD, before.map(TreeHead::row).as_deref(), &head.row());
    }

    /// Writes a batch, and settles it if the connection to the store breaks ([`write_or_settle`]).
    pub fn write(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError> {
        write_or_settle(self.store.as_ref(), batch, durability)
    }

    /// The newest signed checkpoint.
    pub fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        self.text(CHECKPOINT)
    }

    /// Stores the newest signed checkpoint, lazily.
    pub fn store_checkpoint(&self, note: &str) -> Result<(), StoreError> {
        self.set(CHECKPOINT, note, Durability::Lazy)
    }

    /// The newest published checkpoint.
    pub fn published(&self) -> Result<Option<String>, StoreError> {
        self.text(PUBLISHED)
    }

    /// Stores the newest published checkpoint durably, and adds it to the history.
    pub fn store_published(&self, size: u64, note: &str) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.put(Column::Meta, PUBLISHED, note.as_bytes());
        batch.put(Column::Checkpoints, &size.to_be_bytes(), note.as_bytes());
        self.write(&batch, Durability::Synced)
    }

    /// The published checkpoint with the smallest size that is at least `size`, and that size; `None` if there is none.
    pub fn checkpoint_from(&self, size: u64) -> Result<Option<(u64, String)>, StoreError> {
        let mut found = None;
        let (start, end) = (size.to_be_bytes(), u64::MAX.to_be_bytes());
        self.store.scan(Column::Checkpoints, &start, &end, &mut |key, note| {
            found = Some((key.to_vec(), note.to_vec()));
            ControlFlow::Break(())
        })?;
        let Some((key, note)) = found else { return Ok(None) };
        let size =
            <[u8; 8]>::try_from(key).map_err(|_| StoreError::Damaged("a published checkpoint has no size".into()))?;
        Ok(Some((u64::from_be_bytes(size), text(note)?)))
    }

    /// The latest time of an entry, POSIX seconds; 0 in a new store.
    pub fn latest_time(&self) -> Result<u64, StoreError> {
        let Some(row) = self.store.get(Column::Meta, LATEST_TIME)? else {
            return Ok(0);
        };
        let time = row.try_into().map_err(|_| damaged("the latest time"))?;
        Ok(u64::from_be_bytes(time))
    }

    /// Sets the latest time of an entry.
    pub fn put_latest_time(batch: &mut Batch, time: u64) {
        batch.put(Column::Meta, LATEST_TIME, &time.to_be_bytes());
    }

    /// Whether the policy of the log's last start needs witnesses.
    pub fn requires_quorum(&self) -> Result<bool, StoreError> {
        Ok(self.text(QUORUM)?.is_some_and(|value| value == "1"))
    }

    /// Stores whether the policy needs witnesses.
    pub fn store_requires_quorum(&self, asks: bool) -> Result<(), StoreError> {
        self.set(QUORUM, if asks { "1" } else { "0" }, Durability::Synced)
    }

    fn text(&self, key: &[u8]) -> Result<Option<String>, StoreError> {
        self.store.get(Column::Meta, key)?.map(text).transpose()
    }

    fn set(&self, key: &[u8], value: &str, durability: Durability) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.put(Column::Meta, key, value.as_bytes());
        self.write(&batch, durability)
    }

    /// Sets a tile.
    pub fn put_tile(batch: &mut Batch, level: u8, index: u64, hashes: &[Hash]) {
        let parts: Vec<&[u8]> = hashes.iter().map(|hash| hash.0.as_slice()).collect();
        batch.put_parts(Column::Tiles, &tile_key(level, index), &parts);
    }

    /// The bytes of the first `width` hashes of a tile; `None` if it has fewer.
    pub fn tile(&self, level: u8, index: u64, width: u16) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(mut row) = self.store.get(Column::Tiles, &tile_key(level, index))? else {
            return Ok(None);
        };
        let length = usize::from(width) * Hash::LEN;
        if row.len() < length {
            return Ok(None);
        }
        row.truncate(length);
        Ok(Some(row))
    }

    /// The first `width` hashes of a tile that must exist.
    pub fn tile_hashes(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, StoreError> {
        let bytes = self
            .tile(level, index, width)?
            .ok_or_else(|| damaged("a tile of the tree"))?;
        bytes
            .chunks_exact(Hash::LEN)
            .map(|hash| Hash::try_from(hash).map_err(|_| damaged("a tile")))
            .collect()
    }

    /// The leaf hash of an entry that must exist.
    pub fn leaf_hash(&self, index: u64) -> Result<Hash, StoreError> {
        let row = self.store.get(Column::Tiles, &tile_key(0, index / TILE_WIDTH))?;
        let offset = (index % TILE_WIDTH) as usize * Hash::LEN;
        let hash = row.as_deref().and_then(|row| row.get(offset..offset + Hash::LEN));
        hash.and_then(|hash| Hash::try_from(hash).ok())
            .ok_or_else(|| damaged("a tile of the tree"))
    }

    /// The bytes of the first `width` entries of a bundle; `None` if it has fewer.
    pub fn bundle(&self, index: u64, width: u16) -> Result<Option<Vec<u8>>, StoreError> {
        let first = index * TILE_WIDTH;
        let end = first + u64::from(width);
        let mut bundle = Vec::new();
        let mut next = first;
        let mut whole = true;
        self.store.scan(
            Column::Entries,
            &first.to_be_bytes(),
            &end.to_be_bytes(),
            &mut |key, run| {
                whole &= key == next.to_be_bytes();
                let mut rest = run;
                while next < end
                    && let Some((_, after)) = split_entry(rest)
                {
                    rest = after;
                    next += 1;
                }
                bundle.extend_from_slice(&run[..run.len() - rest.len()]);
                ControlFlow::Continue(())
            },
        )?;
        if !whole {
            return Err(damaged("a bundle of entries"));
        }
        Ok((next == end).then_some(bundle))
    }

    /// The entries with `from <= index < to`, which must exist and be in one bundle.
    pub fn entries(&self, from: u64, to: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let missing = || damaged("a bundle of entries");
        let (bundle, width) = (from / TILE_WIDTH, to - from / TILE_WIDTH * TILE_WIDTH);
        let width = u16::try_from(width).map_err(|_| missing())?;
        let bytes = self.bundle(bundle, width)?.ok_or_else(missing)?;
        let (mut rest, mut entries) = (bytes.as_slice(), Vec::new());
        for index in bundle * TILE_WIDTH..to {
            let (entry, after) = split_entry(rest).ok_or_else(missing)?;
            if index >= from {
                entries.push(entry.to_vec());
            }
            rest = after;
        }
        Ok(entries)
    }

    /// The bytes of an entry; `None` if there is none.
    pub fn entry(&self, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let (first, end) = (index - index % TILE_WIDTH, index.saturating_add(1));
        let row = self
            .store
            .last(Column::Entries, &first.to_be_bytes(), &end.to_be_bytes())?;
        let Some((key, run)) = row else { return Ok(None) };
        let start = key.try_into().map_err(|_| damaged("a bundle of entries"))?;
        let start = u64::from_be_bytes(start);
        let mut rest = run.as_slice();
        for _ in start..index {
            match split_entry(rest) {
                Some((_, after)) => rest = after,
                None => return Ok(None),
            }
        }
        Ok(split_entry(rest).map(|(entry, _)| entry.to_vec()))
    }
}

fn tile_key(level: u8, index: u64) -> [u8; 9] {
    let mut key = [level; 9];
    key[1..].copy_from_slice(&index.to_be_bytes());
    key
}

fn text(bytes: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(bytes).map_err(|_| damaged("a checkpoint"))
}

/// The first entry of a run, and the rest of the run.
fn split_entry(run: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = run.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Collects the entries of a batch in runs.
#[derive(Default)]
pub struct EntryRuns {
    first: u64,
    run: Vec<u8>,
}

impl EntryRuns {
    /// Adds entry `index`, which must follow the last one added and have at most [`MAX_ENTRY`] bytes.
    pub fn add(&mut self, batch: &mut Batch, index: u64, entry: &[u8]) {
        if index.is_multiple_of(TILE_WIDTH) {
            self.finish(batch);
        }
        if self.run.is_empty() {
            self.first = index;
        }
        debug_assert!(entry.len() <= MAX_ENTRY);
        self.run.extend_from_slice(&(entry.len() as u16).to_be_bytes());
        self.run.extend_from_slice(entry);
    }

    /// Adds the last run to the batch.
    pub fn finish(&mut self, batch: &mut Batch) {
        if !self.run.is_empty() {
            batch.put(Column::Entries, &self.first.to_be_bytes(), &self.run);
            self.run.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::memory::MemoryStore;

    #[test]
    fn a_bundle_is_the_concatenation_of_its_runs_for_commits_of_any_size() {
        let rows = Rows::new(Arc::new(MemoryStore::new()));
        let entry = |index: u64| vec![index as u8; index as usize % 7 + 1];
        let mut index = 0;
        for count in [1, 1, 200, 3, 300, 256, 20] {
            let (mut batch, mut runs) = (Batch::default(), EntryRuns::default());
            for _ in 0..count {
                runs.add(&mut batch, index, &entry(index));
                index += 1;
            }
            runs.finish(&mut batch);
            rows.store().write(&batch, Durability::Synced).unwrap();
        }
        for i in 0..index {
            assert_eq!(rows.entry(i).unwrap().unwrap(), entry(i), "{i}");
        }
        assert_eq!(rows.entry(index).unwrap(), None);
        assert_eq!(rows.entry(u64::MAX).unwrap(), None);
        for (number, width) in [
            (0, 1),
            (0, 2),
            (0, 203),
            (0, 255),
            (0, 256),
            (1, 256),
            (2, 256),
            (3, 1),
            (3, 13),
        ] {
            let mut expected = Vec::new();
            for i in number * 256..number * 256 + u64::from(width) {
                let entry = entry(i);
                expected.extend_from_slice(&(entry.len() as u16).to_be_bytes());
                expected.extend_from_slice(&entry);
            }
            assert_eq!(
                rows.bundle(number, width).unwrap().unwrap(),
                expected,
                "{number} {width}"
            );
        }
        assert_eq!(index, 781);
        assert_eq!(rows.bundle(3, 14).unwrap(), None);
        assert_eq!(rows.bundle(4, 1).unwrap(), None);
    }

    #[test]
    fn a_partial_tile_is_the_first_hashes_of_the_stored_tile() {
        let rows = Rows::new(Arc::new(MemoryStore::new()));
        let hashes: Vec<Hash> = (0..7).map(|i| Hash([i; 32])).collect();
        let mut batch = Batch::default();
        Rows::put_tile(&mut batch, 0, 0, &hashes);
        Rows::swap_head(
            &mut batch,
            None,
            &TreeHead {
                size: 7,
                root: Hash([9; 32]),
            },
        );
        rows.store().write(&batch, Durability::Synced).unwrap();
        assert_eq!(rows.tile_hashes(0, 0, 5).unwrap(), hashes[..5]);
        assert_eq!(rows.tile(0, 0, 8).unwrap(), None);
        assert_eq!(rows.leaf_hash(6).unwrap(), hashes[6]);
        assert!(rows.leaf_hash(7).is_err());
        assert_eq!(
            rows.head().unwrap(),
            Some(TreeHead {
                size: 7,
                root: Hash([9; 32])
            })
        );
    }
}
