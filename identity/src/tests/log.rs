//! A ledger in memory with a real tree, real entries and real checkpoints. Tests can make it unavailable and can delay
//! following its newest entries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use record::{
    Body, Commitment, Kind, Label, LabelledKind, NewestSets, Period, PeriodEvent, ReferenceKind, SealedRecord,
    Sequence, SignedEntry, SigningKey, Timestamp, Unsigned, WriterId,
};
use service::clock::WitnessTime;
use service::{Clock, ManualClock};
use tlog::Hash;
use tlog::checkpoint::{Checkpoint, Origin};
use tlog::map::{Map, Value, prove_lookups};
use tlog::merkle::{self, Index, MemoryTree, Size};
use tlog::note::SignerKey;

use crate::log::{AppendError, LocatedLabel, LogError, OwnKind, Proofs, PublishedProofs, TransparencyLog, Wanted};

pub(crate) const ORIGIN: &str = "log.test/einsicht";

#[derive(Default)]
struct Inner {
    tree: MemoryTree,
    entries: Vec<SignedEntry>,
    labels: HashMap<(u32, Label), usize>,
    last: HashMap<WriterId, (Sequence, Hash)>,
    records: HashMap<usize, SealedRecord>,
    followed: usize,
    /// The published `map` entry.
    published: Option<u64>,
    down: bool,
    /// The label under which identity may write nothing, and how often it has tried.
    refused: Option<Label>,
    refusals: usize,
    /// By how many seconds the time of the witnesses' quorum is ahead of the clock.
    witnesses_ahead: i64,
}

/// The ledger. Clones share it.
#[derive(Clone)]
pub(crate) struct TestLog {
    inner: Arc<Mutex<Inner>>,
    clock: Arc<ManualClock>,
}

impl std::fmt::Debug for TestLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestLog")
    }
}

pub(crate) fn broker_key() -> SigningKey {
    SigningKey::from_seed([101; 32])
}

pub(crate) fn identity_key() -> SigningKey {
    SigningKey::from_seed([102; 32])
}

pub(crate) fn log_key() -> SignerKey {
    SignerKey::for_notes(ORIGIN.parse().unwrap(), &[103; 32])
}

impl TestLog {
    pub(crate) fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            inner: Arc::default(),
            clock,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.inner().down = down;
    }

    /// Refuses identity's entries with this label from now on.
    pub(crate) fn refuse(&self, label: Option<Label>) {
        self.inner().refused = label;
    }

    /// How many entries were refused.
    pub(crate) fn refusals(&self) -> usize {
        self.inner().refusals
    }

    pub(crate) fn set_witnesses_ahead(&self, seconds: i64) {
        self.inner().witnesses_ahead = seconds;
    }

    pub(crate) fn len(&self) -> usize {
        self.inner().entries.len()
    }

    pub(crate) fn entry(&self, index: u64) -> SignedEntry {
        self.inner().entries[usize::try_from(index).unwrap()].clone()
    }

    pub(crate) fn record(&self, index: u64) -> SealedRecord {
        self.inner().records[&usize::try_from(index).unwrap()].clone()
    }

    pub(crate) fn kinds(&self) -> Vec<Kind> {
        self.inner()
            .entries
            .iter()
            .map(|entry| entry.entry().body.kind())
            .collect()
    }

    /// Appends an entry as the ledger would accept it.
    pub(crate) fn write(&self, key: &SigningKey, body: Body, record: Option<SealedRecord>) -> Result<u64, AppendError> {
        let mut inner = self.inner();
        if inner.down {
            return Err(AppendError::Unavailable("down".into()));
        }
        let place = inner.entries.len();
        if let Some((period, label)) = body.map_key() {
            let free = !inner.labels.contains_key(&(period.0, label));
            if !free {
                return Err(AppendError::LabelUsed);
            }
            inner.labels.insert((period.0, label), place);
        }
        let (sequence, previous) = match inner.last.get(&key.id()) {
            Some((sequence, hash)) => (sequence.next(), *hash),
            None => (Sequence::FIRST, Hash([0; 32])),
        };
        let time = Timestamp(self.clock.now());
        let entry = key
            .sign(Unsigned {
                sequence,
                previous,
                time,
                body,
            })
            .unwrap();
        inner.tree.append(entry.leaf_hash()).unwrap();
        inner.last.insert(key.id(), (sequence, entry.leaf_hash()));
        inner.entries.push(entry);
        if let Some(record) = record {
            inner.records.insert(place, record);
        }
        Ok(place as u64)
    }

    /// Appends the broker's entry for a label.
    pub(crate) fn write_labelled(
        &self,
        kind: LabelledKind,
        period: Period,
        label: Label,
        record: Option<SealedRecord>,
    ) -> Result<u64, AppendError> {
        let commitment = record
            .as_ref()
            .map_or(Commitment(Hash([1; 32])), SealedRecord::commitment);
        let refers = (kind == LabelledKind::Outcome).then(|| Index::new(0).unwrap());
        let body = Body::Labelled {
            kind,
            period,
            label,
            commitment,
            refers,
        };
        self.write(&broker_key(), body, record)
    }

    /// Appends the ledger's `map` entry and publishes it, as after the witnesses' cosignatures.
    pub(crate) fn write_map(&self) -> u64 {
        let place = self.len();
        let mut roots = vec![(Period::MAP0, self.map(Period::MAP0, place).root())];
        if self.inner().labels.keys().any(|(period, _)| *period == 1) {
            roots.push((Period(1), self.map(Period(1), place).root()));
        }
        let newest = NewestSets {
            directory: Index::from(1_u32),
            registerlandkarte: Index::from(2_u32),
        };
        let index = self.write(&broker_key(), Body::Map { roots, newest }, None).unwrap();
        self.inner().published = Some(index);
        index
    }

    /// The map of a period over the first `entries` entries.
    pub(crate) fn map(&self, period: Period, entries: usize) -> Map {
        let inner = self.inner();
        let mut map = Map::new();
        for ((of, label), place) in &inner.labels {
            if *of == period.0 && *place < entries {
                let leaf = inner.entries[*place].leaf_hash();
                let index = Index::new(*place as u64).unwrap();
                map.insert(label.0, Value { index, leaf }).unwrap();
            }
        }
        map
    }

    /// Appends another entry of the broker.
    pub(crate) fn write_denial(&self) {
        let body = Body::Denial {
            commitment: Commitment(Hash([2; 32])),
        };
        self.write(&broker_key(), body, None).unwrap();
    }
}

impl TransparencyLog for TestLog {
    fn locate(&self, period: Period, label: &Label) -> Result<Option<LocatedLabel>, LogError> {
        let inner = self.inner();
        let place = inner.labels.get(&(period.0, *label)).copied();
        Ok(place.filter(|place| *place < inner.followed).map(|place| LocatedLabel {
            index: place as u64,
            kind: inner.entries[place].entry().body.kind(),
            time: inner.entries[place].entry().time,
        }))
    }

    async fn refresh(&self) -> Result<(), LogError> {
        // A real log sends a request here, so let other tasks run.
        tokio::task::yield_now().await;
        let mut inner = self.inner();
        if inner.down {
            return Err(LogError::Unavailable("down".into()));
        }
        inner.followed = inner.entries.len();
        Ok(())
    }

    fn prove(&self, indices: &[u64]) -> Result<Proofs, LogError> {
        let mut inner = self.inner();
        let size = Size::new(inner.followed as u64).unwrap();
        let origin: Origin = ORIGIN.parse().unwrap();
        let root = merkle::root(&mut inner.tree, size).unwrap();
        let checkpoint = Checkpoint::new(origin, size, root).sign(&[&log_key()]).unwrap();
        let hashes = indices
            .iter()
            .map(|index| merkle::inclusion_proof(&mut inner.tree, Index::new(*index).unwrap(), size).unwrap())
            .collect();
        Ok(Proofs {
            checkpoint: checkpoint.to_string().into_bytes(),
            hashes,
        })
    }

    fn provable_map(&self) -> Result<Option<u64>, LogError> {
        Ok(self.inner().published)
    }

    fn prove_published(&self, map: u64, wanted: &Wanted) -> Result<Option<PublishedProofs>, LogError> {
        if self.inner().published != Some(map) {
            return Ok(None);
        }
        let before = usize::try_from(map).unwrap();
        let lookups = wanted.lookups.iter().map(|(period, labels)| {
            let keys: Vec<_> = labels.iter().map(|label| label.0).collect();
            prove_lookups(&mut self.map(*period, before), &keys)
        });
        let maps = lookups.collect();
        let mut inner = self.inner();
        let size = inner.tree.size();
        let root = merkle::root(&mut inner.tree, size).unwrap();
        let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), size, root)
            .sign(&[&log_key()])
            .unwrap();
        Ok(Some(PublishedProofs {
            checkpoint: checkpoint.to_string().into_bytes(),
            maps,
            tree: merkle::inclusion_batch(&mut inner.tree, &wanted.entries, size).unwrap(),
        }))
    }

    async fn leaf(&self, index: u64) -> Result<Vec<u8>, LogError> {
        Ok(self.entry(index).bytes().to_vec())
    }

    fn newest_entry_time(&self, writer: &WriterId) -> Result<Option<Timestamp>, LogError> {
        let inner = self.inner();
        let followed = inner.entries.iter().take(inner.followed).rev();
        let mut of_writer = followed.map(SignedEntry::entry).filter(|entry| entry.writer == *writer);
        Ok(of_writer.next().map(|entry| entry.time))
    }

    fn witness_time(&self) -> WitnessTime {
        let ahead = self.inner().witnesses_ahead;
        WitnessTime::Quorum(self.clock.now().saturating_add_signed(ahead))
    }

    fn open_intents(&self, period: Period) -> Result<Vec<u64>, LogError> {
        let inner = self.inner();
        let followed = || {
            inner
                .entries
                .iter()
                .take(inner.followed)
                .map(|entry| &entry.entry().body)
        };
        let closed: Vec<u64> = followed()
            .filter_map(|body| match body {
                Body::Labelled {
                    kind: LabelledKind::Outcome,
                    refers,
                    ..
                } => refers.map(Index::get),
                Body::Reference { refers, .. } => Some(refers.get()),
                _ => None,
            })
            .collect();
        let is_intent = |body: &Body| matches!(body, Body::Labelled { kind: LabelledKind::Intent, period: of, .. } if *of == period);
        let intents = followed().enumerate().filter(|(_, body)| is_intent(body));
        Ok(intents
            .map(|(place, _)| place as u64)
            .filter(|place| !closed.contains(place))
            .collect())
    }

    fn map_root(&self, period: Period) -> Result<Hash, LogError> {
        let inner = self.inner();
        let mut map = Map::new();
        for ((of, label), place) in &inner.labels {
            if *of == period.0 && *place < inner.followed {
                let value = Value {
                    index: Index::new(*place as u64).unwrap(),
                    leaf: inner.entries[*place].leaf_hash(),
                };
                map.insert(*label.as_bytes(), value).unwrap();
            }
        }
        Ok(map.root())
    }

    async fn give_up(&self, intent: u64) -> Result<(), AppendError> {
        let body = Body::Reference {
            kind: ReferenceKind::Lost,
            refers: Index::new(intent).unwrap(),
        };
        self.write(&identity_key(), body, None).map(|_| ())
    }

    async fn write_period(&self, period: Period, event: PeriodEvent) -> Result<(), AppendError> {
        self.write(&identity_key(), Body::Period { period, event }, None)
            .map(|_| ())
    }

    async fn append(
        &self,
        kind: OwnKind,
        period: Period,
        label: Label,
        record: SealedRecord,
    ) -> Result<(), AppendError> {
        tokio::task::yield_now().await;
        {
            let mut inner = self.inner();
            if inner.refused == Some(label) {
                inner.refusals += 1;
                return Err(AppendError::Refused("the test refuses it".into()));
            }
        }
        let kind = match kind {
            OwnKind::Void => LabelledKind::Void,
            OwnKind::Inspection => LabelledKind::Inspection,
        };
        let body = Body::Labelled {
            kind,
            period,
            label,
            commitment: record.commitment(),
            refers: None,
        };
        self.write(&identity_key(), body, Some(record)).map(|_| ())
    }
}
