//! The log of the in-memory ledger.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use fixtures::{Founders, grant};
use ledger_client::Trust;
use ledger_client::api::{AppendAnswer, Submission, WriterHead};
use ledger_client::bootstrap::Bootstrap;
use record::{
    Body, GenesisDocument, Kind, Label, NewestSets, Period, PeriodEvent, Receipt, SignedEntry, SigningKey, Timestamp,
    Unsigned, WriterId,
};
use service::Problem;
use service::clock::{Clock, ManualClock};
use tlog::Hash;
use tlog::checkpoint::{Checkpoint, Origin};
use tlog::cosignature::cosign;
use tlog::map::{Map, Value};
use tlog::merkle::{HashReader, Index, MemoryTree, Size, inclusion_batch, inclusion_proof};
use tlog::note::SignerKey;
use tlog::tile::{Bundle, Tile, encode_bundle};
use trust::{History, LoggedSet, Operation, Position, SetPage, SignedChangeSet, TrustKind};

pub const SKEW: u64 = 60;
pub const START: u64 = 1_800_000_000;

pub struct FakeLog {
    pub trust: Arc<Trust>,
    pub genesis: GenesisDocument,
    /// What is in force after the last entry.
    pub history: Arc<History>,
    /// The change sets by the indexes of their entries.
    pub sets: BTreeMap<Index, SignedChangeSet>,
    /// How many sets a page has.
    pub page_sets: usize,
    /// The entry from which every page is, whatever was asked for.
    pub page_from: Option<Index>,
    /// Changes each page before it is sent.
    pub false_page: fn(&mut SetPage),
    pub bootstrap: Bootstrap,
    pub clock: Arc<dyn Clock>,
    pub tree: MemoryTree,
    pub leaves: Vec<Vec<u8>>,
    pub records: HashMap<u64, Vec<u8>>,
    pub documents: HashMap<Hash, Vec<u8>>,
    pub heads: HashMap<WriterId, WriterHead>,
    /// The last checkpoint that the witness has signed.
    pub witnessed: Option<Vec<u8>>,
    /// Whether the witness cosigns the checkpoints of receipts.
    pub witness_signs: bool,
    /// The time that the witness states, if it is not that of the clock.
    pub witness_time: Option<u64>,
    by_sequence: HashMap<(WriterId, u64), u64>,
    labels: HashMap<(Period, Label), u64>,
    maps: BTreeMap<Period, Map>,
    open: BTreeSet<Period>,
    log_key: SignerKey,
    witness: SignerKey,
}

fn origin() -> Origin {
    "log.example".parse().unwrap()
}

pub fn operator() -> SigningKey {
    SigningKey::from_seed([10; 32])
}

pub fn authority() -> SigningKey {
    SigningKey::from_seed([9; 32])
}

pub fn map_writer() -> SigningKey {
    SigningKey::from_seed([13; 32])
}

pub fn identity() -> SigningKey {
    SigningKey::from_seed([12; 32])
}

impl FakeLog {
    /// The log's private key, for the real ledger.
    pub fn log_key_text(&self) -> String {
        self.log_key.to_private_text().to_string()
    }

    /// An empty log with its bootstrap.
    pub fn empty() -> Self {
        Self::to_begin_at(Timestamp(START))
    }

    /// As [`FakeLog::empty`], with another time for the first entries.
    pub fn to_begin_at(time: Timestamp) -> Self {
        let log_key = SignerKey::for_notes("log.example".parse().unwrap(), &[1; 32]);
        let witness = SignerKey::for_cosignatures("witness.example".parse().unwrap(), &[2; 32]);
        let founding = [Kind::Genesis, Kind::Directory, Kind::Registry];
        let exchanges = [Kind::Intent, Kind::Outcome, Kind::Denial, Kind::Void];
        let writers = vec![
            grant("operator", &operator(), &founding),
            grant("broker", &super::entries::broker(), &exchanges),
            grant("identity", &identity(), &[Kind::Period, Kind::Inspection]),
            grant("ledger", &map_writer(), &[Kind::Map]),
        ];
        let founders = Founders {
            origin: "log.example",
            log: &log_key,
            operator: &operator(),
            authority: &authority(),
            identity: &identity(),
        };
        let founding = founders.found(writers, Timestamp(0)).unwrap();
        let [directory, registry] = &founding.sets;
        let bootstrap = Bootstrap::new(&operator(), &founding.genesis, directory, registry, time).unwrap();
        let policy = format!(
            "log {}\nwitness w {}\nquorum w\n",
            log_key.verifier_key().unwrap(),
            witness.verifier_key().unwrap()
        );
        let trust = Trust {
            policy: policy.parse().unwrap(),
            genesis: bootstrap.genesis_hash(),
        };
        Self {
            trust: Arc::new(trust),
            history: Arc::new(History::founded(&founding.genesis).unwrap()),
            genesis: founding.genesis,
            sets: BTreeMap::new(),
            page_sets: 512,
            page_from: None,
            false_page: |_| {},
            bootstrap,
            clock: ManualClock::new(START),
            tree: MemoryTree::new(),
            leaves: vec![],
            records: HashMap::new(),
            documents: HashMap::new(),
            heads: HashMap::new(),
            witnessed: None,
            witness_signs: true,
            witness_time: None,
            by_sequence: HashMap::new(),
            labels: HashMap::new(),
            maps: BTreeMap::new(),
            open: BTreeSet::new(),
            log_key,
            witness,
        }
    }

    /// A log with its first three entries.
    pub fn founded() -> Self {
        let mut log = Self::empty();
        for submission in log.bootstrap.submissions() {
            log.take_one(&submission, false).unwrap();
        }
        log
    }

    /// Writes an entry with the change set that these operations make, signed by the authority.
    pub fn change(&mut self, kind: TrustKind, operations: Vec<Operation>) -> u64 {
        let now = Timestamp(self.clock.now());
        let state = self.history.state();
        let set = state
            .propose(kind, now, "Änderung".parse().unwrap(), operations)
            .unwrap();
        self.write_set(&set.sign(&[&authority()]).unwrap())
    }

    /// Writes an entry with a change set, which need not be valid.
    pub fn write_set(&mut self, set: &SignedChangeSet) -> u64 {
        let body = Body::Document {
            kind: set.header().kind.document_kind(),
            digest: set.signed().digest(),
        };
        let leaf = self.chained(&operator(), body).into_bytes();
        let submission = Submission {
            leaf,
            record: None,
            document: Some(set.to_bytes()),
        };
        self.take_one(&submission, false).unwrap()
    }

    /// The entries with the newest change sets.
    pub fn newest(&self) -> NewestSets {
        let index = |kind| self.history.newest(kind).unwrap().position.index;
        NewestSets {
            directory: index(TrustKind::Directory),
            registerlandkarte: index(TrustKind::Registerlandkarte),
        }
    }

    /// A page of change sets, under the newest checkpoint.
    pub fn page(&mut self, from: Index) -> SetPage {
        let document = |digest| self.documents.get(&digest).cloned();
        let sets = self
            .sets
            .range(self.page_from.unwrap_or(from)..)
            .filter_map(|(index, set)| {
                Some(LoggedSet {
                    index: *index,
                    leaf: self.leaves[usize::try_from(index.get()).unwrap()].clone(),
                    header: document(set.signed().digest())?,
                    operations: document(set.header().operations)?,
                })
            });
        let sets: Vec<LoggedSet> = sets.take(self.page_sets).collect();
        let mut page = SetPage {
            checkpoint: String::from_utf8(self.head(self.witness_signs)).unwrap(),
            proof: Vec::new(),
            sets,
        };
        (self.false_page)(&mut page);
        let indices: Vec<Index> = page.sets.iter().map(|set| set.index).collect();
        let size = self.tree.size();
        page.proof = inclusion_batch(&mut self.tree, &indices, size).unwrap();
        page
    }

    /// The receipt of the last `map` entry, under the newest checkpoint.
    pub fn newest_map(&mut self) -> Option<Vec<u8>> {
        let is_map = |index: &usize| self.entry(*index as u64).entry().body.kind() == Kind::Map;
        let index = (0..self.leaves.len()).rev().find(is_map)?;
        Some(self.receipt(index, true))
    }

    /// A log with its first three entries and the `begin` of period 1.
    pub fn begun() -> Self {
        let mut log = Self::founded();
        log.write(&identity(), super::entries::begin(1));
        log
    }

    /// Writes an entry with any key.
    pub fn write(&mut self, key: &SigningKey, body: Body) -> u64 {
        let signed = self.chained(key, body);
        let submission = Submission {
            leaf: signed.into_bytes(),
            record: None,
            document: None,
        };
        self.take_one(&submission, false).unwrap()
    }

    fn chained(&self, key: &SigningKey, body: Body) -> SignedEntry {
        let (sequence, previous) = self.next(&key.id());
        let time = Timestamp(self.clock.now());
        let unsigned = Unsigned {
            sequence,
            previous,
            time,
            body,
        };
        key.sign(unsigned).unwrap()
    }

    /// Appends a leaf without any checks.
    pub fn force(&mut self, leaf: Vec<u8>) {
        self.tree.append(tlog::merkle::leaf_hash(&leaf)).unwrap();
        self.leaves.push(leaf);
    }

    /// Writes a `map` entry that covers all entries.
    pub fn write_map(&mut self) -> u64 {
        let roots = self.roots();
        let newest = self.newest();
        self.write(&map_writer(), Body::Map { roots, newest })
    }

    pub fn roots(&mut self) -> Vec<(Period, Hash)> {
        let periods: Vec<Period> = std::iter::once(Period::MAP0).chain(self.open.iter().copied()).collect();
        periods
            .into_iter()
            .map(|period| (period, self.maps.entry(period).or_default().root()))
            .collect()
    }

    pub fn next(&self, writer: &WriterId) -> (record::Sequence, Hash) {
        let last = self.heads.get(writer);
        last.map_or((record::Sequence::FIRST, Hash([0; 32])), |head| {
            (head.sequence.next(), head.leaf_hash)
        })
    }

    pub fn entry(&self, index: u64) -> SignedEntry {
        SignedEntry::parse(self.leaves[usize::try_from(index).unwrap()].clone()).unwrap()
    }

    pub fn append(&mut self, submissions: &[Submission]) -> Vec<AppendAnswer> {
        let mut broken = false;
        let mut answers = Vec::new();
        for submission in submissions {
            answers.push(match self.take_one(submission, broken) {
                Ok(index) => AppendAnswer::Recorded {
                    index,
                    receipt: self.receipt(usize::try_from(index).unwrap(), false),
                },
                Err((problem, stored)) => {
                    broken = true;
                    let receipt = stored.map(|at| self.receipt(usize::try_from(at).unwrap(), false));
                    AppendAnswer::Refused {
                        problem: Box::new(problem),
                        receipt,
                    }
                }
            });
        }
        answers
    }

    /// Applies the ledger's rules in its order: the same bytes, faults of the entry itself, the chain.
    fn take_one(&mut self, submission: &Submission, broken: bool) -> Result<u64, (Problem, Option<u64>)> {
        let signed =
            SignedEntry::parse(submission.leaf.clone()).map_err(|_| (Problem::bad_request("malformed", ""), None))?;
        let entry = signed.entry();
        let stored = self.by_sequence.get(&(entry.writer, entry.sequence.0)).copied();
        if let Some(index) = stored.filter(|index| self.entry(*index).bytes() == submission.leaf) {
            return Ok(index);
        }
        let index = Index::new(self.leaves.len() as u64).unwrap();
        if self.history.check_writer_at(&signed, index).is_err() {
            return Err((Problem::forbidden("right", ""), None));
        }
        if entry.time.distance(Timestamp(self.clock.now())) > SKEW {
            return Err((Problem::unprocessable("clock-skew", ""), None));
        }
        if let Some(at) = entry.body.map_key().and_then(|key| self.labels.get(&key)) {
            return Err((Problem::conflict("label-used", ""), Some(*at)));
        }
        if let Some(index) = stored {
            return Err((Problem::conflict("sequence-used", ""), Some(index)));
        }
        if broken || (entry.sequence, entry.previous) != self.next(&entry.writer) {
            return Err((Problem::conflict("chain", ""), None));
        }
        Ok(self.store(&signed, submission))
    }

    fn store(&mut self, signed: &SignedEntry, submission: &Submission) -> u64 {
        let entry = signed.entry();
        let index = self.tree.append(signed.leaf_hash()).unwrap();
        self.leaves.push(submission.leaf.clone());
        let head = WriterHead {
            sequence: entry.sequence,
            leaf_hash: signed.leaf_hash(),
            index,
        };
        self.heads.insert(entry.writer, head);
        self.by_sequence.insert((entry.writer, entry.sequence.0), index.get());
        if let Some((period, label)) = entry.body.map_key() {
            self.labels.insert((period, label), index.get());
            let value = Value {
                index,
                leaf: signed.leaf_hash(),
            };
            self.maps
                .entry(period)
                .or_default()
                .insert(*label.as_bytes(), value)
                .unwrap();
        }
        if let Body::Period {
            period,
            event: PeriodEvent::Begin { .. },
        } = &entry.body
        {
            self.open.insert(*period);
        }
        if let Some(record) = &submission.record {
            self.records.insert(index.get(), record.clone());
        }
        match (&submission.document, TrustKind::of_entry(entry.body.kind())) {
            (Some(document), Some(kind)) => self.store_set(kind, index, entry.time, document),
            (Some(document), None) => drop(self.documents.insert(Hash::of(document), document.clone())),
            _ => {}
        }
        index.get()
    }

    fn store_set(&mut self, kind: TrustKind, index: Index, time: Timestamp, document: &[u8]) {
        let set = SignedChangeSet::parse(document).unwrap();
        for part in [set.signed().bytes(), set.operations().bytes()] {
            self.documents.insert(Hash::of(part), part.to_vec());
        }
        if let Ok(next) = self.history.apply(kind, Position { index, time }, &set) {
            self.history = Arc::new(next);
        }
        self.sets.insert(index, set);
    }

    pub fn size(&self) -> Size {
        self.tree.size()
    }

    /// The newest checkpoint, signed by the log, and by the witness if `witnessed`.
    pub fn head(&self, witnessed: bool) -> Vec<u8> {
        self.sign(
            &Checkpoint::new(origin(), self.tree.size(), self.tree.root()),
            witnessed,
        )
    }

    pub fn sign(&self, checkpoint: &Checkpoint, witnessed: bool) -> Vec<u8> {
        let mut note = checkpoint.sign(&[&self.log_key]).unwrap();
        if witnessed {
            let time = self.witness_time.unwrap_or_else(|| self.clock.now());
            note.signatures.push(cosign(&note.text, &self.witness, time).unwrap());
        }
        note.to_string().into_bytes()
    }

    /// Publishes the newest checkpoint with the witness's cosignature.
    pub fn witness(&mut self) -> Checkpoint {
        self.witnessed = Some(self.head(true));
        self.checkpoint()
    }

    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new(origin(), self.tree.size(), self.tree.root())
    }

    pub fn receipt(&mut self, index: usize, witnessed: bool) -> Vec<u8> {
        let entry = SignedEntry::parse(self.leaves[index].clone()).unwrap();
        let at = Index::new(index as u64).unwrap();
        let size = self.tree.size();
        let hashes = inclusion_proof(&mut self.tree, at, size).unwrap();
        let checkpoint = String::from_utf8(self.head(witnessed && self.witness_signs)).unwrap();
        Receipt::new(entry, at, hashes, checkpoint).to_bytes()
    }

    pub fn tile(&mut self, tile: Tile) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for at in 0..u64::from(tile.width()) {
            let node = self.tree.read(tile.level() * 8, tile.index() * 256 + at).ok()?;
            bytes.extend(node.0);
        }
        Some(bytes)
    }

    pub fn bundle(&self, bundle: Bundle) -> Option<Vec<u8>> {
        let first = usize::try_from(bundle.index()).unwrap() * 256;
        encode_bundle(self.leaves.get(first..first + usize::from(bundle.width()))?).ok()
    }
}
