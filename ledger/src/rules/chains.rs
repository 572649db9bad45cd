//! The writers' hash chains.
//!
//! Every writer numbers its entries from 0 without gaps, and each names the leaf hash of the one before. The log refuses what does
//! not continue the chain, so that not even the log can drop, reorder or invent a writer's entry unnoticed.
//!
//! | Column | Key | Value |
//! | --- | --- | --- |
//! | `Writers` | writer id | u64 sequence ‖ leaf hash ‖ u64 index: the newest entry |
//! | `Sequences` | writer id ‖ u64 sequence | u64 index |

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use record::{Entry, Sequence, WriterId};
use tlog::Hash;

use super::refusal::Refusal;
use crate::engine::Stage;
use crate::store::{Batch, Column, Store, StoreError};

/// The newest entry of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterHead {
    /// Its number in the writer's chain.
    pub sequence: u64,
    /// Its leaf hash.
    pub leaf: Hash,
    /// Its index in the log.
    pub index: u64,
}

impl WriterHead {
    fn from_bytes(row: &[u8]) -> Option<Self> {
        let (sequence, rest) = row.split_first_chunk()?;
        let (leaf, rest) = rest.split_first_chunk()?;
        let index = rest.try_into().ok()?;
        Some(Self {
            sequence: u64::from_be_bytes(*sequence),
            leaf: Hash(*leaf),
            index: u64::from_be_bytes(index),
        })
    }

    /// The durable head of a writer.
    pub fn read(store: &dyn Store, writer: &WriterId) -> Result<Option<Self>, StoreError> {
        let row = store.get(Column::Writers, &writer.0.0)?;
        row.map(|row| Self::from_bytes(&row).ok_or_else(damaged)).transpose()
    }
}

fn damaged() -> StoreError {
    StoreError("a writer's head is damaged: restore from a backup".into())
}

/// A stored entry with the same writer and sequence.
pub(super) enum Found {
    /// The very same bytes.
    Same(u64),
    /// Other bytes.
    Other(u64),
}

/// All chains.
#[derive(Default)]
pub(super) struct Chains {
    heads: HashMap<WriterId, WriterHead>,
    /// Heads and numbers that the current batch has added and that are not durable yet.
    changed: HashSet<WriterId>,
    pending: HashMap<(WriterId, u64), u64>,
}

impl Chains {
    pub(super) fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let mut chains = Self::default();
        let mut good = true;
        store.scan(Column::Writers, &[], &[0xff; 33], &mut |key, row| {
            match (Hash::try_from(key), WriterHead::from_bytes(row)) {
                (Ok(writer), Some(head)) => drop(chains.heads.insert(WriterId(writer), head)),
                _ => good = false,
            }
            ControlFlow::Continue(())
        })?;
        if good { Ok(chains) } else { Err(damaged()) }
    }

    /// The number and predecessor that the writer's next entry must have.
    pub(super) fn next(&self, writer: &WriterId) -> (Sequence, Hash) {
        self.heads.get(writer).map_or((Sequence(0), Hash([0; 32])), |head| {
            (Sequence(head.sequence + 1), head.leaf)
        })
    }

    /// The stored entry of this writer and number.
    pub(super) fn find(&self, entry: &Entry, leaf: &Hash, stage: &Stage<'_>) -> Result<Option<Found>, StoreError> {
        let sequence = entry.sequence.0;
        let Some(head) = self.heads.get(&entry.writer).filter(|head| sequence <= head.sequence) else {
            return Ok(None);
        };
        let index = if sequence == head.sequence {
            head.index
        } else if let Some(index) = self.pending.get(&(entry.writer, sequence)) {
            *index
        } else {
            let row = stage
                .rows()
                .store()
                .get(Column::Sequences, &key(&entry.writer, sequence))?;
            let row = row.and_then(|row| row.try_into().ok()).ok_or_else(damaged)?;
            u64::from_be_bytes(row)
        };
        let same = stage.leaf_hash(index)? == *leaf;
        Ok(Some(if same { Found::Same(index) } else { Found::Other(index) }))
    }

    /// Whether the entry continues its writer's chain.
    pub(super) fn check(&self, entry: &Entry) -> Result<(), Refusal> {
        let (sequence, previous) = self.next(&entry.writer);
        if entry.sequence == sequence && entry.previous == previous {
            Ok(())
        } else {
            Err(Refusal::chain(sequence.0, previous))
        }
    }

    /// Notes a staged entry.
    pub(super) fn add(&mut self, entry: &Entry, leaf: Hash, index: u64, batch: &mut Batch) {
        let sequence = entry.sequence.0;
        batch.put(Column::Sequences, &key(&entry.writer, sequence), &index.to_be_bytes());
        self.heads.insert(entry.writer, WriterHead { sequence, leaf, index });
        self.changed.insert(entry.writer);
        self.pending.insert((entry.writer, sequence), index);
    }

    /// Stages the heads that the batch has moved.
    pub(super) fn stage_heads(&mut self, batch: &mut Batch) {
        for writer in self.changed.drain() {
            if let Some(head) = self.heads.get(&writer) {
                let parts: [&[u8]; 3] = [&head.sequence.to_be_bytes(), &head.leaf.0, &head.index.to_be_bytes()];
                batch.put_parts(Column::Writers, &writer.0.0, &parts);
            }
        }
    }

    /// The batch is durable.
    pub(super) fn committed(&mut self) {
        self.pending.clear();
    }
}

/// The key of `Sequences`.
pub(super) fn key(writer: &WriterId, sequence: u64) -> [u8; 40] {
    let mut key = [0; 40];
    key[..32].copy_from_slice(&writer.0.0);
    key[32..].copy_from_slice(&sequence.to_be_bytes());
    key
}
