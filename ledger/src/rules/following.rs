//! The rules in a process that does not write to the log: kept at the state that the writing process has, so that this
//! process can take its place without reading the log.
//!
//! They are loaded from one snapshot of the store, and each later entry is applied once a checkpoint of the log covers
//! it. A `map` entry names the roots of all maps, so it also shows whether the maps here are right.

use std::sync::Arc;

use record::{Body, SignedEntry};
use tlog::merkle::Index;

use super::shared_history::SharedHistory;
use super::{Rules, RulesClock, RulesConfig, WriterKeys};
use crate::engine::rows::{Rows, TreeHead};
use crate::engine::{Snapshot, edge::TILE_WIDTH};
use crate::store::{Batch, StoreError};

/// The rules at a state of the log.
pub(crate) struct FollowedRules {
    pub(super) rules: Rules,
    /// The entries that the rules know.
    head: TreeHead,
    /// Takes the index rows, which the store has already.
    rows: Batch,
}

impl FollowedRules {
    /// Loads the rules from a store that shows one state. Maps are rebuilt in the background.
    pub(crate) fn load(
        snapshot: &Rows,
        settings: RulesConfig,
        keys: Arc<WriterKeys>,
        clock: RulesClock,
    ) -> Result<Self, StoreError> {
        let head = snapshot.head()?;
        let head = head.ok_or_else(|| StoreError::Damaged("the database has no log yet".into()))?;
        Ok(Self {
            rules: Rules::load(snapshot, settings, keys, clock)?,
            head,
            rows: Batch::default(),
        })
    }

    /// The history of the change sets, for the request handlers.
    pub(crate) fn history(&self) -> Arc<SharedHistory> {
        self.rules.history()
    }

    /// Applies the entries up to a state of the log. A state with fewer entries changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the entries do not continue those that the rules know. The rules must then be loaded
    /// again.
    pub(crate) fn advance(&mut self, rows: &Rows, to: &Snapshot) -> Result<(), StoreError> {
        self.rules.labels.finish_rebuilds()?;
        if to.head.size < self.head.size {
            return Ok(());
        }
        if to.root(self.head.size)? != self.head.root {
            return Err(StoreError::Damaged(format!(
                "the log is not a continuation of its first {} entries, which this process has read",
                self.head.size
            )));
        }
        while self.head.size < to.head.size {
            let bundle = self.head.size / TILE_WIDTH;
            let end = to.head.size.min((bundle + 1) * TILE_WIDTH);
            let leaves = rows.entries(self.head.size, end)?;
            for (index, leaf) in (self.head.size..).zip(leaves) {
                self.add(rows, index, leaf)?;
            }
            self.head.size = end;
        }
        self.head = to.head;
        self.rules.chains.committed();
        Ok(())
    }

    fn add(&mut self, rows: &Rows, index: u64, leaf: Vec<u8>) -> Result<(), StoreError> {
        let entry = SignedEntry::parse(leaf);
        let entry = entry.map_err(|error| StoreError::failed(format!("entry {index}"), error))?;
        if let Body::Map { roots, .. } = &entry.entry().body
            && self.rules.labels.all_rebuilt()
            && self.rules.labels.roots() != *roots
        {
            return Err(StoreError::Damaged(format!(
                "the maps of this process do not have the roots that entry {index} names"
            )));
        }
        let change = self.rules.founding.recorded_change(rows, &entry, Index::new(index)?)?;
        self.rules.apply(&entry, change, index, &mut self.rows)?;
        self.rows.clear();
        Ok(())
    }

    /// The rules for the process that writes from now on, whose log was opened in this state.
    ///
    /// # Errors
    /// As [`FollowedRules::advance`].
    pub(crate) fn take_over(mut self, rows: &Rows, opened: &Snapshot) -> Result<Rules, StoreError> {
        self.advance(rows, opened)?;
        if self.head != opened.head {
            return Err(StoreError::Damaged(format!(
                "the log has {} entries, but this process has read {}",
                opened.head.size, self.head.size
            )));
        }
        Ok(self.rules)
    }
}
