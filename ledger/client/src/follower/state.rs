//! The follower's copy of the log: tree, a summary of each entry, the writers' last entries, and (in [`Maps`]) the
//! labels.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use record::{
    Body, Entry, Kind, Label, LabelledKind, Period, Phase, ReferenceKind, Sequence, Timestamp, WriterId, label,
};
use tlog::Hash;
use tlog::map::Value;
use tlog::merkle::{self, Frontier, HashReader, Index, MemoryTree, Size};
use trust::History;

use super::maps::Maps;
use super::types::{LastEntry, Located, MapProofs, Proved, Wanted};
use crate::trust::Head;

const MAX_BUNDLES: usize = 128;

/// What is kept of an entry besides its hash.
struct Summary {
    time: Timestamp,
    kind: Kind,
    /// Index in `writers`.
    writer: u32,
}

/// An entry that has been checked and not added yet.
pub(super) struct Checked {
    pub(super) leaf_hash: Hash,
    pub(super) entry: Entry,
}

pub(super) struct FollowedLog {
    /// Directory and Registerlandkarte up to the last entry.
    history: Arc<History>,
    tree: MemoryTree,
    entries: Vec<Summary>,
    writers: Vec<(WriterId, LastEntry)>,
    by_id: HashMap<WriterId, u32>,
    maps: Maps,
    /// Period and label of the intents without an outcome or `lost` entry.
    open_intents: BTreeMap<Index, (Period, Label)>,
    /// The newest head that has been reached. Entries beyond it belong to a larger signed tree that is still being
    /// read; they are not returned.
    head: Option<Arc<Head>>,
    /// The published checkpoint, with a quorum. Never beyond the head.
    published: Option<Arc<Head>>,
}

impl FollowedLog {
    pub(super) fn new(founded: History) -> Self {
        Self {
            history: Arc::new(founded),
            tree: MemoryTree::default(),
            entries: Vec::new(),
            writers: Vec::new(),
            by_id: HashMap::new(),
            maps: Maps::default(),
            open_intents: BTreeMap::new(),
            head: None,
            published: None,
        }
    }

    pub(super) fn history(&self) -> Arc<History> {
        self.history.clone()
    }

    /// Replaces the history by that up to the last entry.
    pub(super) fn set_history(&mut self, history: Arc<History>) {
        self.history = history;
    }

    pub(super) fn size(&self) -> Size {
        self.tree.size()
    }

    pub(super) fn frontier(&mut self) -> Option<Frontier> {
        let size = self.tree.size();
        Frontier::from_reader(&mut self.tree, size).ok()
    }

    /// The root of the first `size` entries.
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
        let (period, Value { index, leaf }) = self
            .maps
            .find(label)
            .filter(|(_, value)| self.shown().contains(value.index))?;
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
    /// A description of the violation, if the log's rules do not allow the entry.
    pub(super) fn add(&mut self, checked: Checked) -> Result<(), String> {
        let Checked { leaf_hash, entry } = checked;
        let index = self.tree.append(leaf_hash).map_err(|error| error.to_string())?;
        self.maps.add(index, leaf_hash, &entry.body)?;
        self.note_intent(index, &entry.body)?;
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

    /// Notes an intent, or closes one. An outcome under a label that does not follow from its intent's label would be
    /// hidden from its person.
    fn note_intent(&mut self, index: Index, body: &Body) -> Result<(), String> {
        match body {
            Body::Labelled {
                kind: LabelledKind::Intent,
                period,
                label,
                ..
            } => drop(self.open_intents.insert(index, (*period, *label))),
            Body::Labelled {
                kind: LabelledKind::Outcome,
                label,
                refers: Some(refers),
                ..
            } => match self.open_intents.remove(refers) {
                Some((_, intent)) if label::of_phase(&intent, Phase::Outcome) == *label => {}
                Some(_) => {
                    return Err(format!(
                        "entry {index} closes the intent {refers} under a foreign label"
                    ));
                }
                None => return Err(format!("entry {index} closes {refers}, which is not an open intent")),
            },
            Body::Reference {
                kind: ReferenceKind::Lost,
                refers,
            } => drop(self.open_intents.remove(refers)),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn open_intents(&self, period: Period) -> Vec<Index> {
        let shown = self.shown();
        let open = self
            .open_intents
            .iter()
            .filter(|(index, (of, _))| *of == period && shown.contains(**index));
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

    /// Advances the maps to the last `map` entry in a published checkpoint.
    ///
    /// # Errors
    /// A description of the violation, if a root in the log is not the root of its entries.
    pub(super) fn publish(&mut self, published: Arc<Head>) -> Result<(), String> {
        let size = published.checkpoint().size;
        // A checkpoint that is older than the known one is ignored.
        if self
            .published
            .as_ref()
            .is_none_or(|known| known.checkpoint().size <= size)
        {
            self.maps.settle(size)?;
            self.published = Some(published);
        }
        Ok(())
    }

    /// The root of a map over all entries; `None` while labels of the map wait.
    pub(super) fn map_root(&mut self, period: Period) -> Option<Hash> {
        self.maps.root(period)
    }

    /// The position that proofs are as of.
    pub(super) fn proved(&self) -> Option<Proved> {
        let published = self.published.clone()?;
        Some(Proved {
            map: self.maps.settled()?,
            published,
        })
    }

    /// The time that the quorum has cosigned on the published checkpoint.
    pub(super) fn quorum_time(&self) -> Option<u64> {
        self.published.as_ref()?.quorum_time()
    }

    /// The wanted proofs, if the maps are still as of the `map` entry `at`.
    pub(super) fn prove(&mut self, at: Index, wanted: &Wanted) -> Option<MapProofs> {
        let Proved { map, published } = self.proved()?;
        if map != at {
            return None;
        }
        let lookups = wanted.lookups.iter();
        Some(MapProofs {
            maps: lookups
                .map(|(period, labels)| self.maps.prove(*period, labels))
                .collect(),
            tree: merkle::inclusion_batch(&mut self.tree, &wanted.entries, published.checkpoint().size).ok()?,
            published,
        })
    }
}

/// Cache of decoded entry bundles; drops the oldest first.
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

/// Number and predecessor of the entry that follows a writer's last one.
pub(super) fn next_in_chain(last: Option<LastEntry>) -> (Sequence, Hash) {
    last.map_or((Sequence::FIRST, Hash([0; 32])), |last| {
        (last.sequence.next(), last.leaf_hash)
    })
}
