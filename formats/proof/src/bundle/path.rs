//! The way of one entry to the root of the log, to be shown, and what becomes of it if the record is another one.

use record::{SharedPart, SignedEntry, Unsealed};
use tlog::Hash;
use tlog::checkpoint::Checkpoint;
use tlog::merkle::{Index, PathStep, leaf_hash, path_in_batch};

use super::tree::placed;
use super::{Bundle, Disclosed, Record};

/// One entry of a bundle with its way to the root. It proves nothing by itself: the bundle has to be verified.
/// `Debug` shows nothing of the record.
#[derive(Clone)]
pub struct EntryPath {
    /// The entry's bytes.
    leaf: Vec<u8>,
    /// Its record, unless it has expired.
    record: Option<Box<Unsealed>>,
    /// The hashes beside the way, leaf first.
    pub steps: Vec<PathStep>,
}

impl std::fmt::Debug for EntryPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntryPath")
            .field("steps", &self.steps.len())
            .finish_non_exhaustive()
    }
}

impl Bundle {
    /// The way of the entry at `index` to the root of the bundle's checkpoint. `None` if the bundle does not have it.
    #[must_use]
    pub fn path(&self, index: u64, checkpoint: &Checkpoint) -> Option<EntryPath> {
        let mut leaves = Vec::new();
        for (_, at, leaf) in placed(&self.proof) {
            leaves.push((Index::new(at).ok()?, leaf_hash(leaf)));
        }
        leaves.sort_by_key(|(at, _)| *at);
        let item = self.disclosed(index)?;
        let steps = path_in_batch(&leaves, checkpoint.size, &self.proof.tree, Index::new(index).ok()?).ok()?;
        Some(EntryPath {
            leaf: item.leaf.clone(),
            record: match &item.record {
                Record::Open(record) => Some(record.clone()),
                Record::Expired(_) => None,
            },
            steps,
        })
    }

    /// The entry of the person at `index`.
    fn disclosed(&self, index: u64) -> Option<&Disclosed> {
        let series = self.proof.numbers().flat_map(|(_, period)| period.series());
        let numbers = series.flat_map(|(_, series)| &series.numbers);
        let mut items = numbers.flat_map(|number| number.phases()).filter_map(|(_, item)| item);
        items.find(|item| item.index == index).map(|item| &item.content)
    }
}

impl EntryPath {
    /// The entry alone, without a way: a tree of one entry.
    #[must_use]
    pub fn of_record(leaf: Vec<u8>, record: Unsealed, steps: Vec<PathStep>) -> Self {
        Self {
            leaf,
            record: Some(Box::new(record)),
            steps,
        }
    }

    /// The hashes on the way: of the entry, of each subtree, and of the whole tree.
    #[must_use]
    pub fn hashes(&self) -> Vec<Hash> {
        self.hashes_from(leaf_hash(&self.leaf))
    }

    fn hashes_from(&self, leaf: Hash) -> Vec<Hash> {
        let mut hashes = vec![leaf];
        for step in &self.steps {
            let below = hashes.last().copied().unwrap_or(leaf);
            hashes.push(step.parent(&below));
        }
        hashes
    }

    /// The reason (occasion) in the record of an exchange.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.record.as_ref()?.shared.content {
            SharedPart::Exchange(record) => Some(&record.why.occasion),
            _ => None,
        }
    }

    /// The hashes on the way if the record gave another reason: the record sealed again, the entry with the digest of
    /// that, and everything above it. `None` if there is no reason, or the record becomes too long.
    #[must_use]
    pub fn hashes_with_reason(&self, reason: &str) -> Option<Vec<Hash>> {
        let record = self.record.as_ref()?;
        let signed = SignedEntry::parse(self.leaf.clone()).ok()?;
        let label = signed.entry().body.label()?;
        let committed = record.reseal(&label).ok()?.commitment();
        let mut other = record.clone();
        let SharedPart::Exchange(exchange) = &mut other.shared.content else {
            return None;
        };
        exchange.why.occasion = reason.to_owned();
        let changed = other.reseal(&label).ok()?.commitment();
        let at = self
            .leaf
            .windows(committed.0.0.len())
            .position(|bytes| bytes == committed.0.0)?;
        let mut leaf = self.leaf.clone();
        leaf.get_mut(at..at + changed.0.0.len())?.copy_from_slice(&changed.0.0);
        Some(self.hashes_from(leaf_hash(&leaf)))
    }
}
