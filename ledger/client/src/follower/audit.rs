//! Checks new entries before they are added: form, place in the writer's chain, signature, right.

use std::collections::HashMap;

use record::{Kind, SignedEntry, WriterId};
use tlog::Hash;
use tlog::merkle::{self, Frontier, Index};

use super::shared::Shared;
use super::state::{Checked, next_in_chain};
use super::types::LastEntry;

/// Entries that have been read and hashed. A fault in them counts against the log only if [`Portion::root`] shows
/// that they belong to the signed tree.
pub(super) struct Portion {
    frontier: Frontier,
    checked: Vec<Checked>,
    writers: HashMap<WriterId, LastEntry>,
    fault: Option<String>,
}

impl Portion {
    pub(super) fn new(frontier: Frontier) -> Self {
        Self {
            frontier,
            checked: Vec::new(),
            writers: HashMap::new(),
            fault: None,
        }
    }

    /// Adds an entry. After the first fault, only the tree is computed.
    pub(super) fn push(&mut self, shared: &Shared, leaf: &[u8]) {
        let leaf_hash = merkle::leaf_hash(leaf);
        let Ok(index) = self.frontier.append(leaf_hash, |_, _, _| {}) else {
            self.fault.get_or_insert("the tree is full".into());
            return;
        };
        if self.fault.is_none() {
            match self.check(shared, index, leaf_hash, leaf) {
                Ok(checked) => self.checked.push(checked),
                Err(fault) => self.fault = Some(format!("entry {index}: {fault}")),
            }
        }
    }

    fn check(&mut self, shared: &Shared, index: Index, leaf_hash: Hash, leaf: &[u8]) -> Result<Checked, String> {
        let signed = SignedEntry::parse(leaf).map_err(|error| error.to_string())?;
        let entry = signed.entry();
        let known = self.writers.get(&entry.writer).copied();
        let last = known.or_else(|| shared.state().last_of(&entry.writer));
        if (entry.sequence, entry.previous) != next_in_chain(last) {
            return Err("it does not continue its writer's chain".into());
        }
        if index.get() < 3 {
            check_anchor(shared, index, &signed)?;
        } else {
            check_right(shared, &signed)?;
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

    /// Root of the tree that ends with the last entry added.
    pub(super) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Returns the entries, or the first fault.
    pub(super) fn finish(self) -> Result<Vec<Checked>, String> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.checked),
        }
    }
}

/// Checks one of the first three entries. They are the operator's, whose right comes from the genesis hash;
/// [`crate::anchor`] checks their documents.
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

fn check_right(shared: &Shared, signed: &SignedEntry) -> Result<(), String> {
    shared
        .directory
        .check_writer(signed)
        .map(|_| ())
        .map_err(|error| error.to_string())
}
