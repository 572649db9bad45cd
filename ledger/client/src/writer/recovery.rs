//! Compares the journal with the writer's last entry according to the ledger: at the start, and whenever the ledger
//! answers that an entry does not continue the chain.
//!
//! | journal | ledger's head | meaning |
//! | --- | --- | --- |
//! | empty | none | a new writer |
//! | empty | an entry with a receipt, by this writer | the journal is new or lost: continue from there |
//! | confirmed n | n, same hash | as known; the pending entries are sent (again) |
//! | confirmed n | m > n, the hash of pending m | the answer was lost: all entries up to m are in the log |
//! | confirmed n | less than n, or none | the ledger was set back: **alarm** |
//! | otherwise | | a fork, or another process uses the key: **alarm** |
//!
//! The ledger's answer about the head is not proved. A wrong one does no harm: the writer stops, or sends the same
//! bytes again. Before the writer continues from a head (after a lost journal or answer), it checks a receipt for it.

use std::time::Duration;

use super::chain::Chain;
use super::engine::{Engine, Stop};
use crate::api::{ApiError, WriterHead};
use crate::recorded::Proved;

/// The ledger's head relative to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// At the last receipt.
    AsKnown,
    /// At a pending entry.
    Pending(WriterHead),
    /// At an entry, while the journal is empty.
    Unknown(WriterHead),
}

fn position(chain: &Chain, head: Option<WriterHead>) -> Result<Position, Stop> {
    let alarm = |text: &str| Err(Stop::Alarm(text.to_owned()));
    match (chain.confirmed, head) {
        (None, None) => Ok(Position::AsKnown),
        (Some(_), None) => alarm("the ledger no longer has an entry of this writer: it was set back"),
        (Some(known), Some(head)) if head.sequence < known.sequence => {
            alarm("the ledger's head of this writer is behind the last receipt: it was set back")
        }
        (Some(known), Some(head)) if head.sequence == known.sequence => {
            if head.leaf_hash == known.leaf_hash {
                Ok(Position::AsKnown)
            } else {
                alarm("the ledger has another entry in place of one with a receipt: a fork")
            }
        }
        (None, Some(head)) if chain.pending.is_empty() => Ok(Position::Unknown(head)),
        (_, Some(head)) => match chain.pending_at(head.sequence) {
            Some(item) if item.signed.leaf_hash() == head.leaf_hash => Ok(Position::Pending(head)),
            _ => alarm("the ledger has entries of this writer that are not in the journal: the key is used elsewhere"),
        },
    }
}

impl Engine {
    /// Finds the end of the chain at the start. Waits for the ledger without limit.
    pub(super) async fn recover(&mut self) -> Result<(), Stop> {
        loop {
            match self.try_recover().await? {
                None => return Ok(()),
                Some(pause) => self.rest(pause).await?,
            }
        }
    }

    async fn try_recover(&mut self) -> Result<Option<Duration>, Stop> {
        let head = match self.writer_head().await {
            Ok(head) => head,
            Err(error) => return Ok(Some(self.unanswered(&error))),
        };
        let (Position::Pending(head) | Position::Unknown(head)) = position(&self.chain, head)? else {
            self.progress();
            return Ok(None);
        };
        let (api, index) = (self.api.clone(), head.index);
        let receipt = match self.meanwhile(async move { api.receipt(index, false).await }).await {
            Ok(receipt) => receipt,
            Err(error) => return Ok(Some(self.unanswered(&error))),
        };
        match self.prove(receipt).await? {
            Ok(proved) if self.is_head(&proved, head) => self.adopt(head).await.map(|()| None),
            Ok(_) => self
                .strike("a receipt for another entry than the writer's head".into())
                .map(Some),
            Err(error) => self.strike(error.to_string()).map(Some),
        }
    }

    fn is_head(&self, proved: &Proved, head: WriterHead) -> bool {
        let entry = proved.entry.entry();
        let found = (entry.sequence, proved.entry.leaf_hash(), proved.index);
        entry.writer == self.state.id && found == (head.sequence, head.leaf_hash, head.index)
    }

    /// Continues from a proved head. The chain links prove all entries before the head, too.
    async fn adopt(&mut self, head: WriterHead) -> Result<(), Stop> {
        if self.chain.pending.is_empty() {
            tracing::warn!(writer = ?self.state.id, sequence = head.sequence.0, "no journal: continuing from the ledger's head");
        }
        self.chain
            .pending
            .retain(|item| item.signed.entry().sequence > head.sequence);
        self.chain.confirmed = Some(head);
        self.progress();
        self.commit().await
    }

    /// Handles the answer that the first pending entry is not the next one. Either the ledger was set back or has
    /// entries that are not in the journal (alarm), or it contradicts itself, which is tolerated a few times.
    pub(super) async fn reconcile(&mut self) -> Result<Duration, Stop> {
        match self.writer_head().await {
            Ok(head) => {
                position(&self.chain, head)?;
                self.strike("the ledger refuses an entry that continues its head".into())
            }
            Err(error) => Ok(self.unanswered(&error)),
        }
    }

    async fn writer_head(&mut self) -> Result<Option<WriterHead>, ApiError> {
        let (api, id) = (self.api.clone(), self.state.id);
        self.meanwhile(async move { api.writer_head(&id).await }).await
    }
}
