//! What the follower knows of the log: tree, a summary of each entry, the writers' chains, the maps.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use record::{
    Body, Entry, Kind, Label, LabelledKind, Period, PeriodEvent, ReferenceKind, Sequence, Timestamp, WriterId,
};
use tlog::Hash;
use tlog::map::{Map, Value};
use tlog::merkle::{self, Frontier, HashReader, Index, MemoryTree, Size};

use super::{LastEntry, Located};
use crate::trust::Head;

const MAX_BUNDLES: usize = 128;

/// What is kept of an entry beside its hash.
struct Summary {
    time: Timestamp,
    kind: Kind,
    /// Position in `writers`.
    writer: u32,
}

/// An entry that was checked and is to be added.
pub(super) struct Checked {
    pub(super) leaf_hash: Hash,
    pub(super) entry: Entry,
}

#[derive(Default)]
pub(super) struct State {
    tree: MemoryTree,
    entries: Vec<Summary>,
    writers: Vec<(WriterId, LastEntry)>,
    by_id: HashMap<WriterId, u32>,
    maps: BTreeMap<Period, Map>,
    /// Periods that have begun and are not final.
    open: BTreeSet<Period>,
    /// Intents that nothing has closed.
    open_intents: BTreeMap<Index, Period>,
    /// Entries beyond it belong to a larger signed tree on the way to which we still are; they are not shown.
    head: Option<Arc<Head>>,
}

impl State {
    pub(super) fn size(&self) -> Size {
        self.tree.size()
    }

    pub(super) fn frontier(&mut self) -> Option<Frontier> {
        let size = self.tree.size();
        Frontier::from_reader(&mut self.tree, size).ok()
    }

    /// The root that the tree had when it had `size` entries.
    pub(super) fn root_at(&mut self, size: Size) -> Option<Hash> {
        (size <= self.tree.size()).then(|| merkle::root(&mut self.tree, size).ok())?
    }

    pub(super) fn head(&self) -> Option<Arc<Head>> {
        self.head.clone()
    }

    pub(super) fn set_head(&mut self, head: Arc<Head>) {
        self.head = Some(head);
    }

    fn shown(&self) -> Size {
        self.head.as_ref().map_or(Size::ZERO, |head| head.checkpoint().size)
    }

    pub(super) fn last_of(&self, writer: &WriterId) -> Option<LastEntry> {
        let at = usize::try_from(*self.by_id.get(writer)?).ok()?;
        self.writers.get(at).map(|(_, last)| *last)
    }

    pub(super) fn locate(&self, label: &Label) -> Option<Located> {
        let found = self
            .maps
            .iter()
            .rev()
            .find_map(|(period, map)| Some((*period, map.get(label.as_bytes())?)));
        let (period, Value { index, leaf }) = found.filter(|(_, value)| self.shown().contains(value.index))?;
        let summary = self.entries.get(usize::try_from(index.get()).ok()?)?;
        let (writer, _) = self.writers.get(usize::try_from(summary.writer).ok()?)?;
        Some(Located {
            period,
            index,
            leaf_hash: leaf,
            kind: summary.kind,
            time: summary.time,
            writer: *writer,
        })
    }

    pub(super) fn inclusion(&mut self, index: Index, size: Size) -> Option<Vec<Hash>> {
        if size > self.shown() {
            return None;
        }
        merkle::inclusion_proof(&mut self.tree, index, size).ok()
    }

    pub(super) fn leaf_hash(&mut self, index: Index) -> Option<Hash> {
        if self.shown().contains(index) {
            self.tree.read(0, index.get()).ok()
        } else {
            None
        }
    }

    /// Adds an entry that belongs to a signed tree.
    ///
    /// # Errors
    /// In words: what the log signed is not what its rules allow.
    pub(super) fn add(&mut self, checked: Checked) -> Result<(), String> {
        let Checked { leaf_hash, entry } = checked;
        let index = self.tree.append(leaf_hash).map_err(|error| error.to_string())?;
        self.add_to_maps(index, leaf_hash, &entry.body)?;
        self.note_intent(index, &entry.body);
        let last = LastEntry {
            sequence: entry.sequence,
            leaf_hash,
            index,
            time: entry.time,
        };
        let writer = self.note_writer(entry.writer, last)?;
        self.entries.push(Summary {
            time: entry.time,
            kind: entry.body.kind(),
            writer,
        });
        Ok(())
    }

    fn note_intent(&mut self, index: Index, body: &Body) {
        match body {
            Body::Labelled {
                kind: LabelledKind::Intent,
                period,
                ..
            } => drop(self.open_intents.insert(index, *period)),
            Body::Labelled {
                kind: LabelledKind::Outcome,
                refers: Some(refers),
                ..
            }
            | Body::Reference {
                kind: ReferenceKind::Lost,
                refers,
            } => drop(self.open_intents.remove(refers)),
            _ => {}
        }
    }

    pub(super) fn open_intents(&self, period: Period) -> Vec<Index> {
        let shown = self.shown();
        let open = self
            .open_intents
            .iter()
            .filter(|(index, of)| **of == period && shown.contains(**index));
        open.map(|(index, _)| *index).collect()
    }

    fn note_writer(&mut self, id: WriterId, last: LastEntry) -> Result<u32, String> {
        if let Some(at) = self.by_id.get(&id) {
            self.writers[*at as usize].1 = last;
            return Ok(*at);
        }
        let at = u32::try_from(self.writers.len()).map_err(|_| "too many writers".to_owned())?;
        self.writers.push((id, last));
        self.by_id.insert(id, at);
        Ok(at)
    }

    fn add_to_maps(&mut self, index: Index, leaf: Hash, body: &Body) -> Result<(), String> {
        match body {
            // Its roots are over all entries before it.
            Body::Map { roots } => self.compare_roots(index, roots)?,
            Body::Period { period, event } => self.period_event(index, *period, event)?,
            Body::Labelled { period, .. } if !self.open.contains(period) => {
                return Err(format!(
                    "entry {index} has a label of period {}, which is not open",
                    period.0
                ));
            }
            _ => {}
        }
        if let Some((period, label)) = body.map_key() {
            let map = self.maps.entry(period).or_default();
            let value = Value { index, leaf };
            map.insert(*label.as_bytes(), value)
                .map_err(|duplicate| format!("entry {index} has the label of entry {}", duplicate.existing.index))?;
        }
        Ok(())
    }

    fn period_event(&mut self, index: Index, period: Period, event: &PeriodEvent) -> Result<(), String> {
        match event {
            PeriodEvent::Begin { .. } => {
                self.open.insert(period);
                self.maps.entry(period).or_default();
            }
            PeriodEvent::Final { root } => {
                if !self.open.remove(&period) {
                    return Err(format!("entry {index} ends period {}, which is not open", period.0));
                }
                if self.map_root(period) != *root {
                    return Err(format!(
                        "entry {index} has another root of period {} than its entries",
                        period.0
                    ));
                }
            }
            PeriodEvent::Destroyed => {}
        }
        Ok(())
    }

    /// A `map` entry binds map 0 and every open period, no more and no fewer.
    fn compare_roots(&mut self, index: Index, roots: &[(Period, Hash)]) -> Result<(), String> {
        let expected: Vec<Period> = std::iter::once(Period::MAP0).chain(self.open.iter().copied()).collect();
        if !roots.iter().map(|(period, _)| *period).eq(expected) {
            return Err(format!(
                "map entry {index} does not bind exactly map 0 and the open periods"
            ));
        }
        for (period, root) in roots {
            if self.map_root(*period) != *root {
                return Err(format!(
                    "map entry {index} has another root of map {} than the entries",
                    period.0
                ));
            }
        }
        Ok(())
    }

    pub(super) fn map_root(&mut self, period: Period) -> Hash {
        self.maps.entry(period).or_default().root()
    }
}

/// Decoded entry bundles, the oldest dropped first.
#[derive(Default)]
pub(super) struct BundleCache {
    bundles: HashMap<u64, Arc<Vec<Vec<u8>>>>,
    order: VecDeque<u64>,
}

impl BundleCache {
    pub(super) fn get(&self, index: u64) -> Option<Arc<Vec<Vec<u8>>>> {
        self.bundles.get(&index).cloned()
    }

    pub(super) fn put(&mut self, index: u64, bundle: Arc<Vec<Vec<u8>>>) {
        // A partial bundle is replaced by a longer one.
        if self.bundles.insert(index, bundle).is_none() {
            self.order.push_back(index);
        }
        if self.order.len() > MAX_BUNDLES
            && let Some(oldest) = self.order.pop_front()
        {
            self.bundles.remove(&oldest);
        }
    }
}

/// The chain's next number and predecessor after a writer's last entry.
pub(super) fn next_in_chain(last: Option<LastEntry>) -> (Sequence, Hash) {
    last.map_or((Sequence::FIRST, Hash([0; 32])), |last| {
        (last.sequence.next(), last.leaf_hash)
    })
}
