//! The writers' hash chains.
//!
//! Every writer numbers its entries from 0 without gaps, and each entry names the leaf hash of the writer's previous
//! entry. The log refuses an entry that does not continue its chain. The log itself can therefore not drop, reorder or
//! forge a writer's entry without being noticed.
//!
//! | Column | Key | Value |
//! | --- | --- | --- |
//! | `Chains` | writer id ‖ u64 sequence | a **run**: the u64 indexes of successive entries of one commit |
//!
//! A run ends where the sequence is a multiple of [`SPAN`]. The run that contains an entry is therefore the last one
//! that begins in the entry's span at or before the entry. The head of a chain, its newest entry, has no row of its
//! own: it is the last entry of the writer's last run.

use std::collections::HashMap;
use std::ops::ControlFlow;

use record::{Entry, Sequence, WriterId};
use tlog::Hash;

use super::refusal::Refusal;
use crate::engine::Stage;
use crate::engine::rows::Rows;
use crate::store::{Batch, Column, END, KeyValue, Store, StoreError};

/// The most entries of one row.
const SPAN: u64 = 256;
/// Length of an index in bytes.
const INDEX_LEN: usize = 8;

/// The newest entry of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterHead {
    /// Its number in the writer's chain, from 0.
    pub sequence: u64,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Its index in the log.
    pub index: u64,
}

impl WriterHead {
    /// The durable head of a writer; `None` if the writer has no entry.
    pub fn read(rows: &Rows, writer: &WriterId) -> Result<Option<Self>, StoreError> {
        let row = rows.store().last(Column::Chains, &key(writer, 0), &end_key(writer))?;
        let Some(run) = row.map(ChainRun::from_row).transpose()? else {
            return Ok(None);
        };
        let (sequence, index) = run.last().ok_or_else(damaged)?;
        Ok(Some(Self {
            sequence,
            leaf: rows.leaf_hash(index)?,
            index,
        }))
    }
}

fn damaged() -> StoreError {
    StoreError::damaged("the rows of a writer's chain are damaged")
}

/// Consecutive entries of one writer.
struct ChainRun {
    first: u64,
    indexes: Vec<u64>,
}

impl ChainRun {
    fn from_row((key, value): KeyValue) -> Result<Self, StoreError> {
        let first = key.get(32..).and_then(|bytes| bytes.try_into().ok());
        let (indexes, []) = value.as_chunks::<INDEX_LEN>() else {
            return Err(damaged());
        };
        Ok(Self {
            first: u64::from_be_bytes(first.ok_or_else(damaged)?),
            indexes: indexes.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect(),
        })
    }

    fn get(&self, sequence: u64) -> Option<u64> {
        let place = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        self.indexes.get(place).copied()
    }

    /// Sequence number and index of its newest entry.
    fn last(&self) -> Option<(u64, u64)> {
        let index = self.indexes.last()?;
        Some((self.first + self.indexes.len() as u64 - 1, *index))
    }

    /// Adds the run to the batch, as one row for each span that it reaches.
    fn put(&self, writer: &WriterId, batch: &mut Batch) {
        let mut first = self.first;
        let mut rest = self.indexes.as_slice();
        while !rest.is_empty() {
            let room = (SPAN - first % SPAN) as usize;
            let (run, after) = rest.split_at(room.min(rest.len()));
            let bytes: Vec<u8> = run.iter().flat_map(|index| index.to_be_bytes()).collect();
            batch.put(Column::Chains, &key(writer, first), &bytes);
            first += run.len() as u64;
            rest = after;
        }
    }
}

/// The index of the writer's durable entry with this number; `None` if there is none.
pub(super) fn index(store: &dyn Store, writer: &WriterId, sequence: u64) -> Result<Option<u64>, StoreError> {
    let (from, to) = (sequence - sequence % SPAN, sequence.saturating_add(1));
    let row = store.last(Column::Chains, &key(writer, from), &key(writer, to))?;
    let run = row.map(ChainRun::from_row).transpose()?;
    Ok(run.and_then(|run| run.get(sequence)))
}

/// The number of entries in all rows together.
pub(super) fn count(store: &dyn Store) -> Result<u64, StoreError> {
    let mut bytes = 0;
    store.scan(Column::Chains, &[], &END, &mut |_, run| {
        bytes += run.len();
        ControlFlow::Continue(())
    })?;
    Ok(bytes.div_ceil(INDEX_LEN) as u64)
}

fn key(writer: &WriterId, sequence: u64) -> [u8; 40] {
    let mut key = [0; 40];
    key[..32].copy_from_slice(&writer.0.0);
    key[32..].copy_from_slice(&sequence.to_be_bytes());
    key
}

/// A key above all keys of this writer and below all keys of the next.
fn end_key(writer: &WriterId) -> [u8; 41] {
    let mut key = [0xff; 41];
    key[..32].copy_from_slice(&writer.0.0);
    key
}

/// A stored entry with the same writer and sequence.
pub(super) enum ExistingEntry {
    /// It has the same bytes.
    Same(u64),
    /// It has other bytes.
    Other(u64),
}

/// The chains of all writers.
#[derive(Default)]
pub(super) struct Chains {
    heads: HashMap<WriterId, WriterHead>,
    /// Entries of the current batch, which are not durable yet.
    added: HashMap<WriterId, ChainRun>,
}

impl Chains {
    pub(super) fn load(rows: &Rows) -> Result<Self, StoreError> {
        let mut chains = Self::default();
        let mut from = Vec::new();
        while let Some(writer) = first_writer(rows.store().as_ref(), &from)? {
            let head = WriterHead::read(rows, &writer)?.ok_or_else(damaged)?;
            chains.heads.insert(writer, head);
            from = end_key(&writer).to_vec();
        }
        Ok(chains)
    }

    /// The sequence number and the previous leaf hash that the writer's next entry must have.
    pub(super) fn next(&self, writer: &WriterId) -> (Sequence, Hash) {
        self.heads.get(writer).map_or((Sequence(0), Hash([0; 32])), |head| {
            (Sequence(head.sequence + 1), head.leaf)
        })
    }

    /// Finds a stored or staged entry with the same writer and sequence number.
    pub(super) fn find(
        &self,
        entry: &Entry,
        leaf: &Hash,
        stage: &Stage<'_>,
    ) -> Result<Option<ExistingEntry>, StoreError> {
        let sequence = entry.sequence.0;
        let Some(head) = self.heads.get(&entry.writer).filter(|head| sequence <= head.sequence) else {
            return Ok(None);
        };
        let added = || self.added.get(&entry.writer).and_then(|run| run.get(sequence));
        let index = if sequence == head.sequence {
            head.index
        } else if let Some(index) = added() {
            index
        } else {
            index(stage.rows().store().as_ref(), &entry.writer, sequence)?.ok_or_else(damaged)?
        };
        let same = stage.leaf_hash(index)? == *leaf;
        Ok(Some(if same {
            ExistingEntry::Same(index)
        } else {
            ExistingEntry::Other(index)
        }))
    }

    /// Refuses an entry that does not continue its writer's chain.
    pub(super) fn check(&self, entry: &Entry) -> Result<(), Refusal> {
        let (sequence, previous) = self.next(&entry.writer);
        if entry.sequence == sequence && entry.previous == previous {
            Ok(())
        } else {
            Err(Refusal::chain(sequence.0, previous))
        }
    }

    /// Makes a staged entry, which continues the chain, the head of its writer's chain.
    pub(super) fn add(&mut self, writer: WriterId, head: WriterHead) {
        self.heads.insert(writer, head);
        let run = self.added.entry(writer).or_insert_with(|| ChainRun {
            first: head.sequence,
            indexes: Vec::new(),
        });
        run.indexes.push(head.index);
    }

    /// Stages the rows of the batch's entries.
    pub(super) fn stage(&self, batch: &mut Batch) {
        for (writer, run) in &self.added {
            run.put(writer, batch);
        }
    }

    /// Called when the batch is durable.
    pub(super) fn committed(&mut self) {
        self.added.clear();
    }
}

/// The writer of the first row at or after this key.
fn first_writer(store: &dyn Store, from: &[u8]) -> Result<Option<WriterId>, StoreError> {
    let mut found = None;
    store.scan(Column::Chains, from, &END, &mut |key, _| {
        found = Some(key.first_chunk().map(|id| WriterId(Hash(*id))));
        ControlFlow::Break(())
    })?;
    found.map(|writer| writer.ok_or_else(damaged)).transpose()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::engine::rows::TreeHead;
    use crate::store::Durability;
    use crate::store::memory::MemoryStore;
    use std::sync::Arc;

    #[test]
    fn entries_are_found_in_their_runs() {
        let rows = Rows::new(Arc::new(MemoryStore::new()));
        let writers = [0x00, 0x7f, 0xff].map(|byte| WriterId(Hash([byte; 32])));
        let mut expected = vec![Vec::new(); writers.len()];
        let mut leaves = Vec::new();
        for commit in [1, 1, 200, 3, 600, 256, 20, 1024, 1] {
            let (mut batch, mut chains) = (Batch::default(), Chains::load(&rows).unwrap());
            for turn in 0..commit {
                let number = turn % writers.len();
                let (index, sequence) = (leaves.len() as u64, expected[number].len() as u64);
                assert_eq!(chains.next(&writers[number]).0, Sequence(sequence));
                let leaf = Hash::of(&index.to_be_bytes());
                chains.add(writers[number], WriterHead { sequence, leaf, index });
                expected[number].push(index);
                leaves.push(leaf);
            }
            chains.stage(&mut batch);
            for (tile, hashes) in leaves.chunks(256).enumerate() {
                Rows::put_tile(&mut batch, 0, tile as u64, hashes);
            }
            let (size, root) = (leaves.len() as u64, Hash([0; 32]));
            let before = rows.head().unwrap();
            Rows::swap_head(&mut batch, before.as_ref(), &TreeHead { size, root });
            rows.store().write(&batch, Durability::Synced).unwrap();
        }
        let store = rows.store().as_ref();
        for (writer, expected) in writers.iter().zip(&expected) {
            for (sequence, at) in expected.iter().enumerate() {
                assert_eq!(index(store, writer, sequence as u64).unwrap(), Some(*at));
            }
            assert_eq!(index(store, writer, expected.len() as u64).unwrap(), None);
            assert_eq!(index(store, writer, u64::MAX).unwrap(), None);
            let head = WriterHead::read(&rows, writer).unwrap().unwrap();
            assert_eq!(
                (head.sequence, head.index),
                (expected.len() as u64 - 1, *expected.last().unwrap())
            );
            assert_eq!(head.leaf, leaves[head.index as usize]);
        }
        assert_eq!(count(store).unwrap(), leaves.len() as u64);
        assert_eq!(Chains::load(&rows).unwrap().heads.len(), writers.len());
        let stranger = WriterId(Hash([0x80; 32]));
        assert_eq!(WriterHead::read(&rows, &stranger).unwrap(), None);
        assert_eq!(index(store, &stranger, 0).unwrap(), None);
    }
}
