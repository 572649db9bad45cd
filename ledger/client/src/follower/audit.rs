//! Checks new entries before they are added: form, place in the writer's chain, signature, right, change set.

use std::collections::HashMap;
use std::sync::Arc;

use record::{Body, Kind, SignedEntry, WriterId};
use tlog::Hash;
use tlog::merkle::{self, Frontier, Index};
use trust::{History, Position, SignedChangeSet, TrustKind};

use super::shared::Shared;
use super::state::{Checked, next_in_chain};
use super::types::LastEntry;

/// Entries that have been read and hashed. A fault in them counts against the log only if [`Portion::root`] shows
/// that they belong to the signed tree.
pub(super) struct Portion {
    history: Arc<History>,
    frontier: Frontier,
    checked: Vec<Checked>,
    writers: HashMap<WriterId, LastEntry>,
    fault: Option<String>,
}

impl Portion {
    pub(super) fn new(history: Arc<History>, frontier: Frontier) -> Self {
        Self {
            history,
            frontier,
            checked: Vec::new(),
            writers: HashMap::new(),
            fault: None,
        }
    }

    /// Adds an entry, with the set that it carries if it has one. After the first fault, only the tree is computed.
    pub(super) fn push(&mut self, shared: &Shared, leaf: &[u8], set: Option<&SignedChangeSet>) {
        let leaf_hash = merkle::leaf_hash(leaf);
        let Ok(index) = self.frontier.append(leaf_hash, |_, _, _| {}) else {
            self.fault.get_or_insert("the tree is full".into());
            return;
        };
        if self.fault.is_none() {
            match self.check(shared, index, leaf_hash, leaf, set) {
                Ok(checked) => self.checked.push(checked),
                Err(fault) => self.fault = Some(format!("entry {index}: {fault}")),
            }
        }
    }

    fn check(
        &mut self,
        shared: &Shared,
        index: Index,
        leaf_hash: Hash,
        leaf: &[u8],
        set: Option<&SignedChangeSet>,
    ) -> Result<Checked, String> {
        let signed = SignedEntry::parse(leaf).map_err(|error| error.to_string())?;
        let entry = signed.entry();
        let known = self.writers.get(&entry.writer).copied();
        let last = known.or_else(|| shared.state().last_of(&entry.writer));
        if (entry.sequence, entry.previous) != next_in_chain(last) {
            return Err("it does not continue its writer's chain".into());
        }
        if index.get() < 3 {
            check_anchor(shared, index, &signed)?;
        }
        let right = self.history.check_writer_at(&signed, index);
        right.map_err(|error| error.to_string())?;
        self.check_newest(&entry.body)?;
        if let Some(kind) = TrustKind::of_entry(entry.body.kind()) {
            let set = set.ok_or("it carries no change set")?;
            let position = Position {
                index,
                time: entry.time,
            };
            let next = self.history.apply(kind, position, set);
            self.history = Arc::new(next.map_err(|error| error.to_string())?);
        }
        let last = LastEntry {
            sequence: entry.sequence,
            leaf_hash,
            index,
            time: entry.time,
        };
        self.writers.insert(entry.writer, last);
        let entry = signed.entry().clone();
        Ok(Checked { leaf_hash, entry })
    }

    /// Checks that a `map` entry names the newest sets.
    fn check_newest(&self, body: &Body) -> Result<(), String> {
        let Body::Map { newest, .. } = body else {
            return Ok(());
        };
        let index = |kind| self.history.newest(kind).map(|set| set.position.index);
        let ours = (index(TrustKind::Directory), index(TrustKind::Registerlandkarte));
        if ours == (Some(newest.directory), Some(newest.registerlandkarte)) {
            Ok(())
        } else {
            Err("it names other entries as those of the newest change sets".into())
        }
    }

    /// Root of the tree that ends with the last entry added.
    pub(super) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Returns the entries and the history after them, or the first fault.
    pub(super) fn finish(self) -> Result<(Vec<Checked>, Arc<History>), String> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok((self.checked, self.history)),
        }
    }
}

/// Checks one of the first three entries. They are the operator's, whose right comes from the genesis hash;
/// [`crate::anchor`] checks the genesis document.
fn check_anchor(shared: &Shared, index: Index, signed: &SignedEntry) -> Result<(), String> {
    if index == Index::ZERO && signed.leaf_hash() != shared.trust.genesis {
        return Err("it is not the genesis entry".into());
    }
    let kinds = [Kind::Genesis, Kind::Directory, Kind::Registry];
    // The chain has been checked, so a sequence that equals the index means that one writer has written all entries
    // before.
    let in_place = (0_u64..)
        .zip(kinds)
        .any(|(at, kind)| index.get() == at && signed.entry().body.kind() == kind);
    if in_place && signed.entry().sequence.0 == index.get() {
        Ok(())
    } else {
        Err("it is not one of the three entries at the beginning of a log".into())
    }
}
