//! The writer's chain in memory: the last entry with a receipt, and the entries signed after it. No I/O.
//!
//! *Invariant*: `pending` continues `confirmed` without a gap. Each entry has the next number, and in `previous` the
//! leaf hash of the entry before. A change in the middle signs all entries after it again ([`Chain::rechain`]).

use std::collections::VecDeque;

use record::{Body, EntryError, Kind, Sequence, SignedEntry, SigningKey, Timestamp, Unsigned};
use tlog::Hash;
use tokio::time::Instant;

use super::config::{INTENT_RETRY_FOR, MAX_BATCH_BYTES};
use super::job::{AppendError, Caller, Draft, Job};
use super::journal::{Content, pending_row};
use crate::api::{Submission, WriterHead};

/// A signed entry without a receipt.
pub(super) struct Item {
    pub(super) signed: SignedEntry,
    /// The time that the caller has set.
    pub(super) time: Option<Timestamp>,
    record: Option<Vec<u8>>,
    document: Option<Vec<u8>>,
    /// `None` for an entry from the journal: its caller ended with the earlier process.
    pub(super) caller: Option<Caller>,
    /// A request with these bytes has been left unanswered, so they may be in the log.
    pub(super) uncertain: bool,
}

impl Item {
    pub(super) fn body(&self) -> &Body {
        &self.signed.entry().body
    }

    /// Whether this is an intent that has waited too long.
    pub(super) fn is_stale_intent(&self) -> bool {
        let since = self.caller.as_ref().map(|caller| caller.since);
        is_stale_intent(self.body(), since)
    }

    fn bytes(&self) -> usize {
        let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        self.signed.bytes().len() + length(&self.record) + length(&self.document)
    }

    fn submission(&self) -> Submission {
        Submission {
            leaf: self.signed.bytes().to_vec(),
            record: self.record.clone(),
            document: self.document.clone(),
        }
    }
}

pub(super) fn is_stale_intent(body: &Body, since: Option<Instant>) -> bool {
    // An entry from the journal is from before a restart and has no waiting caller.
    body.kind() == Kind::Intent && since.is_none_or(|since| since.elapsed() > INTENT_RETRY_FOR)
}

pub(super) struct Chain {
    key: SigningKey,
    pub(super) confirmed: Option<WriterHead>,
    pub(super) pending: VecDeque<Item>,
}

impl Chain {
    /// Restores the chain from the journal.
    pub(super) fn new(key: SigningKey, content: Content) -> Self {
        let restored = content.pending.into_iter().map(|(signed, submission)| Item {
            signed,
            time: None,
            record: submission.record,
            document: submission.document,
            caller: None,
            uncertain: true,
        });
        Self {
            key,
            confirmed: content.confirmed,
            pending: restored.collect(),
        }
    }

    /// Number and predecessor of the entry after the first `position` pending ones.
    fn next_at(&self, position: usize) -> (Sequence, Hash) {
        let last = match position.checked_sub(1).and_then(|at| self.pending.get(at)) {
            Some(item) => Some((item.signed.entry().sequence, item.signed.leaf_hash())),
            None => self.confirmed.map(|head| (head.sequence, head.leaf_hash)),
        };
        last.map_or((Sequence::FIRST, Hash([0; 32])), |(sequence, hash)| {
            (sequence.next(), hash)
        })
    }

    /// Signs a job as the chain's next entry.
    pub(super) fn push(&mut self, job: Job, now: Timestamp) {
        let Draft { time, body } = job.draft;
        match self.sign(self.pending.len(), time.unwrap_or(now), body) {
            Ok(signed) => self.pending.push_back(Item {
                signed,
                time,
                record: job.record,
                document: job.document,
                caller: Some(job.caller),
                uncertain: false,
            }),
            Err(error) => job.caller.answer(Err(AppendError::Malformed(error))),
        }
    }

    fn sign(&self, position: usize, time: Timestamp, body: Body) -> Result<SignedEntry, EntryError> {
        let (sequence, previous) = self.next_at(position);
        self.key.sign(Unsigned {
            sequence,
            previous,
            time,
            body,
        })
    }

    /// Signs the pending entries from position `from` again, so that they continue the chain. To be called only if
    /// the ledger can never accept the old bytes: because their predecessor has been taken out permanently, or
    /// because they are too old.
    ///
    /// # Errors
    /// Not expected: an entry that could be signed once can be signed with another number and time.
    pub(super) fn rechain(&mut self, from: usize, now: Timestamp) -> Result<(), EntryError> {
        for position in from..self.pending.len() {
            let item = &self.pending[position];
            let signed = self.sign(position, item.time.unwrap_or(now), item.body().clone())?;
            let item = &mut self.pending[position];
            item.signed = signed;
            item.uncertain = false;
        }
        Ok(())
    }

    /// Takes out the intents that have waited too long and are certainly not in the log, and signs the rest again.
    pub(super) fn take_stale(&mut self, now: Timestamp) -> Result<Vec<Item>, EntryError> {
        let mut stale = Vec::new();
        let mut first = None;
        let mut rest = VecDeque::with_capacity(self.pending.len());
        for item in self.pending.drain(..) {
            if item.is_stale_intent() && !item.uncertain {
                first.get_or_insert(rest.len());
                stale.push(item);
            } else {
                rest.push_back(item);
            }
        }
        self.pending = rest;
        if let Some(first) = first {
            self.rechain(first, now)?;
        }
        Ok(stale)
    }

    /// The number of pending entries for the next request: at least one, at most `limit`.
    pub(super) fn batch(&self, limit: usize) -> usize {
        let mut bytes = 0;
        let fits = self.pending.iter().take(limit).take_while(|item| {
            bytes += item.bytes();
            bytes <= MAX_BATCH_BYTES
        });
        fits.count().max(1).min(self.pending.len())
    }

    pub(super) fn submissions(&self, count: usize) -> Vec<Submission> {
        self.pending.iter().take(count).map(Item::submission).collect()
    }

    /// The pending rows of the journal.
    pub(super) fn rows(&self) -> Vec<(Sequence, Vec<u8>)> {
        let row = |item: &Item| {
            let bytes = pending_row(item.signed.bytes(), item.record.as_deref(), item.document.as_deref());
            (item.signed.entry().sequence, bytes)
        };
        self.pending.iter().map(row).collect()
    }

    /// The pending entry with this number.
    pub(super) fn pending_at(&self, sequence: Sequence) -> Option<&Item> {
        self.pending
            .iter()
            .find(|item| item.signed.entry().sequence == sequence)
    }
}
